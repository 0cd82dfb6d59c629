"""A submitted file in, the notebook to run out, and what the student had changed.

Whatever is locked comes from the source; of the submission only the text of its own cells is taken.
"""

import copy
import os
import stat
from dataclasses import dataclass, field

import nbformat
from nbgrader import utils

SIZE_LIMIT = 64 << 20
LISTED = 5


class SubmissionError(Exception):
    """A submission that cannot be graded at all; the text is a sentence for student and instructor."""


@dataclass
class Restored:
    """The notebook to run, and sentences on what had been changed."""

    notebook: object
    changes: list[str] = field(default_factory=list)


def read(path):
    """The notebook in a submitted file, which may be anything at all."""
    name = path.name
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        raise SubmissionError(f"The submission has no file `{name}`.") from None
    except OSError as error:
        raise SubmissionError(f"`{name}` cannot be opened: {error.strerror}.") from None
    with open(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SubmissionError(f"`{name}` is not a file.")
        if status.st_size > SIZE_LIMIT:
            raise SubmissionError(
                f"`{name}` has {status.st_size >> 20} MB; at most {SIZE_LIMIT >> 20} are read."
            )
        raw = stream.read()
    if not raw.strip():
        raise SubmissionError(f"`{name}` is empty. Save the notebook and hand it in again.")
    try:
        notebook = nbformat.reads(raw.decode("utf-8-sig"), as_version=4)
        for cell in notebook.cells:
            if not isinstance(cell.source, str) or cell.cell_type not in ("code", "markdown", "raw"):
                raise ValueError
            if not isinstance(cell.metadata, dict):
                raise ValueError
    except RecursionError:
        raise SubmissionError(f"`{name}` is nested too deeply to be a notebook.") from None
    except Exception:
        raise SubmissionError(
            f"`{name}` is not a notebook: its text is not what Jupyter saves. Open it in Jupyter, save it, "
            "and hand it in again."
        ) from None
    return notebook


def restore(assignment, submitted):
    """Put the source's locked cells back, pair the rest by grade id; of two with one id the last counts."""
    ours = {_grade_id(cell): cell for cell in assignment.blank.cells if _grade_id(cell)}
    changes, cells, found = [], [], set()
    for cell in reversed(submitted.cells):
        grade_id = _grade_id(cell)
        if grade_id is None or grade_id not in ours:
            cells.append(_plain(cell))
            if grade_id is not None:
                changes.append(f"A cell carries the unknown id `{grade_id}`; it counts as an ordinary cell.")
        elif grade_id in found:
            cells.append(_plain(cell))
            changes.append(f"Two cells carry the id `{grade_id}`; the last one counts.")
        else:
            found.add(grade_id)
            cells.append(_paired(ours[grade_id], cell, assignment.released, changes))
    cells.reverse()
    changes.reverse()
    _put_back(assignment.blank.cells, cells, found, changes)
    notebook = copy.deepcopy(assignment.blank)
    notebook.cells = cells
    _unique_ids(cells)
    if len(changes) > LISTED:
        changes[LISTED:] = [f"… and {len(changes) - LISTED} more changes of this kind."]
    return Restored(notebook, changes)


def _grade_id(cell):
    metadata = cell.metadata.get("nbgrader")
    grade_id = metadata.get("grade_id") if isinstance(metadata, dict) else None
    return grade_id if isinstance(grade_id, str) else None


def _plain(cell):
    """A student's own cell, without what nbgrader would read."""
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    fresh = make.get(cell.cell_type, nbformat.v4.new_raw_cell)(source=cell.source)
    fresh.id = str(cell.get("id", fresh.id))
    return fresh


def _paired(ours, theirs, released, changes):
    cell = copy.deepcopy(ours)
    grade_id = _grade_id(ours)
    if utils.is_locked(ours):
        if theirs.source.strip() not in (ours.source.strip(), released[grade_id].strip()):
            changes.append(f"The locked cell `{grade_id}` had been edited; the original was used.")
    else:
        cell.source = theirs.source
        if theirs.cell_type != ours.cell_type:
            changes.append(
                f"The cell `{grade_id}` had been made a {theirs.cell_type} cell; it was changed back."
            )
    return cell


def _put_back(blank, cells, found, changes):
    """Graded and locked cells that were deleted return behind the cell that they follow in the source."""
    before = None
    for ours in blank:
        grade_id = _grade_id(ours)
        if grade_id is None:
            continue
        if grade_id not in found:
            place = next((n for n, cell in enumerate(cells) if _grade_id(cell) == before), -1) + 1
            cells.insert(place, copy.deepcopy(ours))
            changes.append(f"The cell `{grade_id}` had been deleted; it was put back.")
        before = grade_id


def _unique_ids(cells):
    seen = set()
    for cell in cells:
        if cell.id in seen or not cell.id:
            cell.id = nbformat.v4.new_code_cell().id
        seen.add(cell.id)
