"""Beside the student's code: a probe and its arguments in, one answer out, as a message for the channel.

The child, the self-check and nbgrader's own path all ask through this module, so that an answer means
the same in all three.
"""

import copy
import sysconfig

import numpy as np

from autograder.channel import (
    NAME_LIMIT,
    BrokenChannel,
    Results,
    as_array,
    cut,
    pack,
    type_name,
    unpack,
)
from autograder.judge import Answer

MESSAGE_LENGTH = 500
LIBRARIES = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platlib", "purelib"))
FORMS = ("float32", "float64", "tensor", "list")
ANSWER_KINDS = ("value", "raised", "missing", "unattempted")


class MissingName(Exception):
    """A probe asked for a name that the notebook does not define."""


class Student:
    """The notebook's names as attributes: `student.fir_filter`."""

    def __init__(self, names):
        self.__dict__ = names

    def __getattr__(self, name):
        raise MissingName(name)


def compile_probe(source, name):
    """The function `name` that the travelling source defines."""
    scope = {"__name__": "probe"}
    exec(compile(source, f"<probe {name}>", "exec"), scope)
    return scope[name]


def ask(probe, names, arguments, form=None):
    """Call a probe once. The answer's body and, packed into `arrays`, its value: `(body, arrays)`.

    form: one of FORMS to give the result another type on its way, as the audit does
    """
    arguments = [plain(argument) for argument in arguments]
    given = copy.deepcopy(arguments)
    arrays = []
    try:
        result = probe(Student(names), *given)
        if form is not None:
            result = convert(result, form)
        if isinstance(result, tuple):
            result = Results(result)
        packed = pack(result, arrays)
        changed = [n for n, pair in enumerate(zip(arguments, given, strict=True)) if not same(*pair)]
    except MissingName as error:
        return {"kind": "missing", "message": str(error)}, []
    except BaseException as error:  # whatever student code raises is its answer, SystemExit too
        if issubclass(type(error), NotImplementedError) and not _from_library(error):
            return {"kind": "unattempted"}, []
        return {"kind": "raised", "error": type_name(error), "message": message(error)}, []
    return {"kind": "value", "values": [packed], "changed": changed}, arrays


def _from_library(error):
    """Whether an exception arose in installed code; a stub's own says that it is still one."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_filename.startswith(LIBRARIES)


def plain(argument):
    """An argument as a student expects it: a number that travelled as an array without axes is one again."""
    if isinstance(argument, np.ndarray) and argument.ndim == 0:
        return argument.item()
    if isinstance(argument, (list, tuple)):
        return [plain(part) for part in argument]
    if isinstance(argument, dict):
        return {key: plain(part) for key, part in argument.items()}
    return argument


def convert(result, form):
    """A result as another type that counts as right: "float32", "float64", "tensor" or "list"."""
    if isinstance(result, tuple):
        return tuple(convert(part, form) for part in result)
    if isinstance(result, dict):
        return {key: convert(part, form) for key, part in result.items()}
    array = as_array(result)
    if array is None:  # ragged, or no numbers at all
        return [convert(part, form) for part in result] if isinstance(result, list) else result
    if form == "list":
        return array.tolist()
    if form == "tensor":
        import tensorflow as tf

        return tf.convert_to_tensor(array)
    if array.dtype.kind == "c":
        return array.astype({"float32": np.complex64, "float64": np.complex128}[form])
    return array.astype(form)


def message(error):
    """An exception's text, whatever its class does when asked for it."""
    try:
        return cut(str(error), MESSAGE_LENGTH)
    except BaseException:
        return ""


def same(one, other):
    """Whether an argument is still bit for bit what it was."""
    if isinstance(one, np.ndarray):
        return (
            isinstance(other, np.ndarray)
            and one.dtype == other.dtype
            and one.shape == other.shape
            and one.tobytes() == other.tobytes()
        )
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        alike = type(one) is type(other) and list(one) == list(other)
        return alike and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and (one == other or one != one)


def read_answer(body):
    """A received body, its values unpacked, as an `Answer`; anything malformed breaks the channel."""
    kind = body.get("kind")
    if kind not in ANSWER_KINDS:
        raise BrokenChannel("an answer of no known kind")
    error, text, changed = (
        body.get(key, blank) for key, blank in (("error", ""), ("message", ""), ("changed", []))
    )
    if not (isinstance(error, str) and isinstance(text, str) and isinstance(changed, list)):
        raise BrokenChannel("an answer with unfit parts")
    if not all(type(n) is int and n >= 0 for n in changed):
        raise BrokenChannel("an answer with unfit parts")
    value = None
    if kind == "value":
        if not isinstance(body.get("values"), list) or len(body["values"]) != 1:
            raise BrokenChannel("an answer without its value")
        [value] = body["values"]
    return Answer(kind, value, error[:NAME_LIMIT], text[:MESSAGE_LENGTH], tuple(changed))


def ask_here(probe, names, arguments):
    """Ask in this process: the answer as it would have arrived over the channel."""
    body, arrays = ask(probe, names, [_arrived(argument) for argument in arguments])
    if "values" in body:
        body["values"] = [unpack(tree, arrays) for tree in body["values"]]
    return read_answer(body)


def _arrived(value):
    arrays = []
    return unpack(pack(value, arrays), arrays)
