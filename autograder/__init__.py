"""Grades notebooks by their outputs on hidden inputs, and names the mistake.

For students: `check`. For authors of `checks.py`: `question` and `close`. For nbgrader: `grade`.
Importing this package is light and works on every system; the grader's own modules load on use.
"""

from importlib import import_module

from autograder.compare import close
from autograder.question import (
    question,
)  # the function; its module is reached by `from autograder.question import`

_LAZY = {"check": "autograder.selfcheck", "grade": "autograder.ingrader"}
__all__ = ["check", "close", "grade", "question"]


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module 'autograder' has no attribute '{name}'")
    return getattr(import_module(_LAZY[name]), name)
