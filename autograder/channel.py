"""Values in, bytes out, and back: length-limited frames of JSON and `.npy`, never a pickle.

A message is one JSON frame, then the `.npy` frames that it counts. Whatever breaks these rules
raises `BrokenChannel`, which ends that submission's answers and nothing else.
"""

import io
import json
import math
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
NAME_LIMIT = 80


class BrokenChannel(Exception):
    """The other side sent something that is not a message, or nothing at all."""


@dataclass(frozen=True)
class Foreign:
    """Stands for a result that is neither numbers, text, None nor a sequence of these."""

    type_name: str


def pack(value, arrays, depth=0):
    """A value as a JSON tree; its arrays are appended to `arrays`.

    Tensors, variables, numbers and sequences of numbers become arrays; other sequences become lists.
    Runs beside student code, so any object may misbehave here: what it raises goes to the caller.
    """
    if depth > MAX_DEPTH:
        return {"foreign": "nested too deeply"}
    if value is None:
        return None
    if isinstance(value, Foreign):
        return {"foreign": value.type_name}
    if isinstance(value, str):
        return {"text": value[:10_000]}
    if isinstance(value, dict):
        items = list(value.items())[:MAX_ARRAYS]
        return {"dict": [[str(key)[:NAME_LIMIT], pack(item, arrays, depth + 1)] for key, item in items]}
    array = _as_array(value)
    if array is not None and len(arrays) < MAX_ARRAYS:
        arrays.append(array)
        return {"array": len(arrays) - 1}
    if isinstance(value, (list, tuple)) and len(value) <= MAX_ARRAYS:
        return {"list": [pack(item, arrays, depth + 1) for item in value]}
    return {"foreign": type(value).__name__[:NAME_LIMIT]}


def _as_array(value):
    """Numbers as an array of their own, or None."""
    if callable(value) or not (
        isinstance(value, (bool, int, float, complex, list, tuple)) or hasattr(value, "__array__")
    ):
        return None
    try:
        array = np.array(value)
    except (ValueError, TypeError, OverflowError):  # ragged, or not numbers at all
        return None
    if array.dtype.kind == "V" and array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    if array.dtype.kind not in "biufc":
        return None
    return np.ascontiguousarray(array).reshape(array.shape)


def unpack(tree, arrays, depth=0):
    """The value that `pack` described, made of new objects."""
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
    if kind == "array" and type(body) is int and 0 <= body < len(arrays):
        return arrays[body]
    if kind == "list" and isinstance(body, list):
        return [unpack(item, arrays, depth + 1) for item in body]
    if kind == "dict" and isinstance(body, list) and all(_is_pair(item) for item in body):
        return {key: unpack(item, arrays, depth + 1) for key, item in body}
    raise BrokenChannel("a value that is not one")


def _is_pair(item):
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], str)


def encode(body, arrays=()):
    """A message as bytes."""
    text = json.dumps({"arrays": len(arrays), "body": body}, allow_nan=False).encode()
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
    def refuse(word):
        raise BrokenChannel(f"the number {word[:20]} in JSON")

    try:
        return json.loads(frame.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise BrokenChannel("JSON that does not parse") from error


def _parse_array(frame):
    stream = io.BytesIO(frame)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise BrokenChannel("an array of another format")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=2000)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise BrokenChannel("an array header that does not parse") from error
    if dtype.kind not in "biufc" or dtype.itemsize > 32 or dtype.shape:
        raise BrokenChannel("an array that is not of numbers")
    if len(shape) > 32 or any(type(n) is not int or n < 0 for n in shape):
        raise BrokenChannel("an array of an impossible shape")
    if math.prod(shape) * dtype.itemsize != len(frame) - stream.tell():
        raise BrokenChannel("an array whose header and length disagree")
    flat = np.frombuffer(frame, dtype, offset=stream.tell())
    try:
        return flat.reshape(shape, order="F" if fortran else "C").copy()
    except ValueError as error:  # a length beyond any array's, beside one of zero
        raise BrokenChannel("an array of an impossible shape") from error
