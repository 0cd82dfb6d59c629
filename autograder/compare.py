"""Expected and received values in; None or one sentence out, with the error that decided.

A comparison never sees an object that student code made: it works on what
:func:`autograder.channel.unpack` returns: plain arrays, lists, strings, None and `Foreign`.
"""

from dataclasses import dataclass

import numpy as np

from autograder.channel import Foreign


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
        if not isinstance(expected, np.ndarray):
            if type(expected) is type(got) and expected == got:
                return Outcome(None, None, 0.0)
            return _wrong("type", f"expected {describe(expected)}, got {describe(got)}")
        return self._array(expected, got)

    def _sequence(self, expected, got):
        if isinstance(got, np.ndarray) and got.ndim and got.shape[0] == len(expected):
            got = list(got)  # a list of equal shapes arrives as one array
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
            return _wrong("keys", f"expected the keys {', '.join(expected)}; got {', '.join(got) or 'none'}")
        worst = Outcome(None, None, 0.0)
        for key, value in expected.items():
            outcome = self.outcome(value, got[key])
            if not outcome.ok:
                return Outcome(f"`{key}`: {outcome.sentence}", outcome.kind, outcome.error)
            worst = max(worst, outcome, key=lambda one: one.error)
        return worst

    def _array(self, expected, got):
        if not isinstance(got, np.ndarray):
            return _wrong("type", f"expected an array of numbers, got {describe(got)}")
        if got.ndim != expected.ndim:
            return _wrong(
                "number of axes",
                f"expected {_axes(expected.ndim)}, shape {expected.shape}; "
                f"got {_axes(got.ndim)}, shape {got.shape}",
            )
        if got.shape != expected.shape:
            return _wrong("shape", f"expected shape {expected.shape}, got {got.shape}")
        if not _kind_allowed(expected, got):
            return _wrong("dtype", f"expected {_kind(expected)}, got {_kind(got)} ({got.dtype})")
        if got.size == 0:
            return Outcome(None, None, 0.0)
        wide = np.complex128 if "c" in (expected.dtype.kind, got.dtype.kind) else np.float64
        expected, got = expected.astype(wide), got.astype(wide)
        finite = np.isfinite(expected)
        if not np.array_equal(np.isfinite(got), finite):
            return _wrong("values", "some values are infinite or not a number")
        with np.errstate(over="ignore"):
            scale = float(np.max(np.abs(expected[finite]), initial=0.0)) or 1.0
            error = float(np.max(np.abs(got[finite] - expected[finite]), initial=0.0)) / scale
        if not np.array_equal(got[~finite], expected[~finite], equal_nan=True):
            return _wrong("values", "some values are infinite or not a number")
        if error > self.rtol:
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
