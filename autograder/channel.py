"""Values in, bytes out, and back: length-limited frames of JSON and `.npy`, never a pickle.

A message is one JSON frame, then the `.npy` frames that it counts. Whatever breaks these rules
raises `BrokenChannel`, which ends that submission's answers and nothing else.
"""

import io
import json
import math
import re
import struct
from dataclasses import dataclass

import numpy as np

HEADER = struct.Struct(">cI")  # kind of frame, length in bytes
JSON, ARRAY = b"J", b"A"
JSON_LIMIT = 16 << 20
ARRAY_LIMIT = 64 << 20
MESSAGE_LIMIT = 128 << 20
MAX_ARRAYS = 1000
MAX_DEPTH = 20
MAX_LEVELS = 100
MAX_RESULTS = 20
NAME_LIMIT = 80
TEXT_LIMIT = 10_000
NPY_HEADER = 2000  # more than the longest
# What `write_array` writes, and nothing else: NumPy's own reader evaluates the header as a literal.
NPY = re.compile(
    rb"\x93NUMPY\x01\x00(..)\{'descr': '([<>|][biufc]\d{1,2})', 'fortran_order': (True|False), "
    rb"'shape': \((|\d{1,19},|\d{1,19}(?:, \d{1,19}){1,63})\), \} *\n",
    re.DOTALL,
)
ESCAPED_SURROGATE = re.compile(rb"(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]")


class BrokenChannel(Exception):
    """The other side sent something that is not a message, or nothing at all."""


@dataclass(frozen=True)
class Foreign:
    """Stands for a result that is neither numbers, text, None nor a sequence of these."""

    type_name: str


class Results(list):
    """What a returned tuple travels as: its parts stay apart, so that each is judged on its own scale."""


def pack(value, arrays, depth=0):
    """A value as a JSON tree; its arrays are appended to `arrays`.

    Tensors, variables, numbers and sequences of numbers become arrays; other sequences become lists.
    Runs beside student code, so any object may misbehave here: what it raises goes to the caller.
    """
    if depth == MAX_DEPTH:
        return {"foreign": "nested too deeply"}
    if value is None:
        return None
    if isinstance(value, Foreign):
        return {"foreign": cut(value.type_name, NAME_LIMIT)}
    if isinstance(value, str):
        return {"text": cut(value, TEXT_LIMIT)}
    if isinstance(value, dict) and len(value) <= MAX_ARRAYS:
        items = [(cut(str(key), NAME_LIMIT), item) for key, item in value.items()]
        return {"dict": [[key, pack(item, arrays, depth + 1)] for key, item in items]}
    if isinstance(value, Results) and len(value) <= MAX_RESULTS:
        return {"results": [pack(item, arrays, depth + 1) for item in value]}
    array = as_array(value)
    if array is not None and len(arrays) < MAX_ARRAYS:
        if array.nbytes > min(ARRAY_LIMIT, MESSAGE_LIMIT - sum(one.nbytes for one in arrays)) - NPY_HEADER:
            return {"foreign": f"{type_name(value)} of {array.nbytes >> 20} MiB"}
        arrays.append(array)
        return {"array": len(arrays) - 1}
    if isinstance(value, (list, tuple)) and len(value) <= MAX_ARRAYS:
        return {"list": [pack(item, arrays, depth + 1) for item in value]}
    return {"foreign": type_name(value)}


def cut(text, limit):
    """The beginning of a text, as a plain `str` whatever subclass it came as."""
    return str.__getitem__(text, slice(limit))


def type_name(value):
    """The name of an object's class, whatever its metaclass says."""
    return cut(type.__dict__["__name__"].__get__(type(value)), NAME_LIMIT)


def as_array(value):
    """Numbers as an array of their own, or None."""
    if callable(value) or not (
        isinstance(value, (bool, int, float, complex, list, tuple)) or hasattr(value, "__array__")
    ):
        return None
    try:
        array = np.array(value)
    except (ValueError, TypeError, OverflowError):  # ragged, or not numbers at all
        return None
    if array.dtype.isbuiltin == 2:  # bfloat16 and other types that NumPy itself cannot read
        array = array.astype(np.float32)
    if array.dtype.kind not in "biufc":
        return None
    return np.ascontiguousarray(array).reshape(array.shape)


def unpack(tree, arrays, depth=0):
    """The value that `pack` described, made of new objects; takes its arrays out of `arrays`."""
    if depth > MAX_DEPTH:
        raise BrokenChannel("a value nested too deeply")
    if tree is None:
        return None
    if not isinstance(tree, dict) or len(tree) != 1:
        raise BrokenChannel("a value that is not one")
    [(kind, body)] = tree.items()
    if kind == "text" and isinstance(body, str):
        return body
    if kind == "foreign" and isinstance(body, str):
        return Foreign(body[:NAME_LIMIT])
    if kind == "array" and type(body) is int and 0 <= body < len(arrays) and arrays[body] is not None:
        array, arrays[body] = arrays[body], None  # once only: a little that is named often could grow large
        return array
    if kind in ("list", "results") and isinstance(body, list):
        parts = [unpack(item, arrays, depth + 1) for item in body]
        return Results(parts) if kind == "results" else parts
    if kind == "dict" and isinstance(body, list) and all(_is_pair(item) for item in body):
        return {key[:NAME_LIMIT]: unpack(item, arrays, depth + 1) for key, item in body}
    raise BrokenChannel("a value that is not one")


def _is_pair(item):
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], str)


def encode(body, arrays=()):
    """A message as bytes. Half a surrogate pair, which no file could hold, becomes a question mark."""
    text = json.dumps({"arrays": len(arrays), "body": body}, allow_nan=False, ensure_ascii=False)
    text = text.encode("utf-8", "replace")
    parts = [HEADER.pack(JSON, len(text)), text]
    for array in arrays:
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
        parts += [HEADER.pack(ARRAY, buffer.tell()), buffer.getvalue()]
    return b"".join(parts)


def send(stream, body, *values):
    """Send a message whose `values`, if any, are packed under the key "values"."""
    arrays = []
    if values:
        body = body | {"values": [pack(value, arrays) for value in values]}
    stream.sendall(encode(body, arrays))


def reader(stream):
    """`read` for `receive`, over a binary stream."""

    def read(count):
        got = stream.read(count)
        if len(got) < count:
            raise EOFError
        return got

    return read


def receive(read):
    """The next message from `read(count) → exactly count bytes`: its body, with its values unpacked."""
    head = _parse_json(_frame(read, JSON, JSON_LIMIT))
    if not isinstance(head, dict) or set(head) != {"arrays", "body"} or not isinstance(head["body"], dict):
        raise BrokenChannel("a message without a body")
    count, body = head["arrays"], head["body"]
    if type(count) is not int or not 0 <= count <= MAX_ARRAYS:
        raise BrokenChannel("a message with too many arrays")
    arrays, room = [], MESSAGE_LIMIT
    for _ in range(count):
        frame = _frame(read, ARRAY, min(ARRAY_LIMIT, room))
        room -= len(frame)
        arrays.append(_parse_array(frame))
    if "values" in body:
        if not isinstance(body["values"], list):
            raise BrokenChannel("values that are no list")
        body["values"] = [unpack(tree, arrays) for tree in body["values"]]
    return body


def _frame(read, kind, limit):
    got, length = HEADER.unpack(read(HEADER.size))
    if got != kind:
        raise BrokenChannel("a frame of the wrong kind")
    if length > limit:
        raise BrokenChannel("a frame over the limit")
    return read(length)


def _parse_json(frame):
    if ESCAPED_SURROGATE.search(frame):
        raise BrokenChannel("half a character in JSON")
    try:
        tree = json.loads(frame.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BrokenChannel("JSON that does not parse") from error
    level = [[tree]]
    for _ in range(MAX_LEVELS):
        parts = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for part in parts for one in part if isinstance(one, (dict, list))]
        if not level:
            return tree
    raise BrokenChannel("JSON nested too deeply")


def _refuse(word):
    raise BrokenChannel("a number in JSON that is not finite")


def _finite(digits):
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


def _parse_array(frame):
    header = NPY.match(frame)
    if header is None or int.from_bytes(header[1], "little") != header.end() - 10:
        raise BrokenChannel("an array header that does not parse")
    try:
        dtype = np.dtype(header[2].decode())
        shape = tuple(int(length) for length in header[4].split(b",") if length)
        if math.prod(shape) * dtype.itemsize != len(frame) - header.end():
            raise BrokenChannel("an array whose header and length disagree")
        flat = np.frombuffer(frame, dtype, offset=header.end())
        return flat.reshape(shape, order="F" if header[3] == b"True" else "C").copy()
    except (ValueError, TypeError, OverflowError) as error:  # no such type; a length beyond any array's
        raise BrokenChannel("an array of an impossible type or shape") from error
