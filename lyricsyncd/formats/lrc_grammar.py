"""Recognise the parts of LRC's rows, marks and tags, and guard text that looks like them."""

from __future__ import annotations

import re

from lyricsyncd.formats.text import GUARD, guard_entities, unescape

_TIME = r"(\d{1,9}):(\d{1,2})(?::(\d{1,3}))?(?:[.,](\d{1,9}))?"
LINE_MARK = re.compile(rf"\s*\[{_TIME}\]")
WORD_MARK = re.compile(rf"[<\[]{_TIME}[>\]]")
ROW_MARK = re.compile(rf"\s*<{_TIME}>")
SQUARE_MARK = re.compile(rf"\[{_TIME}\]")
LEADING_TAG = re.compile(r"\s*\[([A-Za-z_#]+):([^\[\]]*)\](?=\s*\[(?:\d+:\d|[A-Za-z_#]+:))")
NEGATIVE = re.compile(r"\s*\[-\d+:\d")
TAG = re.compile(r"\[([A-Za-z_#]+):(.*)\]", re.DOTALL)
VOICE = re.compile(r"v(\d{1,3}):\s?")
NOTE, _NOTES = "♪", "♩♪♫♬🎵🎶 \ufe0e\ufe0f"
METADATA = {
    "ti": "title",
    "ar": "artist",
    "al": "album",
    "au": "author",
    "length": "length",
    "re": "tool",
    "tool": "tool",
}
LANGUAGE = ("la", "lang", "language")
KNOWN = {*METADATA, *LANGUAGE, "offset", "by", "ve", "id", "#", "bg"}
WRITTEN_FIRST = frozenset(("ti", "ar", "al", "au", "by"))
WRITTEN = {"title": "ti", "artist": "ar", "album": "al", "length": "length", "tool": "re"}

# Lyrics must not look like these (see GUARD): a mark anywhere, or a tag that Navidrome takes for
# one anywhere; any other tag, or a voice, at the beginning.
_MARK_OR_TAG = rf"(?={GUARD}*(?:-?\d+:\d|(?:ar|ti|offset|lang):))"
_LIKE_MARK = re.compile(rf"([<\[]){_MARK_OR_TAG}")
_LIKE_START = re.compile(
    rf"(?={GUARD}*(?:v\d+:|\[(?:{'|'.join(sorted(KNOWN))}):|\{{\d+\}}\{{))", re.IGNORECASE
)
_GUARDED_MARK = re.compile(rf"([<\[]){GUARD}{_MARK_OR_TAG}")
_GUARDED_START = re.compile(GUARD + _LIKE_START.pattern, re.IGNORECASE)


def guard(text: str) -> str:
    """Guard words so that they are not read as marks or tags."""
    return guard_entities(_LIKE_MARK.sub(rf"\1{GUARD}", text))


def guard_line(text: str) -> str:
    """Guard a line, of which the beginning could also be read as a voice."""
    text = guard(text)
    return GUARD + text if _LIKE_START.match(text) else text


def unguard(text: str) -> str:
    return _GUARDED_MARK.sub(r"\1", unescape(text))


def unguard_line(text: str) -> str:
    return unguard(text.removeprefix(GUARD) if _GUARDED_START.match(text) else text)


def is_notes(text: str) -> bool:
    """Return whether a line holds notes and nothing else: a break."""
    return text.strip() != "" and not text.strip(_NOTES)


def is_rest(text: str) -> bool:
    """Return whether text of a stretch is joiners only, of which a single one is a rest."""
    return text.strip() != "" and not text.strip().strip(GUARD)
