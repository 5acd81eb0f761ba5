"""Write an ONNX file: the few protobuf messages that a convolutional network needs.

Field numbers are those of ``onnx.proto`` (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
The same calls give the same bytes, so that a written model is identified by its hash.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

Attribute = float | int | Sequence[int]

_FLOAT, _FLOAT16 = 1, 10
"""``TensorProto.DataType``."""
_IR_VERSION = 8
_OPSET = 17
_VARINT, _BYTES, _FIXED32 = 0, 2, 5
"""Wire types."""


class Graph:
    """A network under construction: call `op` for every layer, then `to_bytes` once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._made = 0

    def op(self, kind: str, *inputs: str, **attributes: Attribute) -> str:
        """Add the operator ``kind``; return the name of its output."""
        output = self._new_name(kind)
        fields = [_text(1, name) for name in inputs]
        fields += [_text(2, output), _text(3, output), _text(4, kind)]
        fields += [_bytes(5, _attribute(key, attributes[key])) for key in sorted(attributes)]
        self._nodes.append(b"".join(fields))
        return output

    def constant(self, values: NDArray[Any], *, half: bool = False) -> str:
        """Add weights as float32; with ``half`` they are stored as float16, half the bytes."""
        if half:
            return self.op("Cast", self._store(values.astype("<f2"), _FLOAT16), to=_FLOAT)
        return self._store(values.astype("<f4"), _FLOAT)

    def to_bytes(
        self,
        inputs: Mapping[str, Sequence[int | str]],
        outputs: Mapping[str, Sequence[int | str]],
        metadata: Mapping[str, str],
    ) -> bytes:
        """Return the file. Shapes have a number for a fixed axis and a name for a free one."""
        graph = b"".join(_bytes(1, node) for node in self._nodes)
        graph += _text(2, self._name)
        graph += b"".join(_bytes(5, constant) for constant in self._constants)
        graph += b"".join(_bytes(11, float_value(*item)) for item in inputs.items())
        graph += b"".join(_bytes(12, float_value(*item)) for item in outputs.items())
        return b"".join(
            [
                _int(1, _IR_VERSION),
                _text(2, "lyricsyncd"),
                _bytes(7, graph),
                _bytes(8, _text(1, "") + _int(2, _OPSET)),
                *(_bytes(14, _text(1, key) + _text(2, metadata[key])) for key in sorted(metadata)),
            ]
        )

    def output(self, source: str, name: str) -> None:
        """Give the result ``source`` the public ``name``."""
        fields = [_text(1, source), _text(2, name), _text(3, name), _text(4, "Identity")]
        self._nodes.append(b"".join(fields))

    def _store(self, values: NDArray[Any], kind: int) -> str:
        name = self._new_name("weight")
        fields = [_int(1, size) for size in values.shape]
        fields += [_int(2, kind), _text(8, name), _bytes(9, values.tobytes(order="C"))]
        self._constants.append(b"".join(fields))
        return name

    def _new_name(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._made}"


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _int(field: int, number: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(number)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(data)) + data


def _text(field: int, text: str) -> bytes:
    return _bytes(field, text.encode())


def _attribute(name: str, value: Attribute) -> bytes:
    """Encode an ``AttributeProto``: 1 = float, 2 = int, 7 = ints (field 20 is the type)."""
    if isinstance(value, float):
        number = _varint(2 << 3 | _FIXED32) + struct.pack("<f", value)
        return _text(1, name) + number + _int(20, 1)
    if isinstance(value, int):
        return _text(1, name) + _int(3, value) + _int(20, 2)
    return _text(1, name) + b"".join(_int(8, item) for item in value) + _int(20, 7)


def float_value(name: str, shape: Sequence[int | str]) -> bytes:
    """Encode a ``ValueInfoProto`` of a float32 tensor."""
    sizes = (_int(1, size) if isinstance(size, int) else _text(2, size) for size in shape)
    tensor = _int(1, _FLOAT) + _bytes(2, b"".join(_bytes(1, size) for size in sizes))
    return _text(1, name) + _bytes(2, _bytes(1, tensor))
