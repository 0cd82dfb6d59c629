"""A submission taken through cells and questions: what a broken one costs, and what may be shown."""

import numpy as np
import pytest

from autograder.confine import Limits
from autograder.recorder import MAX_RESTARTS, Cell, Request, record

QUICK = Limits(cell_seconds=1, probe_seconds=1)


def cells(*sources):
    return [Cell(f"c{number}", f"c{number}", source) for number, source in enumerate(sources)]


def request(name, examples=(1.0,), hidden=(2.0,)):
    probe = f"def {name}(student, x):\n    return student.{name}(x)"
    return Request(name, probe, [(x,) for x in examples], [(x,) for x in hidden])


def values(transcript, name):
    return [None if one.value is None else float(one.value) for one in transcript.answers[name]]


def test_all_examples_come_before_any_hidden_input(sandbox):
    spy = "seen = []\ndef f(x):\n    seen.append(x)\n    return np.array(seen)\ng = f"
    transcript = record(
        sandbox,
        cells("import numpy as np", spy),
        [request("f", [1, 2], [10, 20]), request("g", [3], [30])],
        QUICK,
    )
    assert list(transcript.answers["g"][-1].value) == [1, 2, 3, 10, 20, 30]


@pytest.mark.parametrize(
    ("broken", "kind"),
    [("while True:\n    pass", "timed out"), ("import os\nos.abort()", "lost"), ("1 / 0", "raised")],
)
def test_a_broken_cell_costs_only_itself(sandbox, broken, kind):
    transcript = record(
        sandbox,
        cells("def f(x):\n    return x", broken, "def g(x):\n    return f(x) + 1", "print('end')"),
        [request("f"), request("g")],
        QUICK,
    )
    assert {key: fault for key, (fault, _) in transcript.faults.items()} == {"c1": kind}
    assert values(transcript, "f") == [1, 2]
    assert values(transcript, "g") == [2, 3]
    assert transcript.outputs["c3"] == [{"output_type": "stream", "name": "stdout", "text": "end\n"}]


def test_the_sentence_of_a_fault_names_cell_and_limit(sandbox):
    transcript = record(sandbox, [Cell("a", "`learn_fir`", "while True:\n    pass")], [], QUICK)
    assert transcript.faults["a"] == ("timed out", "Cell `learn_fir` ran longer than 1 s.")


@pytest.mark.parametrize(
    ("body", "error"), [("while True: pass", "timed out"), ("import os; os._exit(0)", "lost")]
)
def test_an_answer_that_does_not_come_costs_only_its_question(sandbox, body, error):
    transcript = record(
        sandbox,
        cells("def f(x):\n    return x", f"def g(x):\n    {body}", "def h(x):\n    return -x"),
        [request("f"), request("g", [1, 2], [3]), request("h")],
        QUICK,
    )
    assert [one.error for one in transcript.answers["g"]] == [error] * 3
    assert transcript.restarts == 2  # it is not asked again
    assert values(transcript, "f") == [1, 2]
    assert values(transcript, "h") == [-1, -2]


def test_outputs_are_those_of_the_first_run(sandbox):
    drawn = "import os, random\nmark = random.randrange(10**6)\nprint(mark)"
    ask = "def f(x):\n    return mark\ndef g(x):\n    os._exit(0)\nh = f"
    transcript = record(sandbox, cells(drawn, ask), [request(name) for name in "fgh"], QUICK)
    first, second = values(transcript, "f")[0], values(transcript, "h")[0]
    assert first != second
    assert float(transcript.outputs["c0"][0]["text"]) == first


def test_a_restarted_child_finds_a_fresh_folder(sandbox):
    keep = "import os\ndef f(x):\n    open(str(x), 'w').close()\n    os._exit(0)"
    look = "def g(x):\n    return len([name for name in os.listdir('.') if name[0].isdigit()])"
    transcript = record(sandbox, cells(keep, look), [request("f"), request("g")], QUICK)
    assert values(transcript, "g") == [0, 0]


def test_restarts_are_counted_and_end(sandbox):
    killers = ["import os\nos._exit(0)"] * (MAX_RESTARTS + 2)
    transcript = record(sandbox, cells("def f(x):\n    return x", *killers), [request("f")], QUICK)
    answer = transcript.answers["f"][0]
    assert (answer.kind, answer.error) == ("none", "lost")
    assert answer.message == f"The submission ended its process {MAX_RESTARTS} times."


def test_a_submission_has_a_limit_of_its_own(sandbox):
    limits = Limits(cell_seconds=30, submission_seconds=1)
    endless = cells("while True:\n    pass", "def f(x):\n    return x")
    transcript = record(sandbox, endless, [request("f")], limits)
    assert transcript.answers["f"][0].message == "The submission ran longer than 1 s."


def test_what_is_printed_while_hidden_inputs_are_there_is_kept_apart(sandbox):
    transcript = record(
        sandbox, cells("def f(x):\n    print('seen', x)\n    return x"), [request("f", [1.0], [7.5])], QUICK
    )
    assert transcript.printed == {"f": "seen 7.5\n"}
    assert "7.5" not in str(transcript.outputs)


def test_what_examples_print_is_not_mixed_with_it(sandbox):
    spoken = "def f(x):\n    x < 5 and print('seen', x)\n    return x"
    assert record(sandbox, cells(spoken), [request("f", [1.0], [7.5])], QUICK).printed == {}


def test_time_is_told_by_step(sandbox):
    transcript = record(sandbox, cells("import time\ntime.sleep(0.2)"), [request("f")], QUICK)
    assert set(transcript.spent) == {"fork", "cells", "questions", "end of the process"}
    assert transcript.spent["cells"] >= np.float64(0.2)
