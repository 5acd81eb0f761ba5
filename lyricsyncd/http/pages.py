"""Refuse pages that an HTML parser would take minutes, or gigabytes of memory, to parse."""

from __future__ import annotations

import re

from lyricsyncd.errors import SourceError
from lyricsyncd.http.validation import check_json

MAX_PAGE_BYTES = 2 * 1024 * 1024
MAX_TAGS = 20_000
MAX_DEPTH = 500
MAX_BROKEN_TAGS = 200
"""Of a page: one of Genius has less than half of each. The libraries go through all that is within
a tag for each tag of some kinds."""
_BEGUN = re.compile(rb"</?[a-z]", re.IGNORECASE)
_TAG = re.compile(rb"<(/?)([a-z][a-z0-9]*)[^<>]*?(/?)>", re.IGNORECASE)
_VOID = frozenset(b"area base br col embed hr img input link meta source track wbr".split())
"""Tags that hold nothing, and are not closed."""


def check_page(body: bytes, host: str) -> None:
    """Refuse a page that is not one with the lyrics of a song.

    Raises
    ------
    Unreachable
        It begins as JSON, and is none.
    SourceError
        It is larger, has more tags, or has them deeper within each other, than such a page.
    """
    if body.lstrip()[:1] in (b"{", b"["):
        check_json(body, host)
    elif len(body) > MAX_PAGE_BYTES or body.count(b"<") > MAX_TAGS or not _is_shallow(body):
        raise SourceError(f"{host} answered with a page that is too large to be read", host=host)


def _is_shallow(page: bytes) -> bool:
    """Return whether the tags of a page are few deep, where all count that are not closed, and
    nearly all of them come to an end: a parser looks for that to the end of the page."""
    page = _without_scripts(page)
    tags = _TAG.findall(page)
    broken = len(_BEGUN.findall(page)) - len(tags)
    if max(broken, page.count(b"<!--") - page.count(b"-->")) > MAX_BROKEN_TAGS:
        return False
    depth = 0
    for closes, name, closed in tags:
        if closes:
            depth = max(0, depth - 1)
        elif not closed and name.lower() not in _VOID:
            depth += 1
            if depth > MAX_DEPTH:
                return False
    return True


def _without_scripts(page: bytes) -> bytes:
    """Return a page without what stands within its scripts: a regular expression would look for
    the end of each of them to the end of the page."""
    lower, kept, at = page.lower(), [], 0
    while (begin := lower.find(b"<script", at)) >= 0:
        kept.append(page[at:begin])
        end = lower.find(b"</script", begin)
        if end < 0:
            return b"".join(kept)
        at = end + len(b"</script")
    return b"".join([*kept, page[at:]])
