"""The commands themselves: help, plain text in a pipe, and what an import costs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_course
from tiny_course import NAME, autograder

from autograder import confine

PROGRAM = Path(sys.executable).with_name("autograder")
COMMANDS = ["demo", "grade", "audit", "release", "doctor"]
HEAVY = ["tensorflow", "keras", "nbgrader", "nbformat", "IPython", "matplotlib", "scipy", "sqlalchemy"]


def program(*words):
    return subprocess.run([PROGRAM, *words], text=True, capture_output=True)


@pytest.mark.parametrize("module", ["autograder", "autograder.cli"])
def test_an_import_is_light(module):
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_help_names_every_command():
    done = program("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"^\W*{command} ", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    done = program(command, "--help")
    assert done.returncode == 0
    assert f"Usage: autograder {command}" in done.stdout


def test_doctor_shows_what_holds_here():
    done = program("doctor")
    assert done.returncode in (0, 1)
    assert done.stderr == ""
    for protection in (*confine.REQUIRED, "resource limits", "wall-clock limits"):
        assert protection in done.stdout


@pytest.mark.parametrize(("held", "status"), [(confine.REQUIRED, 0), (confine.REQUIRED[1:], 1)])
def test_doctor_s_status_says_whether_grading_is_possible(held, status, monkeypatch):
    monkeypatch.setattr(confine, "probe_protections", lambda: list(held))
    done = autograder("doctor")
    assert done.status == status
    [line] = [line for line in done.out.splitlines() if f"own {confine.REQUIRED[0]} " in line]
    assert ("yes" in line.split("│")[2]) == (status == 0)


@pytest.mark.parametrize(
    "words",
    [
        ["grade"],
        ["grade", NAME, "--seed", "-1"],
        ["grade", NAME, "--seed", "one"],
        ["grade", NAME, "--workers", "0"],
        ["grade", NAME, "--no-such-option"],
        ["release"],
        ["no_such_command"],
        ["audit", "--course", "/no/such/folder"],
        ["audit", "no_such_assignment"],
        ["release", "no_such_assignment", "--check"],
    ],
)
def test_unusable_arguments_are_refused_in_words(words, tmp_path):
    done = autograder(*words, here=tiny_course.write_course(tmp_path))
    assert done.status == 2
    assert done.err
    assert "Traceback" not in done.err


def test_an_audit_of_no_assignment_is_refused(tmp_path):
    root = tiny_course.write_course(tmp_path)
    (root / "solutions").rename(root / "elsewhere")
    done = autograder("audit", here=root)
    assert done.status == 2
    assert (
        done.err == f"autograder: no assignments in {root / 'solutions'}: a folder with a notebook is one.\n"
    )


def test_in_a_pipe_are_plain_lines_without_codes(tmp_path):
    root = tiny_course.write_course(tmp_path / "my course")
    tiny_course.hand_in(root, "right", tiny_course.answers())
    done = program("grade", NAME, "--course", root)
    assert done.returncode == 0
    assert re.search(r"^1/1 right: 10 points, \d+\.\d s$", done.stdout, re.MULTILINE)
    assert f"Feedback pages: {root / 'reports' / NAME}/STUDENT.html · seed " in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    assert all(len(line) <= 140 or str(root) in line for line in done.stdout.splitlines())
