"""Verdicts in, nbgrader's database and `autograded/` folder out, as `nbgrader autograde` leaves them."""

import contextlib
import os
import platform
import shutil
import stat
import warnings
from pathlib import Path

import nbformat
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.exc import SAWarning

from autograder.assignment import test_cell

PERMISSIONS = 0o444  # nbgrader's own for what it has autograded
TIMESTAMP = "timestamp.txt"
TIMESTAMP_LENGTH = 100  # characters of it that are read
LANGUAGE = {  # as a kernel says of itself
    "name": "python",
    "version": platform.python_version(),
    "mimetype": "text/x-python",
    "file_extension": ".py",
    "pygments_lexer": "ipython3",
    "nbconvert_exporter": "python",
    "codemirror_mode": {"name": "ipython", "version": 3},
}


class Book:
    """nbgrader's gradebook, kept open for a whole run. Use as a context manager."""

    def __init__(self, course):
        self.course = course
        self._book = Gradebook(course.directory.db_url, course.directory.course_id)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._book.close()

    def save(self, assignment, student, notebook, verdicts):
        """Write one student's points, as nbgrader's SaveAutoGrades would; manual scores stay.

        notebook: the restored notebook, or None where there is none to read: all points are 0 then
        verdicts: question → Verdict
        """
        book = self._book
        book.update_or_create_student(student)
        timestamp = self._timestamp(assignment, student)
        when = {} if timestamp is None else {"timestamp": timestamp}
        with warnings.catch_warnings():
            # nbgrader adds rows in an order that SQLAlchemy 2 remarks on
            warnings.simplefilter("ignore", SAWarning)
            submission = book.update_or_create_submission(assignment.name, student, **when)
        [record] = [one for one in submission.notebooks if one.name == assignment.notebook]
        cells = _graded(notebook)
        scores = {
            test_cell(name): verdict.credit * assignment.points[test_cell(name)]
            for name, verdict in verdicts.items()
        }
        for grade in record.grades:
            if notebook is None:
                grade.auto_score, grade.needs_manual_grade = 0, False
                continue
            auto = scores[grade.name] if grade.name in scores else utils.determine_grade(cells[grade.name])[0]
            grade.auto_score = auto
            grade.needs_manual_grade = grade.manual_score is not None or auto is None
        for comment in record.comments:
            comment.auto_comment = "No response." if _unanswered(cells.get(comment.name)) else None
        book.db.commit()
        if submission.total_seconds_late > 0:
            self._penalise(assignment, student, notebook)

    def manual(self, assignment, student):
        """Grade id → points given by hand and the comment, for the cells that have either."""
        submission = self._book.find_submission_notebook(assignment.notebook, assignment.name, student)
        comments = {comment.name: comment.comment for comment in submission.comments}
        return {
            grade.name: (None if grade.needs_manual_grade else grade.score, comments.get(grade.name))
            for grade in submission.grades
        }

    def _timestamp(self, assignment, student):
        path = self.course.folder("submitted", student, assignment.name) / TIMESTAMP
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                return None
            with open(path, encoding="utf-8") as stream:
                return utils.parse_utc(stream.read(TIMESTAMP_LENGTH).strip())
        except (OSError, ValueError, OverflowError):
            return None

    def _penalise(self, assignment, student, notebook):
        names = {"notebook": assignment.notebook, "assignment": assignment.name, "student": student}
        resources = {"nbgrader": names | {"db_url": self.course.directory.db_url}}
        AssignLatePenalties(config=self.course.config).preprocess(
            notebook or nbformat.v4.new_notebook(), resources
        )


def _graded(notebook):
    if notebook is None:
        return {}
    return {
        cell.metadata.nbgrader["grade_id"]: cell for cell in notebook.cells if "nbgrader" in cell.metadata
    }


def _unanswered(cell):
    if cell is None or utils.is_task(cell):
        return False
    return cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)


def annotate(assignment, notebook, transcript, verdicts):
    """Put what the cells showed, and in the test cells the verdicts, into the notebook's outputs."""
    count = 0
    notebook.metadata.language_info = nbformat.from_dict(LANGUAGE)
    for number, cell in enumerate(notebook.cells, 1):
        if "nbgrader" in cell.metadata:
            kept = {key: value for key, value in cell.metadata.nbgrader.items() if key != "cell_type"}
            cell.metadata = nbformat.from_dict({"nbgrader": kept})
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        verdict = next((one for name, one in verdicts.items() if test_cell(name) == grade_id), None)
        if verdict is not None:
            points = verdict.credit * assignment.points[grade_id]
            cell.outputs = [
                nbformat.v4.new_output("stream", name="stdout", text=f"{verdict.kind}: {verdict.sentence}\n"),
                nbformat.v4.new_output("execute_result", {"text/plain": str(points)}, execution_count=count),
            ]
        else:
            cell.outputs = _outputs(transcript.outputs.get(grade_id or f"cell {number}", []))


def _outputs(items):
    """Outputs that came from student code, made anew; what is no output is left out."""
    outputs = []
    for item in items:
        with contextlib.suppress(Exception):
            kind = item.pop("output_type")
            output = nbformat.v4.new_output(kind, **item)
            nbformat.validate(output, ref="output", version=4)
            outputs.append(output)
    return outputs


def write_autograded(course, assignment, student, notebook):
    """Write `autograded/STUDENT/ASSIGNMENT`: the submission's files, the source's over them, the notebook.

    The folder is built beside its place and moved there whole.
    """
    folder = course.folder("autograded", student, assignment.name)
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    ignored = [*course.directory.ignore, "*.ipynb"]
    copy_files(course.folder("submitted", student, assignment.name), fresh, ignored)
    copy_files(course.source(assignment.name), fresh, ignored)
    nbformat.write(notebook, fresh / f"{assignment.notebook}.ipynb")
    for path in fresh.rglob("*"):
        if path.is_file():
            path.chmod(PERMISSIONS)
    remove(folder)
    os.replace(fresh, folder)


def remove(folder):
    """Remove a step's folder of a submission."""
    if folder.exists():
        shutil.rmtree(folder)


def copy_files(source, target, ignored, limit=100 << 20):
    """Copy the plain files of a folder, and nothing that a link leads to, up to `limit` bytes."""
    for name in utils.find_all_files(str(source), ignored):
        try:
            status = os.lstat(name)
            if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
                continue
            limit -= status.st_size
            place = target / Path(name).relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, place)
        except OSError:
            continue
