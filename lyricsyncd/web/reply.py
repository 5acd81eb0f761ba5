"""Encode answers and errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from lyricsyncd.errors import LyricsyncError


class Problem(LyricsyncError):
    """An error of a request, with the status of its answer."""

    def __init__(self, status: int, message: str, *, remedy: str = "", **more: Any) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.more = more


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Encode JSON in ASCII: file names need not be valid text, and survive there as escapes."""
    body = json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")
    return Response(body, status, headers, media_type="application/json")


def problem(
    status: int,
    message: str,
    *,
    remedy: str = "",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Make an error's answer."""
    return as_json({"error": message, "remedy": remedy, **more}, status, headers)
