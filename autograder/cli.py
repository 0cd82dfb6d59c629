"""Commands in, the walk's modules called, tables and an exit status out.

0: done. 1: done, but something needs the instructor. 2: unusable arguments, nothing done.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from autograder.question import CourseError
from autograder.sandbox import SandboxError, starting
from autograder.tables import Bar, console, errors, line, run_data, say, show_audit, show_run

app = typer.Typer(
    help="Grade notebooks by their outputs on hidden inputs, and name the mistake.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
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
    errors.print(line(f"autograder: {sentence}"), soft_wrap=True)
    raise SystemExit(2) from None


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
    with starting(workers or _cores(), confined=not trust) as sandboxes:
        from autograder.course import Course
        from autograder.grading import grade as grade_all

        where = Course(course)
        with Bar("grading", as_json) as bar:
            run = grade_all(where, assignment, sandboxes, student, seed, progress=bar.graded)
    unnamed = where.unnamed(assignment)
    if as_json:
        console.print_json(json.dumps(run_data(run, unnamed)), ensure_ascii=True)
    else:
        show_run(run, where, unnamed)
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
        with Bar(f"auditing {name}", as_json) as bar:
            found, held = audit_one(where, name, workers or _cores(), bar.counting(SEEDS))
        rows += found
    unproved = sum(not row.proved for row in rows)
    if as_json:
        body = {"rows": [row.to_dict() for row in rows], "proved": len(rows) - unproved, "unproved": unproved}
        console.print_json(json.dumps(body | {"protections": held}), ensure_ascii=True)
    else:
        show_audit(rows, unproved, held)
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
            say(f"{name}: written to {releases.release(where, name)}")
            continue
        differing = releases.check(where, name)
        stale |= bool(differing)
        state = (
            f"differs in {', '.join(differing)}: run `autograder release {name}`"
            if differing
            else "up to date"
        )
        say(f"{name}: {state}")
    raise typer.Exit(1 if stale else 0)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="where to write the course")] = Path(
        DEMO_FOLDER
    ),
    workers: Workers = None,
):
    """Make a small class from an assignment, grade it, and show what was found."""
    with starting(workers or _cores()) as sandboxes:
        from autograder import demo as demos
        from autograder.grading import grade as grade_all

        source = _own_course()
        name = _all_assignments(source)[0]
        course, planted = demos.make(source, folder, name)
        say(f"A course with {len(planted)} students of {name}: {course.root}")
        with Bar("grading", quiet=False) as bar:
            run = grade_all(course, name, sandboxes, limits=demos.LIMITS, progress=bar.graded)
    show_run(run, course, stories={one.student: one.story for one in planted})
    found = demos.surprises(run, planted)
    for sentence in found:
        errors.print(line(f"Not as planted: {sentence}"), soft_wrap=True)
    if not found:
        questions = sum(len(one.expected) for one in planted)
        say(f"All {questions} verdicts are the ones that were planted.")
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


if __name__ == "__main__":
    main()
