"""The wall and what it lets through, tried from inside with real children."""

import os
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from autograder.channel import Foreign
from autograder.confine import REQUIRED, Limits, probe_protections
from autograder.recorder import Request
from autograder.sandbox import ChildLost, Sandbox, SandboxError, protections_missing


def shown(child, source, seconds=30):
    """What a cell prints."""
    outputs, error = child.run_cell(source, seconds, "the cell")
    assert error is None, error
    return "".join(item.get("text", "") for item in outputs).strip()


def raised(child, source):
    """Name of what a cell raises."""
    return child.run_cell(source, 30, "the cell")[1][0]


def test_what_grading_needs_holds_here(sandbox):
    assert protections_missing(sandbox, REQUIRED) == []
    assert set(REQUIRED) <= set(probe_protections())


def test_no_service_of_this_machine_can_be_reached(child):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        call = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)"
        assert raised(child, call) in ("OSError", "PermissionError")
        with socket.create_connection(("127.0.0.1", port), 2):
            pass  # and from here it can


def test_no_other_process_can_be_seen_or_ended(child):
    assert shown(child, "import os\nprint(os.getpid())") == "1"
    assert raised(child, f"import os\nos.kill({os.getpid()}, 9)") == "ProcessLookupError"


def test_ending_its_own_group_ends_only_the_child(child):
    with pytest.raises(ChildLost, match="ended the process"):
        child.run_cell("import os\nos.kill(0, 9)\nos._exit(1)", 30, "the cell")


DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)
os.wait()
"""


def family(pid):
    """All descendants of a process."""
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return {*children, *(grandchild for child in children for grandchild in family(child))}


def test_processes_left_behind_end_with_the_child(sandbox):
    with sandbox.child() as child:
        sandbox._settle()  # the next child is there
        before = family(sandbox._process.pid)
        child.run_cell(DAEMON, 30, "the cell")
        [left_behind] = family(sandbox._process.pid) - before
    assert left_behind not in family(sandbox._process.pid)
    assert not Path(f"/proc/{left_behind}").exists()


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import numpy as np\nnp.empty(9 << 27)", "MemoryError"),
        ("open('big', 'wb').write(bytes(200 << 20))", "OSError"),
        ("streams = [open('/dev/null') for _ in range(2000)]", "OSError"),
    ],
)
def test_limits_are_errors_in_the_cell(child, source, error):
    assert raised(child, source) == error


def test_no_core_file_is_left(child):
    assert shown(child, "import resource\nprint(resource.getrlimit(resource.RLIMIT_CORE))") == "(0, 0)"


@pytest.mark.parametrize(
    "source",
    [
        "while True:\n    pass",
        "import time\ntime.sleep(1000)",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True:\n    pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ],
)
def test_the_clock_ends_what_does_not_end(sandbox, source):
    with sandbox.child() as child, pytest.raises(ChildLost, match=r"the cell ran longer than 0\.5 s") as loss:
        child.run_cell(source, 0.5, "the cell")
    assert loss.value.kind == "timed out"


def test_the_child_works_in_a_scratch_folder_that_goes_with_it(sandbox, tmp_path):
    (tmp_path / "data.txt").write_text("here")
    with sandbox.child(files=tmp_path) as child:
        folder = shown(child, "import os\nprint(os.getcwd())")
        assert shown(child, "print(open('data.txt').read())") == "here"
        child.run_cell("open('made', 'w').write('x')", 30, "the cell")
        assert os.path.exists(os.path.join(folder, "made"))
    assert not os.path.exists(folder)
    assert not (tmp_path / "made").exists()


def test_the_environment_holds_nothing_of_the_graders(monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "token")
    with Sandbox() as fresh, fresh.child() as child:
        assert shown(child, "import os\nprint(os.environ.get('COURSE_SECRET'))") == "None"


def test_children_share_nothing(sandbox):
    with sandbox.child() as first:
        first.run_cell("import numpy as np\nnp.pi = 3\nmine = 1", 30, "the cell")
    with sandbox.child() as second:
        look = "import numpy as np\nprint(round(np.pi, 2), 'mine' in globals())"
        assert shown(second, look) == "3.14 False"


def test_children_draw_different_random_numbers(sandbox):
    source = "import random, numpy as np\nprint(random.random(), np.random.rand())"
    with sandbox.child() as first, sandbox.child() as second:
        one, two = shown(first, source).split(), shown(second, source).split()
    assert one[0] != two[0]
    assert one[1] != two[1]


GARBAGE = """
import os, stat
for number in range(3, 100):
    try:
        if stat.S_ISSOCK(os.fstat(number).st_mode):
            os.write(number, {bytes!r})
    except OSError:
        pass
"""


@pytest.mark.parametrize(
    "data", [b"\x00" * 100, b"J\xff\xff\xff\xff", b"J\x00\x00\x00\x02{}", b"A\x00\x00\x00\x01x"]
)
def test_a_child_that_writes_to_the_channel_itself_is_lost(child, data):
    with pytest.raises(ChildLost, match="sent what is not"):
        child.run_cell(GARBAGE.format(bytes=data), 5, "the cell")


def test_half_a_frame_and_silence_is_ended_by_the_clock(child):
    with pytest.raises(ChildLost, match="ran longer"):
        child.run_cell(GARBAGE.format(bytes=b"J\x00\x00\xff\xff{") + "while True:\n    pass", 1, "the cell")


OUTPUTS = """
import matplotlib.pyplot as plt
from IPython.display import HTML, display
print("first")
plt.plot([1, 2])
plt.show()
display(HTML("<b>bold</b>"))
6 * 7
"""


def test_a_cell_shows_what_a_kernel_would(child):
    outputs, error = child.run_cell(OUTPUTS, 30, "the cell")
    assert error is None
    kinds = [item["output_type"] for item in outputs]
    assert kinds == ["stream", "display_data", "display_data", "execute_result"]
    assert outputs[1]["data"]["image/png"].startswith("iVBORw0KGgo")
    assert outputs[2]["data"]["text/html"] == "<b>bold</b>"
    assert outputs[3]["data"]["text/plain"] == "42"


@pytest.mark.parametrize(
    "source",
    ["1 / 0", "def broken(:", "raise SystemExit", "raise KeyboardInterrupt", "input()", "%no_such_magic"],
)
def test_an_error_is_shown_and_the_next_cell_runs(child, source):
    outputs, error = child.run_cell(source, 30, "the cell")
    assert error is not None or outputs
    assert shown(child, "print('on')") == "on"


@pytest.mark.parametrize(
    "source",
    [
        "display({'application/json': {'x': float('nan')}}, raw=True)",
        "display({'application/json': {'x': object()}}, raw=True)",
        "display({'text/plain': 'a'}, raw=True, metadata={'x': float('inf')})",
        "display({3: 'a'}, raw=True)",
    ],
)
def test_an_output_that_no_notebook_can_hold_costs_nothing_else(child, source):
    assert raised(child, source + "\n1 / 0") == "ZeroDivisionError"
    assert shown(child, "print('on')") == "on"


def test_an_error_that_hides_its_name_is_still_one(child):
    source = """
class Hidden(type):
    def __getattribute__(cls, name):
        raise RuntimeError(name)

class Fault(Exception, metaclass=Hidden):
    def __str__(self):
        raise RuntimeError

raise Fault
"""
    assert isinstance(raised(child, source), str)
    assert shown(child, "print('on')") == "on"


def test_output_is_cut_at_its_limit(sandbox):
    with sandbox.child(Limits(output_chars=1000)) as child:
        text = shown(child, "for _ in range(10**5):\n    print('x' * 99)")
    assert len(text) < 1200
    assert "output cut: more than 1000 characters" in text


@pytest.mark.parametrize(
    "source", ["import sys\nprint('w', file=sys.stderr)", "import warnings\nwarnings.warn('w')"]
)
def test_standard_error_is_an_output_like_others(child, source):
    outputs, error = child.run_cell(source, 30, "the cell")
    assert error is None
    assert outputs[0]["name"] == "stderr"


@pytest.mark.slow
def test_tensorflow_trains_and_autograph_finds_its_source(child):
    source = """
import keras, numpy as np, tensorflow as tf
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)

@tf.function
def total(n):
    s = 0
    for i in tf.range(n):
        s += i
    return s

print(int(total(5)))
"""
    assert shown(child, source) == "10"


@pytest.mark.slow
def test_autograph_finds_the_source_of_a_stand_in(child):
    source = """
import tensorflow as tf

def total(n):
    @tf.function
    def run(n):
        s = 0
        for i in tf.range(n):
            s += i
        return s
    return int(run(tf.constant(n)))
"""
    request = Request("total", "def total(student, n):\n    return student.total(n)", [], [])
    child.define("total", source)
    assert child.ask(request, (5,), 30, "it")[0].value == 10


def test_a_stand_in_takes_an_answers_place_and_gives_it_back(child):
    request = Request("f", "def f(student, x):\n    return student.f(x)", [], [])
    child.run_cell("SCALE = 3\ndef f(x):\n    return SCALE * x", 30, "the cell")
    child.define("f", "SCALE = 5\ndef f(x):\n    return SCALE * x")
    assert child.ask(request, (2,), 30, "it")[0].value == 10
    child.define("f", None)
    assert child.ask(request, (2,), 30, "it")[0].value == 6


def test_a_result_over_the_limit_is_told_and_not_sent(child):
    request = Request("f", "def f(student):\n    return student.f()", [], [])
    child.run_cell("import numpy as np\ndef f():\n    return np.zeros(2**24)", 30, "the cell")
    assert child.ask(request, (), 30, "it")[0].value == Foreign("ndarray of 128 MiB")


def test_without_a_wall_nothing_is_claimed_to_hold():
    with Sandbox(confined=False) as trusting, trusting.child() as child:
        assert shown(child, "import os\nprint(os.getpid() > 1)") == "True"
        assert trusting.held == []
        assert protections_missing(trusting, REQUIRED) == list(REQUIRED)


def test_a_zygote_that_dies_is_one_sentence():
    with Sandbox() as dying:
        dying.wait_ready()
        dying._process.kill()
        with pytest.raises(SandboxError, match="has ended"):
            dying.child()


def test_closing_leaves_no_process_and_no_folder():
    dying = Sandbox()
    with dying.child() as child:
        folder = child._process.scratch
        home = dying._home
    spare = dying._spare.scratch
    dying.close()
    assert dying._process.returncode is not None
    assert not any(map(os.path.exists, (folder, home, spare)))


def test_two_sandboxes_work_side_by_side(sandbox):
    with Sandbox() as other:
        results = []

        def work(one):
            for _ in range(5):
                with one.child() as child:
                    results.append(shown(child, "print(1 + 1)"))

        threads = [threading.Thread(target=work, args=(one,)) for one in (sandbox, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == ["2"] * 10


def test_arguments_arrive_as_they_were_sent(child):
    request = Request("f", "def f(student, *given):\n    return student.f(*given)", [], [])
    child.run_cell("def f(*given):\n    return [type(one).__name__ for one in given]", 30, "the cell")
    answer, _ = child.ask(request, (np.ones(3), 2, 0.5, "hann", None, True, [1.5, 2.5]), 30, "it")
    assert answer.value[:6] == ["ndarray", "int", "float", "str", "NoneType", "bool"]
