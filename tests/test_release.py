"""What `autograder release` writes of a source folder, and what `--check` finds."""

import json
import shutil

import nbformat
import pytest
import tiny_course
from tiny_course import NAME, autograder, cell


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course released once, with much beside its notebook."""
    root = tiny_course.write_course(tmp_path_factory.mktemp("course"))
    source = root / "solutions" / NAME
    (source / "data").mkdir()
    (source / "data" / "tones.csv").write_text("440\n")
    for name in ("__pycache__", ".ipynb_checkpoints"):
        (source / name).mkdir()
        (source / name / "checks.py").touch()
    (source / "__pycache__" / "checks.cpython-311.pyc").touch()
    (source / "checks.pyc").touch()
    done = autograder("release", NAME, "--course", root)
    assert done.status == 0
    assert done.out == f"{NAME}: written to {root / 'exercises' / NAME}\n"
    return root


@pytest.fixture
def copied(course, tmp_path):
    """The course's own copy for a test, and its release folder."""
    shutil.copytree(course, tmp_path / "course")
    return tmp_path / "course", tmp_path / "course" / "exercises" / NAME


def test_data_are_released_and_neither_checks_nor_bytecode(course):
    assert set(tree(course / "exercises")) == {
        f"{NAME}/{name}" for name in ("tiny.ipynb", "self_check.json", "data/tones.csv")
    }


def test_stubs_stand_for_solutions_and_hidden_tests_are_gone(course):
    released = nbformat.read(course / "exercises" / NAME / "tiny.ipynb", as_version=4)
    assert cell(released, "energy").source.endswith("# YOUR CODE HERE\n    raise NotImplementedError()")
    assert cell(released, "test_energy").source == 'check("energy", energy)'
    assert cell(released, "essay").source == "YOUR ANSWER HERE"
    assert [one.id for one in released.cells] == [one.id for one in tiny_course.source_notebook().cells]


def test_a_second_release_gives_the_same_bytes(copied):
    root, folder = copied
    before = tree(folder)
    assert autograder("release", NAME, "--course", root).status == 0
    assert tree(folder) == before


def test_check_says_up_to_date_and_changes_nothing(copied):
    before = tree(copied[0])
    done = autograder("release", NAME, "--check", "--course", copied[0])
    assert (done.status, done.out) == (0, f"{NAME}: up to date\n")
    assert tree(copied[0]) == before


def spoil(name):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes().replace(b"Tiny", b"tiny"))


def number(change):
    """Change the first expected number of the self-check."""

    def spoil(folder):
        path = folder / "self_check.json"
        data = json.loads(path.read_text())
        data["questions"][0]["examples"][0]["expected"] = change(
            data["questions"][0]["examples"][0]["expected"]
        )
        path.write_text(json.dumps(data))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (spoil("tiny.ipynb"), "tiny.ipynb"),
        (lambda folder: (folder / "self_check.json").unlink(), "self_check.json"),
        (lambda folder: (folder / "data" / "tones.csv").unlink(), "data/tones.csv"),
        (lambda folder: (folder / "data" / "more.csv").touch(), "data/more.csv"),
        (shutil.rmtree, "data/tones.csv, self_check.json, tiny.ipynb"),
    ],
)
def test_check_names_what_differs_and_leaves_it(spoil, found, copied):
    root, folder = copied
    spoil(folder)
    before = tree(root)
    done = autograder("release", NAME, "--check", "--course", root)
    assert done.status == 1
    assert done.out == f"{NAME}: differs in {found}: run `autograder release {NAME}`\n"
    assert tree(root) == before


@pytest.mark.parametrize(("factor", "kept"), [(1 + 5e-6, True), (1 + 5e-5, False)])
def test_a_number_stays_only_within_a_tenth_of_the_tolerance(factor, kept, copied):
    root, folder = copied
    path = folder / "self_check.json"
    sound = path.read_text()
    assert "21.0" in sound
    path.write_text(sound.replace("21.0", str(21 * factor)))
    moved = path.read_text()
    assert moved != sound
    assert autograder("release", NAME, "--course", root).status == 0
    assert path.read_text() == (moved if kept else sound)


def test_a_fault_in_the_source_is_told_and_the_release_stays(copied):
    root, folder = copied
    before = tree(folder)
    (root / "solutions" / NAME / "checks.py").write_text("x = 1\n")
    done = autograder("release", NAME, "--course", root)
    assert done.status == 2
    assert "checks.py asks no question `energy`" in done.err
    assert tree(folder) == before
