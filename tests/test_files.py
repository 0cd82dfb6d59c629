"""Files, seen from inside a child: what is not its own it cannot read, and nothing outside can it change."""

import os
from pathlib import Path

import pytest
import tiny_course
from tiny_course import NAME

import autograder
from autograder.course import Course
from autograder.sandbox import Sandbox

ROOT = tiny_course.ROOT
HOME = Path.home()


def outcome(child, source):
    """What a cell raises, or else prints."""
    outputs, error = child.run_cell(source, 30, "the cell")
    return error[0] if error else "".join(item.get("text", "") for item in outputs).strip()


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "solutions" / "01_filter_design" / "checks.py",
        ROOT / "nbgrader_config.py",
        ROOT / "tests" / "tiny_course.py",
        HOME / ".profile",
        __file__,
    ],
)
def test_what_is_not_its_own_cannot_be_read(child, path):
    assert outcome(child, f"open({str(path)!r}).read()") == "PermissionError"


@pytest.mark.parametrize("step", ["solutions", "submitted", "gradebook.db", "."])
def test_nothing_of_a_course_can_be_listed_or_read(child, tmp_path, step):
    root = tiny_course.write_course(tmp_path)
    tiny_course.hand_in(root, "other", tiny_course.answers())
    (root / "gradebook.db").touch()
    path = root / step
    look = f"import os\nprint(os.listdir({str(path)!r}))" if path.is_dir() else f"open({str(path)!r})"
    assert outcome(child, look) == "PermissionError"


@pytest.mark.parametrize(
    "way",
    [
        "os.symlink({path!r}, 'way')\nprint(open('way').read())",
        "os.link({path!r}, 'way')\nprint(open('way').read())",
        "print(open('/proc/1/root' + {path!r}).read())",
        "print(open('/proc/self/root' + {path!r}).read())",
        "print(open('/proc/%d/root' % os.getppid() + {path!r}).read())",
        "os.chdir(os.path.dirname({path!r}))\nprint(open(os.path.basename({path!r})).read())",
        "import subprocess\nprint(subprocess.run(['cat', {path!r}], capture_output=True, text=True).stdout)",
        "import numpy as np\nprint(np.fromfile({path!r}, 'S1'))",
        "import tensorflow as tf\nprint(tf.io.read_file({path!r}))",
    ],
)
def test_no_other_way_leads_to_a_secret(child, tmp_path, way):
    secret = tmp_path / "secret.txt"
    secret.write_text("the seed is 42")
    assert "42" not in outcome(child, "import os\n" + way.format(path=str(secret)))


@pytest.mark.parametrize(
    "change",
    [
        "open({path!r}, 'w').write('x')",
        "open({path!r}, 'a').write('x')",
        "os.remove({path!r})",
        "os.truncate({path!r}, 0)",
        "os.rename({path!r}, {path!r} + '.old')",
        "os.replace('mine', {path!r})",
        "os.mkdir({path!r} + '.folder')",
        "open({path!r} + '.new', 'w')",
        "os.mkfifo({path!r} + '.fifo')",
    ],
)
def test_nothing_outside_can_be_changed(child, tmp_path, change):
    path = tmp_path / "kept.txt"
    path.write_text("as it was")
    cell = "import os\nopen('mine', 'w').write('mine')\n" + change.format(path=str(path))
    assert outcome(child, cell) in ("PermissionError", "OSError")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("kept.txt", "as it was")]


def test_the_grader_itself_cannot_be_changed(child):
    path = str(Path(autograder.__file__))
    assert outcome(child, f"open({path!r}, 'a')") == "PermissionError"
    assert os.path.getsize(path) > 0


def test_other_processes_are_not_in_proc(child):
    shown = outcome(child, "import os\nprint(sorted(name for name in os.listdir('/proc') if name.isdigit()))")
    assert shown == "['1']"


def test_shared_memory_is_its_own_and_limited(child):
    assert outcome(child, "import os\nprint(os.listdir('/dev/shm'))") == "[]"
    fill = "with open('/dev/shm/x', 'wb') as stream:\n    stream.write(bytes(99 << 20))"
    assert outcome(child, fill) == "OSError"


@pytest.mark.parametrize(
    "source",
    [
        "import scipy.optimize, email.mime.text, mlsp_tf.plots, autograder\nprint('read')",
        "import matplotlib.pyplot as plt\nplt.title('x', family='serif')\nplt.savefig('a')\nprint('read')",
        "open('a', 'w').write('read')\nprint(open('a').read())",
        "import tempfile\nwith tempfile.TemporaryFile('w+') as f:\n    f.write('x')\nprint('read')",
        "!echo read",
        "print(open('/dev/urandom', 'rb').read(1) and 'read')",
        "import multiprocessing as m\nwith m.Pool(2) as pool:\n    print(pool.map(str.lower, ['READ'])[0])",
    ],
)
def test_what_a_notebook_needs_works(child, source):
    assert outcome(child, source) == "read"


def test_data_sets_can_be_read_where_the_variable_points(monkeypatch, tmp_path):
    (tmp_path / "set.txt").write_text("read")
    monkeypatch.setenv("MLSP_TF_DATA", str(tmp_path))
    with Sandbox() as sandbox, sandbox.child() as child:
        path = str(tmp_path / "set.txt")
        assert outcome(child, f"print(open({path!r}).read())") == "read"
        assert outcome(child, f"open({path!r}, 'a')") == "PermissionError"


def test_the_courses_files_are_there_for_the_author(tmp_path):
    course = Course(tiny_course.write_course(tmp_path))
    with Sandbox(confined=False) as sandbox, sandbox.child() as child:
        path = str(course.source(NAME) / "checks.py")
        assert outcome(child, f"print(len(open({path!r}).read()) > 0)") == "True"
