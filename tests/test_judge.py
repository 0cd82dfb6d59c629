"""The judge: one verdict a question, and nothing that came with a hidden input in its sentence."""

import builtins
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.channel import Foreign
from autograder.compare import close
from autograder.judge import LOST, TIMED_OUT, Answer, Expectation, Verdict, judge, known_error
from autograder.question import question

RIGHT = [np.array([float(n), 1.0, 2.0]) for n in range(5)]  # two examples, two draws, the first draw again
RIGHT[4] = RIGHT[2]


@question(examples=[(1, 2), (3, 4)], draws=lambda rng: (5, 6), count=2, compare=close(rtol=1e-3))
def mean(student, x, n):
    return student.mean(x, n)


@mean.misconception(credit=0.25)
def forgets_the_last(x, n):
    """You leave out the last sample."""


@mean.misconception
def divides_by_zero(x, n):
    """You divide by zero."""


@mean.misconception
def doubles(x, n):
    """You count everything twice."""


def values(results):
    return [Answer("value", one) for one in results]


def raised(error="ZeroDivisionError", message="on purpose"):
    return Answer("raised", error=error, message=message)


SHORT = [one[:-1] for one in RIGHT]
EXPECTED = Expectation(
    2,
    RIGHT,
    {
        "forgets_the_last": values(SHORT),
        "divides_by_zero": [raised(), *values(RIGHT[1:])],
        "doubles": values([2 * one for one in RIGHT]),
    },
)
OTHER = Answer("value", RIGHT[0] + 7)


def verdict(changes=(), fault=None):
    """The verdict on right answers but for `changes`, number of the input → what the student's code did."""
    answers = values(RIGHT)
    for number, answer in dict(changes).items():
        answers[number] = answer
    return judge(mean, EXPECTED, answers, fault)


def changes(number, position):
    return Answer("value", RIGHT[number], changed=(position,))


def hidden(what):
    return f"The examples pass, but a hidden input {what}. Try other sizes and values than the examples have."


STOPPED = Answer("none", error=TIMED_OUT, message="One call of `mean` ran longer than 10 s.")
ENDED = Answer("none", error=LOST, message="One call of `mean` ended the process.")
RAISED = ("raised", "Cell `mean` stops with NameError: x")
MISSING, STUB = Answer("missing", message="helper"), Answer("unattempted")
NOTHING = dict.fromkeys(range(5), MISSING)
TEXT = Answer("value", "text")
LONG = Answer("value", np.ones(4))
STATE = "A second call with the same input gives another result: something stays from call to call."


@pytest.mark.parametrize(
    ("changes", "fault", "kind", "sentence"),
    [
        ({}, None, "passed", "Right on the examples and on every hidden input."),
        ({}, RAISED, "passed", "Right on the examples and on every hidden input."),
        ({0: TEXT}, None, "failed", "Example 1: expected an array of numbers, got a text."),
        ({1: LONG, 2: TEXT}, None, "failed", "Example 2: expected shape (3,), got (4,)."),
        ({0: raised()}, None, "misconception", "You divide by zero."),
        ({0: raised("ValueError")}, None, "crashed", "Example 1 stops with ValueError: on purpose"),
        ({0: raised("Odd", "")}, None, "crashed", "Example 1 stops with Odd"),
        ({2: OTHER}, None, "failed", hidden("gives the wrong values")),
        ({2: TEXT}, None, "failed", hidden("gives the wrong type")),
        ({2: LONG}, None, "failed", hidden("gives the wrong shape")),
        ({3: raised("KeyError", "7")}, None, "crashed", hidden("makes it stop with KeyError")),
        ({3: raised("Secret123", "7")}, None, "crashed", hidden("makes it stop with an error")),
        ({4: OTHER}, None, "failed", STATE),
        ({2: OTHER, 4: OTHER}, None, "failed", hidden("gives the wrong values")),
        ({4: raised("ValueError")}, None, "crashed", hidden("makes it stop with ValueError")),
        ({1: changes(1, 1)}, None, "failed", "It changes its argument `n` in place; work on a copy."),
        ({2: changes(2, 0)}, None, "failed", "It changes its argument `x` in place; work on a copy."),
        ({2: changes(2, 2)}, None, "failed", "It changes an argument in place; work on a copy."),
        ({2: changes(2, 31415)}, None, "failed", "It changes an argument in place; work on a copy."),
        (NOTHING, None, "failed", "`helper` is missing: no cell that ran to its end defines it."),
        (NOTHING, RAISED, "crashed", RAISED[1]),
        (NOTHING, (TIMED_OUT, "Cell `mean` ran on."), "timed out", "Cell `mean` ran on."),
        (NOTHING, (LOST, "Cell `mean` ended it."), "crashed", "Cell `mean` ended it."),
        ({3: MISSING}, None, "failed", "`mean` is missing: no cell that ran to its end defines it."),
        ({0: raised(), 3: STUB}, None, "unattempted", "Not attempted yet."),
        ({0: MISSING, 3: STUB}, None, "unattempted", "Not attempted yet."),
        ({3: STOPPED}, None, "timed out", STOPPED.message),
        ({0: STUB, 1: MISSING, 3: ENDED, 4: ENDED}, RAISED, "crashed", ENDED.message),
    ],
)  # fmt: skip
def test_every_kind_of_verdict(changes, fault, kind, sentence):
    found = verdict(changes, fault)
    assert (found.question, found.kind, found.sentence) == ("mean", kind, sentence)
    assert found.credit == (kind == "passed")


def test_a_misconception_comes_before_a_fault_of_shape_and_has_its_credit():
    found = judge(mean, EXPECTED, values(SHORT))
    assert found == Verdict(
        "mean", "misconception", "You leave out the last sample.", 0.25, "forgets_the_last"
    )
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


def test_a_misconception_must_match_on_every_input():
    answers = values(SHORT)
    for number in range(5):
        assert judge(mean, EXPECTED, [*answers[:number], OTHER, *answers[number + 1 :]]).misconception is None
    assert judge(mean, EXPECTED, [raised(), *values(RIGHT[1:4]), OTHER]).misconception is None


def test_a_misconception_that_raises_matches_the_same_error_only():
    assert verdict({0: raised(message="another message")}).misconception == "divides_by_zero"
    assert verdict({0: raised("ValueError")}).misconception is None


def test_of_two_that_match_the_first_is_told():
    alike = Expectation(2, RIGHT, dict.fromkeys(mean.misconceptions, values(SHORT)))
    assert judge(mean, alike, values(SHORT)).misconception == "forgets_the_last"


def test_a_misconception_that_also_changes_its_argument_is_told_as_such():
    answers = [Answer("value", one, changed=(0,)) for one in SHORT]
    assert judge(mean, EXPECTED, answers).misconception == "forgets_the_last"


def test_a_wrong_answer_is_never_told_to_change_its_argument():
    assert "in place" not in verdict({2: Answer("value", RIGHT[2] + 1, changed=(0,))}).sentence


def test_examples_alone_can_pass():
    only = Expectation(2, RIGHT[:2], {name: given[:2] for name, given in EXPECTED.misconceptions.items()})
    assert judge(mean, only, values(RIGHT[:2])).kind == "passed"
    assert judge(mean, only, [Answer("value", RIGHT[0]), LONG]).sentence.startswith("Example 2: ")


def test_a_number_of_answers_that_does_not_fit_is_no_verdict():
    with pytest.raises(ValueError, match="zip"):
        judge(mean, EXPECTED, values(RIGHT[:4]))


@pytest.mark.parametrize("name", ["Secret", "", "print", "__doc__", "\ud800", "a.b", "5", "object"])
def test_only_pythons_own_errors_are_named(name):
    assert known_error(name) == "an error"
    assert known_error("IndexError") == "IndexError"


# What arrives with a hidden input must not come out: every text and number here carries the mark.
MARK = "31415"
TEXTS = st.sampled_from(["", " ", "`", "é"]).map(lambda text: MARK + text)
WILD = st.recursive(
    st.just(None) | TEXTS | TEXTS.map(Foreign) | st.just(np.full(31415, 31415.0)) | st.just(np.array(31415)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=3,
)
NAMES = TEXTS | st.sampled_from([name for name in dir(builtins) if not name.startswith("_")])
SENT = st.one_of(
    st.builds(Answer, st.just("value"), WILD, changed=st.just((31415,)) | st.just(())),
    st.builds(Answer, st.just("value"), st.sampled_from(RIGHT), changed=st.just((31415,))),
    st.builds(Answer, st.sampled_from(["raised", "missing", "unattempted"]), error=NAMES, message=TEXTS),
)


@settings(max_examples=400, deadline=2000, database=None)
@given(st.dictionaries(st.integers(2, 4), SENT, min_size=1), st.sampled_from([None, RAISED]))
def test_nothing_that_came_with_a_hidden_input_is_in_a_sentence(changes, fault):
    found = verdict(changes, fault)
    assert MARK not in json.dumps(found.to_dict())
    assert found.credit == 0 or found.kind == "passed"
