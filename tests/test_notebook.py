"""Submitted files of every shape, against `notebook.read`."""

import contextlib
import json
import os
import re
import socket

import nbformat
import pytest
import tiny_course
from nbformat.v4 import new_output
from tiny_course import NAME, cell

from autograder import assignment as assignments
from autograder import notebook
from autograder.course import Course

GRADED = ["energy", "test_energy", "delay", "test_delay", "essay"]
NOT_A_NOTEBOOK = "`tiny.ipynb` is not a notebook: its text is not what Jupyter saves."


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    return assignments.load(Course(tiny_course.write_course(tmp_path_factory.mktemp("course"))), NAME)


@pytest.fixture
def place(tmp_path):
    """Where a student's notebook lies."""
    folder = tmp_path / "ada" / NAME
    folder.mkdir(parents=True)
    return folder / "tiny.ipynb"


def as_json(change=lambda tree: None, **texts):
    """A right submission's text after a change to its JSON tree."""
    tree = json.loads(nbformat.writes(tiny_course.answers(**texts)))
    change(tree)
    return json.dumps(tree)


def each(**keys):
    return lambda tree: [one.update(keys) for one in tree["cells"]]


def without(key):
    return lambda tree: [one.pop(key, None) for one in tree["cells"]]


def as_format_3():
    return nbformat.writes(nbformat.convert(tiny_course.answers(), 3), version=3)


def as_format_4_4():
    return as_json(lambda tree: (without("id")(tree), tree.update(nbformat_minor=4)))


def with_long_outputs():
    submitted = tiny_course.answers()
    submitted.cells[1].outputs = [new_output("stream", name="stdout", text="x" * 9_000_000)]
    return nbformat.writes(submitted)


# -- what is read


READABLE = {
    "as Jupyter saves it": as_json(),
    "with a byte-order mark": b"\xef\xbb\xbf" + as_json().encode(),
    "with CRLF in the file": nbformat.writes(tiny_course.answers()).replace("\n", "\r\n"),
    "with CRLF in the cells": as_json().replace("\\n", "\\r\\n"),
    "of format 3": as_format_3(),
    "of format 4.4, without ids": as_format_4_4(),
    "without ids": as_json(without("id")),
    "with one id for all": as_json(each(id="same")),
    "with ids that are no ids": as_json(each(id="a b/c" * 99)),
    "without outputs": as_json(without("outputs")),
    "with outputs that are none": as_json(each(outputs=[3, {"output_type": "?"}])),
    "with long outputs": with_long_outputs(),
    "with deep metadata": as_json().replace('"kernelspec": {', '"deep":' + '{"a":' * 200 + "{}" + "}" * 200
                                            + ', "kernelspec": {'),
    "with attachments that are none": as_json(each(attachments=3)),
    "of another kernel": as_json(lambda tree: tree["metadata"]["kernelspec"].update(name="julia-1.9")),
    "without metadata": as_json(lambda tree: tree.update(metadata={})),
    "with NaN in it": as_json(lambda tree: tree["metadata"].update(number=float("nan"))),
    "of a later format": as_json(lambda tree: tree.update(nbformat=5, nbformat_minor=0)),
}  # fmt: skip


@pytest.mark.parametrize("kind", READABLE)
def test_a_notebook_is_read_and_needs_no_repair(kind, place, assignment, recwarn):
    text = READABLE[kind]
    place.write_bytes(text if isinstance(text, bytes) else text.encode())
    restored = notebook.restore(assignment, notebook.read(place))
    assert restored.changes == []
    assert len(restored.notebook.cells) == len(tiny_course.answers().cells)
    for grade_id in GRADED:
        origin = assignment.blank if grade_id.startswith("test_") else tiny_course.answers()
        assert cell(restored.notebook, grade_id).source == cell(origin, grade_id).source
    nbformat.validate(restored.notebook)
    assert not recwarn.list


UNREADABLE = {
    "nothing": (b"", "`tiny.ipynb` is empty."),
    "blanks": (b" \n\n", "`tiny.ipynb` is empty."),
    "a cut notebook": (as_json()[:700], NOT_A_NOTEBOOK),
    "null bytes": (bytes(300), NOT_A_NOTEBOOK),
    "a null byte within": (as_json().replace("import", "\0import"), NOT_A_NOTEBOOK),
    "UTF-16": (as_json().encode("utf-16"), NOT_A_NOTEBOOK),
    "Latin-1": (b'{"cells": [], "caf\xe9": 1}', NOT_A_NOTEBOOK),
    "prose": ("I could not finish.", NOT_A_NOTEBOOK),
    "a list": ("[1, 2]", NOT_A_NOTEBOOK),
    "a number": ("3", NOT_A_NOTEBOOK),
    "a text": ('"cells"', NOT_A_NOTEBOOK),
    "null": ("null", NOT_A_NOTEBOOK),
    "an object": ("{}", NOT_A_NOTEBOOK),
    "three for cells": ('{"cells": 3}', NOT_A_NOTEBOOK),
    "no cells": ('{"cells": null, "nbformat": 4}', NOT_A_NOTEBOOK),
    "numbers for cells": ('{"cells": [1, 2], "nbformat": 4}', NOT_A_NOTEBOOK),
    "worksheets without cells": ('{"worksheets": [1], "nbformat": 3}', NOT_A_NOTEBOOK),
    "cells without text": (as_json(without("source")), NOT_A_NOTEBOOK),
    "cells with a number for text": (as_json(each(source=5)), NOT_A_NOTEBOOK),
    "cells with numbers for lines": (as_json(each(source=["a", 3])), NOT_A_NOTEBOOK),
    "cells without a type": (as_json(without("cell_type")), NOT_A_NOTEBOOK),
    "a number beyond limits": (f'{{"cells": {"9" * 9999}}}', NOT_A_NOTEBOOK),
    "deep lists": ("[" * 100_000 + "]" * 100_000, "`tiny.ipynb` is nested too deeply to be a notebook."),
    "deep objects": ('{"a":' * 100_000, "`tiny.ipynb` is nested too deeply to be a notebook."),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_notebook_is_told_in_a_sentence(kind, place):
    content, sentence = UNREADABLE[kind]
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(notebook.SubmissionError, match=re.escape(sentence)):
        notebook.read(place)


def make_socket(place):
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(place.parent)  # a socket's path must be short
        server.bind(place.name)


def make_link(place):
    (place.parent / "other").write_text(as_json())
    place.symlink_to("other")


def link_folder(place):
    place.write_text(as_json())
    place.parent.rename(place.parent.with_name("moved"))
    place.parent.symlink_to("moved")


def link_student(place):
    place.write_text(as_json())
    student = place.parent.parent
    student.rename(student.with_name("bob"))
    student.symlink_to("bob")


def make_large(place):
    with open(place, "wb") as stream:
        stream.truncate(notebook.SIZE_LIMIT + 1)


def make_unreadable(place):
    place.write_text(as_json())
    place.chmod(0)


@contextlib.contextmanager
def as_nobody_if(wanted):
    """Root reads everything, so a test of permissions is done as somebody else."""
    root = wanted and os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda place: None, "The submission has no file `tiny.ipynb`."),
        (
            lambda place: place.with_name("tiny (1).ipynb").touch(),
            "The submission has no file `tiny.ipynb`; rename `tiny (1).ipynb` if that is it.",
        ),
        (lambda place: place.mkdir(), "`tiny.ipynb` is not a file."),
        (os.mkfifo, "`tiny.ipynb` is not a file."),
        (make_socket, "`tiny.ipynb` cannot be opened: No such device or address."),
        (make_link, "`tiny.ipynb` cannot be opened: it is a link."),
        (lambda place: place.symlink_to("/dev/zero"), "`tiny.ipynb` cannot be opened: it is a link."),
        (link_folder, f"`{NAME}` is a link; the submission's own folder must stand there."),
        (link_student, "`ada` is a link; the submission's own folder must stand there."),
        (make_large, "`tiny.ipynb` has 64 MB; at most 64 are read."),
        (make_unreadable, "`tiny.ipynb` cannot be opened: Permission denied."),
    ],
)
def test_what_is_no_file_is_told_in_a_sentence(make, sentence, place, monkeypatch):
    monkeypatch.chdir(place.parent)
    make(place)
    with pytest.raises(notebook.SubmissionError) as error, as_nobody_if(make is make_unreadable):
        notebook.read(place)
    assert str(error.value) == sentence


def test_reading_leaves_no_descriptor_open(place):
    place.mkdir()
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        with pytest.raises(notebook.SubmissionError):
            notebook.read(place)
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_half_a_surrogate_pair_can_be_written_again(place, assignment):
    place.write_text(as_json(essay="a \ud800 b"))
    restored = notebook.restore(assignment, notebook.read(place)).notebook
    assert cell(restored, "essay").source == "a ? b"
    nbformat.writes(restored).encode()
