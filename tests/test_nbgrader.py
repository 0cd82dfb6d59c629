"""nbgrader itself, driven as its users drive it, against what `autograder` leaves behind."""

import contextlib
import csv
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import tiny_course
from tiny_course import NAME

from autograder import demo
from autograder.course import Course
from autograder.release import release

HERE = {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
SUBMISSIONS = {
    "right": {},
    "half": {"energy": "def energy(x):\n    return np.sqrt(np.sum(x**2))"},
    "wrong": {"delay": "def delay(x, n):\n    return np.roll(x, n)", "essay": "YOUR ANSWER HERE"},
    "blank": {
        "energy": "def energy(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()",
        "delay": "def delay(x, n):\n    # YOUR CODE HERE\n    raise NotImplementedError()",
        "essay": "YOUR ANSWER HERE",
    },
    "crashing": {"energy": "def energy(x):\n    return x.no_such_attribute"},
    "noisy": {
        "energy": "import sys\ndef energy(x):\n    print('w', file=sys.stderr)\n    return (x**2).sum()"
    },
}


def command(course, *words, check=True):
    """Run a program of this environment in the course folder; its output."""
    done = subprocess.run(
        words,
        cwd=course,
        env={**os.environ, **HERE},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert not check or done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def courses(tmp_path_factory):
    """The same course twice: graded by `autograder grade`, and by `nbgrader autograde`."""
    ours = tiny_course.write_course(tmp_path_factory.mktemp("ours"))
    release(Course(ours), NAME)
    for student, texts in SUBMISSIONS.items():
        tiny_course.hand_in(ours, student, tiny_course.answers(**texts))
    (ours / "submitted" / "right" / NAME / "timestamp.txt").write_text("2026-01-02 03:04:05 UTC")
    (ours / "submitted" / "right" / NAME / "notes.txt").write_text("mine")
    theirs = tmp_path_factory.mktemp("theirs") / "course"
    shutil.copytree(ours, theirs)
    command(ours, "autograder", "grade", NAME)
    command(theirs, "nbgrader", "autograde", NAME)
    return ours, theirs


QUERIES = {
    "grades": """
        select s.id student, c.name cell, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade
        from grade g join base_cell c on c.id = g.cell_id join submitted_notebook n on n.id = g.notebook_id
        join submitted_assignment a on a.id = n.assignment_id join student s on s.id = a.student_id""",
    "comments": """
        select a.student_id student, c.name cell, m.auto_comment, m.manual_comment
        from comment m join base_cell c on c.id = m.cell_id join submitted_notebook n on n.id = m.notebook_id
        join submitted_assignment a on a.id = n.assignment_id""",
    "submissions": "select student_id, timestamp, extension from submitted_assignment",
    "notebooks": """
        select a.student_id, n.late_submission_penalty from submitted_notebook n
        join submitted_assignment a on a.id = n.assignment_id""",
    "students": "select id, first_name, last_name, email, lms_user_id from student",
    "assignments": "select name, duedate, course_id from assignment",
    "cells": """
        select c.name, c.type, g.max_score, s.cell_type, s.locked, s.source, s.checksum from base_cell c
        left join grade_cells g on g.id = c.id left join source_cell s on s.id = c.id""",
    "courses": "select id from course",
}


@pytest.mark.parametrize("table", QUERIES)
def test_the_database_is_that_of_nbgrader_autograde(courses, table):
    def rows(course):
        with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as book:
            return sorted(book.execute(QUERIES[table]).fetchall(), key=repr)

    ours, theirs = map(rows, courses)
    assert ours
    assert ours == theirs


def test_points_are_those_expected(courses):
    with contextlib.closing(sqlite3.connect(courses[0] / "gradebook.db")) as book:
        scores = {(student, cell): auto for student, cell, auto, *_ in book.execute(QUERIES["grades"])}
    want = {
        "right": (4, 6),
        "half": (2, 6),
        "wrong": (4, 0),
        "blank": (0, 0),
        "crashing": (0, 6),
        "noisy": (4, 6),
    }
    for student, (energy, delay) in want.items():
        assert (scores[student, "test_energy"], scores[student, "test_delay"]) == (energy, delay), student
    assert scores["right", "essay"] is None
    assert scores["wrong", "essay"] == 0


def test_the_folders_are_those_of_nbgrader_autograde(courses):
    def tree(course):
        top = course / "autograded"
        return sorted((str(p.relative_to(top)), oct(p.stat().st_mode)) for p in top.rglob("*") if p.is_file())

    ours, theirs = map(tree, courses)
    assert ours
    assert ours == theirs


def test_autograded_notebooks_have_the_same_cells(courses):
    def cells(course, student):
        text = (course / "autograded" / student / NAME / "tiny.ipynb").read_text()
        notebook = json.loads(text)
        kept = [(cell["source"], cell["metadata"].get("nbgrader")) for cell in notebook["cells"]]
        return notebook["metadata"], kept

    for student in SUBMISSIONS:
        assert cells(courses[0], student) == cells(courses[1], student)


def test_nbgrader_makes_feedback_from_our_grading(courses):
    command(courses[0], "nbgrader", "generate_feedback", NAME)
    for student in SUBMISSIONS:
        page = (courses[0] / "feedback" / student / NAME / "tiny.html").read_text()
        assert "tiny (Score: " in page
    half = (courses[0] / "feedback" / "half" / NAME / "tiny.html").read_text()
    assert "(Score: 8.0 / 15.0)" in half
    assert "That is the norm: energy has no square root." in half


def test_nbgrader_exports_our_grading(courses):
    command(courses[0], "nbgrader", "export")
    with open(courses[0] / "grades.csv") as stream:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(stream)}
    assert scores == {"right": 10, "half": 8, "wrong": 4, "blank": 0, "crashing": 6, "noisy": 10}


@contextlib.contextmanager
def formgrader(course):
    """A Jupyter server with nbgrader's formgrader; a function that calls its API."""
    with socket.socket() as finder:
        finder.bind(("127.0.0.1", 0))
        port = finder.getsockname()[1]
    words = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--port={port}"]
    words += ["--ip=127.0.0.1", "--ServerApp.port_retries=0", "--IdentityProvider.token=t"]
    words += ["--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]

    def call(method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/formgrader/api/{path}", data, method=method
        )
        request.add_header("Authorization", "token t")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    with open(course / "server.log", "wb") as log:
        server = subprocess.Popen(words, cwd=course, env={**os.environ, **HERE}, stdout=log, stderr=log)
    try:
        for _ in range(600):
            assert server.poll() is None, (course / "server.log").read_text()
            try:
                call("GET", "status")
                break
            except urllib.error.HTTPError:
                raise
            except urllib.error.URLError:
                time.sleep(0.1)
        yield call
    finally:
        server.terminate()
        server.wait()


def test_a_grade_given_in_the_formgrader_survives_a_regrade(courses):
    ours = courses[0]
    with formgrader(ours) as call:
        submission = next(one for one in call("GET", f"submissions/{NAME}") if one["student"] == "right")
        assert submission["needs_manual_grade"]
        [notebook] = call("GET", f"submitted_notebooks/{NAME}/tiny")[:1]
        assert notebook["name"] == "tiny"
        with contextlib.closing(sqlite3.connect(ours / "gradebook.db")) as book:
            [[key]] = book.execute(
                """select n.id from submitted_notebook n join submitted_assignment a on a.id = n.assignment_id
                where a.student_id = 'right'"""
            )
        essay = next(one for one in call("GET", f"grades?submission_id={key}") if one["name"] == "essay")
        call("PUT", f"grade/{essay['id']}", {"manual_score": 3.5, "extra_credit": 0})
        comment = next(one for one in call("GET", f"comments?submission_id={key}") if one["name"] == "essay")
        call("PUT", f"comment/{comment['id']}", {"manual_comment": "Say what falls off."})
    command(ours, "autograder", "grade", NAME, "--student", "right")
    with contextlib.closing(sqlite3.connect(ours / "gradebook.db")) as book:
        rows = {cell: rest for student, cell, *rest in book.execute(QUERIES["grades"]) if student == "right"}
    assert rows["essay"][1] == 3.5
    assert rows["test_energy"][0] == 4
    page = (ours / "reports" / NAME / "right.html").read_text()
    assert "Say what falls off." in page


@pytest.mark.slow
@pytest.mark.parametrize("name", Course(tiny_course.ROOT).assignments())
def test_nbgrader_gives_this_courses_submissions_the_same_points(name, tmp_path):
    _, planted = demo.make(Course(tiny_course.ROOT), tmp_path / "ours", name)
    kinds = {
        one.story: one.student for one in planted if "loop" not in one.story and "corrupt" not in one.story
    }
    del kinds["a crash of the process"]  # a dead kernel ends nbgrader's whole submission
    for folder in (tmp_path / "ours" / "submitted").iterdir():
        if folder.name not in kinds.values():
            shutil.rmtree(folder)
    shutil.copytree(tmp_path / "ours", tmp_path / "theirs")
    command(tmp_path / "theirs", "nbgrader", "generate_assignment", name, "--force")
    command(tmp_path / "theirs", "nbgrader", "autograde", name)
    command(tmp_path / "ours", "autograder", "grade", name)

    def scores(root):
        with contextlib.closing(sqlite3.connect(root / "gradebook.db")) as book:
            return {(student, cell): auto for student, cell, auto, *_ in book.execute(QUERIES["grades"])}

    ours, theirs = scores(tmp_path / "ours"), scores(tmp_path / "theirs")
    assert len({student for student, _ in ours}) == len(kinds) >= 5
    assert ours == theirs
