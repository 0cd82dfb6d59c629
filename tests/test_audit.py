"""A course with one broken claim a question, and releases that leak, against the audit."""

import json
import shutil

import nbformat
import pytest
import tiny_course
from nbformat.v4 import new_code_cell, new_notebook
from tiny_course import NAME, autograder, cell, metadata

from autograder import assignment as assignments
from autograder.audit import MARGIN, SEEDS, leaks
from autograder.course import Course

HEAD = "import numpy as np\nfrom autograder import close, question\n"
RELEASE = "the release gives nothing away"
BLANK = "the blank exercise gets none"
SAME = f"{SEEDS} seeds give the same verdicts"
DOUBLE = "def {name}(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"


def question(name, stand_ins, rtol="1e-4", extra="", draws="rng.normal(size=5) + 9"):
    """A question with `return 2 * x` for solution; stand_ins: lines of `role name expression`."""
    text = (
        f"@question(examples=[(np.array([1.0, -2.0]),)], draws=lambda rng: ({draws},),"
        f" compare=close(rtol={rtol}){extra})\n"
        f"def {name}(student, x):\n    return student.{name}(x)\n\n"
    )
    for line in stand_ins:
        role, stand_in, expression = line.split(" ", 2)
        text += f'@{name}.{role}\ndef {stand_in}(x):\n    """Wrong."""\n    return {expression}\n\n'
    return text


FORMS = [f"w as {form} gets full marks" for form in ("float32", "float64", "tensor", "list")]
# question → its text in checks.py, and the claims that cannot be proved
BROKEN = {
    "sound": (question("sound", ["misconception a 3 * x", "equivalent b x + x"]), []),
    "no_mistake": (
        question("no_mistake", ["misconception c 2 * x"]),
        ["misconception c is named", MARGIN],
    ),
    "twins": (
        question("twins", ["misconception d 3 * x", "misconception e x + 2 * x"]),
        ["misconception e is named"],
    ),
    "no_equal": (
        question("no_equal", ["misconception v 3 * x", "equivalent w 2 * x + 1"]),
        ["w gets full marks", *FORMS, MARGIN],
    ),
    "near": (question("near", ["misconception f 2.002 * x"]), [MARGIN]),
    "near_and_told": (
        question("near_and_told", ["misconception g 2.002 * x"], extra=", margin='The ear is as sharp.'"),
        [],
    ),
    "too_fine": (
        question("too_fine", ["misconception h 3 * x"], rtol="1e-9", draws="rng.normal(size=5)"),
        ["the solution as float32 gets full marks", MARGIN],
    ),
    "without_asking": (question("without_asking", ["misconception k 3 * x"]), [BLANK]),
}
BY_CHANCE = question(
    "by_chance",
    ["misconception m 2 * x if x.sum() >= -1 else 3 * x"],
    extra=", count=1",
    draws="rng.normal(size=1) - 1",
)


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """The audit of the broken course: exit status, and the rows as JSON."""
    cells = []
    for name in [*BROKEN, "by_chance"]:
        text = DOUBLE.format(name=name)
        if name == "without_asking":  # its stub is an answer
            text = (
                f"def {name}(x):\n    return 2 * x\n### BEGIN SOLUTION\n{name}.right = True\n### END SOLUTION"
            )
        cells.append(new_code_cell(text, metadata=metadata(name, solution=True)))
        marks = metadata(f"test_{name}", grade=True, locked=True, points=1)
        cells.append(new_code_cell(f"check({name!r}, {name})", metadata=marks))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    checks = HEAD + "\n\n".join(text for text, _ in BROKEN.values()) + "\n\n" + BY_CHANCE
    source = new_notebook(cells=cells, metadata=kernel)
    root = tiny_course.write_course(tmp_path_factory.mktemp("broken"), source, checks)
    return autograder("audit", "--course", root, "--workers", "2", "--json")


def rows(done):
    return json.loads(done.out)["rows"]


@pytest.mark.parametrize("name", BROKEN)
def test_exactly_the_broken_claims_are_unproved(name, broken):
    found = [row["claim"] for row in rows(broken) if row["question"] == name and not row["proved"]]
    assert sorted(found) == sorted(BROKEN[name][1])


def test_a_verdict_that_hangs_on_the_seed_is_unproved(broken):
    [row] = [row for row in rows(broken) if row["question"] == "by_chance" and row["claim"] == SAME]
    assert not row["proved"]
    assert row["detail"] == "differs for m"


def test_a_missing_release_is_unproved_and_says_what_to_do(broken):
    [row] = [row for row in rows(broken) if row["claim"] == RELEASE]
    assert not row["proved"]
    assert row["detail"].endswith(f"is missing: run `autograder release {NAME}`")


def test_a_margin_accepted_says_why(broken):
    [row] = [row for row in rows(broken) if row["question"] == "near_and_told" and row["claim"] == MARGIN]
    assert row["detail"].endswith("; accepted: The ear is as sharp.")


def test_an_unproved_claim_is_the_exit_status_and_counted(broken):
    body = json.loads(broken.out)
    assert broken.status == 1
    assert broken.err == ""
    assert body["unproved"] == sum(not row["proved"] for row in body["rows"])
    assert body["proved"] == sum(row["proved"] for row in body["rows"])


# -- the release


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A sound course, released."""
    root = tiny_course.write_course(tmp_path_factory.mktemp("sound"))
    assert autograder("release", NAME, "--course", root).status == 0
    return root


def test_a_sound_course_is_proved(released):
    done = autograder("audit", NAME, "--course", released, "--workers", "2")
    assert done.status == 0, done.out
    assert " 0 unproved. Kept apart here: " in done.out
    assert "UNPROVED" not in done.out


def in_notebook(change):
    def leak(folder):
        path = folder / "tiny.ipynb"
        notebook = nbformat.read(path, as_version=4)
        change(notebook)
        nbformat.write(notebook, path)

    return leak


def in_self_check(**more):
    def leak(folder):
        path = folder / "self_check.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | more))

    return leak


def in_file(name, text):
    def leak(folder):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    return leak


SOLUTION = "return np.sum(np.abs(x) ** 2)"
ROLL = "return np.roll(x, n)"
HIDDEN = 'grade("energy", energy)'
LEAKS = {
    "a solution line in prose": (
        in_notebook(lambda notebook: notebook.cells[0].update(source=f"Hint: `{SOLUTION}`")),
        f"tiny.ipynb holds '{SOLUTION}'",
    ),
    "a hidden test": (
        in_notebook(lambda notebook: cell(notebook, "test_energy").update(source=HIDDEN)),
        f"tiny.ipynb holds '{HIDDEN}'",
    ),
    "a misconception in a cell's metadata": (
        in_notebook(lambda notebook: notebook.cells[1].metadata.update(note=ROLL)),
        f"tiny.ipynb holds '{ROLL}'",
    ),
    "a solution line in an output": (
        in_notebook(lambda notebook: notebook.cells[1].update(
            outputs=[nbformat.v4.new_output("stream", text=f"File:\n{SOLUTION}\n")])),
        f"tiny.ipynb holds '{SOLUTION}'",
    ),
    "an equivalent in the self-check": (
        in_self_check(note=["y[i] = x[i - n]"]),
        "self_check.json holds 'y[i] = x[i - n]'",
    ),
    "letters as JSON escapes": (
        in_file("more.json", json.dumps([ROLL]).replace("roll", "\\u0072oll")),
        f"more.json holds '{ROLL}'",
    ),
    "a line as its author wrote it": (
        in_file("notes.txt", "x = [1]  # the trap is at the end"),
        "notes.txt holds 'x = [1]  # the trap is at the end'",
    ),
    "checks.py": (in_file("checks.py", ""), "checks.py lies in the release"),
    "bytecode": (in_file("__pycache__/checks.pyc", ""), "checks.pyc lies in the release"),
}  # fmt: skip


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_found(leak, released, tmp_path):
    change, sentence = LEAKS[leak]
    source = released / "solutions" / NAME / "checks.py"
    source.write_text(
        tiny_course.CHECKS.replace(
            "    return x @ x", "    x = [1]  # the trap is at the end\n    return x @ x"
        )
    )
    assignment = assignments.load(Course(released), NAME)
    source.write_text(tiny_course.CHECKS)
    folder = tmp_path / NAME
    shutil.copytree(released / "exercises" / NAME, folder)
    assert leaks(assignment, folder) == []
    change(folder)
    assert leaks(assignment, folder) == [sentence]
