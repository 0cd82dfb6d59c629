"""What students change in their notebooks, against `notebook.restore`: undone, and told once."""

import copy

import nbformat
import pytest
import tiny_course
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from tiny_course import NAME, cell

from autograder import assignment as assignments
from autograder import notebook
from autograder.course import Course

GRADED = ["energy", "test_energy", "delay", "test_delay", "essay"]


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    source = tiny_course.source_notebook()
    source.cells.insert(0, new_markdown_cell("Rules\n\nof the game", id="rules"))
    source.cells[0].metadata = tiny_course.metadata("rules", locked=True)
    root = tiny_course.write_course(tmp_path_factory.mktemp("course"), source)
    return assignments.load(Course(root), NAME)


@pytest.fixture
def submitted(assignment):
    """An untouched submission: the release, with the solutions in its stubs."""
    made = copy.deepcopy(assignment.blank)
    for one in made.cells:
        grade_id = one.metadata.get("nbgrader", {}).get("grade_id", "")
        one.source = tiny_course.SOLUTIONS.get(grade_id, assignment.released.get(grade_id, one.source))
    return made


def remove(*grade_ids):
    return lambda made: [made.cells.remove(cell(made, grade_id)) for grade_id in grade_ids]


def mark(which, **marks):
    return lambda made: cell(made, which).metadata.nbgrader.update(marks)


def write(grade_id, text):
    return lambda made: cell(made, grade_id).update(source=text)


def append(source, grade_id):
    return lambda made: made.cells.append(
        new_code_cell(source, metadata=tiny_course.metadata(grade_id, solution=True))
    )


def also(*changes):
    return lambda made: [change(made) for change in changes]


def swap(first, second):
    def change(made):
        one, other = (made.cells.index(cell(made, grade_id)) for grade_id in (first, second))
        made.cells[one], made.cells[other] = made.cells[other], made.cells[one]

    return change


def retype(grade_id, kind):
    return lambda made: cell(made, grade_id).update(cell_type=kind)


def deleted(grade_id):
    return f"The cell `{grade_id}` had been deleted; it was put back."


def edited(grade_id):
    return f"The locked cell `{grade_id}` had been edited; the original was used."


def unknown(grade_id):
    return f"A cell carries the unknown id `{grade_id}`; it counts as an ordinary cell."


CHANGES = {
    "nothing": (lambda made: None, []),
    "a locked cell edited": (write("rules", "No rules"), [edited("rules")]),
    "a test cell emptied": (write("test_energy", ""), [edited("test_energy")]),
    "two locked cells edited": (
        also(write("test_delay", ""), write("rules", "")),
        [edited("rules"), edited("test_delay")],
    ),
    "blank lines round a locked cell": (write("rules", "\nRules\n\nof the game\n"), []),
    "a locked cell unlocked": (mark("rules", locked=False), []),
    "a locked cell unlocked and edited": (
        also(mark("rules", locked=False, solution=True), write("rules", "No rules")),
        [edited("rules")],
    ),
    "a test cell made a solution": (
        also(mark("test_energy", solution=True, locked=False), write("test_energy", "4")),
        [edited("test_energy")],
    ),
    "a solution made a test cell": (mark("energy", grade=True, points=99, solution=False), []),
    "points raised": (mark("test_energy", points=400), []),
    "an old schema": (mark("test_energy", schema_version=1), []),
    "a solution cell deleted": (remove("energy"), [deleted("energy")]),
    "a test cell deleted": (remove("test_delay"), [deleted("test_delay")]),
    "the first and the last cell deleted": (
        remove("rules", "essay"),
        [deleted("rules"), deleted("essay")],
    ),
    "a test cell moved above its answer": (swap("energy", "test_energy"), []),
    "one id twice": (append("1", "energy"), ["Two cells carry the id `energy`; the last one counts."]),
    "one id thrice": (
        also(append("1", "energy"), append("2", "energy")),
        ["Two cells carry the id `energy`; the last one counts."] * 2,
    ),
    "an id of the student's": (append("1", "bonus"), [unknown("bonus")]),
    "a misspelt id": (mark("energy", grade_id="enrgy"), [unknown("enrgy"), deleted("energy")]),
    "an id with a bell and a line": (append("1", "a\a\nb"), [unknown("a??b")]),
    "an endless id": (append("1", "a" * 999), [unknown("a" * notebook.SHOWN + "…")]),
    "code made prose": (
        retype("energy", "markdown"),
        ["The cell `energy` had been made a markdown cell; it was changed back."],
    ),
    "prose made code": (
        retype("essay", "code"),
        ["The cell `essay` had been made a code cell; it was changed back."],
    ),
    "everything deleted": (
        lambda made: made.cells.clear(),
        [deleted(grade_id) for grade_id in ["rules", *GRADED[:4]]] + ["… and 1 more changes."],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_undone_and_told_once(change, assignment, submitted):
    make, sentences = CHANGES[change]
    make(submitted)
    restored = notebook.restore(assignment, submitted)
    assert restored.changes == sentences
    ours = {one.metadata.nbgrader.grade_id: one for one in assignment.blank.cells if one.metadata}
    theirs = [one for one in restored.notebook.cells if one.metadata]
    assert sorted(one.metadata.nbgrader.grade_id for one in theirs) == sorted(ours)
    for one in theirs:
        own = ours[one.metadata.nbgrader.grade_id]
        assert (one.metadata, one.cell_type, one.id) == (own.metadata, own.cell_type, own.id)
        if one.metadata.nbgrader.locked:
            assert one.source == own.source
    assert len({one.id for one in restored.notebook.cells}) == len(restored.notebook.cells)
    nbformat.validate(restored.notebook)


def test_of_two_cells_with_one_id_the_last_counts_and_the_first_still_runs(assignment, submitted):
    append("energy = 3", "energy")(submitted)
    restored = notebook.restore(assignment, submitted).notebook
    assert cell(restored, "energy").source == "energy = 3"
    assert tiny_course.SOLUTIONS["energy"] in [one.source for one in restored.cells if not one.metadata]


def test_a_deleted_answer_comes_back_as_the_stub(assignment, submitted):
    remove("energy")(submitted)
    restored = notebook.restore(assignment, submitted).notebook
    assert cell(restored, "energy").source == assignment.released["energy"]


@pytest.mark.parametrize("grade_id", ["rules", *GRADED])
def test_a_deleted_cell_returns_behind_the_one_it_follows(grade_id, assignment, submitted):
    submitted.cells = [one for one in submitted.cells if one.metadata]
    whole = [one.id for one in submitted.cells]
    remove(grade_id)(submitted)
    assert [one.id for one in notebook.restore(assignment, submitted).notebook.cells] == whole


def test_a_students_own_cells_stay_where_they_were_put(assignment, submitted):
    submitted.cells.insert(0, new_code_cell("%matplotlib inline", id="mine"))
    submitted.cells.append(new_markdown_cell("Thanks", id="thanks"))
    swap("energy", "delay")(submitted)
    restored = notebook.restore(assignment, submitted).notebook
    assert [one.id for one in restored.cells] == [one.id for one in submitted.cells]
    assert [restored.cells[n].source for n in (0, -1)] == ["%matplotlib inline", "Thanks"]


def test_a_cell_with_a_graded_cells_id_gets_another(assignment, submitted):
    submitted.cells.insert(0, new_code_cell("1", id=cell(assignment.blank, "energy").id))
    restored = notebook.restore(assignment, submitted).notebook
    assert cell(restored, "energy").id == cell(assignment.blank, "energy").id
    assert restored.cells[0].source == "1"
    assert len({one.id for one in restored.cells}) == len(restored.cells)


def test_neither_the_assignment_nor_the_submission_is_changed(assignment, submitted):
    before = copy.deepcopy((assignment.blank, submitted))
    restored = notebook.restore(assignment, submitted).notebook
    restored.cells[1].source = "of the grader's"
    restored.metadata.kernelspec.name = "of the grader's"
    assert (assignment.blank, submitted) == before


def test_the_notebooks_own_metadata_are_the_sources(assignment):
    theirs = new_notebook(metadata={"kernelspec": {"name": "julia", "display_name": "J"}})
    restored = notebook.restore(assignment, theirs).notebook
    assert restored.metadata == assignment.blank.metadata
