"""This run's inputs and what is expected of them: drawn from the seed, computed once, fair or refused."""

import numpy as np
import pytest
import tiny_course
from tiny_course import CHECKS, NAME

from autograder import reference
from autograder.assignment import load
from autograder.course import Course
from autograder.question import CourseError
from autograder.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandboxes():
    with Sandbox() as one, Sandbox() as other:
        yield [one, other]


def assignment(folder, checks=CHECKS):
    return load(Course(tiny_course.write_course(folder, checks=checks)), NAME)


def inputs(one, seed):
    return {
        r.name: [[np.asarray(part).tolist() for part in given] for given in r.hidden]
        for r in reference.draw(one, seed)
    }


def test_a_seed_gives_the_same_inputs_whatever_was_drawn_before(tmp_path):
    one = assignment(tmp_path)
    first = inputs(one, 3)
    np.random.seed(1)
    assert inputs(one, 3) == first
    assert inputs(one, 4) != first


def test_a_question_more_does_not_move_the_draws_of_the_others(tmp_path):
    half = CHECKS[: CHECKS.index("@question", CHECKS.index("as_a_dot_product"))]
    both = inputs(assignment(tmp_path / "both"), 3)
    notebook = tiny_course.source_notebook()
    notebook.cells = [cell for cell in notebook.cells if "delay" not in cell.id]
    course = Course(tiny_course.write_course(tmp_path / "half", notebook, half))
    assert inputs(load(course, NAME), 3) == {"energy": both["energy"]}


def test_two_questions_do_not_share_their_draws(tmp_path):
    one = assignment(tmp_path, CHECKS.replace("rng.integers(2, 9)) + 5", "rng.integers(5, 9))"))
    drawn = inputs(one, 3)
    assert drawn["energy"][0][0][:2] != drawn["delay"][0][0][:2]


def test_the_first_hidden_input_is_asked_again_at_the_end(tmp_path):
    for request in reference.draw(assignment(tmp_path), 3):
        assert request.hidden[-1] is request.hidden[0]
        assert len(request.hidden) == 6 + 1


def test_expected_values_are_the_solutions(tmp_path, sandboxes):
    one = assignment(tmp_path)
    found = reference.compute(one, 3, sandboxes)
    for request in found.requests:
        expectation = found.expectations[request.name]
        for (x, *rest), value in zip(
            [*request.examples, *request.hidden], expectation.reference, strict=True
        ):
            n = rest[0] if rest else 0
            want = (x**2).sum() if request.name == "energy" else np.r_[np.zeros(n), x[: len(x) - n]]
            np.testing.assert_allclose(value, want)
    assert set(found.expectations["energy"].misconceptions) == {"forgets_the_square", "takes_the_root"}
    assert "numpy" in found.modules


@pytest.mark.parametrize("count", [1, 2])
def test_sharing_the_work_changes_nothing(tmp_path, sandboxes, count):
    one = assignment(tmp_path)
    found = reference.compute(one, 3, sandboxes[:count])
    again = reference.compute(one, 3, sandboxes)
    for name, expectation in found.expectations.items():
        assert str(expectation) == str(again.expectations[name])


UNFAIR = {
    "misconception `forgets_the_square` would pass `energy`": CHECKS.replace("np.sum(x)", "np.sum(x**2)"),
    "equivalent `as_a_dot_product` would lose `energy`": CHECKS.replace(
        "x @ x", "x @ x if len(x) < 4 else 0.0"
    ),
}


@pytest.mark.parametrize("sentence", UNFAIR)
def test_inputs_that_would_misjudge_a_known_answer_are_refused(tmp_path, sandboxes, sentence):
    with pytest.raises(CourseError, match="unfair") as refusal:
        reference.compute(assignment(tmp_path, UNFAIR[sentence]), 3, sandboxes)
    assert sentence in str(refusal.value)
    assert "seed 3" in str(refusal.value)


BROKEN = {
    "stops with ZeroDivisionError": ("imports", "import numpy as np\n1 / 0"),
    "raised ValueError": ("energy", "def energy(x):\n    raise ValueError('no')"),
    "gives nothing to compare": ("energy", "def energy(x):\n    return object()"),
    "Does the probe return": ("energy", "def energy(x):\n    x.sum()"),
    "unattempted": ("energy", "def energy(x):\n    raise NotImplementedError"),
    "ended the process": ("energy", "def energy(x):\n    import os\n    os._exit(0)"),
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_a_solution_that_does_not_answer_is_one_sentence(tmp_path, sandboxes, sentence):
    key, text = BROKEN[sentence]
    notebook = tiny_course.source_notebook()
    for cell in notebook.cells:
        if key in (cell.id, cell.metadata.get("nbgrader", {}).get("grade_id")):
            cell.source = text
    one = load(Course(tiny_course.write_course(tmp_path, notebook)), NAME)
    with pytest.raises(CourseError, match=sentence):
        reference.compute(one, 3, sandboxes[:1])


def test_the_cache_spares_the_work_and_gives_the_same(tmp_path, sandboxes):
    one = assignment(tmp_path)
    first = reference.obtain(one, 3, lambda: sandboxes, tmp_path / "cache")
    again = reference.obtain(one, 3, lambda: pytest.fail("computed again"), tmp_path / "cache")
    assert str(again) == str(first)


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-9], lambda data: b"", lambda data: data.replace(b"energy", b"enerGy")]
)
def test_a_spoilt_cache_is_made_anew(tmp_path, sandboxes, spoil):
    one = assignment(tmp_path)
    first = reference.obtain(one, 3, lambda: sandboxes, tmp_path / "cache")
    [path] = (tmp_path / "cache").iterdir()
    path.write_bytes(spoil(path.read_bytes()))
    assert str(reference.obtain(one, 3, lambda: sandboxes, tmp_path / "cache")) == str(first)


def test_the_cache_goes_by_content(tmp_path):
    one, other = (
        assignment(tmp_path / "a"),
        assignment(tmp_path / "b", CHECKS.replace("np.sum(x)", "np.sum(x) ")),
    )
    assert reference.key(one, 3) == reference.key(assignment(tmp_path / "c"), 3)
    assert len({reference.key(one, 3), reference.key(one, 4), reference.key(other, 3)}) == 3
