"""Courses and assignments that their author has to put right, each told in one sentence by `grade`."""

import re
import shutil

import nbformat
import pytest
import tiny_course
from tiny_course import CHECKS, NAME, autograder, cell

# -- the course


def replace(name, content=None):
    def change(root):
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content.encode())

    return change


def config(line):
    return lambda root: replace("nbgrader_config.py", f"c = get_config()\n{line}\n")(root)


COURSES = {
    "no configuration": (replace("nbgrader_config.py"), "is not a course folder: it has no nbgrader_config"),
    "configuration that is no Python": (config("c = ("), "cannot be read: SyntaxError: '(' was never closed"),
    "configuration that raises": (config("1 / 0"), "cannot be read: ZeroDivisionError: division by zero"),
    "configuration that ends": (config("raise SystemExit(3)"), "cannot be read: SystemExit: 3"),
    "configuration of the wrong type": (
        config("c.CourseDirectory.source_directory = 3"),
        "cannot be read: TraitError: The 'source_directory' trait of a CourseDirectory instance expected",
    ),
    "no source": (replace("solutions"), "no assignment `01_tiny` in"),
    "no submission": (replace("submitted"), "no submission of `01_tiny` to grade: looked for"),
    "database that is none": (
        lambda root: (root / "gradebook.db").write_text("not a database " * 20),
        "nbgrader's database cannot be used: file is not a database.",
    ),
    "database that cannot be opened": (
        lambda root: (root / "gradebook.db").mkdir(),
        "nbgrader's database cannot be used: unable to open database file.",
    ),
    "reports that cannot be written": (
        lambda root: (root / "reports").touch(),
        "stopped, because {root}/reports/01_tiny cannot be used: Not a directory.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("course", COURSES)
def test_a_course_that_cannot_be_graded_is_told_in_one_line(course, tmp_path):
    change, sentence = COURSES[course]
    tiny_course.write_course(tmp_path)
    tiny_course.hand_in(tmp_path, "right", tiny_course.answers())
    change(tmp_path)
    done = autograder("grade", NAME, "--course", tmp_path)
    assert done.status == 2
    [line] = done.err.splitlines()
    assert line.startswith("autograder: ")
    assert sentence.format(root=tmp_path) in line


@pytest.mark.parametrize("name", ["02_other", "", "01_tiny/", "../solutions/01_tiny", "tiny"])
def test_an_unknown_assignment_is_told_with_those_known(name, tmp_path):
    done = autograder("grade", name, "--course", tiny_course.write_course(tmp_path))
    assert done.status == 2
    assert done.err == (
        f"autograder: no assignment `{name}` in {tmp_path / 'solutions'}. Known assignments: 01_tiny.\n"
    )


# -- checks.py


def checks(old, new):
    assert old in CHECKS
    return CHECKS.replace(old, new, 1)


DRAWS = "(rng.normal(size=rng.integers(2, 9)) + 5,)"
ENERGY = "return student.energy(x)"
COMPARE = "compare=close(rtol=1e-4)"
AUTHORS = {
    "no checks.py": (None, "has no checks.py: write one question for every test cell."),
    "not UTF-8": (b"# caf\xe9\n" + CHECKS.encode(), "checks.py is not text in UTF-8: invalid"),
    "a null byte": (CHECKS + "\0", "checks.py: SyntaxError: source code string cannot contain null bytes"),
    "a syntax error": (CHECKS + "\ndef f(:\n", "checks.py, line 57: SyntaxError: invalid syntax"),
    "an import that fails": (
        "import no_such_module\n" + CHECKS,
        "checks.py, line 1: ModuleNotFoundError: No module named 'no_such_module'",
    ),
    "an error": ("x = 1\n1 / 0\n" + CHECKS, "checks.py, line 2: ZeroDivisionError: division by zero"),
    "an end": ("raise SystemExit(5)\n" + CHECKS, "checks.py, line 1: SystemExit: 5"),
    "no question": (
        "x = 1\n",
        "has the test cell `test_energy`, but checks.py asks no question `energy`: nobody could say what",
    ),
    "a question without a cell": (
        CHECKS.replace("energy", "power"),
        "asks the question `power`, but tiny.ipynb has no solution cell `power`.",
    ),
    "a misconception without a docstring": (
        checks('    """You add the samples up, not their squares."""\n', ""),
        "misconception `forgets_the_square` of question `energy` has no docstring: write the sentence that",
    ),
    "two stand-ins of one name": (
        checks("def takes_the_root", "def forgets_the_square"),
        "question `energy` has two stand-ins named `forgets_the_square`: rename one.",
    ),
    "a stand-in without a name": (
        CHECKS + "\nenergy.equivalent(lambda x: 3)\n",
        "`<lambda>` must be a `def` or `class` at the module's top level",
    ),
    "a probe that names a misconception": (
        checks(ENERGY, "return forgets_the_square(x)"),
        "`energy` uses `forgets_the_square`, which is a misconception.",
    ),
    "a probe without student": (
        checks("def energy(student, x)", "def energy(x)"),
        "probe `energy`: the first argument must be `student`",
    ),
    "no example": (
        checks("[(np.array([1.0, 2.0, 4.0]),), (np.array([0.5]),)]", "[]"),
        "a question needs at least one example",
    ),
    "an example of the wrong length": (
        checks("(np.array([0.5]),)", "(1, 2)"),
        "question `energy`: every example must be a tuple of 1 arguments (x).",
    ),
    "draws that raise": (
        checks(DRAWS, "(1 / 0,)"),
        "draws of question `energy` stop with ZeroDivisionError: division by zero",
    ),
    "a number for a comparison": (checks(COMPARE, "compare=1e-4"), "compare must be a comparison"),
    "half a draw": (checks(COMPARE, f"count=2.5, {COMPARE}"), "not count=2.5"),
    "a list for draws": (checks(f"draws=lambda rng: {DRAWS}", "draws=[1]"), "draws must be a function"),
    "no draw": (checks(COMPARE, f"count=0, {COMPARE}"), "a question needs at least one hidden input"),
    "no comparison": (
        checks(f"    {COMPARE},\n", ""),
        "checks.py, line 9: TypeError: question() missing 1 required keyword-only argument: 'compare'",
    ),
    "a tolerance that is none": (checks("rtol=1e-4", "rtol=4"), "close expects 0 < rtol < 1. Received: "),
    "full credit for a misconception": (
        checks("credit=0.5", "credit=1"),
        "misconception `takes_the_root`: credit must be at least 0 and below 1, not 1.",
    ),
    "draws of the wrong length": (
        checks(DRAWS, "(1, 2)"),
        "draws of question `energy` must give a tuple of 1, (x,); got a tuple of 2.",
    ),
    "draws without a tuple": (
        checks(DRAWS, "rng.normal(size=3)"),
        "draws of question `energy` must give a tuple of 1, (x,); got ndarray.",
    ),
    "a probe that asks for another name": (checks(ENERGY, "return student.enrgy(x)"), "enrgy"),
}  # fmt: skip


def refused(root, sentence):
    tiny_course.hand_in(root, "right", tiny_course.answers())
    done = autograder("grade", NAME, "--course", root)
    assert done.status == 2
    [line] = done.err.splitlines()
    assert line.startswith("autograder: ")
    assert sentence in line


@pytest.mark.parametrize("fault", AUTHORS)
def test_a_fault_in_the_checks_is_told_in_one_line(fault, tmp_path):
    text, sentence = AUTHORS[fault]
    tiny_course.write_course(tmp_path)
    path = tmp_path / "solutions" / NAME / "checks.py"
    path.unlink() if text is None else path.write_bytes(text if isinstance(text, bytes) else text.encode())
    refused(tmp_path, sentence)


# -- the source notebook


def solve(text):
    return lambda source: cell(source, "energy").update(
        source=re.sub(r"return .*", text, cell(source, "energy").source)
    )


def mark(which, **marks):
    return lambda source: cell(source, which).metadata.nbgrader.update(marks)


SOURCES = {
    "two cells of one id": (
        lambda source: source.cells.append(nbformat.from_dict(source.cells[-1] | {"id": "again"})),
        "tiny.ipynb cannot be read as an nbgrader notebook: Duplicate grade id: essay",
    ),
    "a test cell without a question": (
        mark("test_energy", grade_id="test_more"),
        "asks the question `energy`, but tiny.ipynb has no test cell `test_energy`.",
    ),
    "negative points": (
        mark("test_energy", points=-1),
        "cannot be read as an nbgrader notebook: points: -1 is less than the minimum of 0",
    ),
    "an old schema": (mark("test_energy", schema_version=1), "Outdated schema version: 1 (expected 3)"),
    "a solution without an end": (
        lambda source: cell(source, "energy").update(source="### BEGIN SOLUTION\nenergy = 1"),
        "nbgrader's ClearSolutions refuses the source notebook: no end solution statement found",
    ),
    "a solution that stops": (
        lambda source: cell(source, "energy").update(source="### BEGIN SOLUTION\n1 / 0\n### END SOLUTION"),
        "01_tiny: in the solution, cell `energy` stops with ZeroDivisionError: division by zero",
    ),
    "a solution that fails on its own examples": (
        solve("return x[2]"),
        "IndexError index 2 is out of bounds for axis 0 with size 1",
    ),
}


@pytest.mark.parametrize("fault", SOURCES)
def test_a_fault_in_the_source_notebook_is_told_in_one_line(fault, tmp_path):
    change, sentence = SOURCES[fault]
    source = tiny_course.source_notebook()
    change(source)
    refused(tiny_course.write_course(tmp_path, source), sentence)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda path: path.unlink(), "must hold exactly one notebook; it holds 0."),
        (
            lambda path: shutil.copy(path, path.with_name("b.ipynb")),
            "must hold exactly one notebook; it holds 2.",
        ),
        (
            lambda path: path.write_text("{"),
            "cannot be read as an nbgrader notebook: Notebook does not appear",
        ),
        (
            lambda path: path.write_bytes(b"\xff"),
            "cannot be read as an nbgrader notebook: 'utf-8' codec can't",
        ),
    ],
)
def test_a_source_folder_holds_one_notebook(change, sentence, tmp_path):
    tiny_course.write_course(tmp_path)
    change(tmp_path / "solutions" / NAME / "tiny.ipynb")
    refused(tmp_path, sentence)
