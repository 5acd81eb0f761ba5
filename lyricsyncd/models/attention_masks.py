"""Take the masks out of a network whose windows are all full.

An exported attention layer gives padded frames the score −∞ before its softmax. Where nothing is
padded that selects every score as it is, by way of two more arrays of all pairs of frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lyricsyncd.models.protobuf import fields, nested, text

_GRAPH = 7
"""Of ``ModelProto``."""
_NODE, _OUTPUT = 1, 12
"""Of ``GraphProto``."""
_NODE_INPUT, _NODE_OUTPUT, _NODE_KIND = 1, 2, 4
"""Of ``NodeProto``."""
_VALUE_NAME = 1
"""Of ``ValueInfoProto``."""


@dataclass(slots=True)
class _Node:
    kind: str
    inputs: list[str]
    outputs: list[str]
    others: bytes
    """The fields that are none of these, as they are encoded."""

    def to_bytes(self) -> bytes:
        named = [text(_NODE_INPUT, name) for name in self.inputs]
        named += [text(_NODE_OUTPUT, name) for name in self.outputs]
        return b"".join([*named, text(_NODE_KIND, self.kind), self.others])


def without_attention_masks(model: bytes) -> bytes:
    """Return an ONNX file whose softmaxes take their scores unmasked.

    The result is the same, to the bit, for input without padding. All nodes that only the masks
    need are left out. The graph must be flat: the bodies of loops and branches are not read.

    Raises
    ------
    ValueError
        These bytes are no ONNX file.
    """
    return b"".join(
        nested(number, _unmasked(value)) if number == _GRAPH else whole
        for number, value, whole in fields(model)
    )


def _unmasked(graph: bytes) -> bytes:
    parts = list(fields(graph))
    nodes = [_read_node(value) for number, value, _ in parts if number == _NODE]
    makers = {name: node for node in nodes for name in node.outputs}
    for node in nodes:
        if node.kind == "Softmax":
            mask = makers.get(node.inputs[0])
            if mask is not None and mask.kind == "Where":
                # Where(padded, -inf, scores)
                node.inputs[0] = mask.inputs[2]
    results = {_name(value) for number, value, _ in parts if number == _OUTPUT}
    kept = _needed(nodes, results)
    others = [whole for number, _, whole in parts if number != _NODE]
    return b"".join([*(nested(_NODE, node.to_bytes()) for node in kept), *others])


def _needed(nodes: Sequence[_Node], results: set[str]) -> list[_Node]:
    """Return the nodes that the results depend on. ONNX lists each after those that it needs."""
    needed = set(results)
    kept: list[_Node] = []
    for node in reversed(nodes):
        if not needed.isdisjoint(node.outputs):
            needed.update(node.inputs)
            kept.append(node)
    return kept[::-1]


def _read_node(encoded: bytes) -> _Node:
    node = _Node("", [], [], b"")
    for number, value, whole in fields(encoded):
        if number == _NODE_INPUT:
            node.inputs.append(value.decode())
        elif number == _NODE_OUTPUT:
            node.outputs.append(value.decode())
        elif number == _NODE_KIND:
            node.kind = value.decode()
        else:
            node.others += whole
    return node


def _name(value_info: bytes) -> str:
    return next(
        (value.decode() for number, value, _ in fields(value_info) if number == _VALUE_NAME), ""
    )
