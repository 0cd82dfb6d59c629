"""A class graded from folder to folder: what each student gets, and what no page may hold."""

import json
import os

import pytest
import tiny_course
from tiny_course import NAME

from autograder import grading
from autograder.confine import Limits
from autograder.course import Course
from autograder.grading import grade
from autograder.release import release
from autograder.sandbox import Sandbox, SandboxError, starting

SPY = """
log = []

def energy(x):
    log.append(x)
    print("hidden", list(x))
    if len(log) > 2:
        raise ValueError(f"hidden {list(x)}")
    return (x ** 2).sum()
"""
NAMED = """
def energy(x):
    kind = type("Leak" + "_".join(str(round(float(v), 4)) for v in x), (Exception,), {})
    if len(x) > 3 or x[0] not in (1.0, 0.5):
        raise kind("told")
    return (x ** 2).sum()
"""
SHAPED = """
def energy(x):
    return np.zeros(int(1e4 * abs(x[0]))) if x[0] not in (1.0, 0.5) else (x ** 2).sum()
"""
LATE = """
def delay(x, n):
    raise ValueError("from before: " + repr([list(v) for v in log]))
"""
STATEFUL = """
seen = []

def energy(x):
    seen.append(1)
    return (x ** 2).sum() * (len(seen) < 9)
"""
WARNING = """
import sys, warnings
import numpy as np
warnings.warn("w")
print(1, file=sys.stderr)
"""
UNTIDY = """
%matplotlib inline
import numpy as np
!pip install nothing
import google.colab
"""
SUBMISSIONS = {
    "honest": {},
    "spy": {"energy": SPY, "delay": LATE},
    "namer": {"energy": NAMED},
    "shaper": {"energy": SHAPED},
    "changer": {"energy": "def energy(x):\n    x *= x\n    return x.sum()"},
    "leaker": {"energy": STATEFUL},
    "looping": {"delay": "while True:\n    pass"},
    "warner": {"imports": WARNING},
    "untidy": {"imports": UNTIDY},
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    root = tiny_course.write_course(tmp_path_factory.mktemp("class"))
    course = Course(root)
    release(course, NAME)
    for student, texts in SUBMISSIONS.items():
        tiny_course.hand_in(root, student, tiny_course.answers(**texts))
    os.mkfifo(root / "submitted" / "warner" / NAME / "timestamp.txt")  # nobody will ever write to it
    with starting(2) as sandboxes:
        run = grade(course, NAME, sandboxes, seed=7, limits=Limits(cell_seconds=3))
    return course, run, {one.student: one for one in run.graded}


def verdict(graded, student, name="energy"):
    return graded[2][student].verdicts[name]


@pytest.mark.parametrize("student", ["honest", "warner", "untidy"])
def test_right_answers_get_full_marks_whatever_surrounds_them(graded, student):
    assert graded[2][student].points == 10


def test_a_changed_argument_is_told(graded):
    assert verdict(graded, "changer").sentence == "It changes its argument `x` in place; work on a copy."


def test_state_that_leaks_from_call_to_call_is_told(graded):
    assert verdict(graded, "leaker").credit == 0
    assert "second call with the same input" in verdict(graded, "leaker").sentence


def test_an_endless_loop_costs_its_own_question(graded):
    assert verdict(graded, "looping", "delay").kind == "timed out"
    assert verdict(graded, "looping", "delay").sentence == "Cell `delay` ran longer than 3 s."
    assert verdict(graded, "looping").kind == "passed"


@pytest.mark.parametrize("student", ["spy", "namer", "shaper"])
def test_nothing_of_hidden_inputs_reaches_the_student(graded, student):
    course, _, by_name = graded
    assert verdict(graded, student).credit == 0
    [hidden] = [one.hidden for one in _requests(graded) if one.name == "energy"]
    page = by_name[student].page.read_text()
    notebook = (course.folder("autograded", student, NAME) / "tiny.ipynb").read_text()
    for (x,) in hidden:
        for number in x:
            for text in (repr(float(number)), f"{number:.4g}", f"{number:.4f}", str(int(1e4 * abs(number)))):
                assert text not in page
                assert text not in notebook
    assert not any(word in verdict(graded, student).sentence for word in ("told", "Leak", "hidden ["))


def test_what_was_printed_then_is_kept_for_the_instructor(graded):
    record = json.loads((graded[0].records / "verdicts" / NAME / "spy.json").read_text())
    assert "hidden [" in record["printed while hidden inputs were there"]["energy"]
    assert record["seed"] == 7


def test_a_page_holds_nothing_of_another_student(graded):
    page = graded[2]["honest"].page.read_text()
    assert not any(student in page for student in SUBMISSIONS if student != "honest")


@pytest.mark.parametrize("workers", [1, 3])
def test_the_same_seed_gives_the_same_verdicts_with_any_number_of_workers(graded, workers):
    students = ["honest", "spy", "namer", "shaper", "changer"]
    with starting(workers) as sandboxes:
        again = grade(graded[0], NAME, sandboxes, students, seed=7)
    for one in again.graded:
        assert one.verdicts == graded[2][one.student].verdicts


def test_scores_are_in_the_database_once(graded):
    from nbgrader.api import Gradebook

    with Gradebook(graded[0].directory.db_url, graded[0].directory.course_id) as book:
        scores = {one.student.id: one.score for one in book.find_assignment(NAME).submissions}
    assert scores == {student: one.points for student, one in graded[2].items()}


def test_where_student_code_cannot_be_kept_apart_nothing_is_graded(graded, monkeypatch):
    course, _, by_name = graded
    without_files = property(lambda self: ["network", "processes"], lambda self, _: None)
    monkeypatch.setattr(Sandbox, "held", without_files, raising=False)
    before = by_name["honest"].page.stat().st_mtime_ns
    with starting(1) as sandboxes, pytest.raises(SandboxError, match="apart in: files"):
        grade(course, NAME, sandboxes, ["honest"])
    assert by_name["honest"].page.stat().st_mtime_ns == before
    with starting(1, confined=False) as sandboxes:
        assert grade(course, NAME, sandboxes, ["honest"]).graded[0].points == 10


class Breaking(Sandbox):
    """A sandbox whose process is killed when its student number `at` comes."""

    at, children = 0, 0

    def child(self, limits=None, files=None):
        if limits is not None and limits.cell_seconds == 3:
            type(self).children += 1
            if self.children in type(self).at:
                self._process.kill()
        return super().child(limits, files)


@pytest.mark.parametrize(("at", "lost"), [([2], set()), ([2, 3], {"honest"})])
def test_a_sandbox_that_breaks_costs_a_second_try_and_then_its_submission_only(graded, monkeypatch, at, lost):
    monkeypatch.setattr(grading, "Sandbox", Breaking)
    monkeypatch.setattr(Breaking, "at", at)
    monkeypatch.setattr(Breaking, "children", 0)
    students = ["changer", "honest", "warner"]
    with Breaking() as sandbox:
        again = grade(graded[0], NAME, [sandbox], students, seed=7, limits=Limits(cell_seconds=3))
    assert {one.student for one in again.graded if one.lost} == lost
    assert again.needs_instructor == bool(lost)
    for one in again.graded:
        if one.student not in lost:
            assert one.verdicts == graded[2][one.student].verdicts
    assert "<strong>10</strong>" in graded[2]["honest"].page.read_text()  # what was there stands


def _requests(graded):
    from autograder.reference import draw

    return draw(graded[1].assignment, 7)
