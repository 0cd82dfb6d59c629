"""Comparisons: the first thing that is wrong, the error that decided, and never an expected value."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.channel import Foreign, Results
from autograder.compare import close

CLOSE = close(rtol=1e-3)
A = np.array
NAN, INF = np.nan, np.inf
ONE_AXIS, TEN_KEYS = "expected 1 axis, shape (1,)", "a; got 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … 11 keys"
NUMBERS = "expected an array of numbers"
NOT_FINITE = "some values are infinite or not a number"


def outcome(expected, got, rtol=1e-3):
    return close(rtol=rtol).outcome(expected, got)


@pytest.mark.parametrize(
    ("expected", "got", "kind", "sentence"),
    [
        (A([1.0]), None, "type", f"{NUMBERS}, got None (is there a `return`?)"),
        (A([1.0]), "one", "type", f"{NUMBERS}, got a text"),
        (A([1.0]), Foreign("Thing"), "type", f"{NUMBERS}, got an object of type Thing"),
        (A([1.0]), {}, "type", f"{NUMBERS}, got a dict"),
        (A([1.0]), [A([1.0]), None], "type", f"{NUMBERS}, got a list of unequal parts"),
        (A([1.0]), A([[1.0]]), "number of axes", "expected 1 axis, shape (1,); got 2 axes, shape (1, 1)"),
        (A(1.0), A([1.0]), "number of axes", "expected 0 axes, shape (); got 1 axis, shape (1,)"),
        (A([1.0]), [A([1.0])] * 2, "number of axes", "expected 1 axis, shape (1,); got 2 axes, shape (2, 1)"),
        (np.ones((2, 2)), [A([1, 2]), A([1])], "type", f"{NUMBERS}, got a list of unequal parts"),
        (A([1.0, 2]), A([1.0]), "shape", "expected shape (2,), got (1,)"),
        (np.zeros((0, 3)), np.zeros((3, 0)), "shape", "expected shape (0, 3), got (3, 0)"),
        (A([1.0]), A([1j]), "dtype", "expected real numbers, got complex numbers (complex128)"),
        (A([1j]), A([1], np.int8), "dtype", "expected complex numbers, got whole numbers (int8)"),
        (A([True]), A([1]), "dtype", "expected truth values, got whole numbers (int64)"),
        (A([1]), A([True]), "dtype", "expected whole numbers, got truth values (bool)"),
        (A([1.0, 2]), A([1.0, NAN]), "values", NOT_FINITE),
        (A([1.0, 2]), A([1.0, -INF]), "values", NOT_FINITE),
        (A([1j]), A([complex(0, NAN)]), "values", NOT_FINITE),
        (A([NAN, 2]), A([1.0, 2]), "values", NOT_FINITE),
        (A([NAN, 2]), A([1.0, NAN]), "values", NOT_FINITE),
        (A([NAN]), A([INF]), "values", NOT_FINITE),
        (A([INF]), A([-INF]), "values", NOT_FINITE),
        (A([1.0]), np.full(1, np.finfo(np.longdouble).max), "values", NOT_FINITE),
        (A([1.0, 2]), A([1.0, 2.1]), "values", "the values differ"),
        ("hann", "hamming", "values", "it is another text"),
        (Foreign("A"), Foreign("B"), "values", "it is of another type"),
        ("hann", A([1.0]), "type", "expected a text, got an array of shape (1,)"),
        ("hann", A(1.0), "type", "expected a text, got a single number"),
        (None, A([1.0]), "type", "expected None, got an array of shape (1,)"),
        ([A([1.0]), None], A(1.0), "type", "expected 2 results, got a single number"),
        ([A([1.0]), None], None, "type", "expected 2 results, got None (is there a `return`?)"),
        ([A([1.0]), None], A([1, 2, 3]), "type", "expected 2 results, got an array of shape (3,)"),
        ([A([1.0]), None], [A([1.0])], "number of results", "expected 2 results, got 1"),
        ([A([1.0]), A(2)], A([1.0, 2]), "number of axes", f"result 1: {ONE_AXIS}; got 0 axes, shape ()"),
        ([A(2), A([1])], [A(2), A(3)], "number of axes", f"result 2: {ONE_AXIS}; got 0 axes, shape ()"),
        ({"a": A(1.0)}, A(1.0), "type", "expected a dict, got a single number"),
        ({"a": A(1.0)}, {}, "keys", "expected the keys a; got none"),
        ({"a": A(1.0)}, {"b": 1, "c": 2}, "keys", "expected the keys a; got b, c"),
        ({"a": A(1.0)}, dict.fromkeys("0123456789…"), "keys", f"expected the keys {TEN_KEYS}"),
        ({"a": "", "b": [A(1)]}, {"a": "", "b": [A(2)]}, "values", "`b`: result 1: the values differ"),
    ],
)  # fmt: skip
def test_the_first_thing_that_is_wrong_is_said(expected, got, kind, sentence):
    found = CLOSE.outcome(expected, got)
    assert (found.sentence, found.kind, found.ok) == (sentence, kind, False)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (A([1, 2]), A([1.0, 2.0], np.float32)),
        (A([1.0, 2.0]), A([1, 2], np.uint8)),
        (A(2.0), A(2.0)),
        (A([True, False]), A([True, False])),
        (A([NAN, INF, 1.0]), A([NAN, INF, 1.0005])),
        (np.full(2, NAN), np.full(2, NAN)),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (np.zeros(0), []),
        (np.zeros(0, complex), A([])),  # an empty list has no dtype of its own
        (None, None),
        ("hann", "hann"),
        ([A([1.0]), A([2.0, 3.0]), None], [A([1.0]), A([2.0, 3.0]), None]),
        ([A([1.0]), A([2.0])], A([[1.0], [2.0]])),
        ([A(1.0), A(2.0)], A([1.0, 2.0])),
        (A([[1.0], [2.0]]), [A([1.0]), A([2.0])]),
        (A([[1.0, 2.0]]), [[A(1.0), A(2.0)]]),
        (A([1.0, 2.0]), Results([A(1.0), A(2.0)])),
        ({"b": A(1.0), "a": "x"}, {"a": "x", "b": A(1.0)}),
    ],
    ids=str,
)
def test_what_is_right_agrees(expected, got):
    assert CLOSE.outcome(expected, got).ok


@pytest.mark.parametrize("scale", [1e-300, 1e-6, 1.0, 1e6, 1e300])
def test_the_tolerance_is_relative_to_the_largest_expected_magnitude(scale):
    expected = A([0.0, -10.0, 3.0]) * scale
    for share, ok in ((0.99e-3, True), (1.01e-3, False)):
        for place in range(3):
            got = expected.copy()
            got[place] += share * 10 * scale
            assert outcome(expected, got).ok is ok
    assert outcome(expected * 1j, expected * 1j * (1 + 0.9e-3)).ok
    assert not outcome(expected * 1j, expected * 1j * (1 + 1.1e-3)).ok


def test_the_tolerance_itself_is_still_right():
    assert outcome(A([2.0]), A([3.0]), rtol=0.5).ok


def test_zeros_have_scale_one():
    assert outcome(np.zeros(2), A([0, 0.9e-3])).ok
    assert not outcome(np.zeros(2), A([0, 1.1e-3])).ok


def test_each_result_is_judged_on_its_own_scale():
    frequencies, magnitudes = A([0.0, 8000.0]), A([1e-3, 2e-3])
    assert not outcome([frequencies, magnitudes], [frequencies, 2 * magnitudes]).ok
    assert not outcome([frequencies, magnitudes], A([frequencies, 2 * magnitudes])).ok
    assert not outcome({"f": frequencies, "m": magnitudes}, {"f": frequencies, "m": 2 * magnitudes}).ok


@pytest.mark.parametrize(
    ("expected", "got", "error"),
    [
        (A([0.0, 10]), A([0.0, 10]), 0.0),
        (A([0.0, 10]), A([0.0, 10.005]), 5e-4),
        (A([0.0, -10]), A([2.0, -10]), 0.2),
        (A([3 + 4j]), A([3 + 5j]), 0.2),
        (A([0.0]), A([0.5]), 0.5),
        (A([INF, 4.0]), A([INF, 3.0]), 0.25),
        (A([200], np.uint8), A([250], np.uint8), 0.25),
        ([A([1.0]), A([10.0, 0])], [A([1.0005]), A([10.001, 0])], 5e-4),
        ([A([1.0]), A([10.0, 0])], [A([1.0005]), A([12.0, 0])], 0.2),
        ({"a": A([1.0]), "b": A([10.0])}, {"a": A([1.0005]), "b": A([10.001])}, 5e-4),
        ([A([1.0]), A([2.0])], [A([1.5]), A([9.0])], 0.5),
        (A([-1.7e308]), A([1.7e308]), INF),
        (A([1.7e308 * (1 + 1j)]), A([-1.7e308 * (1 + 1j)]), NAN),
        (A([1.0]), A([NAN]), INF),
        (A([1.0]), None, INF),
    ],
)
def test_the_error_is_the_largest_deviation_over_the_scale(expected, got, error):
    found = CLOSE.outcome(expected, got)
    assert found.error == pytest.approx(error, nan_ok=True)
    assert found.ok is (error <= 1e-3)


@pytest.mark.parametrize("rtol", [0, 1, -1e-3, NAN])
def test_a_tolerance_that_is_none_is_refused(rtol):
    with pytest.raises(ValueError, match="0 < rtol < 1"):
        close(rtol=rtol)


def test_neither_side_is_changed():
    expected, got = [A([1, 2]), A([3.0])], [A([1.0, 2.0]), A([4], np.int16)]
    before = [one.tobytes() for one in (*expected, *got)]
    CLOSE.outcome(expected, got)
    assert [one.tobytes() for one in (*expected, *got)] == before


ARRAYS = st.lists(st.floats(1e7, 9e7) | st.floats(-9e7, -1e7), min_size=1, max_size=3).map(A)
TEXTS = st.integers(10**7, 10**8).map(str)
TREES = st.recursive(
    ARRAYS | TEXTS | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=300, deadline=2000, database=None)
@given(TREES, TREES)
def test_no_sentence_holds_a_value_and_no_kind_a_number(expected, got):
    found = CLOSE.outcome(expected, got)
    assert CLOSE.outcome(expected, expected).ok
    if not found.ok:
        assert not re.search(r"\d{3}|e\+", found.sentence)
        assert re.fullmatch(r"[a-z ]+", found.kind)
