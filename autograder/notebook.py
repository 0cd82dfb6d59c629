"""A submitted file in, the notebook to run out, and what the student had changed.

Whatever is locked comes from the source; of the submission only the text of its own cells is taken.
"""

import copy
import json
import os
import re
import stat
from dataclasses import dataclass, field

import nbformat
from nbgrader import utils

SIZE_LIMIT = 64 << 20
LISTED, SHOWN = 5, 40  # changes told; characters of a student's text in a sentence
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # as the notebook format has it


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
    for folder in (path.parent, path.parent.parent):  # the assignment's and the student's
        if os.path.islink(folder):
            raise SubmissionError(
                f"`{_shown(folder.name)}` is a link; the submission's own folder must stand there."
            )
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        others = sorted(path.parent.glob("*.ipynb"))
        hint = f"; rename `{_shown(others[0].name)}` if that is it" if others else ""
        raise SubmissionError(f"The submission has no file `{name}`{hint}.") from None
    except OSError as error:
        why = "it is a link" if os.path.islink(path) else error.strerror
        raise SubmissionError(f"`{name}` cannot be opened: {why}.") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SubmissionError(f"`{name}` is not a file.")
        if status.st_size > SIZE_LIMIT:
            raise SubmissionError(
                f"`{name}` has {status.st_size >> 20} MB; at most {SIZE_LIMIT >> 20} are read."
            )
        with open(descriptor, "rb", closefd=False) as stream:
            raw = stream.read(SIZE_LIMIT + 1)
    finally:
        os.close(descriptor)
    if not raw.strip():
        raise SubmissionError(f"`{name}` is empty. Save the notebook and hand it in again.")
    try:
        cells = [_cell(item) for item in _items(raw)]
    except RecursionError:
        raise SubmissionError(f"`{name}` is nested too deeply to be a notebook.") from None
    except (ValueError, TypeError, LookupError):
        raise SubmissionError(
            f"`{name}` is not a notebook: its text is not what Jupyter saves. Open it in Jupyter, save it, "
            "and hand it in again."
        ) from None
    _unique_ids(cells)
    return nbformat.v4.new_notebook(cells=cells)


def _items(raw):
    """The cells in a file's bytes, as JSON has them. Up to format 3 they lie in worksheets."""
    data = json.loads(raw.decode("utf-8-sig"))
    if "worksheets" in data:
        return [item for sheet in data["worksheets"] for item in sheet["cells"]]
    return data["cells"]


def _cell(item):
    """A cell of what is read of a submission: kind, text, id and grade id. The rest is not looked at."""
    text = item["source"] if "source" in item else item["input"]  # `input`: code up to format 3
    text = text if isinstance(text, str) else "".join(text)
    make = {"code": nbformat.v4.new_code_cell, "raw": nbformat.v4.new_raw_cell}
    cell = make.get(item["cell_type"], nbformat.v4.new_markdown_cell)(source=_clean(text))
    if CELL_ID.fullmatch(str(item.get("id", ""))):
        cell.id = str(item["id"])
    marks = item.get("metadata")
    marks = marks.get("nbgrader") if isinstance(marks, dict) else None
    if isinstance(marks, dict) and isinstance(marks.get("grade_id"), str):
        cell.metadata.nbgrader = {"grade_id": _clean(marks["grade_id"])}
    return cell


def _clean(text):
    """The text with plain line ends, and without halves of surrogate pairs, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")


def restore(assignment, submitted):
    """Put the source's locked cells back, pair the rest by grade id; of two with one id the last counts."""
    ours = {_grade_id(cell): cell for cell in assignment.blank.cells if _grade_id(cell)}
    changes, cells, found = [], [], set()
    for cell in reversed(submitted.cells):
        grade_id = _grade_id(cell)
        if grade_id is None or grade_id not in ours:
            cells.append(_plain(cell))
            if grade_id is not None:
                changes.append(
                    f"A cell carries the unknown id `{_shown(grade_id)}`; it counts as an ordinary cell."
                )
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
    _unique_ids(cells, {cell.id for cell in assignment.blank.cells if _grade_id(cell)})
    if len(changes) > LISTED:
        changes[LISTED:] = [f"… and {len(changes) - LISTED} more changes."]
    return Restored(notebook, changes)


def _grade_id(cell):
    metadata = cell.metadata.get("nbgrader")
    grade_id = metadata.get("grade_id") if isinstance(metadata, dict) else None
    return grade_id if isinstance(grade_id, str) else None


def _plain(cell):
    """A student's own cell, without metadata that nbgrader would read."""
    cell = copy.deepcopy(cell)
    cell.metadata = nbformat.from_dict({})
    return cell


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


def _unique_ids(cells, reserved=()):
    """Give a new id to whoever comes second; the reserved ones are for cells with a grade id."""
    seen = set()
    for cell in cells:
        if cell.id in seen or (cell.id in reserved and not _grade_id(cell)):
            cell.id = nbformat.v4.new_code_cell().id
        seen.add(cell.id)


def _shown(text):
    """A student's text fit for a sentence: one line, no control characters, not too long."""
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
