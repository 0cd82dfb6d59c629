"""An assignment's source in, what students get out: nbgrader's release and the self-check's data.

nbgrader's own GenerateAssignment does the work, configured by the course's `nbgrader_config.py`, whose
last preprocessor is `WriteSelfCheck`; so `nbgrader generate_assignment` and `autograder release` give
the same bytes.
"""

import contextlib
import filecmp
import logging
import os
import shutil
import tempfile
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor, SaveCells
from traitlets.config import Config

from autograder import assignment as assignments
from autograder import reference, selfcheck
from autograder.course import Course
from autograder.question import CourseError
from autograder.recorder import Request
from autograder.sandbox import Sandbox


class WriteSelfCheck(NbGraderPreprocessor):
    """Writes the self-check's data into the release folder; the last step of GenerateAssignment.

    Numbers of the file that was there before stay where the new ones agree with them within a tenth of
    the tolerance, so that another machine's last digits make no other file.
    """

    def __init__(self, **settings):
        super().__init__(**settings)
        self.directory = self.parent.parent.coursedir  # our parents: nbgrader's exporter and its converter
        path = self._path(self.directory.assignment_id)
        self.previous = path.read_text(encoding="utf-8") if path.is_file() else None

    def preprocess(self, nb, resources):
        name = resources["nbgrader"]["assignment"]
        course = Course(self.directory.root)
        if (course.source(name) / assignments.CHECKS).is_file():
            path = self._path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = self_check_data(assignments.load(course, name), self.previous)
            path.write_text(text, encoding="utf-8", newline="\n")
        return nb, resources

    def _path(self, name):
        folder = self.directory.format_path(self.directory.release_directory, ".", name)
        return Path(self.directory.root) / folder / selfcheck.FILE_NAME


def self_check_data(assignment, previous=None):
    """What the self-check needs, as text: examples, what is expected, and every mistake's answer."""
    entries = []
    with Sandbox(confined=False) as sandbox, reference.Reciter(assignment, sandbox) as reciter:
        for name, question in assignment.questions.items():
            examples = Request(name, assignment.probe(question), list(question.examples), [])
            expected = reference.expect(reciter, examples)
            entries.append((question, examples.probe, expected))
    return selfcheck.make(assignment.name, entries, previous)


def generate(course, name, folder=None, without=()):
    """Run nbgrader's GenerateAssignment, without some of its preprocessors; into `folder` if one is given."""
    config = Config()
    config.merge(course.config)
    config.CourseDirectory.assignment_id = name
    config.GenerateAssignment.force = True
    if folder is not None:
        config.CourseDirectory.release_directory = os.path.relpath(folder, course.root)
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    left_out = {step.__name__ for step in without}
    converter.preprocessors = [step for step in converter.preprocessors if _step_name(step) not in left_out]
    converter.no_database = SaveCells in without
    with _errors_of(converter.log) as messages:
        try:
            converter.start()
        except Exception as error:
            why = " ".join(line for text in messages for line in text.strip().splitlines()[-1:]) or str(error)
            raise CourseError(f"nbgrader could not release `{name}`: {why}") from error


@contextlib.contextmanager
def _errors_of(log):
    """What nbgrader logs as an error, kept instead of printed."""
    messages = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda entry: messages.append(entry.getMessage())
    kept, log.handlers, propagate = log.handlers, [handler], log.propagate
    log.propagate = False
    try:
        yield messages
    finally:
        log.handlers, log.propagate = kept, propagate


def _step_name(step):
    """A preprocessor's class name; nbgrader takes the class or, in a configuration, its import path."""
    return step.rsplit(".", 1)[-1] if isinstance(step, str) else step.__name__


def release(course, name):
    """Write the assignment's release folder, and its cells into the database."""
    assignments.load(course, name)  # its sentences are clearer than nbgrader's
    generate(course, name)
    return course.release(name)


def check(course, name):
    """Files of the release folder that differ from what the source gives; nothing is changed."""
    assignments.load(course, name)
    with tempfile.TemporaryDirectory() as folder:
        fresh, present = Path(folder) / name, course.release(name)
        if present.is_dir():
            shutil.copytree(present, fresh)
        generate(course, name, folder, without=(SaveCells,))
        names = {
            str(path.relative_to(top))
            for top in (fresh, present)
            for path in top.rglob("*")
            if path.is_file()
        }
        _, differing, missing = filecmp.cmpfiles(fresh, present, sorted(names), shallow=False)
        return sorted(differing + missing)


def register(course, assignment):
    """See that nbgrader's database knows the assignment as its source is now."""
    with contextlib.closing(Gradebook(course.directory.db_url, course.directory.course_id)) as book:
        known = {
            cell.name: cell.checksum
            for entry in book.assignments
            if entry.name == assignment.name
            for notebook in entry.notebooks
            if notebook.name == assignment.notebook
            for cell in notebook.source_cells
        }
    wanted = {
        cell.metadata.nbgrader["grade_id"]: cell.metadata.nbgrader["checksum"]
        for cell in assignment.blank.cells
        if "checksum" in cell.metadata.get("nbgrader", {})
    }
    if known == wanted:
        return
    folder = tempfile.mkdtemp()
    try:
        generate(course, assignment.name, folder, without=(WriteSelfCheck,))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
