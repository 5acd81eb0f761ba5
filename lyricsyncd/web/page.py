"""Serve the files of the page below ``/ui/``.

The files lie in ``web/ui/`` as they are sent: there is no build step. They are open to all, since
they tell nothing of the service. ``index.html`` may name other files below ``{assets}/``, which
becomes a folder that is named for the content of all files: those are stored by browsers for good.
Under their plain names they are checked with each load (``ETag``).
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from lyricsyncd.web.reply import Problem

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""Of content: nothing but our own files, no markup made of text, no page around ours."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
INDEX = "index.html"
ASSETS = "{assets}"
_FOREVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Nothing else is served."""
_PACKED = frozenset({".css", ".html", ".js", ".json", ".svg", ".txt", ".webmanifest"})


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page, as it is sent."""

    content: bytes
    packed: bytes | None
    """The content in gzip, where that is worth while."""
    media_type: str
    tag: str


class Page:
    """The files of the page, read when the first of them is requested.

    Parameters
    ----------
    folder : Path, optional
        Of the files; by default those of this package.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = Path(__file__).parent / "ui" if folder is None else folder

    async def endpoint(self, request: Request) -> Response:
        """Answer a request for one file."""
        return self.answer(request.path_params["name"] or INDEX, request.headers)

    async def redirect(self, _request: Request) -> Response:
        """Lead to the page, relatively: below a reverse proxy's prefix, too."""
        return Response(None, 307, {"Location": "ui/", **HEADERS})

    def answer(self, name: str, headers: Headers | Mapping[str, str]) -> Response:
        """Answer with a file.

        Raises
        ------
        Problem
            There is none of this name. Names are compared with those that are there, and never
            joined to a path, so that none leads elsewhere.
        """
        folder, _, rest = name.partition("/")
        versioned = folder.startswith("assets-")
        file = self._files.get(rest if versioned else name)
        if file is None:
            raise Problem(404, "There is no such page", remedy="Open /ui/")
        lasting = folder == self._assets and name != INDEX
        sent = {
            **HEADERS,
            "ETag": file.tag,
            "Cache-Control": _FOREVER if lasting else "no-cache",
            "Vary": "Accept-Encoding",
        }
        if matches(headers.get("if-none-match", ""), file.tag):
            return Response(None, 304, sent)
        content = file.content
        if file.packed is not None and "gzip" in headers.get("accept-encoding", ""):
            content, sent["Content-Encoding"] = file.packed, "gzip"
        return Response(content, 200, sent, file.media_type)

    @functools.cached_property
    def _assets(self) -> str:
        """The folder that is named for the content of all files."""
        digest = hashlib.sha256()
        for name, content in sorted(self._contents):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
        return f"assets-{digest.hexdigest()[:16]}"

    @functools.cached_property
    def _contents(self) -> list[tuple[str, bytes]]:
        return list(_read(self._folder))

    @functools.cached_property
    def _files(self) -> dict[str, PageFile]:
        files = {}
        for name, content in self._contents:
            suffix = PurePosixPath(name).suffix
            if name == INDEX:
                content = content.replace(ASSETS.encode(), self._assets.encode())
            packed = gzip.compress(content, 9, mtime=0) if suffix in _PACKED else None
            tag = f'W/"{hashlib.sha256(content).hexdigest()[:16]}"'
            files[name] = PageFile(content, packed, _TYPES[suffix], tag)
        return files


def _read(folder: Path, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _read(each, f"{prefix}{each.name}/")
        elif PurePosixPath(each.name).suffix in _TYPES:
            yield f"{prefix}{each.name}", each.read_bytes()


def matches(wanted: str, tag: str) -> bool:
    """Return whether a client has what has this tag, by its ``If-None-Match``."""
    tags = [each.strip().removeprefix("W/") for each in wanted.split(",")]
    return "*" in tags or tag.removeprefix("W/") in tags
