"""List the words that were considered for a song, and search the sources for others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lyricsyncd.catalog.drafts import words_key
from lyricsyncd.errors import SourceError
from lyricsyncd.lyrics.opened import sources
from lyricsyncd.model import Lyrics, Track
from lyricsyncd.web.operation import SONG, Call, Operation, entry_of
from lyricsyncd.web.operations.drafts import draft_of
from lyricsyncd.web.shapes import review as shapes

_MOST_CANDIDATES = 20


def candidates(call: Call) -> dict[str, Any]:
    entry = entry_of(call)
    found = draft_of(call, entry)
    rejected = call.context.catalog.choices(entry.id).rejected
    chosen = words_key(found.lyrics)
    rows = [
        {
            **_candidate(each.lyrics),
            "score": each.score,
            "why": "",
            "chosen": words_key(each.lyrics) == chosen,
            "rejected": words_key(each.lyrics) in rejected,
        }
        for each in found.considered
    ]
    return {"candidates": rows, "warnings": []}


def _candidate(lyrics: Lyrics) -> dict[str, Any]:
    return {
        "source": lyrics.source,
        "id": lyrics.source_id,
        "timing": lyrics.timing.value,
        "language": lyrics.language,
        "text": lyrics.text,
    }


def search(call: Call) -> dict[str, Any]:
    """Ask the sources of the configuration, with other names where the request has some."""
    body: shapes.SearchBody = call.body
    entry = entry_of(call)
    artist, title = body.artist or entry.artist, body.title or entry.title
    track = Track(
        path=entry.path,
        artist=artist,
        artists=(artist,) if artist else (),
        title=title or entry.path.stem,
        album=body.album or entry.album,
        duration=entry.duration,
    )
    rows: list[dict[str, Any]] = []
    warnings: list[str] = []
    rejected = call.context.catalog.choices(entry.id).rejected
    for source in sources(call.context.config()):
        try:
            found = source.find(track)
        except SourceError as error:
            warnings.append(error.message)
            continue
        rows += [
            {
                **_candidate(each.lyrics),
                "source": each.source,
                "id": each.id,
                "score": each.score,
                "why": each.why,
                "chosen": False,
                "rejected": words_key(each.lyrics) in rejected,
            }
            for each in found
            if each.lyrics.words
        ]
    rows.sort(key=lambda row: -row["score"])
    return {"candidates": rows[:_MOST_CANDIDATES], "warnings": warnings}


OPERATIONS: Sequence[Operation] = (
    Operation(
        "GET",
        f"{SONG}/candidates",
        "The words that were considered for a song",
        candidates,
        shapes.CandidatesAnswer,
        errors=(404,),
    ),
    Operation(
        "POST",
        f"{SONG}/candidates",
        "Ask the sources for words, perhaps by other names",
        search,
        shapes.CandidatesAnswer,
        body=shapes.SearchBody,
        opens_songs=True,
        errors=(400, 404, 413, 415),
    ),
)
