"""nbgrader's own path: a test cell's call in, the question's points out, for `nbgrader autograde`.

Runs in the student's kernel, because nbgrader runs everything there; it gives honest submissions the
same points as `autograder grade`, and dishonest ones whatever they manage to forge. Use `autograder
grade` where that matters.
"""

import contextlib
import io
import logging
from pathlib import Path

from autograder import assignment as assignments
from autograder import reference
from autograder.course import CONFIG_NAME, Course
from autograder.judge import judge
from autograder.probe import ask_here, compile_probe
from autograder.question import CourseError
from autograder.sandbox import Sandbox
from autograder.selfcheck import notebook_names

_loaded = {}


def grade(name, answer):
    """Points for a question, for nbgrader to take as the test cell's partial score; prints the verdict.

    name: the question's; answer: the student's function or class
    """
    assignment, expected = _load(Path.cwd())
    question = assignment.questions.get(name)
    if question is None:
        raise CourseError(
            f"grade expects a question of {assignment.name}: {', '.join(assignment.questions)}. Got: {name}."
        )
    request = next(one for one in expected.requests if one.name == name)
    probe = compile_probe(request.probe, name)
    names = {**notebook_names(), name: answer}
    with _silence():
        answers = [ask_here(probe, names, arguments) for arguments in (*request.examples, *request.hidden)]
    verdict = judge(question, expected.expectations[name], answers)
    print(f"{verdict.kind}: {verdict.sentence}")
    return verdict.credit * assignment.points[assignments.test_cell(name)]


@contextlib.contextmanager
def _silence():
    """Hide what student code prints while hidden inputs are there; on standard error it would cost points."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(disabled)


def _load(folder):
    """The course around a folder of an nbgrader step, whose name is the assignment's."""
    if folder not in _loaded:
        root = next((one for one in folder.parents if (one / CONFIG_NAME).is_file()), None)
        if root is None:
            raise CourseError(f"grade runs inside an nbgrader course; no {CONFIG_NAME} above {folder}.")
        course = Course(root)
        assignment = assignments.load(course, folder.name)
        _loaded[folder] = assignment, _expectations(course, assignment)
    return _loaded[folder]


def _expectations(course, assignment):
    """The reference of this course's seed for nbgrader; computed once, then from the cache."""
    sandboxes = []

    def start():
        sandboxes.append(Sandbox(confined=False))
        return sandboxes

    try:
        return reference.obtain(assignment, _seed(course), start, course.records / "reference")
    finally:
        for one in sandboxes:
            one.close()


def _seed(course):
    path = course.records / "nbgrader_seed"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(reference.fresh_seed()))
    return int(path.read_text())
