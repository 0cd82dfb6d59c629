"""A course and an assignment in, every submission graded: the walk of `cli`, step after step."""

import json
import queue
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from autograder import assignment as assignments
from autograder import feedback, gradebook, notebook, reference, release
from autograder.assignment import test_cell
from autograder.confine import REQUIRED, Limits
from autograder.judge import CRASHED, Verdict, judge
from autograder.question import CourseError
from autograder.recorder import Transcript, record
from autograder.sandbox import Sandbox, SandboxError, protections_missing


@dataclass
class Graded:
    """One submission's result.

    problem: why it could not be graded at all, or None; changes: what the student had changed
    lost: the fault is the grader's, so nothing was written and an earlier score stands
    notebook: what goes to `autograded/`; page: the feedback page
    """

    student: str
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    problem: str | None = None
    lost: bool = False
    changes: list[str] = field(default_factory=list)
    notebook: object = None
    transcript: Transcript = field(default_factory=Transcript)
    seconds: float = 0.0
    page: Path | None = None
    points: float = 0.0


@dataclass
class Run:
    """What `grade` did. `needs_instructor` decides the exit status."""

    assignment: assignments.Assignment
    seed: int
    graded: list[Graded]
    missing: list[str]
    seconds: dict[str, float]

    @property
    def needs_instructor(self):
        return bool(self.missing or any(one.problem for one in self.graded))


def grade(course, name, sandboxes, students=None, seed=None, limits=None, progress=None):
    """Grade all submissions of an assignment, or those of `students`; see `Run`.

    sandboxes: one a worker, see `autograder.sandbox.starting`; those that are not confined are trusted
    progress: called with (done, total, Graded) after each submission
    """
    clock = _Clock()
    assignment = assignments.load(course, name)
    handed_in = course.students(name)
    missing = [student for student in students or [] if student not in handed_in]
    chosen = [student for student in handed_in if not students or student in students]
    if not chosen:
        where = course.folder("submitted", "STUDENT", name)
        raise CourseError(f"no submission of `{name}` to grade: looked for {where}" + _listed(missing))
    seed = reference.fresh_seed() if seed is None else seed
    limits = limits or Limits()
    with ExitStack() as stack:
        release.register(course, assignment)
        clock.lap("database")
        _ready(sandboxes[0])
        clock.lap("start")
        expected = reference.obtain(assignment, seed, lambda: sandboxes, course.records / "reference")
        for sandbox in sandboxes:
            sandbox.warm(expected.modules)
        clock.lap("reference")
        book = stack.enter_context(gradebook.Book(course))
        graded = []
        workshops = [_Workshop(stack, sandbox, expected.modules) for sandbox in sandboxes]
        for one in _in_parallel(course, assignment, expected, chosen, workshops, limits):
            if not one.lost:
                save(course, book, assignment, expected, one)
            one.notebook, one.transcript.outputs = None, {}  # written; a large class would not fit in memory
            graded.append(one)
            if progress:
                progress(len(graded), len(chosen), one)
        clock.lap("submissions")
    graded.sort(key=lambda one: one.student)
    return Run(assignment, seed, graded, missing, clock.laps)


class _Clock:
    def __init__(self):
        self.last, self.laps = time.perf_counter(), {}

    def lap(self, name):
        now = time.perf_counter()
        self.laps[name], self.last = now - self.last, now


def _listed(missing):
    return f" (asked for {', '.join(missing)})." if missing else "."


def _ready(sandbox):
    sandbox.wait_ready()
    if not sandbox.confined:
        return
    lacking = protections_missing(sandbox, REQUIRED)
    if lacking:
        raise SandboxError(
            f"this system cannot keep student code apart in: {', '.join(lacking)}. "
            "Nothing was graded. `autograder doctor` shows what holds here; `--trust` grades without a wall, "
            "which is right only inside a container that is itself one."
        )


class _Workshop:
    """One worker's sandbox, replaced where it breaks."""

    def __init__(self, stack, sandbox, modules):
        self.stack, self.sandbox, self.modules = stack, sandbox, modules

    def grade(self, course, assignment, expected, student, limits):
        """Grade a submission; once more where the sandbox broke, and then say that it did."""
        for _ in range(2):
            try:
                return grade_one(course, assignment, expected, student, self.sandbox, limits)
            except SandboxError as error:
                problem = str(error)
                self.sandbox = self.stack.enter_context(Sandbox(self.sandbox.confined))
                self.sandbox.warm(self.modules)
        return Graded(student, problem=f"The grader could not grade this submission: {problem}", lost=True)


def _in_parallel(course, assignment, expected, students, workshops, limits):
    """Results as they come; each worker thread has one workshop."""
    free, local = queue.SimpleQueue(), threading.local()
    for workshop in workshops:
        free.put(workshop)

    def work(student):
        if not hasattr(local, "workshop"):
            local.workshop = free.get()
        return local.workshop.grade(course, assignment, expected, student, limits)

    with ThreadPoolExecutor(len(workshops)) as pool:
        futures = [pool.submit(work, student) for student in students]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def grade_one(course, assignment, expected, student, sandbox, limits):
    began = time.perf_counter()
    folder = course.folder("submitted", student, assignment.name)
    try:
        restored = notebook.restore(assignment, notebook.read(folder / f"{assignment.notebook}.ipynb"))
    except notebook.SubmissionError as error:
        return Graded(student, problem=str(error), seconds=time.perf_counter() - began)
    files = tempfile.mkdtemp(prefix="autograder-files-")
    try:
        gradebook.copy_files(folder, Path(files), [*course.directory.ignore, "*.ipynb"])
        if assignment.files is not None:
            gradebook.copy_files(assignment.files, Path(files), ["*.ipynb"])
        cells = reference.code_cells(restored.notebook, assignment.questions)
        transcript = record(sandbox, cells, expected.requests, limits, files)
    finally:
        shutil.rmtree(files, ignore_errors=True)
    verdicts = {
        name: judge(
            question, expected.expectations[name], transcript.answers[name], transcript.faults.get(name)
        )
        for name, question in assignment.questions.items()
    }
    gradebook.annotate(assignment, restored.notebook, transcript, verdicts)
    return Graded(
        student,
        verdicts=verdicts,
        changes=restored.changes,
        notebook=restored.notebook,
        transcript=transcript,
        seconds=time.perf_counter() - began,
    )


def save(course, book, assignment, expected, one):
    """The database, `autograded/`, the grader's own record and the feedback page, in this order."""
    if one.problem:
        one.verdicts = {name: Verdict(name, CRASHED, one.problem) for name in assignment.questions}
        gradebook.remove(course.folder("autograded", one.student, assignment.name))
    else:
        gradebook.write_autograded(course, assignment, one.student, one.notebook)
    book.save(assignment, one.student, one.notebook, one.verdicts)
    one.points = sum(
        verdict.credit * assignment.points[test_cell(name)] for name, verdict in one.verdicts.items()
    )
    folder = course.records / "verdicts" / assignment.name
    folder.mkdir(parents=True, exist_ok=True)
    body = {
        "seed": expected.seed,
        "digest": assignment.digest,
        "problem": one.problem,
        "changes": one.changes,
        "verdicts": [verdict.to_dict() for verdict in one.verdicts.values()],
        "printed while hidden inputs were there": one.transcript.printed,
    }
    (folder / f"{one.student}.json").write_text(json.dumps(body, indent=1), encoding="utf-8")
    one.page = course.root / "reports" / assignment.name / f"{one.student}.html"
    one.page.parent.mkdir(parents=True, exist_ok=True)
    feedback.write(_report(assignment, one, book.manual(assignment, one.student)), one.page)


def _report(assignment, one, manual):
    texts = (
        {}
        if one.notebook is None
        else {
            cell.metadata.nbgrader["grade_id"]: cell.source
            for cell in one.notebook.cells
            if "nbgrader" in cell.metadata
        }
    )
    questions = []
    for name, verdict in one.verdicts.items():
        worth = assignment.points[test_cell(name)]
        questions.append(feedback.QuestionReport(verdict, verdict.credit * worth, worth, texts.get(name, "")))
    written = []
    for grade_id in assignment.written:
        points, comment = manual[grade_id]
        worth = assignment.points[grade_id]
        answer = texts.get(grade_id, "")
        if answer == assignment.released[grade_id]:  # the stub as it was handed out
            answer, comment = "", None
        written.append(feedback.WrittenReport(grade_id, worth, points, answer, comment))
    notes = ([one.problem] if one.problem else []) + one.changes
    return feedback.Report(assignment.name, one.student, questions, written, notes)
