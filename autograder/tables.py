"""Results in, what a terminal or a pipe shows of them out."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from autograder.judge import PASSED, UNATTEMPTED

PIPE_WIDTH = 140  # columns of a table where there is no terminal to ask

console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
errors = Console(stderr=True)


def say(text):
    """Print one line."""
    console.print(line(text), soft_wrap=True)


def line(text, style=""):
    """A text for one line of the terminal, whatever is in it: no markup, no control characters."""
    return Text("".join(letter if letter.isprintable() else "?" for letter in text), style)


class Bar:
    """A progress bar on a terminal; plain lines in a pipe; nothing with --json."""

    def __init__(self, title, quiet):
        self.title, self.quiet = title, quiet
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(
            *columns, console=console, transient=True, disable=quiet or not console.is_terminal
        )

    def __enter__(self):
        self.progress.start()
        self.task = self.progress.add_task(self.title, total=None)
        return self

    def __exit__(self, *_):
        self.progress.stop()

    def graded(self, done, total, one):
        """One submission is done."""
        self.progress.update(self.task, completed=done, total=total)
        if not self.quiet and not console.is_terminal:
            say(f"{done}/{total} {one.student}: {one.points:g} points, {one.seconds:.1f} s")

    def counting(self, total):
        """A function to call for each of `total` steps."""
        self.progress.update(self.task, total=total)
        return lambda: self.progress.advance(self.task)


def run_data(run, unnamed):
    """A run as JSON takes it; `unnamed`: folders whose names are no text."""
    return {
        "assignment": run.assignment.name,
        "seed": run.seed,
        "seconds": run.seconds,
        "no submission": run.missing,
        "unusable names": unnamed,
        "submissions": [
            {
                "student": one.student,
                "points": one.points,
                "problem": one.problem,
                "lost": one.lost,
                "changes": one.changes,
                "verdicts": [verdict.to_dict() for verdict in one.verdicts.values()],
                "seconds": one.seconds,
                "page": str(one.page) if one.page else None,
            }
            for one in run.graded
        ],
    }


def show_run(run, course, unnamed=(), stories=None):
    """The class as a table, then a line for whatever needs one; `stories`: student → what it is made from."""
    from autograder.assignment import test_cell

    assignment = run.assignment
    most = sum(points for grade_id, points in assignment.points.items() if grade_id not in assignment.written)
    table = Table("student", "points", "right", "found", *(["made from"] if stories else []))
    for one in run.graded:
        verdicts = one.verdicts.values()
        right = sum(verdict.kind == PASSED for verdict in verdicts)
        story = [stories[one.student]] if stories else []
        table.add_row(
            line(one.student), f"{one.points:g}", f"{right}/{len(verdicts)}", _findings(one), *story
        )
    console.print(table)
    worth = ", ".join(f"{name} {assignment.points[test_cell(name)]:g}" for name in assignment.questions)
    say(f"Points of {most:g}: {worth}. Written answers are graded by hand.")
    for one in run.graded:
        for sentence in [one.problem, *one.changes]:
            if sentence:
                say(f"{one.student}: {sentence}")
    for student in run.missing:
        say(f"{student}: no submission of {assignment.name}.")
    for name in unnamed:
        say(f"{name}: the folder's name is not text in UTF-8; rename it.")
    pages = course.root / "reports" / assignment.name
    say(f"Feedback pages: {pages}/STUDENT.html · seed {run.seed}")


def _findings(one):
    """What is not right in a submission, one line a question; one line for all where nothing is."""
    if one.problem:
        return Text("not graded" if one.lost else "cannot be read", "red")
    kinds = {verdict.kind for verdict in one.verdicts.values()}
    if kinds == {UNATTEMPTED}:
        return Text(UNATTEMPTED, "dim")
    lines = []
    for name, verdict in one.verdicts.items():
        if verdict.kind != PASSED:
            what = (verdict.misconception or verdict.kind).replace("_", " ")
            lines.append(
                Text.assemble((f"{name}: ", "dim"), (what, "yellow" if verdict.misconception else "red"))
            )
    return Text("\n").join(lines)


def show_audit(rows, unproved, held):
    """One line a question with what is proved of it, then every claim that is not."""
    from autograder.audit import MARGIN

    table = Table("question", "proved", "right, tolerance, wrong")
    for name, question in dict.fromkeys((row.assignment, row.question) for row in rows):
        mine = [row for row in rows if (row.assignment, row.question) == (name, question)]
        margin = "\n".join(row.detail for row in mine if row.claim == MARGIN)
        count = f"{sum(row.proved for row in mine)}/{len(mine)}"
        style = "green" if all(row.proved for row in mine) else "bold red"
        table.add_row(question or name, Text(count, style), margin)
    console.print(table)
    for row in rows:
        if not row.proved:
            say(f"UNPROVED {row.question or row.assignment}: {row.claim}. {row.detail}")
    protections = ", ".join(held) or "none"
    say(f"{len(rows) - unproved} proved, {unproved} unproved. Kept apart here: {protections}.")
