"""What is no message, down to random bytes, is a `BrokenChannel` or the end, and nothing else."""

import io
import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_channel import VALUES, read_back

from autograder.channel import BrokenChannel, Foreign, Results, encode, pack


def frame(kind, data):
    return struct.pack(">cI", kind, len(data)) + data


def message(text, *arrays):
    text = text if isinstance(text, bytes) else text.encode()
    return frame(b"J", text) + b"".join(frame(b"A", data) for data in arrays)


OK = '{"arrays": 0, "body": {}}'


def values(text, arrays=0):
    return f'{{"arrays": {arrays}, "body": {{"values": {text}}}}}'


def npy(header, data=b"\0" * 8, version=b"\1\0", length=None):
    header = header.encode() + b"\n"
    size = len(header) if length is None else length
    return b"\x93NUMPY" + version + size.to_bytes(2, "little") + header + data


def header(descr="'<f8'", shape="(1,)", fortran="False"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"


def saved(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


# fmt: off
NO_MESSAGES = [
    "{", "[]", "5", '"text"', "null", "{}", '{"arrays": 0}', '{"arrays": 0, "body": []}',
    '{"arrays": 0, "body": {}, "more": 0}', '{"arrays": 0, "body": {}, "arrays": []}',
    *(f'{{"arrays": {count}, "body": {{}}}}' for count in ("true", "0.0", "-1", "1001", "9" * 5000)),
    *(f'{{"arrays": 0, "body": {{"x": {x}}}}}' for x in ("NaN", "-Infinity", "1e999")),
    *(f'{{"arrays": 0, "body": {{"x": "{x}"}}}}' for x in (r"\ud800", r"\\\uDFFF", r"\uD83D\uDE00")),
]
NO_VALUES = [
    "{}", "[3]", "[true]", '["text"]', "[[]]", "[{}]", '[{"text": 3}]', '[{"text": "a", "list": []}]',
    '[{"pickle": "a"}]', '[{"foreign": null}]', '[{"list": {}}]', '[{"results": 3}]', '[{"list": [1]}]',
    '[{"dict": {"a": null}}]', '[{"dict": [["a"]]}]', '[{"dict": [[1, null]]}]', '[{"dict": ["ab"]}]',
    '[{"array": 1}]', '[{"array": -1}]', '[{"array": false}]', '[{"pickle": 0}]', '[{"x": [["a", null]]}]',
    '[{"dict": [{"a": 1, "b": 2}]}]',
]
# fmt: on
DEEP = ["[" * 10**6, OK[:-3] + '{"x": ' * 10**6, OK[:-2] + '"x": ' + "[" * 200 + "]" * 200 + "}}"]
OTHER = [b"", b"\xff\xfe", *DEEP]


@pytest.mark.parametrize(
    "text", [*NO_MESSAGES, *(values(text, 1) for text in NO_VALUES), *OTHER], ids=lambda text: str(text)[:50]
)
def test_json_that_is_no_message_is_refused(text):
    assert read_back(message(OK)) == {}
    with pytest.raises(BrokenChannel):
        read_back(message(text, npy(header())))


def test_an_array_may_be_named_once_only():
    assert read_back(message(values('[{"array": 0}]', 1), npy(header())))["values"][0] == 0
    with pytest.raises(BrokenChannel):
        read_back(message(values('[{"array": 0}, {"array": 0}]', 1), npy(header())))


HUGE = 10**18
# fmt: off
DTYPES = [
    "'|O'", "'|V8'", "'<U1'", "'|S1'", "'<M8'", "'f8'", "'<f3'", "'<f0'", "'|b2'", "('<f4', (2,))",
    "('<f8',)", "[('a', '<f8')]", "[1]", "5",
]
SHAPES = [
    "(-1,)", "(2,)", "(0,)", "(1.0,)", "(True,)", "(1)", "1", f"({HUGE},)", f"(1, {HUGE})",
    f"({'9' * 4000},)",
]
EMPTY = [f"(0, {HUGE}, {HUGE})", f"(0, {HUGE * 9}9)", f"(0, {HUGE}99)", f"({'0, ' * 64}0)", "(0, -1)"]
HEADERS = [
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} '''",
    "{'descr': '<f8', 'fortran_order': False}", header(fortran="3"),
    "(" * 1900, "-" * 1900 + "1", "{[]: 1}", "9**9**9",
]
# fmt: on
FILES = [
    *(saved(np.zeros(1), version=(version, 0)) for version in (2, 3)),
    *(saved(np.zeros(1, dtype)) for dtype in ("i4,f8", "M8[s]", "U3", "S3")),
    saved(np.array([{}], object), allow_pickle=True),
    npy(header(), length=10),
    npy(header(), length=65535),
    b"",
    b"\x93NUMPY\1\0",
]


@pytest.mark.parametrize(
    "data",
    [
        *(npy(header(descr=text)) for text in DTYPES),
        *(npy(header(shape=text)) for text in SHAPES),
        *(npy(header(shape=text), b"") for text in EMPTY),
        *map(npy, HEADERS),
        *FILES,
    ],
    ids=lambda data: ascii(data[10:70]),
)
def test_an_array_that_is_not_plainly_one_is_refused(data):
    with pytest.raises(BrokenChannel):
        read_back(message(values('[{"array": 0}]', 1), data))


def test_an_array_frame_in_the_place_of_json_is_refused():
    with pytest.raises(BrokenChannel, match="wrong kind"):
        read_back(frame(b"A", OK.encode()))
    with pytest.raises(BrokenChannel, match="wrong kind"):
        read_back(message(values("[]", 1)) + frame(b"J", npy(header())))


def test_half_a_message_is_the_end_of_the_file():
    whole = encode({"values": [{"array": 0}]}, [np.arange(5.0)])
    for end in range(len(whole)):
        with pytest.raises(EOFError):
            read_back(whole[:end])


# Fuzz

MANY = settings(max_examples=400, deadline=2000, database=None)


def valid():
    arrays = []
    trees = [pack(value, arrays) for value in VALUES]
    return encode({"kind": "value", "values": trees, "seconds": 0.5}, arrays)


VALID = valid()
PIECES = st.binary(min_size=1, max_size=6) | st.sampled_from([b"9", b"{", b"-", bytes(4), b"'", b"\\ud800"])
EDIT = st.tuples(st.sampled_from(["flip", "cut", "insert"]), st.integers(0, len(VALID)), PIECES)
EDITS = st.lists(EDIT, min_size=1, max_size=4)


def nothing_else_comes_out(data):
    try:
        body = read_back(data)
    except (BrokenChannel, EOFError):
        return
    assert type(body) is dict
    values = body.pop("values", [])
    json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
    for value in values:
        assert type(value) in (type(None), str, list, dict, np.ndarray, Foreign, Results)


@MANY
@given(st.binary(max_size=200))
def test_random_bytes_break_nothing_but_the_channel(data):
    nothing_else_comes_out(data)
    nothing_else_comes_out(message(data))
    nothing_else_comes_out(message(values('[{"array": 0}]', 1), data))
    nothing_else_comes_out(message(values('[{"array": 0}]', 1), b"\x93NUMPY\1\0" + data))


@MANY
@given(EDITS)
def test_a_damaged_message_breaks_nothing_but_the_channel(edits):
    data = VALID
    for how, place, piece in edits:
        before, after, rest = data[:place], data[place:], data[place + len(piece) :]
        flipped = bytes(one ^ other for one, other in zip(after, piece, strict=False))
        data = before + {"cut": rest, "insert": piece + after, "flip": flipped + rest}[how]
    nothing_else_comes_out(data)


KEYS = st.sampled_from(["list", "dict", "array", "text", "results", "x"])
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=8,
)


@MANY
@given(st.lists(TREES, max_size=3))
def test_any_json_for_values_breaks_nothing_but_the_channel(trees):
    nothing_else_comes_out(message(values(json.dumps(trees), 1), npy(header())))


@MANY
@given(st.text(alphabet="{}()[]':,-<|fcior12358 \\", max_size=80))
def test_any_npy_header_breaks_nothing_but_the_channel(text):
    for data in (npy(text), npy(header(descr=repr(text))), npy(header(shape=f"({text})"))):
        nothing_else_comes_out(message(values('[{"array": 0}]', 1), data))
