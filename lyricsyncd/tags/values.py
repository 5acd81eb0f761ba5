"""Compare what slots of tags hold, as plain values."""

from __future__ import annotations

import json
from typing import Any

Value = Any
"""Content of a slot, of JSON's types only. ``None``: the slot is empty."""


def encoded(value: Value) -> bytes | None:
    """Encode a value so that equal values are equal bytes; ``None`` stays."""
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
