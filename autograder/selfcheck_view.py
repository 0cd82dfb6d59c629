"""One self-check's answers in; a table of them out, as HTML for a notebook and as text for a terminal.

Colours and words hold on a light and on a dark page: text takes the page's own colour, and every
state is a symbol and a word beside its colour.
"""

import html
import re
import sys
from dataclasses import dataclass

import numpy as np

from autograder.channel import Foreign
from autograder.compare import Outcome, describe
from autograder.judge import CRASHED, FAILED, MISCONCEPTION, PASSED, TIMED_OUT, UNATTEMPTED, Answer

PROBLEM = "problem"
COLOURS = {"green": "#2b8552", "amber": "#a86a10", "red": "#c9483f", "grey": "#6f747c"}
MARKS = {  # kind → symbol, word, colour; the last three are no verdicts
    PASSED: ("✓", "right", "green"),
    MISCONCEPTION: ("≈", "a known mistake", "amber"),
    FAILED: ("✗", "not right yet", "red"),
    CRASHED: ("!", "stops with an error", "red"),
    TIMED_OUT: ("…", "takes too long", "red"),
    UNATTEMPTED: ("○", "not attempted", "grey"),
    PROBLEM: ("?", "cannot check", "grey"),
    "waiting": ("…", "still to be graded", "grey"),
    "written": ("✎", "graded by hand", "green"),
}
PLOT_SAMPLES = 1000
EXPECTED_COLOUR, YOURS_COLOUR = "#3b82c4", "#d9672b"
CELL = (
    "text-align:left;vertical-align:top;line-height:1.5;padding:.5em .8em;"
    "border:0;border-top:1px solid rgba(128,128,128,.35)"
)
HEADS = ("Example", "Input", "Result")


def mark(kind):
    """Symbol, word and colour of a verdict's kind, also of one that this module does not know."""
    return MARKS.get(kind, ("•", kind, "grey"))


def spoken(kind, sentence):
    """A verdict's sentence as it is shown."""
    return f"This looks like: {sentence}" if kind == MISCONCEPTION else sentence


def prose(text):
    """A sentence as HTML: escaped, and what stands in backticks as code."""
    text = html.escape(text.encode("utf-8", "replace").decode())
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text)


@dataclass(frozen=True)
class Row:
    """One example: its arguments in short, what was expected, and what came."""

    inputs: list[str]
    expected: object
    answer: Answer
    outcome: Outcome | None
    place: str

    @property
    def kind(self):
        if self.outcome is None:
            return UNATTEMPTED if self.answer.kind in ("unattempted", "missing", "none") else CRASHED
        return PASSED if self.outcome.ok else FAILED

    @property
    def note(self):
        """What is wrong, or "" where nothing is."""
        if self.answer.kind == "raised":
            error = ": ".join(filter(None, (self.answer.error, self.answer.message)))
            return f"{error} ({self.place})" if self.place else error
        return self.outcome.sentence if self.kind == FAILED else ""


@dataclass(frozen=True, repr=False)
class SelfCheck:
    """What `check` found; a notebook shows it as a table.

    kind: that of the verdict on the examples, or "problem" where nothing could be checked
    sentence: what to read first
    """

    question: str
    kind: str
    sentence: str
    rows: tuple[Row, ...] = ()

    @property
    def passed(self):
        """Whether every example holds; hidden inputs may still show a fault."""
        return self.kind == PASSED

    def _headline(self):
        if not self.rows or self.kind == UNATTEMPTED:
            return mark(self.kind)[1]
        right = sum(row.kind == PASSED for row in self.rows)
        return f"{right} of {len(self.rows)} examples right"

    def __repr__(self):
        symbol = mark(self.kind)[0]
        lines = [f"{symbol} {self.question}: {self._headline()}", f"  {spoken(self.kind, self.sentence)}"]
        for number, row in enumerate(self.rows, 1):
            symbol, word, _ = mark(row.kind)
            lines.append(f"  {symbol} {number}  {', '.join(row.inputs)}  {word}")
            lines += [f"       {line}" for line in row.note.splitlines()]
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        return "\n".join(lines).encode(encoding, "replace").decode(encoding)

    def _repr_html_(self):
        table = ""
        if self.rows and self.kind != UNATTEMPTED:
            rows = "".join(_html_row(number, row) for number, row in enumerate(self.rows, 1))
            heads = "".join(f'<th scope="col" style="{CELL}">{head}</th>' for head in HEADS)
            table = (
                '<div style="overflow-x:auto">'
                '<table style="border-collapse:collapse;margin:.6em 0 0;font-size:inherit;color:inherit">'
                f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
            )
        colour = COLOURS[mark(self.kind)[2]]
        return (
            f'<div style="border-left:4px solid {colour};padding:.3em 0 .3em 1em;margin:.4em 0;'
            'max-width:56em;line-height:1.5;font-family:system-ui,sans-serif">'
            f"<div>{_badge(self.kind)} <strong><code>{html.escape(self.question)}</code>: "
            f"{self._headline()}</strong></div>"
            f'<div style="margin-top:.3em">{prose(spoken(self.kind, self.sentence))}</div>{table}</div>'
        )


def _badge(kind):
    symbol, _, colour = mark(kind)
    return (
        '<span aria-hidden="true" style="display:inline-block;width:1.5em;line-height:1.5em;'
        f'border-radius:1em;text-align:center;font-weight:700;color:#fff;background:{COLOURS[colour]}">{symbol}</span>'
    )


def _html_row(number, row):
    inputs = "<br>".join(f"<code>{html.escape(text)}</code>" for text in row.inputs)
    note = f'<div style="white-space:pre-wrap;margin-top:.3em">{prose(row.note)}</div>' if row.note else ""
    picture = plot(row.expected, row.answer.value)
    if picture:
        shown = "" if row.kind == PASSED else " open"
        picture = f'<details{shown} style="margin-top:.4em"><summary>plot</summary>{picture}</details>'
    return (
        f'<tr style="background:none"><th scope="row" style="{CELL}">{number}</th>'
        f'<td style="{CELL}">{inputs}</td><td style="{CELL}"><div style="white-space:nowrap">'
        f"{_badge(row.kind)} {mark(row.kind)[1]}</div>{note}{picture}</td></tr>"
    )


def abbreviate(value):
    """A value in a few words: `[1, 0, 0.5, 2, 0, 1, … 57 values]`."""
    if value is None:
        return "None"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:39] + "…")
    if not isinstance(value, np.ndarray) or value.ndim > 1:
        return f"an object of type {value.type_name}" if isinstance(value, Foreign) else describe(value)
    if value.ndim == 0:
        return _short(value[()])
    shown = ", ".join(map(_short, value[:6]))
    return f"[{shown}]" if value.size <= 6 else f"[{shown}, … {value.size} values]"


def _short(number):
    if isinstance(number, (np.bool_, np.integer)):
        return str(number)
    whole = np.isreal(number) and abs(number) < 1e6 and number == np.round(number)
    return f"{number.real:.0f}" if whole else f"{number:.4g}"


def plot(expected, got):
    """Two 1-D real signals as an SVG picture, or "" where they are not such."""
    if not (_is_signal(expected) and _is_signal(got)):
        return ""
    expected, got = (np.array(signal[:PLOT_SAMPLES], np.float64) for signal in (expected, got))
    finite = expected[np.isfinite(expected)]
    if not finite.size:
        return ""
    low, high = float(finite.min()), float(finite.max())
    margin = min(high - low or abs(high) or 1.0, 1e300)  # what is further off leaves the picture
    near = got[(got >= low - margin) & (got <= high + margin)]
    bottom, top = float(np.min(near, initial=low)), float(np.max(near, initial=high))
    if bottom == top:
        bottom, top = bottom - margin / 2, top + margin / 2
    last = max(expected.size, got.size) - 1

    def points(signal):
        x = 52 + 340 * np.arange(signal.size) / last
        y = 12 + 96 * (top - np.clip(signal, bottom, top)) / (top - bottom)
        return [(f"{a:.1f}", f"{b:.1f}") for a, b, ok in zip(x, y, np.isfinite(signal), strict=True) if ok]

    dots = last <= 60
    yours = "yours" if np.array_equal(near, got[np.isfinite(got)]) else "yours, partly off the scale"
    text = 'fill="currentColor" font-size="13" font-family="system-ui,sans-serif"'
    caption = f"first {PLOT_SAMPLES} samples" if last + 1 == PLOT_SAMPLES else "sample n"
    return (
        '<svg role="img" aria-label="plot of expected and of your output" viewBox="0 0 400 150" '
        'style="display:block;width:100%;min-width:16em;max-width:30em;height:auto">'
        '<path d="M52 12V108H392" fill="none" stroke="currentColor" stroke-opacity=".4"/>'
        f'<text x="46" y="16" text-anchor="end" {text}>{top:.3g}</text>'
        f'<text x="46" y="111" text-anchor="end" {text}>{bottom:.3g}</text>'
        f'<text x="52" y="124" text-anchor="middle" {text}>0</text>'
        f'<text x="392" y="124" text-anchor="middle" {text}>{last}</text>'
        f'<text x="222" y="124" text-anchor="middle" {text}>{caption}</text>'
        f"{_curve(points(expected), EXPECTED_COLOUR, 4, '', _circle if dots else None)}"
        f"{_curve(points(got), YOURS_COLOUR, 1.6, '5 3', _cross if dots else None)}"
        f"{_curve([('90', '142'), ('120', '142')], EXPECTED_COLOUR, 4, '', _circle)}"
        f'<text x="130" y="146" {text}>expected</text>'
        f"{_curve([('230', '142'), ('260', '142')], YOURS_COLOUR, 1.6, '5 3', _cross)}"
        f'<text x="270" y="146" {text}>{yours}</text></svg>'
    )


def _is_signal(value):
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.size > 1 and value.dtype.kind in "iuf"


def _curve(points, colour, width, dashes, draw):
    path = " ".join(f"{x},{y}" for x, y in points)
    style = f'fill="none" stroke="{colour}" stroke-width="{width}" stroke-opacity="{1 if dashes else 0.55}"'
    line = f'<polyline points="{path}" {style} stroke-dasharray="{dashes}"/>'
    return line + "".join(draw(x, y, colour) for x, y in points if draw)


def _circle(x, y, colour):
    return f'<circle cx="{x}" cy="{y}" r="4.5" fill="none" stroke="{colour}" stroke-width="2"/>'


def _cross(x, y, colour):
    x, y = float(x), float(y)
    return (
        f'<path d="M{x - 3:.1f} {y - 3:.1f}l6 6m0 -6l-6 6" fill="none" stroke="{colour}" stroke-width="2"/>'
    )
