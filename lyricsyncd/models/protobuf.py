"""Read and write protobuf's wire format: https://protobuf.dev/programming-guides/encoding/.

ONNX files are the only such messages here, and few of their fields are of interest: a page of code
in place of a library and of classes that are generated for it.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, NESTED, FIXED32 = 0, 1, 2, 5
"""Wire types."""
_SIZES = {FIXED64: 8, FIXED32: 4}


def varint(number: int) -> bytes:
    """Encode a number that is not negative, seven bits to a byte."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def integer(field: int, number: int) -> bytes:
    """Encode a field that is a number."""
    return varint(field << 3 | VARINT) + varint(number)


def nested(field: int, data: bytes) -> bytes:
    """Encode a field that is a message, or bytes."""
    return varint(field << 3 | NESTED) + varint(len(data)) + data


def text(field: int, value: str) -> bytes:
    """Encode a field that is a string."""
    return nested(field, value.encode())


def fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield the fields of a message in their order: number, value, and all of its bytes.

    The value of a message, string or ``bytes`` is without its length; that of a number is as it is
    encoded.

    Raises
    ------
    ValueError
        These bytes are no message.
    """
    at = 0
    while at < len(message):
        begin = at
        tag, at = _read_varint(message, at)
        wire = tag & 7
        if wire == NESTED:
            size, at = _read_varint(message, at)
            end = at + size
        elif wire == VARINT:
            end = _read_varint(message, at)[1]
        elif wire in _SIZES:
            end = at + _SIZES[wire]
        else:
            raise ValueError(f"wire type {wire} at byte {begin}")
        if end > len(message):
            raise ValueError(f"the message ends within the field at byte {begin}")
        yield tag >> 3, message[at:end], message[begin:end]
        at = end


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place, and the place behind it."""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError(f"no number ends at byte {at}")
