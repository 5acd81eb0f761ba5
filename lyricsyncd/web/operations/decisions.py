"""Carry out what a person decides about songs, and list what was written for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lyricsyncd.catalog.kept import Outdated
from lyricsyncd.errors import JournalError, UsageError, WriteError
from lyricsyncd.library.decisions import Action, Busy, Decided, Decisions
from lyricsyncd.library.word_order import BrokenTimes
from lyricsyncd.tags import Journal
from lyricsyncd.web.operation import PREFIX, SONG, Call, Operation, entry_of
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.shapes import review as shapes


def decide(call: Call) -> dict[str, Any]:
    body: shapes.DecisionBody = call.body
    entry = entry_of(call)
    with refusals_as_problems():
        decided = decisions_of(call).decide(
            entry.id, body.action, body.revision, dry_run=body.dry_run
        )
    return _decided(call, decided)


def shift(call: Call) -> dict[str, Any]:
    body: shapes.ShiftBody = call.body
    entry = entry_of(call)
    with refusals_as_problems():
        decided = decisions_of(call).shift(entry.id, body.seconds, dry_run=body.dry_run)
    return _decided(call, decided)


def undo(call: Call) -> dict[str, Any]:
    body: shapes.UndoBody = call.body
    entry = entry_of(call)
    with refusals_as_problems():
        decided = decisions_of(call).undo(entry.id, dry_run=body.dry_run)
    return _decided(call, decided)


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
    catalog, decisions = call.context.catalog, decisions_of(call)

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


def decisions_of(call: Call) -> Decisions:
    return Decisions(call.context.catalog, call.context.config().output)


def _decided(call: Call, decided: Decided) -> dict[str, Any]:
    call.context.wake()
    return {
        "written": [str(path) for path in decided.written],
        "removed": [str(path) for path in decided.removed],
        "notes": list(decided.notes),
        "track": entry_of(call).as_dict(),
    }


@contextmanager
def refusals_as_problems() -> Iterator[None]:
    """Answer the refusals of a decision as problems of the request."""
    try:
        yield
    except BrokenTimes as error:
        raise Problem(422, error.message, remedy=error.remedy) from None
    except (Outdated, Busy, UsageError) as error:
        raise Problem(409, error.message, remedy=error.remedy) from None


OPERATIONS: Sequence[Operation] = (
    Operation(
        "POST",
        f"{SONG}/decision",
        "Decide about a song, and write what follows as written by hand",
        decide,
        shapes.DecidedAnswer,
        body=shapes.DecisionBody,
        opens_songs=True,
        errors=(400, 404, 409, 413, 415),
    ),
    Operation(
        "POST",
        f"{SONG}/shift",
        "Move all words of a song in time, and write them as finely as they were",
        shift,
        shapes.DecidedAnswer,
        body=shapes.ShiftBody,
        opens_songs=True,
        errors=(400, 404, 409, 413, 415),
    ),
    Operation(
        "POST",
        f"{SONG}/undo",
        "Give back what was there before us, and leave the song alone",
        undo,
        shapes.DecidedAnswer,
        body=shapes.UndoBody,
        opens_songs=True,
        errors=(400, 404, 409, 413, 415),
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
        f"{SONG}/history",
        "What was written for a song and not taken back, the oldest first",
        history,
        shapes.HistoryAnswer,
        errors=(404,),
    ),
)
