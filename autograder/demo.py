"""An assignment in, a course with a small class out, graded: what `autograder demo` shows.

The students are made from the solution, its equivalents and its misconceptions, so what the grader must
say of each of them is known beforehand.
"""

import copy
import itertools
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np

from autograder import assignment as assignments
from autograder.confine import Limits
from autograder.course import CONFIG_NAME, Course
from autograder.judge import CRASHED, MISCONCEPTION, PASSED, TIMED_OUT, UNATTEMPTED
from autograder.question import CourseError

MARKER = ".autograder_demo"
CLASS_SIZE = 24
STUDENTS = [
    "ada", "ben", "chloe", "dmitri", "elif", "farid", "grace", "hugo",
    "ines", "jonas", "kofi", "lena", "mateo", "nadia", "oskar", "priya",
    "quinn", "rosa", "sven", "tariq", "uma", "viktor", "wanda", "yusuf",
]  # fmt: skip
LIMITS = Limits(cell_seconds=5.0)  # there is an endless loop to wait for
SEED = 1
WRITTEN = "The one with the conjugate on the weights; I have tried both on numbers."


@dataclass
class Planted:
    """A student of the demo: the submission's text, and question → the (kind, misconception) it must get."""

    student: str
    story: str
    text: str
    expected: dict[str, tuple[str, str | None]]


def make(source, folder, name):
    """Write a course folder with the class's submissions; the course, and what is planted in it."""
    folder = Path(folder).resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise CourseError(f"{folder} is not empty and no earlier demo: name another folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
    shutil.copy(source.root / CONFIG_NAME, folder)
    course = Course(folder)
    for step in ("source", "release"):
        there = getattr(source, step)(name)
        if not there.is_dir():
            raise CourseError(f"{there} is missing: run `autograder release {name}` first.")
        shutil.copytree(there, getattr(course, step)(name), ignore=shutil.ignore_patterns("__pycache__"))
    assignment = assignments.load(course, name)
    planted = plant(assignment)
    for one in planted:
        place = course.folder("submitted", one.student, name)
        place.mkdir(parents=True)
        (place / f"{assignment.notebook}.ipynb").write_text(one.text, encoding="utf-8")
    return course, planted


def plant(assignment):
    """The class: a perfect student, some with equivalents, most with mistakes, and four odd ones."""
    writer = Writer(assignment)
    rng = np.random.default_rng(SEED)
    questions = list(assignment.questions.values())
    right = dict.fromkeys(assignment.questions, (PASSED, None))
    stories = [("the solution", {})]
    most = max(len(question.equivalents) for question in questions)
    for number in range(min(most, 4)):
        answers = {q.name: q.equivalents[number % len(q.equivalents)] for q in questions if q.equivalents}
        stories.append(("right answers, written differently", answers))
    single = [(q.name, mistake) for q in questions for mistake in q.misconceptions]
    rng.shuffle(single)
    mistakes = itertools.cycle(single)
    most = min(3, len({name for name, _ in single}))
    while len(stories) < CLASS_SIZE - 4:
        count = most and 1 + len(stories) % most
        answers = {}
        while len(answers) < count:
            name, mistake = next(mistakes)
            answers.setdefault(str(name), str(mistake))
        stories.append((f"{count} mistake{'s' * (count > 1)}" if count else "the solution again", answers))
    planted = []
    for story, answers in stories:
        expected = dict(right)
        for name, stand_in in answers.items():
            if stand_in in assignment.questions[name].misconceptions:
                expected[name] = (MISCONCEPTION, stand_in)
        planted.append((story, writer.submission(answers), expected))
    last, first = questions[-1].name, questions[0].name
    planted += [
        ("a blank exercise", writer.blank(), dict.fromkeys(right, (UNATTEMPTED, None))),
        (
            "an endless loop",
            writer.submission({}, {last: "while True:\n    pass"}),
            right | {last: (TIMED_OUT, None)},
        ),
        (
            "a crash of the process",
            writer.submission({}, {first: f"import os\n\ndef {first}(*arguments):\n    os.abort()"}),
            right | {first: (CRASHED, None)},
        ),
        ("a corrupt file", writer.submission({})[:2000], dict.fromkeys(right, (CRASHED, None))),
    ]
    order = rng.permutation(len(planted))
    return [Planted(student, *planted[index]) for student, index in zip(STUDENTS, order, strict=True)]


class Writer:
    """Writes submissions as students hand them in: the released notebook with its stubs filled."""

    def __init__(self, assignment):
        self.assignment = assignment
        path = assignment.files / f"{assignment.notebook}.ipynb"
        self.released = nbformat.read(path, as_version=4)
        self.solutions = {
            cell.metadata.nbgrader["grade_id"]: re.sub(
                r"(?m)^\s*### (BEGIN|END) SOLUTION\n?", "", cell.source
            )
            for cell in assignment.source.cells
            if cell.metadata.get("nbgrader", {}).get("solution")
        }

    def blank(self):
        return nbformat.writes(self.released)

    def submission(self, stand_ins, cells=None):
        """A notebook's text: the solution, but some answers by stand-ins, and some cells' text as given."""
        notebook = copy.deepcopy(self.released)
        texts = self.solutions | {
            name: self.assignment.traveller.stand_in(stand_in, name) for name, stand_in in stand_ins.items()
        }
        texts |= cells or {}
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if grade_id in self.assignment.questions:
                cell.source = texts[grade_id]
            elif grade_id in self.assignment.written:
                cell.source = WRITTEN
        return nbformat.writes(notebook)


def surprises(run, planted):
    """Sentences on verdicts that are not those planted."""
    found = []
    graded = {one.student: one.verdicts for one in run.graded}
    for one in planted:
        if one.student not in graded:
            found.append(f"{one.student} was not graded.")
            continue
        for name, (kind, mistake) in one.expected.items():
            verdict = graded[one.student][name]
            if (verdict.kind, verdict.misconception) != (kind, mistake):
                got = verdict.misconception or verdict.kind
                found.append(
                    f"{one.student}, {name}: planted {mistake or kind}, judged {got}: {verdict.sentence}"
                )
    return found
