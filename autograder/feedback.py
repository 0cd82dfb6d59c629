"""Verdicts and points of one student in; one self-contained HTML page out.

A page holds points, sentences and the student's own code, and nothing of hidden inputs, expected
values or anyone else. Student ids, code, answers and messages are hostile text: the template escapes
all of them, and the page's own policy forbids scripts and every request.
"""

import contextlib
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from autograder.judge import UNATTEMPTED, Verdict
from autograder.selfcheck_view import mark, prose, spoken

HIGHLIGHT_LIMIT = 20_000  # characters of code that are coloured
SHOWN_LIMIT = 50_000  # characters of code, or of an answer, that are shown
SLOW = re.compile(r"\s{300}")  # the highlighter takes quadratic time over long white space
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class QuestionReport:
    """One autograded question: its verdict, its points, and the student's own cell."""

    verdict: Verdict
    points: float
    max_points: float
    code: str


@dataclass(frozen=True)
class WrittenReport:
    """One written answer; `points` is None until someone has graded it."""

    name: str
    max_points: float
    points: float | None
    answer: str
    comment: str | None

    @property
    def kind(self):
        """Its row in the table of marks: nothing to grade, still to be graded, or graded."""
        if self.points is None:
            return "waiting"
        return "written" if self.answer.strip() else UNATTEMPTED


@dataclass(frozen=True)
class Report:
    """All that one student reads about one assignment; `notes` say what was put right before grading."""

    assignment: str
    student: str
    questions: list[QuestionReport]
    written: list[WrittenReport]
    notes: list[str]

    @property
    def points(self):
        """Points known so far."""
        return sum(one.points for one in [*self.questions, *self.written] if one.points is not None)

    @property
    def max_points(self):
        return sum(one.max_points for one in [*self.questions, *self.written])

    @property
    def waiting(self):
        """How many written answers are still to be graded."""
        return sum(one.points is None for one in self.written)


def render(report):
    """The page of a `Report`, as text to be written in UTF-8."""
    page = _template().render(report=report).replace("\r\n", "\n")
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", page) + "\n"


def write(report, path):
    """Put a report's page at `path`, whole or not at all."""
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(render(report), encoding="utf-8", newline="\n")
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


@cache
def _template():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {"breakable": _breakable, "lines": code_lines, "mark": mark, "number": number, "prose": _prose}
    environment.filters |= filters | {"share": share, "shorten": shorten}
    environment.globals["spoken"] = spoken
    return environment.get_template("feedback.html.j2")


def _prose(text):
    from markupsafe import Markup

    return Markup(prose(text))


def _breakable(name):
    """A name that a narrow screen breaks after an underscore."""
    from markupsafe import Markup, escape

    return escape(name).replace("_", Markup("_<wbr>"))


def number(points):
    """Points as one writes them: 3.0 → "3", 2.5 → "2.5", 1/3 → "0.33"."""
    return f"{round(float(points), 2):g}" if abs(points) < 1e5 else f"{points:.0f}"


def share(one):
    """A question's points as a share of its maximum, from 0 to 1; 0 where nothing is known or to be had."""
    if not one.points or one.max_points <= 0:
        return 0.0
    return min(max(one.points / one.max_points, 0.0), 1.0)


def shorten(text):
    """A text without what is too long for a page."""
    return text if len(text) <= SHOWN_LIMIT else text[:SHOWN_LIMIT] + "\n… (the rest is not shown here)"


def code_lines(code):
    """Code as HTML, one string a line, coloured where that is cheap."""
    from markupsafe import Markup, escape
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    code = shorten(code).replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if len(code) > HIGHLIGHT_LIMIT or SLOW.search(code):
        return [escape(line) for line in code.split("\n")]
    lexer = PythonLexer(ensurenl=False)
    page = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return [Markup(line) for line in page.rstrip("\n").split("\n")]
