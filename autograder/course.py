"""A course folder in, its nbgrader configuration and paths out."""

import os
import sys
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

from autograder.question import CourseError

CONFIG_NAME = "nbgrader_config.py"


class Course:
    """One nbgrader course: `nbgrader_config.py` and the folders that it names.

    root: the folder; config: nbgrader's configuration, for its own classes; directory: nbgrader's view
    """

    def __init__(self, root):
        self.root = Path(root).resolve()
        if not (self.root / CONFIG_NAME).is_file():
            raise CourseError(
                f"{self.root} is not a course folder: it has no {CONFIG_NAME}. "
                "Change to the course's folder or name it with --course."
            )
        try:
            self.config = PyFileConfigLoader(CONFIG_NAME, path=str(self.root)).load_config()
            self.config.merge(Config(CourseDirectory={"root": str(self.root)}))
            self.directory = CourseDirectory(config=self.config)
        except (Exception, SystemExit) as error:
            raise CourseError(
                f"{self.root / CONFIG_NAME} cannot be read: {type(error).__name__}: {error}"
            ) from error
        _put_programs_on_path()

    def folder(self, step, student, assignment):
        """The folder of one of nbgrader's steps, named as in its configuration: "source", "submitted", …"""
        name = getattr(self.directory, f"{step}_directory")
        return self.root / self.directory.format_path(name, student, assignment)

    @property
    def sources(self):
        """The folder of all assignments' source folders."""
        return self.source("x").parent

    def source(self, assignment):
        return self.folder("source", ".", assignment)

    def release(self, assignment):
        return self.folder("release", ".", assignment)

    def assignments(self):
        """Names of all assignments: the folders of the source that hold a notebook."""
        if not self.sources.is_dir():
            return []
        folders = [path for path in self.sources.iterdir() if path.is_dir() and any(path.glob("*.ipynb"))]
        return sorted(path.name for path in folders)

    def students(self, assignment):
        """Students who have handed in a folder for the assignment."""
        return [name for name in self._handed_in(assignment) if _is_text(name)]

    def unnamed(self, assignment):
        """Folders handed in whose name is not text in UTF-8, so that nbgrader's database cannot hold it."""
        return [name for name in self._handed_in(assignment) if not _is_text(name)]

    def _handed_in(self, assignment):
        top = self.root / self.directory.submitted_directory
        if not top.is_dir():
            return []
        names = [path.name for path in top.iterdir() if not path.name.startswith(".")]
        return sorted(name for name in names if self.folder("submitted", name, assignment).is_dir())

    @property
    def records(self):
        """Where this grader keeps what nbgrader has no place for: verdicts, seeds, the reference's cache."""
        return self.root / ".autograder"


def _is_text(name):
    """Whether the file system's bytes could be read as text; what could not stands there as surrogates."""
    return name.isprintable() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def _put_programs_on_path():
    """nbgrader starts `alembic` by name when it makes a database; it lies beside this interpreter."""
    programs = str(Path(sys.executable).parent)
    paths = os.environ.get("PATH", "").split(os.pathsep)
    if programs not in paths:
        os.environ["PATH"] = os.pathsep.join([programs, *paths])
