"""Questions with what the reference and the misconceptions answer in; `self_check.json` out, and back.

The file holds what `check` needs and no more: each question's probe, examples, expected outputs and
misconceptions' sentences and answers; neither the reference's code nor a misconception's, no draws.
Computed numbers are rounded well within the tolerance, so that arithmetic noise changes no byte.
"""

import json
import math
from dataclasses import dataclass

import numpy as np

from autograder.channel import Foreign, pack, unpack
from autograder.compare import close
from autograder.judge import Answer, Expectation
from autograder.question import CourseError, Misconception

FILE_NAME = "self_check.json"
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)
WIDTH = 110  # longest line but for arrays and texts


@dataclass(frozen=True)
class Checkable:
    """What the file holds of one question; `judge` takes it for the question itself."""

    name: str
    arguments: tuple[str, ...]
    compare: close
    misconceptions: dict[str, Misconception]
    probe: str
    examples: list[tuple]
    expectation: Expectation


@dataclass(frozen=True)
class Released:
    """One assignment's self-check."""

    assignment: str
    questions: dict[str, Checkable]


def make(assignment, entries, previous=None):
    """The text of `self_check.json`: ASCII, the same for the same course on every machine.

    assignment: its name
    entries: `(question, probe_source, expectation)` triples; the expectation is that of the examples alone
    previous: the text that was made before, if any. Its numbers stay where they agree with the new
        ones within a tenth of the tolerance. Rounding alone keeps the bytes under float64 noise;
        results of training, whose noise is near the tolerance, need `previous` to keep them.

    Raises `CourseError` where an example holds what cannot be sent to student code, and `ValueError`
    where the expectation is of more than the examples: what is hidden must not be written down.
    """
    try:
        before = {one["name"]: one for one in json.loads(previous or "{}")["questions"]}
    except UNREADABLE:
        before = {}
    questions = [_question_data(*entry, before.get(entry[0].name)) for entry in entries]
    return _write({"assignment": assignment, "questions": questions}) + "\n"


def load(text):
    """The `Released` that `make` wrote; from any other text one of the errors `UNREADABLE`."""
    data = json.loads(text)
    return Released(data["assignment"], {one["name"]: _checkable(one) for one in data["questions"]})


def arrived(value):
    """A value as it reaches the other side of the channel, so that `check` asks what grading asks."""
    arrays = []
    return unpack(pack(value, arrays), arrays)


def _question_data(question, probe_source, expectation, before):
    rtol = question.compare.rtol

    def answer_data(answer, *path):
        if answer.kind != "value":
            return {"kind": answer.kind, "error": answer.error}
        return {"kind": "value", "value": _freeze(answer.value, rtol, _at(before, *path, "value"))}

    return {
        "name": question.name,
        "arguments": list(question.arguments),
        "rtol": rtol,
        "probe": probe_source.splitlines(),
        "examples": [
            {
                "inputs": [_input(question, n, value) for value in example],
                "expected": _freeze(value, rtol, _at(before, "examples", n, "expected")),
            }
            for n, (example, value) in enumerate(zip(question.examples, expectation.reference, strict=True))
        ],
        "misconceptions": [
            {
                "name": one.name,
                "sentence": one.sentence,
                "credit": one.credit,
                "answers": [
                    answer_data(answer, "misconceptions", m, "answers", n)
                    for n, (_, answer) in enumerate(
                        zip(question.examples, expectation.misconceptions[one.name], strict=True)
                    )
                ],
            }
            for m, one in enumerate(question.misconceptions.values())
        ],
    }


def _input(question, number, value):
    value = arrived(value)
    if isinstance(value, Foreign):
        raise CourseError(
            f"question `{question.name}`, example {number + 1}: an argument is {value.type_name}, which "
            "cannot be sent to student code. Use numbers, arrays, texts, None, or lists of these, and build "
            "the rest in the probe."
        )
    return _freeze(value)


def _checkable(data):
    wrong = data["misconceptions"]
    return Checkable(
        data["name"],
        tuple(data["arguments"]),
        close(rtol=data["rtol"]),
        {one["name"]: Misconception(one["name"], one["sentence"], one["credit"]) for one in wrong},
        "\n".join(data["probe"]) + "\n",
        [tuple(map(_thaw, one["inputs"])) for one in data["examples"]],
        Expectation(
            len(data["examples"]),
            [_thaw(one["expected"]) for one in data["examples"]],
            {one["name"]: [_answer(answer) for answer in one["answers"]] for one in wrong},
        ),
    )


def _answer(data):
    if data["kind"] == "value":
        return Answer("value", _thaw(data["value"]))
    return Answer(data["kind"], error=data["error"])


def _at(tree, *path):
    """The part of a JSON tree at a path, or None where it does not reach so far."""
    for step in path:
        try:
            tree = tree[step]
        except (LookupError, TypeError):
            return None
    return tree


def _freeze(value, rtol=None, before=None):
    """A value as JSON data; with `rtol`, its numbers rounded, or kept as in `before` where they agree."""
    if value is None:
        return None
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, Foreign):
        return {"foreign": value.type_name}
    if isinstance(value, list):
        return {"list": [_freeze(item, rtol, _at(before, "list", n)) for n, item in enumerate(value)]}
    if isinstance(value, dict):
        items = enumerate(value.items())
        return {"dict": [[key, _freeze(item, rtol, _at(before, "dict", n, 1))] for n, (key, item) in items]}
    array = np.asarray(value)
    if array.dtype.char in "gG":  # long double differs from machine to machine
        array = array.astype(np.float64 if array.dtype.char == "g" else np.complex128)
    data = {"dtype": array.dtype.name, "shape": list(array.shape)}
    parts = _real_parts(array)
    if array.dtype.kind not in "fc":
        return data | {"data": parts.tolist()}
    if rtol is None:
        return data | {"data": [_number(float(str(part))) for part in parts]}
    tenth = 0.1 * rtol * _scale(array)
    if _agree(before, parts, tenth):
        return data | {"data": before["data"]}
    return data | {"data": [_number(part) for part in _rounded(parts.astype(np.float64), tenth)]}


def _thaw(tree):
    """The value that `_freeze` wrote."""
    if tree is None:
        return None
    if "text" in tree:
        return tree["text"]
    if "foreign" in tree:
        return Foreign(tree["foreign"])
    if "list" in tree:
        return [_thaw(item) for item in tree["list"]]
    if "dict" in tree:
        return {key: _thaw(item) for key, item in tree["dict"]}
    dtype = np.dtype(tree["dtype"])
    if dtype.kind == "c":
        return np.array(tree["data"], f"f{dtype.itemsize // 2}").view(dtype).reshape(tree["shape"])
    return np.array(tree["data"], dtype).reshape(tree["shape"])


def _real_parts(array):
    """An array's numbers in a row; a complex one takes two places, as in memory."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(f"f{flat.dtype.itemsize // 2}") if flat.dtype.kind == "c" else flat


def _number(number):
    """A float as JSON: infinity and not-a-number have to be texts there."""
    return number if math.isfinite(number) else str(number)


def _scale(array):
    """Largest magnitude, in float64."""
    wide = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    return float(np.max(np.abs(wide[np.isfinite(wide)]), initial=0.0))


def _agree(before, parts, tenth):
    """Whether the numbers made before are these but for noise."""
    try:
        old = np.array(before["data"], np.float64)
    except UNREADABLE:
        return False
    return old.shape == parts.shape and np.allclose(old, parts, rtol=0, atol=tenth, equal_nan=True)


def _rounded(parts, tenth):
    """Each number to a multiple of a power of ten of at most `tenth`.

    Numbers like 1, 1/2, 2**-9 and 1/3 are common, and noise must not push them over an edge. So the
    edges lie elsewhere: the power steps at scales of 1.37, not 1, times a power of ten (for a tolerance
    of a power of ten), and a number is rounded up from 0.47, not 0.5, of a step.
    """
    digits = -math.floor(math.log10(max(0.73 * tenth, 5e-324)))
    nudge = 0.03 * 10.0**-digits
    return [round(part + nudge, digits) + 0.0 if math.isfinite(part) else part for part in parts.tolist()]


def _write(node, indent=""):
    """JSON with an array, and whatever else is short, on one line."""
    line = json.dumps(node, sort_keys=True)
    if not isinstance(node, (dict, list)) or not node or "dtype" in node or len(indent) + len(line) <= WIDTH:
        return line
    deeper = indent + " "
    if isinstance(node, dict):
        parts = [f"{json.dumps(key)}: {_write(value, deeper)}" for key, value in sorted(node.items())]
        return "{\n" + ",\n".join(deeper + part for part in parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + _write(item, deeper) for item in node) + f"\n{indent}]"
