"""Every assignment of this course, whatever their number: proved, released, and worth what it says."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from tiny_course import autograder

from autograder import assignment as assignments
from autograder.course import Course

ROOT = Path(__file__).resolve().parent.parent
COURSE = Course(ROOT)
NAMES = COURSE.assignments()
pytestmark = pytest.mark.parametrize("name", NAMES)


def notebook(folder):
    [path] = folder.glob("*.ipynb")
    return nbformat.read(path, as_version=4)


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def copy_of_course(name, place):
    """A course with this assignment's source and release alone."""
    shutil.copy(ROOT / "nbgrader_config.py", place)
    for step in (COURSE.source, COURSE.release):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(step(name), place / step(name).relative_to(ROOT), ignore=ignored)
    return place


@pytest.mark.slow
def test_every_claim_of_the_audit_is_proved(name):
    done = autograder("audit", name, "--course", ROOT, "--json")
    body = json.loads(done.out)
    assert [row for row in body["rows"] if not row["proved"]] == []
    assert body["proved"] == len(body["rows"]) > 0
    assert done.status == 0


@pytest.mark.slow
def test_the_release_is_up_to_date(name, tmp_path):
    done = autograder("release", name, "--check", "--course", copy_of_course(name, tmp_path))
    assert (done.status, done.out) == (0, f"{name}: up to date\n")


@pytest.mark.slow
def test_nbgrader_itself_makes_the_same_release(name, tmp_path):
    copy = Course(copy_of_course(name, tmp_path))
    program = Path(sys.executable).with_name("nbgrader")
    done = subprocess.run(
        [program, "generate_assignment", name, "--force"], cwd=tmp_path, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert files(copy.release(name)) == files(COURSE.release(name))


def test_points_are_eighty_for_code_and_twenty_for_words(name):
    assignment = assignments.load(COURSE, name)
    written = {grade_id: assignment.points[grade_id] for grade_id in assignment.written}
    assert sum(written.values()) == 20
    assert sum(assignment.points.values()) == 100
    assert all(points > 0 for points in assignment.points.values())


def test_students_get_stubs_for_solutions(name):
    released = notebook(COURSE.release(name))
    for marker in ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"):
        assert marker not in json.dumps(released)
    for question in assignments.load(COURSE, name).questions:
        [stub] = [
            one for one in released.cells if one.metadata.get("nbgrader", {}).get("grade_id") == question
        ]
        assert "raise NotImplementedError()" in stub.source
        compile(stub.source, question, "exec")


@pytest.mark.parametrize("step", ["source", "release"])
def test_cells_have_ids_that_stay_and_no_outputs(step, name):
    cells = notebook(getattr(COURSE, step)(name)).cells
    [path] = getattr(COURSE, step)(name).glob("*.ipynb")
    ids = [one.get("id") for one in json.loads(path.read_text())["cells"]]
    assert len(set(ids)) == len(ids) == len(cells)
    assert None not in ids
    assert [one for one in cells if one.cell_type == "code" and (one.outputs or one.execution_count)] == []
    source = {one.id for one in notebook(COURSE.source(name)).cells}
    assert set(ids) <= source


def test_a_graded_cell_is_a_students_answer_or_cannot_be_edited(name):
    for one in notebook(COURSE.release(name)).cells:
        marks = one.metadata.get("nbgrader")
        if marks:
            assert marks.locked != marks.solution
            assert one.metadata.get("editable", True) != marks.locked
            assert not one.metadata.deletable
