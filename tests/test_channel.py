"""The channel: every kind of value survives it, within limits; for the rest see `test_broken_channel`."""

import io
import json
import struct

import numpy as np
import pytest

from autograder import channel
from autograder.channel import BrokenChannel, Foreign, Results, encode, pack, receive, unpack

VALUES = [np.arange(6.0).reshape(2, 3), "text", None, {"a": [1, "b"]}, Results([True, 1j]), Foreign("T")]


def read_back(data):
    return receive(channel.reader(io.BytesIO(data)))


class Wire(io.BytesIO):
    sendall = io.BytesIO.write


def travelled(*values):
    """Values as they arrive."""
    wire = Wire()
    channel.send(wire, {"do": "it"}, *values)
    body = read_back(wire.getvalue())
    assert body.pop("do") == "it"
    return body["values"]


def alike(got, value):
    assert type(got) is type(value)
    if isinstance(value, np.ndarray):
        assert (got.dtype, got.shape) == (value.dtype, value.shape)
        assert got.tobytes() == value.tobytes()
        assert got.flags.writeable
    elif isinstance(value, (list, dict)):
        assert len(got) == len(value)
        for key in value if isinstance(value, dict) else range(len(value)):
            alike(got[key], value[key])
    else:
        assert got == value


class Variable:
    """As a framework's variable: numbers that only `__array__` gives."""

    def __array__(self, dtype=None, copy=None):
        return np.array([1.0, 2.0], np.float32)


class Callable(Variable):
    def __call__(self):
        pass


class Masked(np.ndarray):
    pass


class Text(str):
    def __getitem__(self, part):
        return 5


LAYERS = type("Meta", (type,), {"__name__": property(lambda cls: 5)})("Layers", (), {})
CYCLE = []
CYCLE.append(CYCLE)
CYCLED = Foreign("nested too deeply")
for _ in range(channel.MAX_DEPTH):
    CYCLED = [CYCLED]


# fmt: off
EXACT = [
    None, "ω, 𝄞, \\ud800", Foreign("Thing"), {}, Results([np.ones(2), np.ones(2), None]),
    np.array(2.5), np.array([0.1, np.nan, -np.inf]), np.arange(6, dtype=">i2"),
    np.array([1 + 2j], np.complex64),
    np.ones(2, np.longdouble), np.ones(2, np.float16), np.array([True, False]), np.zeros((0, 3), np.uint8),
]
CHANGED = [
    ("half \ud800", "half ?"), (Text("text"), "text"), (np.str_("text"), "text"),
    (True, np.array(True)), (3, np.array(3)), (0.1, np.array(0.1)), (1 - 2j, np.array(1 - 2j)),
    (np.float32(0.1), np.array(0.1, np.float32)),
    (np.arange(6.0).reshape(2, 3).T, np.arange(6.0).reshape(2, 3).T.copy()),
    (np.arange(6.0)[::-2], np.arange(6.0)[::-2].copy()),
    (np.ones(3).view(Masked), np.ones(3)),
    (np.ma.array([1.0, 2.0], mask=[True, False]), np.array([1.0, 2.0])),
    (Variable(), np.array([1.0, 2.0], np.float32)),
    ([], np.array([])), ([1, 2.5], np.array([1, 2.5])), (((1, 2), (3, 4)), np.array([[1, 2], [3, 4]])),
    ([np.ones(2), np.zeros(2)], np.array([[1.0, 1.0], [0.0, 0.0]])),
    ([Variable(), (1, 2)], np.array([[1.0, 2.0], [1.0, 2.0]])),
    ([[1, 2], [3]], [np.array([1, 2]), np.array([3])]),
    ((np.ones(2), None, ["a", [np.ones(1)]]), [np.ones(2), None, ["a", np.ones((1, 1))]]),
    (Results([np.ones(2), 3]), Results([np.ones(2), np.array(3)])),
    ({"a": 1, 2: [1.0]}, {"a": np.array(1), "2": np.array([1.0])}),
    ({1, 2}, Foreign("set")), (Variable, Foreign("type")), (LAYERS(), Foreign("Layers")),
    (range(3), Foreign("range")), (Callable(), Foreign("Callable")), (Results(range(21)), np.arange(21)),
    ([1, print], [np.array(1), Foreign("builtin_function_or_method")]), (2**80, Foreign("int")),
    (np.array([1, None]), Foreign("ndarray")), (np.zeros(1, "i4,f8"), Foreign("ndarray")),
    (np.zeros(1, "M8[D]"), Foreign("ndarray")),
    (CYCLE, CYCLED),
]
# fmt: on


@pytest.mark.parametrize(
    ("value", "arrives"),
    [*zip(EXACT, EXACT, strict=True), *CHANGED],
    ids=lambda value: ascii(value)[:40],
)
def test_every_kind_of_value_arrives(value, arrives):
    [got] = travelled(value)
    alike(got, arrives)
    alike(travelled(got)[0], arrives)


def test_an_array_of_forty_axes_arrives():
    value = 1.0
    for _ in range(40):
        value = [value]
    assert travelled(value)[0].shape == (1,) * 40


def test_a_message_without_values_is_its_body_alone():
    wire, body = Wire(), {"fork": {"a": [1, 0.5, None, "x"]}}
    channel.send(wire, body)
    assert read_back(wire.getvalue()) == read_back(encode(body)) == body


def test_an_array_in_fortran_order_is_read_as_it_was():
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    data = encode({"values": [{"array": 0}]}, [array])
    assert b"'fortran_order': True" in data
    alike(read_back(data)["values"][0], np.ascontiguousarray(array))


def test_what_arrives_shares_no_memory_with_what_was_sent_or_with_each_other():
    data = encode({"values": [{"array": 0}, {"array": 1}]}, [np.ones(3), np.ones(3)])
    one, other = read_back(data)["values"]
    one[:] = 5
    assert other.sum() == 3
    assert read_back(data)["values"][0].sum() == 3


# Limits


def test_a_value_over_a_limit_becomes_foreign_and_not_a_broken_message(monkeypatch):
    monkeypatch.setattr(channel, "ARRAY_LIMIT", 3 << 20)
    monkeypatch.setattr(channel, "MESSAGE_LIMIT", 4 << 20)
    assert travelled(np.zeros((3 << 20) + 8, np.uint8)) == [Foreign("ndarray of 3 MiB")]
    big = np.zeros(2 << 20, np.uint8)
    got = travelled(big, big, big[:100])
    assert [type(one) for one in got] == [np.ndarray, Foreign, np.ndarray]


def test_too_many_parts_become_foreign(monkeypatch):
    monkeypatch.setattr(channel, "MAX_ARRAYS", 3)
    assert travelled([None] * 4, dict.fromkeys(range(4))) == [Foreign("list"), Foreign("dict")]
    [got] = travelled([[1, 2], [3], [4, 5]])
    assert [len(one) for one in got] == [2, 1, 2]
    assert travelled(1, 2, 3, 4, [5, None])[3:] == [Foreign("int"), [Foreign("int"), None]]


def test_texts_keys_and_class_names_are_cut():
    text, mapping, thing = travelled("x" * 20_000, {"k" * 200: 1}, type("T" * 200, (), {})())
    assert (len(text), len(*mapping), len(thing.type_name)) == (10_000, 80, 80)
    raw = {"values": [{"dict": [["k" * 200, None]]}, {"foreign": "f" * 200}]}
    mapping, thing = read_back(encode(raw))["values"]
    assert (len(*mapping), len(thing.type_name)) == (80, 80)


@pytest.mark.parametrize(
    ("limit", "value", "data"),
    [
        ("JSON_LIMIT", 40, encode({"text": "x" * 100})),
        ("ARRAY_LIMIT", 200, encode({"values": [{"array": 0}]}, [np.zeros(100)])),
        ("MESSAGE_LIMIT", 600, encode({"values": []}, [np.zeros(50), np.zeros(50)])),
        ("MAX_ARRAYS", 1, encode({"values": []}, [np.zeros(1), np.zeros(1)])),
        ("MAX_DEPTH", 2, encode({"values": [{"list": [{"list": [{"list": [None]}]}]}]})),
    ],
)
def test_a_message_over_a_limit_is_refused(monkeypatch, limit, value, data):
    read_back(data)
    monkeypatch.setattr(channel, limit, value)
    with pytest.raises(BrokenChannel):
        read_back(data)


def test_a_message_at_the_limit_is_read(monkeypatch):
    data = encode({})
    monkeypatch.setattr(channel, "JSON_LIMIT", len(data) - 5)
    assert read_back(data) == {}


def test_a_frame_over_the_limit_is_refused_before_it_is_read():
    asked = []

    def read(count):
        asked.append(count)
        return struct.pack(">cI", b"J", 2**32 - 1)

    with pytest.raises(BrokenChannel, match="over the limit"):
        receive(read)
    assert asked == [5]


# Objects that misbehave


def misbehaving(**methods):
    return type("Misbehaving", (), methods)()


def stops(*_, **__):
    raise ZeroDivisionError("on purpose")


@pytest.mark.parametrize(
    "make",
    [
        lambda: misbehaving(__array__=stops),
        lambda: misbehaving(__class__=property(stops)),
        lambda: misbehaving(__class__=str),
        lambda: misbehaving(__class__=dict),
        lambda: [misbehaving(__array__=stops), 1],
        lambda: {"a": misbehaving(__array__=stops)},
        lambda: {misbehaving(__str__=stops): 1},
        lambda: type("Mapping", (dict,), {"items": stops})(),
        lambda: type("Parts", (list,), {"__len__": stops})([None]),
        lambda: type("Parts", (tuple,), {"__iter__": stops})([None]),
    ],
)
def test_what_an_object_raises_goes_to_the_caller(make):
    with pytest.raises((ZeroDivisionError, TypeError, AttributeError)):
        pack(make(), [])


@pytest.mark.parametrize(
    "given", [np.array([1, {}]), [np.array([{}], object)], misbehaving(__array__=lambda *_: {})]
)
def test_no_object_array_leaves_pack(given):
    arrays = []
    tree = pack(given, arrays)
    assert all(array.dtype.kind in "biufc" for array in arrays)
    assert "foreign" in json.dumps(tree)


def test_unpack_takes_what_pack_gives():
    arrays = []
    tree = json.loads(json.dumps([pack(value, arrays) for value in VALUES]))
    alike([unpack(one, arrays) for one in tree], [*travelled(*VALUES)])
