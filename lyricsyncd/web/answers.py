"""Send the answers of operations: JSON, text, bytes and files."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from lyricsyncd.web.operation import Answer, Bytes, File, Json, NotYet, Operation, Text
from lyricsyncd.web.page import matches
from lyricsyncd.web.reply import as_json

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_AGAIN_S = 2
"""Seconds after which a client should ask again for what is being made."""
_PACKED_FROM = 1024


def response_of(answer: Answer, operation: Operation, request: Request) -> Response:
    """Make the response of an operation's answer; in a thread, since large ones are packed."""
    if isinstance(answer, Text):
        content = answer.body.encode("utf-8", "replace")
        return Response(content, operation.status, answer.headers, answer.media_type)
    if isinstance(answer, Json):
        return _packed(as_json(answer.value, operation.status, answer.headers), request)
    if isinstance(answer, NotYet):
        return as_json({"state": "making"}, 202, {"Retry-After": str(_AGAIN_S)})
    media_type = operation.answer if isinstance(operation.answer, str) else ""
    if isinstance(answer, Bytes):
        return _bytes(answer, media_type, request)
    if isinstance(answer, File):
        return _OpenFile(answer, request.headers.get("if-none-match", ""))
    return _packed(as_json(answer, operation.status), request)


def _packed(response: Response, request: Request) -> Response:
    """Pack a large response where the client can unpack it: a page of songs is a tenth then."""
    response.headers["Vary"] = "Accept-Encoding"
    packs = "gzip" in request.headers.get("accept-encoding", "")
    if packs and len(response.body) >= _PACKED_FROM:
        response.body = gzip.compress(bytes(response.body), 5, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    return response


def _bytes(answer: Bytes, media_type: str, request: Request) -> Response:
    tag = f'W/"{hashlib.sha256(answer.content).hexdigest()[:16]}"'
    headers = {
        "Cache-Control": "private, no-cache",
        "ETag": tag,
        "X-Content-Type-Options": "nosniff",
        **answer.headers,
    }
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(None, 304, headers)
    return _packed(Response(answer.content, 200, headers, media_type), request)


class _OpenFile(FileResponse):
    """A file that is open already, so that nothing else can take its place; closed when sent."""

    def __init__(self, file: File, known: str) -> None:
        tag = f'"{hashlib.sha256(file.version.encode()).hexdigest()[:16]}"'
        headers: Mapping[str, str] = {
            "ETag": tag,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            **file.headers,
        }
        self._descriptor = file.descriptor
        self._unchanged = Response(None, 304, headers) if matches(known, tag) else None
        super().__init__(
            f"/proc/self/fd/{file.descriptor}",
            200,
            headers,
            file.media_type,
            stat_result=os.fstat(file.descriptor),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self._unchanged is not None:
                await self._unchanged(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
        finally:
            os.close(self._descriptor)
