"""Operations to look at a song's result, correct it and decide about it."""

from __future__ import annotations

import dataclasses
import sys
from array import array
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lyricsyncd.catalog.catalog import Entry
from lyricsyncd.catalog.drafts import Draft, words_key
from lyricsyncd.catalog.kept import Outdated
from lyricsyncd.config.schema import Output
from lyricsyncd.errors import (
    FormatError,
    JournalError,
    SourceError,
    UsageError,
    WriteError,
)
from lyricsyncd.library.decisions import Action, BrokenTimes, Busy, Decided, Decisions
from lyricsyncd.library.roots import offline
from lyricsyncd.lyrics import files
from lyricsyncd.lyrics.opened import sources
from lyricsyncd.lyrics.sung import sung_part
from lyricsyncd.model import Lyrics, Track
from lyricsyncd.tags import Journal
from lyricsyncd.web import shapes
from lyricsyncd.web.draft_words import as_row, lyrics_of, parallel, with_parallel, with_syllables
from lyricsyncd.web.health import findings
from lyricsyncd.web.operation import (
    PREFIX,
    Bytes,
    Call,
    Operation,
    entry_of,
)
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.sound import audio_shape

T = TypeVar("T")

_SONG = f"{PREFIX}/tracks/{{id}}"
_MOST_CANDIDATES = 20


# What there is


def order(call: Call) -> Bytes:
    query: shapes.OrderQuery = call.query
    ids = array("I", call.context.catalog.order(query.state, query.q, query.sort))
    if sys.byteorder == "big":
        ids.byteswap()
    return Bytes(ids.tobytes())


def draft(call: Call) -> dict[str, Any]:
    entry = entry_of(call)
    return _draft_shape(call, entry, _draft(call, entry))


def _draft(call: Call, entry: Entry) -> Draft:
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


def candidates(call: Call) -> dict[str, Any]:
    entry = entry_of(call)
    found = _draft(call, entry)
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


def history(call: Call) -> dict[str, Any]:
    entry = entry_of(call)
    return {
        "writes": [
            {
                "at": write.at,
                "kind": write.kind,
                "path": str(write.path),
                "by_hand": write.by_hand,
                "before": write.before_hash is not None,
                "removed": write.after_hash is None,
            }
            for write in Journal().of_song(entry.path)
        ]
    }


def health(call: Call) -> dict[str, Any]:
    context = call.context
    output = context.config().output
    return {
        "findings": [
            {
                "topic": each.topic,
                "verdict": each.verdict.value,
                "text": each.text,
                "remedy": each.remedy,
            }
            for each in findings(context.config(), context.catalog)
        ],
        "libraries": [
            {
                "path": str(rules.root),
                "online": not offline(rules.root),
                "scanned_at": context.catalog.scanned_at(rules.root),
            }
            for rules in context.rules()
        ],
        "resting": [
            {"host": rest.host, "until": rest.until, "why": rest.why}
            for rest in context.catalog.rests()
        ],
        "config": None if context.settings is None else str(context.settings.path),
        "player": output.preset if isinstance(output, Output) else None,
    }


# What a person changes


def save(call: Call) -> dict[str, Any]:
    body: shapes.DraftBody = call.body
    entry = entry_of(call)
    lyrics = lyrics_of(body.lyrics)
    if (before := call.context.catalog.draft(entry.id)) is not None:
        lyrics = with_syllables(with_parallel(lyrics, before.lyrics), before.lyrics)
    _explained(lambda: _decisions(call).save(entry.id, lyrics, body.revision, body.pinned))
    return draft(call)


def place(call: Call) -> dict[str, Any]:
    body: shapes.PlaceBody = call.body
    entry = entry_of(call)
    lyrics = _chosen(call, entry, body)
    pins = [(pin[0], pin[1]) for pin in body.pins]
    decisions = _decisions(call)
    _explained(lambda: decisions.place(entry.id, lyrics, pins, body.revision))
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
    found = _draft(call, entry)
    if body.candidate is None:
        return found.lyrics.without_times()
    if body.candidate >= len(found.considered):
        raise Problem(404, "There is no such candidate")
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


def decide(call: Call) -> dict[str, Any]:
    body: shapes.DecisionBody = call.body
    entry = entry_of(call)
    decisions = _decisions(call)
    decided = _explained(
        lambda: decisions.decide(entry.id, body.action, body.revision, dry_run=body.dry_run)
    )
    call.context.wake()
    return {**_decided(decided), "track": entry_of(call).as_dict()}


def shift(call: Call) -> dict[str, Any]:
    body: shapes.ShiftBody = call.body
    entry = entry_of(call)
    decisions = _decisions(call)
    decided = _explained(lambda: decisions.shift(entry.id, body.seconds, dry_run=body.dry_run))
    call.context.wake()
    return {**_decided(decided), "track": entry_of(call).as_dict()}


def undo(call: Call) -> dict[str, Any]:
    body: shapes.UndoBody = call.body
    entry = entry_of(call)
    decisions = _decisions(call)
    decided = _explained(lambda: decisions.undo(entry.id, dry_run=body.dry_run))
    call.context.wake()
    return {**_decided(decided), "track": entry_of(call).as_dict()}


def bulk(call: Call) -> dict[str, Any]:
    body: shapes.BulkBody = call.body
    act = _bulk_action(call, body.action)
    done, refused = [], []
    for id in dict.fromkeys(body.ids):
        try:
            act(id)
        except (UsageError, Busy, Outdated, WriteError, JournalError) as error:
            refused.append({"id": id, "why": str(error)})
        else:
            done.append(id)
    call.context.wake()
    return {"done": done, "refused": refused}


def _bulk_action(call: Call, action: str) -> Callable[[int], object]:
    catalog, decisions = call.context.catalog, _decisions(call)

    def known(id: int) -> int:
        if catalog.get(id) is None:
            raise UsageError(f"There is no song {id}")
        return id

    if action == "retry":
        return lambda id: catalog.retry([known(id)])
    if action == "skip":
        return lambda id: catalog.skip([known(id)])
    if action == "undo":
        return decisions.undo
    return lambda id: decisions.decide(id, Action(action))


def _decisions(call: Call) -> Decisions:
    return Decisions(call.context.catalog, call.context.config().output)


def _decided(decided: Decided) -> dict[str, Any]:
    return {
        "written": [str(path) for path in decided.written],
        "removed": [str(path) for path in decided.removed],
        "notes": list(decided.notes),
    }


def _explained(step: Callable[[], T]) -> T:
    """Take a step; answer its refusals as problems of the request."""
    try:
        return step()
    except (Outdated, Busy) as error:
        raise Problem(409, error.message, remedy=error.remedy) from None
    except BrokenTimes as error:
        raise Problem(422, error.message, remedy=error.remedy) from None
    except UsageError as error:
        raise Problem(409, error.message, remedy=error.remedy) from None


OPERATIONS: Sequence[Operation] = (
    Operation(
        "GET",
        f"{PREFIX}/tracks/order",
        "The numbers of all songs in an order, four bytes each, the lowest first",
        order,
        "application/octet-stream",
        query=shapes.OrderQuery,
        errors=(400,),
    ),
    Operation(
        "POST",
        f"{PREFIX}/tracks/bulk",
        "Do the same with many songs",
        bulk,
        shapes.BulkAnswer,
        body=shapes.BulkBody,
        opens_songs=True,
        errors=(400, 413, 415),
    ),
    Operation(
        "GET",
        f"{_SONG}/draft",
        "The placed words of a song, written or not, with confidences",
        draft,
        shapes.DraftAnswer,
        opens_songs=True,
        errors=(404,),
    ),
    Operation(
        "PUT",
        f"{_SONG}/draft",
        "Store words and times that a person corrected",
        save,
        shapes.DraftAnswer,
        body=shapes.DraftBody,
        opens_songs=True,
        errors=(400, 404, 409, 413, 415, 422),
    ),
    Operation(
        "GET",
        f"{_SONG}/candidates",
        "The words that were considered for a song",
        candidates,
        shapes.CandidatesAnswer,
        errors=(404,),
    ),
    Operation(
        "POST",
        f"{_SONG}/candidates",
        "Ask the sources for words, perhaps by other names",
        search,
        shapes.CandidatesAnswer,
        body=shapes.SearchBody,
        opens_songs=True,
        errors=(400, 404, 413, 415),
    ),
    Operation(
        "POST",
        f"{_SONG}/place",
        "Have words placed, for review: nothing is written",
        place,
        shapes.TrackShape,
        body=shapes.PlaceBody,
        opens_songs=True,
        errors=(400, 404, 409, 413, 415),
    ),
    Operation(
        "POST",
        f"{_SONG}/decision",
        "Decide about a song, and write what follows as written by hand",
        decide,
        shapes.DecidedAnswer,
        body=shapes.DecisionBody,
        opens_songs=True,
        errors=(400, 404, 409, 413, 415),
    ),
    Operation(
        "POST",
        f"{_SONG}/shift",
        "Move all words of a song in time, and write them as finely as they were",
        shift,
        shapes.DecidedAnswer,
        body=shapes.ShiftBody,
        opens_songs=True,
        errors=(400, 404, 409, 413, 415),
    ),
    Operation(
        "POST",
        f"{_SONG}/undo",
        "Give back what was there before us, and leave the song alone",
        undo,
        shapes.DecidedAnswer,
        body=shapes.UndoBody,
        opens_songs=True,
        errors=(400, 404, 409, 413, 415),
    ),
    Operation(
        "GET",
        f"{_SONG}/history",
        "What was written for a song and not taken back, the oldest first",
        history,
        shapes.HistoryAnswer,
        errors=(404,),
    ),
    Operation(
        "GET",
        f"{PREFIX}/health",
        "What the quick checks find",
        health,
        shapes.HealthAnswer,
        opens_songs=True,
    ),
)
