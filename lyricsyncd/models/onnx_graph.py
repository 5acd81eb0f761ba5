"""Write an ONNX file: the few messages that a convolutional network needs.

Field numbers are those of ``onnx.proto`` (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
The same calls give the same bytes, so that a written model is identified by its hash.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from lyricsyncd.models.protobuf import FIXED32, integer, nested, text, varint

Attribute = float | int | Sequence[int]

_FLOAT, _FLOAT16 = 1, 10
"""``TensorProto.DataType``."""
_IR_VERSION = 8
_OPSET = 17


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
        fields = [text(1, name) for name in inputs]
        fields += [text(2, output), text(3, output), text(4, kind)]
        fields += [nested(5, _attribute(key, attributes[key])) for key in sorted(attributes)]
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
        graph = b"".join(nested(1, node) for node in self._nodes)
        graph += text(2, self._name)
        graph += b"".join(nested(5, constant) for constant in self._constants)
        graph += b"".join(nested(11, float_value(*item)) for item in inputs.items())
        graph += b"".join(nested(12, float_value(*item)) for item in outputs.items())
        return b"".join(
            [
                integer(1, _IR_VERSION),
                text(2, "lyricsyncd"),
                nested(7, graph),
                nested(8, text(1, "") + integer(2, _OPSET)),
                *(nested(14, text(1, key) + text(2, metadata[key])) for key in sorted(metadata)),
            ]
        )

    def output(self, source: str, name: str) -> None:
        """Give the result ``source`` the public ``name``."""
        fields = [text(1, source), text(2, name), text(3, name), text(4, "Identity")]
        self._nodes.append(b"".join(fields))

    def _store(self, values: NDArray[Any], kind: int) -> str:
        name = self._new_name("weight")
        fields = [integer(1, size) for size in values.shape]
        fields += [integer(2, kind), text(8, name), nested(9, values.tobytes(order="C"))]
        self._constants.append(b"".join(fields))
        return name

    def _new_name(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._made}"


def _attribute(name: str, value: Attribute) -> bytes:
    """Encode an ``AttributeProto``: 1 = float, 2 = int, 7 = ints (field 20 is the type)."""
    if isinstance(value, float):
        number = varint(2 << 3 | FIXED32) + struct.pack("<f", value)
        return text(1, name) + number + integer(20, 1)
    if isinstance(value, int):
        return text(1, name) + integer(3, value) + integer(20, 2)
    return text(1, name) + b"".join(integer(8, item) for item in value) + integer(20, 7)


def float_value(name: str, shape: Sequence[int | str]) -> bytes:
    """Encode a ``ValueInfoProto`` of a float32 tensor."""
    sizes = (integer(1, size) if isinstance(size, int) else text(2, size) for size in shape)
    tensor = integer(1, _FLOAT) + nested(2, b"".join(nested(1, size) for size in sizes))
    return text(1, name) + nested(2, nested(1, tensor))
