"""Answer with the words of a song that are stored beside it and in its tags."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lyricsyncd import formats
from lyricsyncd.catalog.catalog import Entry
from lyricsyncd.errors import FormatError
from lyricsyncd.library.lookup import NotInLibrary
from lyricsyncd.media_types import media_type, media_types
from lyricsyncd.web import stored_lyrics
from lyricsyncd.web.context import ServiceContext
from lyricsyncd.web.draft_words import parallel
from lyricsyncd.web.operation import PREFIX, Call, Operation, Text
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.shapes import songs as shapes

if TYPE_CHECKING:
    from lyricsyncd.model import Lyrics


def lyrics(call: Call) -> dict[str, Any] | Text:
    query: shapes.LyricsQuery = call.query
    if query.id is None and query.path is None and query.title is None:
        raise Problem(404, "No song is named", remedy="Send id, path, or title (and artist)")
    entry = _named(call.context, query)
    if entry is None:
        raise Problem(404, "There is no such song", remedy="Report it with POST /api/v1/events")
    found = stored_lyrics.find(entry)
    if found is None:
        raise Problem(404, "The song has no lyrics yet", state=entry.state.value)
    if query.format is None:
        return {
            "track": entry.as_dict(),
            "timing": found.lyrics.timing.value,
            "instrumental": found.lyrics.instrumental,
            "source": found.source,
            "ours": found.ours,
            "language": found.lyrics.language,
            "lines": _lines(found.lyrics),
        }
    try:
        text = formats.write(found.lyrics, query.format)
    except FormatError as error:
        raise Problem(
            406, f"They cannot be had as {query.format}: {error.message}", state=entry.state.value
        ) from None
    headers = {"X-Lyrics-Timing": found.lyrics.timing.value}
    return Text(text, media_type(query.format), headers)


def _named(context: ServiceContext, query: shapes.LyricsQuery) -> Entry | None:
    """Find the song that a query names: by number, else by path, else by names."""
    if query.id is not None:
        return context.catalog.get(query.id)
    lookup, named = context.lookup(), query.as_track()
    if query.path is not None:
        try:
            entry = lookup.song(query.path)
        except NotInLibrary as error:
            if named is None:
                raise Problem(403, error.message) from None
            entry = None
        if entry is not None:
            return entry
    return None if named is None else lookup.by_tags(named)


def _lines(lyrics: Lyrics) -> list[dict[str, Any]]:
    return [
        {
            "text": line.text,
            "start": line.start,
            "end": line.end,
            "voice": line.voice,
            "estimated": line.estimated,
            "words": [
                {
                    "text": word.text,
                    "start": word.start,
                    "end": word.end,
                    "confidence": word.confidence,
                    "space": word.space,
                    "syllables": [dataclasses.asdict(part) for part in word.syllables],
                }
                for word in line.words
            ],
            "parallel": parallel(line),
        }
        for line in lyrics.without_doubtful()
    ]


OPERATIONS: Sequence[Operation] = (
    Operation(
        "GET",
        f"{PREFIX}/lyrics",
        "The words of a song, with their times",
        lyrics,
        shapes.LyricsAnswer,
        query=shapes.LyricsQuery,
        opens_songs=True,
        errors=(400, 403, 404, 406),
        also_answers=media_types(),
    ),
)
