"""Expected and received values in; None or one sentence out, with the error that decided.

A comparison never sees an object that student code made: it works on what
:func:`autograder.channel.unpack` returns: plain arrays, lists, strings, None and `Foreign`.
"""

from dataclasses import dataclass

import numpy as np

from autograder.channel import Foreign

MAX_KEYS = 10  # shown in a sentence


@dataclass(frozen=True)
class Outcome:
    """What one comparison found.

    sentence: None where the values agree, else the first thing that is wrong.
    kind: the class of fault without any number, fit to be told about a hidden input.
    error: largest deviation over the largest expected magnitude; inf where there is none to take.
    """

    sentence: str | None
    kind: str | None
    error: float

    @property
    def ok(self):
        return self.sentence is None


@dataclass(frozen=True)
class close:  # noqa: N801  (a word in `compare=close(rtol=1e-4)`)
    """Agreement within `rtol` times the largest magnitude of the expected array.

    close(rtol=1e-4).outcome([0, 10], [0, 10.0005]) → ok, error 5e-5

    The scale is that of the whole array, not of each sample, so that float32 arithmetic, whose error
    follows the largest term of a sum, is judged alike at a peak and at a zero crossing.
    An expected array of zeros has scale 1.
    """

    rtol: float

    def __post_init__(self):
        if not 0 < self.rtol < 1:
            raise ValueError(f"close expects 0 < rtol < 1. Received: rtol={self.rtol}")

    def outcome(self, expected, got):
        """Compare one result; lists are compared element by element."""
        if isinstance(expected, list):
            return self._sequence(expected, got)
        if isinstance(expected, dict):
            return self._mapping(expected, got)
        if isinstance(expected, np.ndarray):
            return self._array(expected, got)
        if type(expected) is not type(got):
            wanted = "None" if expected is None else describe(expected)
            return _wrong("type", f"expected {wanted}, got {describe(got)}")
        if expected == got:
            return Outcome(None, None, 0.0)
        return _wrong("values", "it is another text" if isinstance(got, str) else "it is of another type")

    def _sequence(self, expected, got):
        if isinstance(got, np.ndarray) and got.ndim and got.shape[0] == len(expected):
            got = [np.asarray(part) for part in got]  # a list of equal shapes arrives as one array
        if not isinstance(got, list):
            return _wrong("type", f"expected {len(expected)} results, got {describe(got)}")
        if len(got) != len(expected):
            return _wrong("number of results", f"expected {len(expected)} results, got {len(got)}")
        worst = Outcome(None, None, 0.0)
        for number, pair in enumerate(zip(expected, got, strict=True), 1):
            outcome = self.outcome(*pair)
            if not outcome.ok:
                return Outcome(f"result {number}: {outcome.sentence}", outcome.kind, outcome.error)
            worst = max(worst, outcome, key=lambda one: one.error)
        return worst

    def _mapping(self, expected, got):
        if not isinstance(got, dict):
            return _wrong("type", f"expected a dict, got {describe(got)}")
        if expected.keys() != got.keys():
            return _wrong("keys", f"expected the keys {_listed(expected)}; got {_listed(got)}")
        worst = Outcome(None, None, 0.0)
        for key, value in expected.items():
            outcome = self.outcome(value, got[key])
            if not outcome.ok:
                return Outcome(f"`{key}`: {outcome.sentence}", outcome.kind, outcome.error)
            worst = max(worst, outcome, key=lambda one: one.error)
        return worst

    def _array(self, expected, got):
        shape = _shape(got)
        if shape is None:
            return _wrong("type", f"expected an array of numbers, got {describe(got)}")
        if len(shape) != expected.ndim:
            return _wrong(
                "number of axes",
                f"expected {_axes(expected.ndim)}, shape {expected.shape}; "
                f"got {_axes(len(shape))}, shape {shape}",
            )
        if shape != expected.shape:
            return _wrong("shape", f"expected shape {expected.shape}, got {shape}")
        if expected.size == 0:  # nothing that could be wrong, and an empty list has no dtype
            return Outcome(None, None, 0.0)
        got = np.asarray(got)
        if not _kind_allowed(expected, got):
            return _wrong("dtype", f"expected {_kind(expected)}, got {_kind(got)} ({got.dtype})")
        wide = np.complex128 if "c" in (expected.dtype.kind, got.dtype.kind) else np.float64
        with np.errstate(over="ignore"):  # of a long double
            expected, got = expected.astype(wide), got.astype(wide)
        finite = np.isfinite(expected)
        if not np.array_equal(np.isfinite(got), finite):
            return _wrong("values", "some values are infinite or not a number")
        with np.errstate(over="ignore"):
            scale = float(np.max(np.abs(expected[finite]), initial=0.0)) or 1.0
            error = float(np.max(np.abs(got[finite] - expected[finite]), initial=0.0)) / scale
        if not np.array_equal(got[~finite], expected[~finite], equal_nan=True):
            return _wrong("values", "some values are infinite or not a number")
        if not error <= self.rtol:
            return Outcome("the values differ", "values", error)
        return Outcome(None, None, error)


def _wrong(kind, sentence):
    return Outcome(sentence, kind, float("inf"))


def _kind(array):
    names = {"b": "truth values", "i": "whole numbers", "u": "whole numbers", "c": "complex numbers"}
    return names.get(array.dtype.kind, "real numbers")


def _kind_allowed(expected, got):
    """Whole and real numbers stand for each other (their values decide); complex and bool stand apart."""
    groups = {"b": "bool", "i": "real", "u": "real", "f": "real", "c": "complex"}
    return groups[expected.dtype.kind] == groups[got.dtype.kind]


def _shape(value):
    """Shape of an array, or of a list of equal shapes, as a returned tuple arrives; else None."""
    if isinstance(value, np.ndarray):
        return value.shape
    if not isinstance(value, list):
        return None
    shapes = {_shape(part) for part in value} or {()}
    return None if len(shapes) > 1 or None in shapes else (len(value), *shapes.pop())


def _listed(keys):
    shown = ", ".join(list(keys)[:MAX_KEYS]) or "none"
    return f"{shown}, … {len(keys)} keys" if len(keys) > MAX_KEYS else shown


def _axes(ndim):
    return "1 axis" if ndim == 1 else f"{ndim} axes"


def describe(value):
    """A value's type in a student's words; never its content."""
    if value is None:
        return "None (is there a `return`?)"
    if isinstance(value, Foreign):
        return f"an object of type {value.type_name}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}" if value.ndim else "a single number"
    return {str: "a text", list: "a list of unequal parts", dict: "a dict"}.get(type(value), "something else")
