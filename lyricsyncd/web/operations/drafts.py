"""Show the placed words of a song, correct them, and have words placed anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from lyricsyncd.catalog.catalog import Entry
from lyricsyncd.catalog.drafts import Draft
from lyricsyncd.errors import FormatError
from lyricsyncd.lyrics import files
from lyricsyncd.lyrics.sung import sung_part
from lyricsyncd.model import Lyrics, Track
from lyricsyncd.web.draft_words import as_row, lyrics_of, parallel, with_parallel, with_syllables
from lyricsyncd.web.operation import SONG, Call, Operation, entry_of
from lyricsyncd.web.operations.decisions import decisions_of, refusals_as_problems
from lyricsyncd.web.operations.sound import audio_shape
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.shapes import review as shapes
from lyricsyncd.web.shapes.songs import TrackShape


def draft(call: Call) -> dict[str, Any]:
    entry = entry_of(call)
    return _draft_shape(call, entry, draft_of(call, entry))


def draft_of(call: Call, entry: Entry) -> Draft:
    found = call.context.catalog.draft(entry.id)
    if found is None:
        raise Problem(
            404,
            "The song has no placed words",
            remedy="Have it placed: POST tracks/{id}/retry",
            state=entry.state.value,
        )
    return found


def _draft_shape(call: Call, entry: Entry, found: Draft) -> dict[str, Any]:
    return {
        "id": entry.id,
        "revision": found.revision,
        "at": found.at,
        "state": entry.state.value,
        "lyrics": {
            "language": found.language or found.lyrics.language,
            "source": found.lyrics.source,
            "source_id": found.lyrics.source_id,
            "lines": [
                {
                    "voice": line.voice,
                    "start": line.start,
                    "end": line.end,
                    "words": [as_row(word) for word in line.words],
                    "parallel": parallel(line),
                }
                # Of a doubtful line, too, the start that its words have: they are to be corrected.
                for line in found.lyrics.with_all_words()
            ],
        },
        "score": found.score,
        "decision": found.decision,
        "reason": found.reason,
        "separator": found.separator,
        "aligner": found.aligner,
        "offset": found.offset,
        "by_hand": found.by_hand,
        "pinned": list(found.pinned),
        "written": [str(path) for path in entry.written],
        "audio": audio_shape(call, entry),
        "peaks": call.maker.kept_peaks(entry.fingerprint.key),
    }


def save(call: Call) -> dict[str, Any]:
    body: shapes.DraftBody = call.body
    entry = entry_of(call)
    lyrics = lyrics_of(body.lyrics)
    if (before := call.context.catalog.draft(entry.id)) is not None:
        lyrics = with_syllables(with_parallel(lyrics, before.lyrics), before.lyrics)
    with refusals_as_problems():
        decisions_of(call).save(entry.id, lyrics, body.revision, body.pinned)
    return draft(call)


def place(call: Call) -> dict[str, Any]:
    body: shapes.PlaceBody = call.body
    entry = entry_of(call)
    lyrics = _chosen(call, entry, body)
    pins = [(pin[0], pin[1]) for pin in body.pins]
    with refusals_as_problems():
        decisions_of(call).place(entry.id, lyrics, pins, body.revision)
    call.context.wake()
    return entry_of(call).as_dict()


def _chosen(call: Call, entry: Entry, body: shapes.PlaceBody) -> Lyrics:
    """Return the words to place; of times only those of lines that a source knows."""
    if body.lyrics is not None:
        return dataclasses.replace(lyrics_of(body.lyrics).without_times(), source="given")
    if body.text is not None:
        # Pins name words by their numbers in the text as it is.
        own = Lyrics.from_text(body.text, source="given")
        return own if body.pins else _pasted(body.text, entry)
    found = draft_of(call, entry)
    if body.candidate is None:
        return found.lyrics.without_times()
    if body.candidate >= len(found.considered):
        raise Problem(404, "There is no such candidate", remedy="Count from 0 in `candidates`")
    return found.considered[body.candidate].lyrics.without_word_times()


def _pasted(text: str, entry: Entry) -> Lyrics:
    """Return what is sung of a text, which may be a page, or have times of lines."""
    track = Track(entry.path, artist=entry.artist, title=entry.title)
    try:
        lyrics = sung_part(files.parse(text, "the text", blanks=True), track)
    except FormatError as error:
        raise Problem(422, error.message) from error
    # Where all of it looks like page furniture, a person knows better.
    lyrics = lyrics if lyrics.words else Lyrics.from_text(text)
    return dataclasses.replace(lyrics.without_word_times(), source="given", instrumental=False)


OPERATIONS: Sequence[Operation] = (
    Operation(
        "GET",
        f"{SONG}/draft",
        "The placed words of a song, written or not, with confidences",
        draft,
        shapes.DraftAnswer,
        opens_songs=True,
        errors=(404,),
    ),
    Operation(
        "PUT",
        f"{SONG}/draft",
        "Store words and times that a person corrected",
        save,
        shapes.DraftAnswer,
        body=shapes.DraftBody,
        opens_songs=True,
        errors=(400, 404, 409, 413, 415, 422),
    ),
    Operation(
        "POST",
        f"{SONG}/place",
        "Have words placed, for review: nothing is written",
        place,
        TrackShape,
        body=shapes.PlaceBody,
        opens_songs=True,
        errors=(400, 404, 409, 413, 415),
    ),
)
