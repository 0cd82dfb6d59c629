"""A folder `solutions/NN_name/` in, the checked assignment out: notebook, questions, points.

Everything an author can get wrong here is found here, before anything is graded, and told in one
sentence (`CourseError`).
"""

import copy
import hashlib
import importlib.util
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from nbgrader import utils
from nbgrader.nbgraderformat import read as read_notebook
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    IncludeHeaderFooter,
    LockCells,
)

from autograder.question import CourseError, Question
from autograder.travel import Traveller

CHECKS = "checks.py"
# what `nbgrader generate_assignment` does before it saves the cells in its database
BLANKING = (IncludeHeaderFooter, LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums)


@dataclass
class Assignment:
    """One assignment of a course.

    name: the folder's name; notebook: the notebook's, without `.ipynb`
    source: the author's notebook, solutions and hidden regions included
    blank: the same with stubs for solutions, as nbgrader stores it; hidden tests still in place
    released: grade id → the cell's text as students get it
    checks: the text of `checks.py`
    questions: by name, in the notebook's order; written: grade ids of the cells graded by hand
    points: grade id of a graded cell → its points
    files: the release folder, with what lies beside a student's notebook, or None before the first release
    digest: changes whenever notebook or checks do
    """

    name: str
    notebook: str
    source: object
    blank: object
    released: dict[str, str]
    checks: str
    questions: dict[str, Question]
    traveller: Traveller
    points: dict[str, float]
    written: list[str]
    files: Path | None
    digest: str

    def probe(self, question):
        """The probe's source, ready to travel."""
        return self.traveller.probe(question)


def test_cell(question_name):
    """Grade id of a question's test cell."""
    return f"test_{question_name}"


def load(course, name):
    """Read and check one assignment of the course."""
    folder = course.source(name)
    if not folder.is_dir() or folder.name != name:
        known = ", ".join(course.assignments()) or "none"
        raise CourseError(f"no assignment `{name}` in {course.sources}. Known assignments: {known}.")
    notebooks = sorted(folder.glob("*.ipynb"))
    if len(notebooks) != 1:
        raise CourseError(f"{folder} must hold exactly one notebook; it holds {len(notebooks)}.")
    [path] = notebooks
    try:
        source = read_notebook(str(path), as_version=4)
    except Exception as error:
        raise CourseError(f"{path} cannot be read as an nbgrader notebook: {_reason(error)}") from error
    checks = folder / CHECKS
    if not checks.is_file():
        raise CourseError(f"{folder} has no {CHECKS}: write one question for every test cell.")
    try:
        text = checks.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CourseError(f"{checks} is not text in UTF-8: {error.reason} at byte {error.start}.") from error
    questions, traveller = _load_checks(checks, text, name)
    blank = _process(source, BLANKING, course.config)
    released = _process(blank, (ClearHiddenTests, ClearMarkScheme), course.config)
    points, written = _graded_cells(blank, path)
    ordered = _pair(questions, blank, points, written, checks, path)
    digest = hashlib.sha256(path.read_bytes() + text.encode()).hexdigest()[:16]
    files = course.release(name)
    return Assignment(
        name=name,
        notebook=path.stem,
        source=source,
        blank=blank,
        released=_texts(released),
        checks=text,
        questions=ordered,
        traveller=traveller,
        points=points,
        written=written,
        files=files if files.is_dir() else None,
        digest=digest,
    )


def _reason(error):
    """What nbgrader or its schema says, without the schema; with the field where it names one."""
    path = getattr(error, "absolute_path", None)
    field = f"{'/'.join(map(str, path))}: " if path else ""
    return field + (getattr(error, "message", None) or str(error))


def _process(notebook, steps, config):
    """A copy of the notebook after some of nbgrader's own preprocessors."""
    notebook, resources = copy.deepcopy(notebook), {}
    for step in steps:
        try:
            notebook, resources = step(config=config).preprocess(notebook, resources)
        except Exception as error:
            raise CourseError(f"nbgrader's {step.__name__} refuses the source notebook: {error}") from error
    return notebook


def _texts(notebook):
    return {
        cell.metadata.nbgrader["grade_id"]: cell.source
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    }


def _load_checks(path, text, assignment):
    module_name = f"checks_of_{assignment}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    module = importlib.util.module_from_spec(spec)
    written = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # bytecode beside the source would be released with it
    try:
        spec.loader.exec_module(module)
        traveller = Traveller(text, path.name)
    except CourseError as error:
        raise CourseError(f"{path}: {error}") from error
    except (Exception, SystemExit) as error:
        place = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)
        ]
        line = getattr(error, "lineno", None) or (place[-1] if place else None)
        where = f"{path}, line {line}" if line else path
        raise CourseError(f"{where}: {type(error).__name__}: {error}") from error
    finally:
        sys.dont_write_bytecode = written
    questions = {item.name: item for item in vars(module).values() if isinstance(item, Question)}
    for item in questions.values():
        traveller.probe(item)
        for stand_in in (*item.misconceptions, *item.equivalents):
            traveller.stand_in(stand_in, item.name)
    return questions, traveller


def _graded_cells(notebook, path):
    points, written, seen = {}, [], set()
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id is None:
            continue
        if grade_id in seen:
            raise CourseError(f"{path}: two cells have the grade id `{grade_id}`; rename one.")
        seen.add(grade_id)
        if utils.is_grade(cell):
            points[grade_id] = float(cell.metadata.nbgrader["points"])
            if utils.is_solution(cell):
                written.append(grade_id)
    return points, written


def _pair(questions, notebook, points, written, checks, path):
    """Every question has its stub and its test cell, and every test cell its question."""
    cells = {
        cell.metadata.nbgrader["grade_id"]: cell for cell in notebook.cells if "nbgrader" in cell.metadata
    }
    for name in questions:
        for grade_id, fits in ((name, utils.is_solution), (test_cell(name), utils.is_grade)):
            if grade_id not in cells or not fits(cells[grade_id]):
                raise CourseError(
                    f"{checks} asks the question `{name}`, but {path.name} has no "
                    f"{'solution' if grade_id == name else 'test'} cell `{grade_id}`."
                )
    ordered = {}
    for grade_id in points:
        if grade_id in written:
            continue
        name = grade_id.removeprefix("test_")
        if test_cell(name) != grade_id or name not in questions:
            raise CourseError(
                f"{path} has the test cell `{grade_id}`, but {checks.name} asks no question `{name}`: "
                "nobody could say what it is worth."
            )
        ordered[name] = questions[name]
    return ordered
