"""What authors write in `checks.py`, and the sentence for each way to get it wrong."""

import math

import pytest

from autograder.compare import close
from autograder.question import CourseError, Misconception, question


def made(probe=None, **options):
    if probe is None:

        def probe(student, x, a):
            return student.probe(x, a)

    return question(
        **{"examples": [(1, 2)], "draws": lambda rng: (1, 2), "compare": close(rtol=0.1)} | options
    )(probe)


def looks_ahead(x, a):
    """You read

    samples ahead.
    """


def test_a_question_is_what_its_author_wrote():
    asked = made(count=3, margin="trained")
    assert asked.misconception(looks_ahead) is looks_ahead
    asked.misconception(credit=0.5)(lambda_named("half", "Half."))
    assert asked.equivalent(lambda_named("other", None)).__name__ == "other"
    assert (asked.name, asked.arguments, asked.examples) == ("probe", ("x", "a"), [(1, 2)])
    assert (asked.count, asked.margin, asked.compare) == (3, "trained", close(rtol=0.1))
    assert list(asked.misconceptions.values()) == [
        Misconception("looks_ahead", "You read samples ahead.", 0.0),
        Misconception("half", "Half.", 0.5),
    ]
    assert asked.equivalents == ["other"]


def lambda_named(name, sentence):
    function = lambda x, a: None  # noqa: E731
    function.__name__, function.__doc__ = name, sentence
    return function


def test_one_hidden_input_is_enough():
    assert made(count=1).count == 1


def test_questions_share_no_stand_ins():
    one, other = made(), made()
    one.misconception(looks_ahead)
    one.equivalent(lambda_named("same", None))
    assert (other.misconceptions, other.equivalents) == ({}, [])


class Documented:
    """A base class's docstring."""


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda: made(examples=[]), "at least one example"),
        (lambda: made(count=0), "count=0"),
        (lambda: made(examples=[(1, 2), (1,)]), "a tuple of 2 arguments (x, a)"),
        (lambda: made(examples=[(1, 2, 3)]), "question `probe`: every example"),
        (lambda: made(examples=[[1, 2]]), "must be a tuple"),
        (lambda: made(lambda x, a: None), "first argument must be `student`, not ('x',)"),
        (lambda: made(lambda: None), "first argument must be `student`, not ()"),
        (
            lambda: made().misconception(lambda_named("wrong", None)),
            "`wrong` of question `probe` has no docstring",
        ),
        (lambda: made().misconception(lambda_named("wrong", " \n ")), "no docstring"),
        (
            lambda: made().misconception(type("Wrong", (Documented,), {})),
            "`Wrong` of question `probe` has no doc",
        ),
        (lambda: made().misconception(credit=1)(looks_ahead), "`looks_ahead`: credit must be at least 0"),
        (lambda: made().misconception(credit=-0.1)(looks_ahead), "below 1, not -0.1"),
        (lambda: made().misconception(credit=math.nan)(looks_ahead), "not nan"),
        (lambda: made().misconception(lambda_named("probe", "Doc.")), "of its own name"),
        (lambda: made().equivalent(lambda_named("probe", None)), "of its own name"),
    ],
)
def test_an_author_s_mistake_is_one_clear_sentence(break_it, sentence):
    with pytest.raises(CourseError) as error:
        break_it()
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("first", ["misconception", "equivalent"])
@pytest.mark.parametrize("second", ["misconception", "equivalent"])
def test_two_stand_ins_of_one_name_are_refused(first, second):
    asked = made()
    getattr(asked, first)(looks_ahead)
    with pytest.raises(CourseError, match="two stand-ins named `looks_ahead`: rename one"):
        getattr(asked, second)(looks_ahead)
