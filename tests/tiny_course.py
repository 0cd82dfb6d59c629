"""A course of one small assignment, which needs no TensorFlow, for the tests of the grader."""

import contextlib
import io
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder import cli

ROOT = Path(__file__).resolve().parent.parent
NAME = "01_tiny"

CHECKS = '''
"""Checks of the tests' own assignment."""

import numpy as np

from autograder import close, question


@question(
    examples=[(np.array([1.0, 2.0, 4.0]),), (np.array([0.5]),)],
    draws=lambda rng: (rng.normal(size=rng.integers(2, 9)) + 5,),
    compare=close(rtol=1e-4),
)
def energy(student, x):
    return student.energy(x)


@energy.misconception
def forgets_the_square(x):
    """You add the samples up, not their squares."""
    return np.sum(x)


@energy.misconception(credit=0.5)
def takes_the_root(x):
    """That is the norm: energy has no square root."""
    return np.sqrt(np.sum(x**2))


@energy.equivalent
def as_a_dot_product(x):
    return x @ x


@question(
    examples=[(np.array([1.0, 2.0, 4.0]), 2), (np.array([3.0, 1.0]), 1)],
    draws=lambda rng: (rng.normal(size=rng.integers(5, 9)), int(rng.integers(1, 4))),
    compare=close(rtol=1e-4),
)
def delay(student, x, n):
    return student.delay(x, n)


@delay.misconception
def wraps_round(x, n):
    """What leaves at the end comes back at the start: a delay fills with zeros."""
    return np.roll(x, n)


@delay.equivalent
def with_a_loop(x, n):
    y = np.zeros(len(x))
    for i in range(n, len(x)):
        y[i] = x[i - n]
    return y
'''

SOLUTIONS = {
    "energy": 'def energy(x):\n    """The sum of squares."""\n    ### BEGIN SOLUTION\n'
    "    return np.sum(np.abs(x) ** 2)\n    ### END SOLUTION",
    "delay": 'def delay(x, n):\n    """x, n samples later."""\n    ### BEGIN SOLUTION\n'
    "    return np.concatenate([np.zeros(n), x[: len(x) - n]])\n    ### END SOLUTION",
}
POINTS = {"energy": 4, "delay": 6}


def metadata(grade_id, **kinds):
    base = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    return {"nbgrader": base | {"grade_id": grade_id} | kinds}


def source_notebook():
    cells = [
        new_markdown_cell("# Tiny", id="title"),
        new_code_cell("import numpy as np\nfrom autograder import check", id="imports"),
    ]
    for name, text in SOLUTIONS.items():
        cells.append(new_code_cell(text, id=f"{name}-stub", metadata=metadata(name, solution=True)))
        test = (
            f'check("{name}", {name})\n### BEGIN HIDDEN TESTS\nfrom autograder import grade\n'
            f'grade("{name}", {name})\n### END HIDDEN TESTS'
        )
        marks = metadata(f"test_{name}", grade=True, locked=True, points=POINTS[name])
        cells.append(new_code_cell(test, id=f"{name}-test", metadata=marks))
        cells.append(new_code_cell(f"print({name}.__name__)", id=f"{name}-shown"))
    essay = metadata("essay", grade=True, solution=True, points=5)
    cells.append(
        new_markdown_cell("A delay keeps the energy, but for what falls off.", id="essay", metadata=essay)
    )
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return new_notebook(cells=cells, metadata=kernel)


def write_course(root, notebook=None, checks=CHECKS):
    """The course folder with its source; nothing is released or handed in yet."""
    folder = Path(root) / "solutions" / NAME
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    nbformat.write(notebook or source_notebook(), folder / "tiny.ipynb")
    (folder / "checks.py").write_text(checks, encoding="utf-8")
    return Path(root)


def answers(**texts):
    """A submission's notebook: the source's solutions, but some cells with the text given."""
    notebook = source_notebook()
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if grade_id.startswith("test_"):
            cell.source = cell.source.split("\n")[0]
        cell.source = texts.get(grade_id, texts.get(cell.id, cell.source))
    return notebook


def hand_in(root, student, notebook):
    """Write a submission: a notebook, or text or bytes in its place."""
    folder = Path(root) / "submitted" / student / NAME
    folder.mkdir(parents=True)
    text = nbformat.writes(notebook) if isinstance(notebook, dict) else notebook
    (folder / "tiny.ipynb").write_bytes(text if isinstance(text, bytes) else text.encode())


@dataclass
class Done:
    """What a command left: its exit status and what it wrote."""

    status: int
    out: str
    err: str


def autograder(*words, here="."):
    """Run an `autograder` command in this process, which saves its start; a traceback is a failed test."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["autograder", *map(str, words)]),
        contextlib.chdir(here),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
    return Done(status, out.getvalue(), err.getvalue())


def cell(notebook, grade_id):
    """The notebook's first cell with this grade id."""
    return next(one for one in notebook.cells if one.metadata.get("nbgrader", {}).get("grade_id") == grade_id)
