"""Asking: what a student's code does with one input, as an answer, whatever it does."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from autograder import channel, probe
from autograder.channel import BrokenChannel, Foreign, Results
from autograder.judge import Answer
from autograder.probe import ask, ask_here, compile_probe, convert, plain, read_answer, same

SOURCE = "def asked(student, *arguments):\n    return student.asked(*arguments)\n"
PROBE = compile_probe(SOURCE, "asked")


def answer(code, *arguments, form=None):
    """The answer that arrives from a notebook of this code, which defines `asked`."""
    names = {"np": np}
    exec(compile(code, "<cell>", "exec"), names)
    body, arrays = ask(PROBE, names, arguments, form)
    data = channel.encode(body, arrays)
    return read_answer(channel.receive(channel.reader(channel.io.BytesIO(data))))


def raising(what, head=""):
    return f"{head}\ndef asked(*_):\n    {what}"


CLASSES = """
class Silent(Exception):
    def __str__(self): raise SystemExit
class Text(str):
    def __getitem__(self, part): return 5
    def __len__(self): raise ValueError
class Odd(Exception):
    def __str__(self): return Text("odd")
class Meta(type):
    __name__ = property(lambda cls: 1 / 0)
class Hidden(Exception, metaclass=Meta): pass
class Faked(Exception):
    __class__ = property(lambda self: 1 / 0)
class Lazy:
    def __array__(self, dtype=None, copy=None): raise LookupError("late")
class Endless(list):
    def __len__(self): raise RuntimeError("endless")
"""
DEEP = "def asked(*_):\n    return asked()"


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        ("raise ValueError('x' * 9000)", "ValueError", "x" * 500),
        ("raise SystemExit(3)", "SystemExit", "3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
        ("raise GeneratorExit", "GeneratorExit", ""),
        ("raise BaseExceptionGroup('two', [SystemExit()])", "BaseExceptionGroup", "two (1 sub-exception)"),
        ("raise type('E' * 200, (Exception,), {})", "E" * 80, ""),
        ("raise Silent", "Silent", ""),
        ("raise Odd", "Odd", "odd"),
        ("raise Hidden", "Hidden", ""),
        ("raise Faked", "Faked", ""),
        ("raise ValueError('\\ud800')", "ValueError", "?"),
        ("return asked(*_)", "RecursionError", "maximum recursion depth exceeded"),
        ("return Lazy()", "LookupError", "late"),
        ("return [Lazy()]", "LookupError", "late"),
        ("return Endless([[1, 2], [3]])", "RuntimeError", "endless"),
        ("np.linalg.inv(np.zeros((2, 2)))", "LinAlgError", "Singular matrix"),
        ("import numbers; numbers.Complex.__add__(1, 1)", "NotImplementedError", ""),
        ("np.linalg.matrix_power(np.ones((2, 2, 2), object), 2)", "NotImplementedError", "matrix_power"),
    ],
)  # fmt: skip
def test_whatever_is_raised_is_the_answer(what, error, message):
    got = answer(raising(what, CLASSES))
    assert (got.kind, got.error) == ("raised", error)
    assert got.message.startswith(message) if message else got.message == ""


@pytest.mark.parametrize(
    "what",
    [
        "raise NotImplementedError",
        "raise NotImplementedError('fill this in')",
        "return helper()\ndef helper(): raise NotImplementedError",
        "return list(map(helper, [1]))\ndef helper(x): raise NotImplementedError",
        "raise Todo\nclass Todo(NotImplementedError): pass",
    ],
)
def test_a_stub_is_unattempted_also_through_a_helper_of_the_notebook(what):
    assert answer(raising(what)) == Answer("unattempted")


def test_a_name_that_is_missing_is_told():
    assert answer("x = 3") == Answer("missing", message="asked")
    assert answer("def asked(*_): return no_such_name").error == "NameError"


def test_the_notebooks_names_are_the_students_attributes():
    student = probe.Student({"a": 1})
    assert student.a == 1
    with pytest.raises(probe.MissingName):
        student.b  # noqa: B018


# What arrives


@pytest.mark.parametrize(
    ("given", "expression"),
    [
        (np.array(3), "type(x) is int and x == 3"),
        (np.array(0.5), "type(x) is float"),
        (np.array(True), "x is True"),
        (np.array(1j), "type(x) is complex"),
        (np.array([3]), "type(x) is np.ndarray and x.shape == (1,)"),
        ([np.array(3), "a", None], "x == [3, 'a', None] and type(x[0]) is int"),
        ((np.array(3), [np.array(4)]), "x == [3, [4]] and type(x[1][0]) is int"),
        ({"a": np.array(3)}, "x == {'a': 3} and type(x['a']) is int"),
        ("hann", "x == 'hann'"),
        (None, "x is None"),
    ],
)
def test_an_argument_is_as_a_student_expects_it(given, expression):
    assert answer(f"def asked(x): return {expression}", given).value


@pytest.mark.parametrize("given", [[1.0, 2.0], (1.0, 2.0), np.array([1.0, 2.0])])
def test_a_list_of_numbers_arrives_as_an_array_in_this_process_too(given):
    got = ask_here(PROBE, {"asked": lambda x: (type(x).__name__, x * 2)}, [given])
    assert (got.value[0], got.value[1].tolist()) == ("ndarray", [2, 4])


def test_what_is_raised_in_this_process_is_an_answer_too():
    assert ask_here(PROBE, {"asked": lambda: 1 / 0}, []).error == "ZeroDivisionError"
    assert ask_here(PROBE, {}, []) == Answer("missing", message="asked")


def test_a_returned_tuple_arrives_as_results_each_for_itself():
    got = answer("def asked(): return np.ones(2), np.zeros(2), None")
    assert type(got.value) is Results
    assert [part if part is None else part.tolist() for part in got.value] == [[1, 1], [0, 0], None]
    assert answer("def asked(): return 1000, 0.001").value == [1000, 0.001]
    assert answer("def asked(): return tuple(range(20))").value == [*range(20)]
    assert answer("def asked(): return tuple(range(21))").value.shape == (21,)
    assert answer("def asked(): return [1, 2]").value.tolist() == [1, 2]


ARRAY = np.array([1.0, np.nan])


@pytest.mark.parametrize(
    ("given", "change"),
    [
        (ARRAY, "x[0] = 2"),
        (ARRAY, "x[1] = -x[1]"),
        (ARRAY, "x.shape = (2, 1)"),
        (ARRAY, "x.dtype = np.int64"),
        (ARRAY, "x.sort(); x[:] = x[::-1].copy()"),
        ([ARRAY, np.array(3), "a"], "x[0][0] = 2"),
        ([ARRAY, np.array(3), "a"], "x[0] = None"),
        ([ARRAY, np.array(3), "a"], "x[1] = 4"),
        ([ARRAY, np.array(3), "a"], "x[1] = 3.0"),
        ([ARRAY, np.array(3), "a"], "x[1] = np.ones(2)"),
        ([ARRAY, np.array(3), "a"], "x[2] = None"),
        ([ARRAY, np.array(3), "a"], "x.append(1)"),
        ([ARRAY, [ARRAY, "a"]], "x[1][0][0] = 2"),
        ([{"a": ARRAY}], "x[0] = None"),
        ({"a": ARRAY}, "x['a'][0] = 2"),
        ({"a": ARRAY}, "x['b'] = x.pop('a')"),
    ],
)
def test_a_change_in_place_is_found(given, change):
    code = "def asked(n, x, m):\n    {}\n    return 1"
    assert answer(code.format(change), np.array(1), given, "a").changed == (1,)
    assert answer(code.format("pass"), np.array(1), given, "a").changed == ()


def test_not_a_number_is_no_change_and_the_askers_arguments_stay():
    mine = [np.array([1.0, 2.0])]
    assert answer("def asked(x, y, z):\n    z[:] = 0\n    return x", np.nan, 1j * np.nan, *mine).changed == (
        2,
    )
    assert mine[0].tolist() == [1, 2]


def test_an_object_that_fails_when_compared_is_no_end_of_the_asking():
    code = (
        "class Bad(list):\n    def __eq__(self, other): 1 / 0\ndef asked(x):\n    x[1] = Bad()\n    return 1"
    )
    assert answer(code, [ARRAY, "a"]).changed == (0,)
    code = "class Bad(np.ndarray): shape = property(lambda self: 1 / 0)\n"
    code += "def asked(x):\n    x[0] = x[0].view(Bad)\n    return 1"
    assert answer(code, [ARRAY, "a"]).error == "ZeroDivisionError"


# Forms


@pytest.mark.parametrize(
    ("result", "form", "arrives"),
    [
        (np.array([1, 2]), "float32", np.array([1, 2], np.float32)),
        (np.array([1.5]), "float64", np.array([1.5])),
        (np.array([1 + 2j]), "float32", np.array([1 + 2j], np.complex64)),
        (np.array([1 + 2j], np.complex64), "float64", np.array([1 + 2j])),
        (0.5, "list", 0.5),
        (np.ones((2, 2)), "list", [[1.0, 1.0], [1.0, 1.0]]),
        ([[1.0, 2.0], [3.0, 4.0]], "float32", np.array([[1, 2], [3, 4]], np.float32)),
        ((np.ones(2), 3), "list", ([1.0, 1.0], 3)),
        ([np.ones(2), np.ones(3)], "list", [[1.0, 1.0], [1.0, 1.0, 1.0]]),
        ({"a": np.ones(1)}, "list", {"a": [1.0]}),
        (("text", None), "float32", ("text", None)),
    ],
)
def test_a_form_changes_the_type_and_no_value(result, form, arrives):
    got = convert(result, form)
    assert type(got) is type(arrives)
    assert getattr(got, "dtype", None) == getattr(arrives, "dtype", None)
    assert str(got) == str(arrives)


def test_a_form_is_applied_to_what_is_sent():
    assert answer("def asked(): return 0.5, 2", form="float32").value[0].dtype == np.float32
    assert answer("def asked(): return object()", form="float32").value == Foreign("object")


@pytest.mark.slow
def test_tensors_and_variables_arrive_as_arrays():
    script = """
        import numpy as np, keras, tensorflow as tf
        from autograder.probe import FORMS, ask_here, convert
        x = np.array([[1.0, -2.0]], np.float32)
        results = [tf.constant(x), tf.Variable(x), keras.Variable(x), [tf.constant(x[0])]]
        results += [tf.cast(x, kind) for kind in ("bfloat16", "float16", "float8_e5m2")]
        results += [convert(x, form) for form in FORMS]
        for result in results:
            answer = ask_here(lambda student: result, {}, [])
            assert answer.value.tolist() == x.tolist(), (result, answer)
        assert tf.is_tensor(convert(x, "tensor"))
        symbolic = ask_here(lambda student: keras.Input((3,)) + 1, {}, [])
        assert symbolic.kind == "raised" or "Tensor" in symbolic.value.type_name, symbolic
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# Reading an answer

GOOD = {"kind": "value", "values": [3], "changed": [0]}


def test_a_good_answer_is_read():
    assert read_answer(GOOD) == Answer("value", 3, changed=(0,))
    assert read_answer({"kind": "raised", "error": "E" * 99, "message": "m" * 999}) == Answer(
        "raised", error="E" * 80, message="m" * 500
    )
    assert read_answer({"kind": "missing", "values": [3], "message": "x"}) == Answer("missing", message="x")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": None},
        {"kind": []},
        {"kind": "none"},
        {"kind": "passed"},
        {"values": []},
        {"values": [1, 2]},
        {"values": None},
        {"error": 3},
        {"message": None},
        {"changed": None},
        {"changed": [True]},
        {"changed": [-1]},
        {"changed": [0.0]},
        {"changed": {}},
    ],
    ids=str,
)
def test_a_malformed_answer_breaks_the_channel(changes):
    with pytest.raises(BrokenChannel):
        read_answer(GOOD | changes)
    with pytest.raises(BrokenChannel):
        read_answer({})


def test_same_and_plain_leave_what_is_neither_number_nor_sequence():
    assert plain("x") == "x"
    assert same("x", "x")
    assert not same(1, True)
    assert not same(1.0, 1)
    assert not same([1], (1,))
