"""A class with everything that can be wrong with a submission, graded in one run with the real wall."""

import contextlib
import copy
import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import tiny_course
from nbformat.v4 import new_code_cell, new_output
from tiny_course import NAME, autograder, cell

GRADER = Path(sys.executable).with_name("autograder")
SEED = 7
NOT_A_NOTEBOOK = (
    "`tiny.ipynb` is not a notebook: its text is not what Jupyter saves. Open it in Jupyter, save it, "
    "and hand it in again."
)
SUM = "def energy(x):\n    return np.sum(x)"


def changed(change, **texts):
    made = tiny_course.answers(**texts)
    change(made)
    return made


def deleted(grade_id):
    return f"The cell `{grade_id}` had been deleted; it was put back."


def split(made):
    made.cells.insert(2, new_code_cell(made.cells[2].source.replace("energy", "mine")))
    cell(made, "energy").source = "energy = mine"


def enlarge(made):
    made.cells[1].outputs = [new_output("stream", name="stdout", text="x" * 9_000_000)]


def repeat(made):
    made.cells.append(copy.deepcopy(cell(made, "energy")))
    made.cells[-1].update(id="again", source=SUM)


def raise_points(made):
    cell(made, "test_energy").metadata.nbgrader.points = 99


# student → what is handed in, points
HONEST = {
    "right": (tiny_course.answers(), 10),
    "wrong": (tiny_course.answers(energy=SUM), 6),
    "half": (tiny_course.answers(energy="def energy(x):\n    return np.sqrt(np.sum(x**2))"), 8),
    "of the wrong type": (tiny_course.answers(energy="def energy(x):\n    return 'a lot'"), 6),
    "no function": (tiny_course.answers(energy="energy = 5"), 6),
    "Żółć Ünï": (tiny_course.answers(), 10),
    "o'neil <b> {x} 100% *": (tiny_course.answers(), 10),
    "[red]mark": (tiny_course.answers(), 10),
    "two\nlines": (tiny_course.answers(), 10),
    "mark": (b"\xef\xbb\xbf" + nbformat.writes(tiny_course.answers()).encode(), 10),
    "windows": (nbformat.writes(tiny_course.answers()).replace("\n", "\r\n"), 10),
    "verbose": (changed(enlarge), 10),
    "splitting": (changed(split), 10),
    "moving": (changed(lambda made: made.cells.reverse()), 10),
    "foreign kernel": (changed(lambda made: made.metadata.kernelspec.update(name="julia-1.9")), 10),
    "old format": (nbformat.writes(nbformat.convert(tiny_course.answers(), 3), version=3), 10),
    "greedy": (changed(raise_points, energy=SUM), 6),
}  # fmt: skip
# student → what is handed in, points, what is told
TOLD = {
    "editing": (
        changed(lambda made: cell(made, "test_delay").update(source="delay = None")),
        10,
        ["The locked cell `test_delay` had been edited; the original was used."],
    ),
    "promoting": (
        changed(
            lambda made: (
                cell(made, "test_energy").update(source="4"),
                cell(made, "test_energy").metadata.nbgrader.update(solution=True, locked=False),
            ),
            energy=SUM,
        ),
        6,
        ["The locked cell `test_energy` had been edited; the original was used."],
    ),
    "repeating": (changed(repeat), 6, ["Two cells carry the id `energy`; the last one counts."]),
    "deleting": (
        changed(
            lambda made: [made.cells.remove(cell(made, one)) for one in ("energy", "test_delay")],
        ),
        6,
        [deleted("energy"), deleted("test_delay")],
    ),
    "inventing": (
        changed(lambda made: cell(made, "energy").metadata.nbgrader.update(grade_id="enrgy")),
        10,
        ["A cell carries the unknown id `enrgy`; it counts as an ordinary cell.", deleted("energy")],
    ),
    "retyping": (
        changed(lambda made: cell(made, "energy").update(cell_type="markdown")),
        10,
        ["The cell `energy` had been made a markdown cell; it was changed back."],
    ),
}
UNREADABLE = {
    "empty": (b"", "`tiny.ipynb` is empty. Save the notebook and hand it in again."),
    "cut": (nbformat.writes(tiny_course.answers())[:800], NOT_A_NOTEBOOK),
    "nulls": (bytes(100), NOT_A_NOTEBOOK),
    "utf-16": (nbformat.writes(tiny_course.answers()).encode("utf-16"), NOT_A_NOTEBOOK),
    "a list": ("[1, 2]", NOT_A_NOTEBOOK),
    "three cells": ('{"cells": 3}', NOT_A_NOTEBOOK),
    "deep": ("[" * 100_000, "`tiny.ipynb` is nested too deeply to be a notebook."),
    "missing": (None, "The submission has no file `tiny.ipynb`."),
    "folder": (Path.mkdir, "`tiny.ipynb` is not a file."),
    "pipe": (os.mkfifo, "`tiny.ipynb` is not a file."),
    "link": (lambda path: path.symlink_to("/dev/zero"), "`tiny.ipynb` cannot be opened: it is a link."),
}
POINTS = {student: rest[1] for student, rest in (HONEST | TOLD).items()} | dict.fromkeys(UNREADABLE, 0)
NO_NAME = os.fsdecode(b"caf\xe9")  # a name from a system that does not write UTF-8
STRANGERS = ["nobody", "[red]nobody"]


def grade(course, *words):
    """`autograder grade` as a program of its own."""
    return subprocess.run(
        [GRADER, "grade", NAME, "--course", course, "--seed", str(SEED), *words],
        text=True,
        capture_output=True,
    )


def hand_in_all(root):
    for student, (content, *_) in (HONEST | TOLD | UNREADABLE).items():
        if isinstance(content, dict | str | bytes):
            tiny_course.hand_in(root, student, content)
            continue
        folder = root / "submitted" / student / NAME
        folder.mkdir(parents=True)
        if content is not None:
            content(folder / "tiny.ipynb")
    tiny_course.hand_in(root, ".ipynb_checkpoints", tiny_course.answers())
    tiny_course.hand_in(root, NO_NAME, tiny_course.answers())
    (root / "submitted" / "a file").touch()
    (root / "submitted" / "other assignment" / "02_other").mkdir(parents=True)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The whole class graded in one run: the course, and what the program left."""
    root = tiny_course.write_course(tmp_path_factory.mktemp("class"))
    hand_in_all(root)
    return root, grade(root)


@pytest.fixture(scope="module")
def record(graded):
    """student → the grader's own record of this run."""
    folder = graded[0] / ".autograder" / "verdicts" / NAME
    return {path.stem: json.loads(path.read_text()) for path in folder.iterdir()}


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """The honest students alone, with the same seed, as JSON; some who are not there are asked for, too."""
    root = tiny_course.write_course(tmp_path_factory.mktemp("honest"))
    hand_in_all(root)
    words = [word for student in [*HONEST, *STRANGERS] for word in ("--student", student)]
    return root, grade(root, "--json", "--workers", "1", *words)


def test_the_run_is_done_and_calls_for_the_instructor(graded):
    assert graded[1].returncode == 1
    assert graded[1].stderr == ""


@pytest.mark.parametrize("student", POINTS)
def test_everyone_has_the_points_of_their_own_work(student, graded):
    with contextlib.closing(sqlite3.connect(graded[0] / "gradebook.db")) as book:
        rows = book.execute(
            """select c.name, g.auto_score from grade g join base_cell c on c.id = g.cell_id
            join submitted_notebook n on n.id = g.notebook_id
            join submitted_assignment a on a.id = n.assignment_id where a.student_id = ?""",
            [student],
        ).fetchall()
    assert sum(score for name, score in rows if name.startswith("test_")) == POINTS[student]


@pytest.mark.parametrize("student", TOLD)
def test_what_a_student_changed_is_told(student, graded, record):
    sentences = TOLD[student][2]
    assert record[student]["changes"] == sentences
    for sentence in sentences:
        assert f"\n{student}: {sentence}\n" in graded[1].stdout


@pytest.mark.parametrize("student", UNREADABLE)
def test_what_cannot_be_read_is_told_in_one_sentence(student, graded, record):
    sentence = UNREADABLE[student][1]
    assert record[student]["problem"] == sentence
    assert graded[1].stdout.count(f"\n{student}: {sentence}\n") == 1


def test_nothing_else_is_told(graded, record):
    assert {student for student, one in record.items() if one["problem"]} == set(UNREADABLE)
    assert {student for student, one in record.items() if one["changes"]} == set(TOLD)
    assert set(record) == set(POINTS)


def test_a_name_that_is_no_text_is_told_and_left_out(graded):
    assert "\ncaf?: the folder's name is not text in UTF-8; rename it.\n" in graded[1].stdout


def test_names_stand_on_a_line_of_their_own_and_are_no_markup(graded):
    lines = graded[1].stdout.splitlines()
    for shown in ("[red]mark", "two?lines", "o'neil <b> {x} 100% *", "Żółć Ünï"):
        assert len([line for line in lines if line.startswith(f"│ {shown} ")]) == 1
        assert len([line for line in lines if re.match(rf"\d+/\d+ {re.escape(shown)}: ", line)]) == 1


def test_honest_students_get_what_they_get_alone(record, honest):
    alone = {one["student"]: one for one in json.loads(honest[1].stdout)["submissions"]}
    assert set(alone) == set(HONEST)
    for student, one in alone.items():
        assert one["verdicts"] == record[student]["verdicts"]
        assert one["points"] == POINTS[student]


def test_the_seed_is_the_one_asked_for_and_stored(record, honest):
    assert {one["seed"] for one in record.values()} == {SEED}
    assert json.loads(honest[1].stdout)["seed"] == SEED


def test_unknown_students_are_told_and_the_others_graded(honest):
    assert honest[1].returncode == 1
    assert json.loads(honest[1].stdout)["no submission"] == STRANGERS
    assert honest[1].stderr == ""


def test_only_unknown_students_are_refused(honest):
    done = autograder("grade", NAME, "--course", honest[0], "--student", "nobody")
    assert done.status == 2
    assert done.err.startswith("autograder: no submission of `01_tiny` to grade: looked for ")
    assert done.err.endswith(" (asked for nobody).\n")
