"""Answers as they go over the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from lyricsyncd.errors import LyricsyncError


class Problem(LyricsyncError):
    """A request that cannot be answered; becomes an answer with its status."""

    def __init__(self, status: int, message: str, *, remedy: str = "", **more: Any) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.more = more


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON in ASCII: file names need not be valid text, and their escapes survive there."""
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
    """An answer that says what went wrong."""
    return as_json({"error": message, "remedy": remedy, **more}, status, headers)
