"""Commands in, the walk's modules called, tables and an exit status out.

0: done. 1: done, but something needs the instructor. 2: unusable arguments, nothing done.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from autograder.judge import PASSED, UNATTEMPTED
from autograder.question import CourseError
from autograder.sandbox import SandboxError

PIPE_WIDTH = 140  # columns of a table where there is no terminal to ask

app = typer.Typer(
    help="Grade notebooks by their outputs on hidden inputs, and name the mistake.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
errors = Console(stderr=True)
DEMO_FOLDER = "demo_course"
AssignmentName = Annotated[str, typer.Argument(help="folder name, as in 01_filter_design")]
CourseFolder = Annotated[Path, typer.Option("--course", help="nbgrader course folder")]
Workers = Annotated[int | None, typer.Option(min=1, help="submissions at a time; default: one a core")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of tables")]


def main():
    """Run a command; a known fault becomes one sentence and a status."""
    try:
        app()
    except (CourseError, SandboxError) as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"stopped, because {error.filename or 'a file'} cannot be used: {error.strerror}.")
    except Exception as error:
        database = sys.modules.get("sqlalchemy")  # loaded only where one was opened
        if database is None or not isinstance(error, database.exc.SQLAlchemyError):
            raise
        _refuse(
            f"nbgrader's database cannot be used: {getattr(error, 'orig', None) or error}. "
            "Is it one of nbgrader's, can it be written, and has no other program locked it?"
        )


def _refuse(sentence):
    errors.print(_line(f"autograder: {sentence}"), soft_wrap=True)
    raise SystemExit(2) from None


def _say(text):
    console.print(_line(text), soft_wrap=True)


def _line(text, style=""):
    """A text for one line of the terminal, whatever is in it: no markup, no control characters."""
    return Text("".join(letter if letter.isprintable() else "?" for letter in text), style)


@app.command()
def grade(
    assignment: AssignmentName,
    course: CourseFolder = Path("."),
    student: Annotated[
        list[str] | None, typer.Option(help="grade only this student; may be repeated")
    ] = None,
    workers: Workers = None,
    seed: Annotated[int | None, typer.Option(min=0, help="draw the hidden inputs from this seed")] = None,
    trust: Annotated[bool, typer.Option(help="run without a wall around student code")] = False,
    as_json: AsJson = False,
):
    """Grade an assignment's submissions into nbgrader's database."""
    from autograder.course import Course
    from autograder.grading import grade as grade_all

    where = Course(course)
    with _Bar("grading", as_json) as bar:
        run = grade_all(where, assignment, student, workers, seed, trust, progress=bar.graded)
    unnamed = where.unnamed(assignment)
    if as_json:
        console.print_json(json.dumps(_run_data(run, unnamed)), ensure_ascii=True)
    else:
        _show_run(run, where, unnamed)
    raise typer.Exit(1 if run.needs_instructor or unnamed else 0)


@app.command()
def audit(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ASSIGNMENT]...", help="default: all")] = None,
    course: CourseFolder = Path("."),
    workers: Workers = None,
    as_json: AsJson = False,
):
    """Prove the checks: right answers win, wrong ones lose under their own name."""
    from autograder.audit import SEEDS
    from autograder.audit import audit as audit_one
    from autograder.course import Course

    where, rows, held = Course(course), [], []
    for name in names or _all_assignments(where):
        with _Bar(f"auditing {name}", as_json) as bar:
            found, held = audit_one(where, name, workers or _cores(), bar.counting(SEEDS))
        rows += found
    unproved = sum(not row.proved for row in rows)
    if as_json:
        body = {"rows": [row.to_dict() for row in rows], "proved": len(rows) - unproved, "unproved": unproved}
        console.print_json(json.dumps(body | {"protections": held}), ensure_ascii=True)
    else:
        _show_audit(rows, unproved, held)
    raise typer.Exit(1 if unproved else 0)


@app.command()
def release(
    names: Annotated[list[str], typer.Argument(metavar="ASSIGNMENT...")],
    course: CourseFolder = Path("."),
    check: Annotated[bool, typer.Option("--check", help="only compare; change nothing")] = False,
):
    """Generate what students get, or compare it with what is there."""
    from autograder import release as releases
    from autograder.course import Course

    where, stale = Course(course), False
    for name in names:
        if not check:
            _say(f"{name}: written to {releases.release(where, name)}")
            continue
        differing = releases.check(where, name)
        stale |= bool(differing)
        state = (
            f"differs in {', '.join(differing)}: run `autograder release {name}`"
            if differing
            else "up to date"
        )
        _say(f"{name}: {state}")
    raise typer.Exit(1 if stale else 0)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="where to write the course")] = Path(
        DEMO_FOLDER
    ),
    workers: Workers = None,
):
    """Make a small class from an assignment, grade it, and show what was found."""
    from autograder import demo as demos
    from autograder.grading import grade as grade_all

    source = _own_course()
    name = _all_assignments(source)[0]
    course, planted = demos.make(source, folder, name)
    _say(f"A course with {len(planted)} students of {name}: {course.root}")
    with _Bar("grading", quiet=False) as bar:
        run = grade_all(course, name, workers=workers, limits=demos.LIMITS, progress=bar.graded)
    _show_run(run, course, stories={one.student: one.story for one in planted})
    found = demos.surprises(run, planted)
    for sentence in found:
        errors.print(_line(f"Not as planted: {sentence}"), soft_wrap=True)
    if not found:
        questions = sum(len(one.expected) for one in planted)
        _say(f"All {questions} verdicts are the ones that were planted.")
    raise typer.Exit(1 if found else 0)


@app.command()
def doctor():
    """Show which protections hold on this system."""
    from autograder.confine import PROTECTIONS, REQUIRED, probe_protections

    held = probe_protections()
    table = Table("protection", "here", "needed to grade")
    for name in PROTECTIONS:
        table.add_row(f"own {name}", "yes" if name in held else "no", "yes" if name in REQUIRED else "")
    for name in ("own process group", "resource limits", "wall-clock limits", "own scratch folder"):
        table.add_row(name, "yes", "")
    console.print(table)
    raise typer.Exit(0 if all(name in held for name in REQUIRED) else 1)


def _cores():
    import os

    return os.cpu_count() or 1


def _own_course():
    """The course in this folder, else the one that this package was installed from."""
    from autograder.course import CONFIG_NAME, Course

    here, home = Path.cwd(), Path(__file__).resolve().parent.parent
    return Course(here if (here / CONFIG_NAME).is_file() else home)


def _all_assignments(course):
    found = course.assignments()
    if not found:
        raise CourseError(f"no assignments in {course.sources}: a folder with a notebook is one.")
    return found


class _Bar:
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
        self.progress.update(self.task, completed=done, total=total)
        if not self.quiet and not console.is_terminal:
            _say(f"{done}/{total} {one.student}: {one.points:g} points, {one.seconds:.1f} s")

    def counting(self, total):
        self.progress.update(self.task, total=total)
        return lambda: self.progress.advance(self.task)


def _run_data(run, unnamed):
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
                "changes": one.changes,
                "verdicts": [verdict.to_dict() for verdict in one.verdicts.values()],
                "seconds": one.seconds,
                "page": str(one.page),
            }
            for one in run.graded
        ],
    }


def _show_run(run, course, unnamed=(), stories=None):
    from autograder.assignment import test_cell

    assignment = run.assignment
    most = sum(points for grade_id, points in assignment.points.items() if grade_id not in assignment.written)
    table = Table("student", "points", "right", "found", *(["made from"] if stories else []))
    for one in run.graded:
        verdicts = one.verdicts.values()
        right = sum(verdict.kind == PASSED for verdict in verdicts)
        story = [stories[one.student]] if stories else []
        table.add_row(
            _line(one.student), f"{one.points:g}", f"{right}/{len(verdicts)}", _findings(one), *story
        )
    console.print(table)
    worth = ", ".join(f"{name} {assignment.points[test_cell(name)]:g}" for name in assignment.questions)
    _say(f"Points of {most:g}: {worth}. Written answers are graded by hand.")
    for one in run.graded:
        for sentence in [one.problem, *one.changes]:
            if sentence:
                _say(f"{one.student}: {sentence}")
    for student in run.missing:
        _say(f"{student}: no submission of {assignment.name}.")
    for name in unnamed:
        _say(f"{name}: the folder's name is not text in UTF-8; rename it.")
    pages = course.root / "reports" / assignment.name
    _say(f"Feedback pages: {pages}/STUDENT.html · seed {run.seed}")


def _findings(one):
    """What is not right in a submission, one line a question; one line for all where nothing is."""
    if one.problem:
        return Text("cannot be read", "red")
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


def _show_audit(rows, unproved, held):
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
            _say(f"UNPROVED {row.question or row.assignment}: {row.claim}. {row.detail}")
    protections = ", ".join(held) or "none"
    _say(f"{len(rows) - unproved} proved, {unproved} unproved. Kept apart here: {protections}.")


if __name__ == "__main__":
    main()
