"""Store what is known of every song, and what comes next: the only durable truth.

A song is *leased* while it is worked on. Its ``attempts`` count when a lease starts, so that a song
that takes the process down with it is set aside after a few tries.

`database` opens and writes the file, `queries` reads it, `notes` keeps texts of the service.
`queueing`, `leases` and `quiet` change the states of songs, `skipped_folders` and `clock` those of
many at once.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from lyricsyncd.catalog import clock, kept, leases, queueing, quiet, skipped_folders
from lyricsyncd.catalog.drafts import Draft
from lyricsyncd.catalog.kept import KeptResults
from lyricsyncd.catalog.leases import ENDED, MAX_ATTEMPTS, MAX_CRASHES
from lyricsyncd.catalog.records import (
    BETTER,
    OTHER_SETTINGS,
    REQUESTED,
    TAKEN_BACK,
    Entry,
    Fingerprint,
    Known,
    Outcome,
    Priority,
    Queued,
    Request,
    Rest,
    State,
)
from lyricsyncd.catalog.rows import get_entry
from lyricsyncd.errors import LyricsyncError, UsageError
from lyricsyncd.http.response_cache import NOT_FOUND_S
from lyricsyncd.model import Track

__all__ = [
    "FILE_NAME",
    "FORGET_AFTER",
    "MAX_ATTEMPTS",
    "MAX_CRASHES",
    "RETRY_LYRICS",
    "RETRY_SOON",
    "Catalog",
    "Entry",
    "Fingerprint",
    "Known",
    "Outcome",
    "Priority",
    "Queued",
    "Request",
    "Rest",
    "State",
]

FILE_NAME = "catalog.db"

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
RETRY_SOON = (5 * _MINUTE, _HOUR, _DAY)
"""Waits after each failure that time can mend (no network, a full disk); the last one repeats."""
RETRY_LYRICS = NOT_FOUND_S
"""Waits before words that no source had are looked up again; the last one repeats."""
FORGET_AFTER = 30 * _DAY
"""How long a song may be missing before it is forgotten: its disk may only be away."""


class Catalog(KeptResults):
    """The catalog in one file; see `Database` for how it is opened and closed."""

    # Queueing

    def enqueue(
        self,
        path: Path,
        priority: Priority,
        reason: str,
        *,
        library: Path | None = None,
        fingerprint: Fingerprint | None = None,
        force: bool = False,
    ) -> Queued:
        """Queue a song: the one way in.

        A song that is done is queued anew only if its file changed since, or with ``force``.

        Raises
        ------
        UsageError
            There is no such file.
        """
        request = Request(path, priority, reason, library, fingerprint, force)
        return self.enqueue_many([request])[0]

    def enqueue_many(self, requests: Iterable[Request]) -> list[Queued]:
        """Queue several songs in one transaction; see `enqueue`."""
        looked_at = [(request, request.fingerprint or _look(request.path)) for request in requests]
        now = self.clock()
        return self.write(lambda db: queueing.enqueue_many(db, looked_at, now))

    # Leases

    def claim(
        self,
        owner: str,
        lease_s: float,
        *,
        at_least: Priority = Priority.BACKFILL,
        only: Sequence[int] | None = None,
        holding: Sequence[int] = (),
        look_ups: bool | None = None,
        resting: Sequence[str] = (),
    ) -> Entry | None:
        """Lease the song that comes next, or ``None``: nothing is due, or there is a pause.

        A song that was in work when the service died is leased only while no other is.

        The higher priority goes first; among equals, the library that has waited longest; there,
        the song that was queued first.

        Parameters
        ----------
        only : sequence of int, optional
            Choose among these songs only.
        holding : sequence of int, optional
            Songs that the caller is at work on: their leases hold even if the computer slept, and
            none of them is given to it a second time, should another have ended its lease.
        look_ups : bool, optional
            Only songs that need a look-up, or only those of which that is not known.
        resting : sequence of str, optional
            Hosts that are not asked now: the songs that wait for them are passed over.
        """
        now = self.clock()

        eligible = leases.Eligible(at_least, only, holding, look_ups, resting)
        return self.write(lambda db: leases.claim(db, owner, now + lease_s, now, eligible))

    def heartbeat(self, owner: str, lease_s: float, ids: Sequence[int]) -> frozenset[int]:
        """Extend an owner's leases of songs; those of them that it still holds."""
        until = self.clock() + lease_s

        def beat(db: sqlite3.Connection) -> frozenset[int]:
            return frozenset(
                id for id in ids if leases.update_held(db, id, owner, "leased_until = ?", (until,))
            )

        return self.write(beat)

    def progress(self, id: int, owner: str, stage: str, share: float) -> bool:
        """Note how far a song is; whether its lease still holds."""
        return self.write(
            lambda db: leases.update_held(db, id, owner, "stage = ?, progress = ?", (stage, share))
        )

    def found(self, id: int, owner: str, track: Track) -> bool:
        """Note what a song is; whether its lease still holds."""
        return self.write(
            lambda db: leases.update_held(
                db,
                id,
                owner,
                "artist = ?, title = ?, album = ?, duration = ?, recording_id = ?, name_key = NULL",
                (track.artist, track.title, track.album, track.duration, track.recording_id),
            )
        )

    def needs_look_up(self, id: int, owner: str) -> bool:
        """End a lease: nothing in the house has the song's words, so they must be asked for."""

        def needs(db: sqlite3.Connection) -> bool:
            held = leases.release(db, id, owner)
            if held:
                db.execute("UPDATE tracks SET waits_for = '' WHERE id = ?", (id,))
            return held

        return self.write(needs)

    def name(self, keys: Sequence[tuple[str, int, str | None]]) -> None:
        """Note what songs are found by: key, number, and the title that the key was made of."""
        self.write(
            lambda db: db.executemany(
                "UPDATE tracks SET name_key = ? WHERE id = ? AND title IS ?", keys
            )
        )

    def finish(
        self,
        id: int,
        owner: str,
        outcome: Outcome,
        fingerprint: Fingerprint | None = None,
        draft: Draft | None = None,
    ) -> bool:
        """End a lease with an outcome; false where the lease was lost meanwhile.

        Parameters
        ----------
        fingerprint : Fingerprint, optional
            The song's file as it is now, where we have written into it.
        draft : Draft, optional
            The words with their times, where they were placed.
        """
        now = self.clock()

        def finish(db: sqlite3.Connection) -> bool:
            entry = get_entry(db, id)
            held = leases.finish(db, id, owner, outcome, fingerprint, now)
            if held and draft is not None and entry is not None:
                requested = entry.priority >= Priority.PERSON
                kept.put_placed(db, id, draft, now, requested=requested)
            return held

        return self.write(finish)

    def settle(self, id: int, outcome: Outcome, fingerprint: Fingerprint) -> None:
        """Note what a person decided about a song, which ends a lease of it.

        Parameters
        ----------
        fingerprint : Fingerprint
            The song's file as it is now.
        """
        now = self.clock()

        def settle(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE tracks SET state = 'working', lease_owner = 'a person',"
                " seen_size = NULL, seen_mtime_ns = NULL WHERE id = ?",
                (id,),
            )
            leases.finish(db, id, "a person", outcome, fingerprint, now)

        self.write(settle)

    def crashed(self, id: int, owner: str, error: LyricsyncError) -> State:
        """End a lease because the song took the model worker down; where the song stands now.

        It goes to the end of the queue, and is set aside after `MAX_CRASHES`.
        """
        now = self.clock()
        return self.write(lambda db: leases.crash(db, id, owner, error, now))

    def release(self, id: int, owner: str) -> bool:
        """End a lease without an outcome, and not by the song's fault: the service stops."""
        return self.write(lambda db: leases.release(db, id, owner))

    def postpone(self, id: int, owner: str, until: float, fingerprint: Fingerprint) -> bool:
        """End a lease, since the file is still being written. Store its present stamp."""
        return self.write(lambda db: leases.release(db, id, owner, until, fingerprint))

    def gone(self, id: int, owner: str) -> bool:
        """End a lease: the file is not there any more."""
        now = self.clock()

        def gone(db: sqlite3.Connection) -> bool:
            held = leases.release(db, id, owner)
            if held:
                db.execute("UPDATE tracks SET missing_since = ? WHERE id = ?", (now, id))
            return held

        return self.write(gone)

    def take_up(self) -> int:
        """Queue again what was in flight when the service died; return the number of songs.

        Only for a caller that knows that no other process works (the service locks the state).
        """
        now = self.clock()
        return self.write(lambda db: leases.take_up(db, now))

    # Other results

    def improve(self, id: int) -> bool:
        """Queue a song whose result stays unless a clearly better one is found."""
        now = self.clock()
        return self.write(lambda db: quiet.queue(db, id, BETTER, now))

    def redo(self, ids: Iterable[int]) -> int:
        """Queue songs whose results stay until those of other settings take their place; return how
        many they are. Those that were queued so before, and are not named, leave the queue."""
        now, chosen = self.clock(), list(ids)

        def redo(db: sqlite3.Connection) -> int:
            quiet.keep_all(db, OTHER_SETTINGS)
            return sum(quiet.queue(db, id, OTHER_SETTINGS, now) for id in chosen)

        return self.write(redo)

    def keep(
        self, id: int, owner: str, placed_by: str | None = None, overrides: str | None = None
    ) -> bool:
        """End the lease of such a song: its result stays; see `quiet.keep`."""
        return self.write(lambda db: quiet.keep(db, id, owner, placed_by, overrides))

    def keep_all(self, why: str = BETTER) -> int:
        """Take songs out of the queue that are there for such a reason; return how many."""
        return self.write(lambda db: quiet.keep_all(db, why))

    def skip_by_settings(self, reasons: Mapping[int, str]) -> int:
        """Leave songs alone that wait or are in work; return how many they are.

        Parameters
        ----------
        reasons : mapping
            By the songs' numbers.
        """
        now = self.clock()
        return self.write(lambda db: quiet.skip_by_settings(db, reasons, now))

    # The clock

    def clock_went_back(self, seconds: float, undone: float = 0.0) -> None:
        """Let what waits for a moment wait as long as it would have; the clock was wrong before.

        Parameters
        ----------
        undone : float
            The part of it by which `clock_went_ahead` had all waits end later.
        """
        now = self.clock()
        self.write(lambda db: clock.went_back(db, seconds, undone, now))

    def clock_went_ahead(self, seconds: float, undone: float = 0.0) -> None:
        """Let what waits for a moment wait as long as it would have, and not be due all at once.

        Parameters
        ----------
        undone : float
            The part of it by which `clock_went_back` had moved what had happened: it was wrong to.
        """
        now = self.clock()
        self.write(lambda db: clock.went_ahead(db, seconds, undone, now))

    def end_impossible_waits(self) -> None:
        """Let end at once what would wait for longer than anything does: a clock that was wrong
        noted it, before the service was started."""
        now = self.clock()
        self.write(lambda db: clock.end_impossible_waits(db, now))

    def ahead(self) -> float:
        """Return the seconds by which what happened last lies in the future."""
        (last,) = self.read(
            lambda db: db.execute(
                "SELECT MAX(MAX(enqueued_at), COALESCE(MAX(finished_at), 0)) FROM tracks"
            ).fetchone()
        )
        return 0.0 if last is None else max(0.0, float(last) - self.clock())

    # What a person says

    def retry(self, ids: Iterable[int]) -> int:
        """Queue songs once more, before others, whatever became of them; how many."""
        now, chosen = self.clock(), list(ids)

        def retry(db: sqlite3.Connection) -> int:
            return sum(
                db.execute(
                    "UPDATE tracks SET state = 'pending', priority = MAX(priority, ?),"
                    " why = ?, enqueued_at = ?, next_attempt_at = ?, attempts = 0,"
                    " crashes = 0, retries = 0, missing_since = NULL, error_class = NULL,"
                    " error = NULL, waits_for = NULL WHERE id = ? AND state != 'working'",
                    (int(Priority.PERSON), REQUESTED, now, now, id),
                ).rowcount
                for id in chosen
            )

        return self.write(retry)

    def skip(self, ids: Iterable[int]) -> int:
        """Leave songs alone from now on, even those in work; how many."""
        now, chosen = self.clock(), list(ids)

        def skip(db: sqlite3.Connection) -> int:
            return sum(
                db.execute(
                    "UPDATE tracks SET state = 'ignored', reason = 'a person said so',"
                    " error_class = NULL, error = NULL, finished_at = ?, next_attempt_at = NULL,"
                    f" {ENDED} WHERE id = ?",
                    (now, id),
                ).rowcount
                for id in chosen
            )

        return self.write(skip)

    def taken_back(self, left: Mapping[int, Sequence[Path]]) -> None:
        """Note that a person took back what was written for songs, even those in work.

        Parameters
        ----------
        left : Mapping
            By their numbers, the files with lyrics of ours that each still has. A song without any
            is left alone from now on, as after `skip`.
        """
        now = self.clock()

        def take_back(db: sqlite3.Connection) -> None:
            for id, files in left.items():
                if files:
                    written = json.dumps([str(path) for path in files])
                    db.execute("UPDATE tracks SET written = ? WHERE id = ?", (written, id))
                    continue
                db.execute(
                    "UPDATE tracks SET state = 'ignored', reason = ?, quality = NULL,"
                    " decision = NULL, source = NULL, language = NULL, separator = NULL,"
                    " aligner = NULL, lines = NULL, words = NULL, lines_with_words = NULL,"
                    " words_timed = NULL, stages = '{}', written = '[]',"
                    " notes = '[]', error_class = NULL, error = NULL, waits_for = NULL,"
                    f" finished_at = ?, next_attempt_at = NULL, {ENDED} WHERE id = ?",
                    (TAKEN_BACK, now, id),
                )

        self.write(take_back)

    def skip_folder(self, folder: Path) -> int:
        """Leave alone the songs in a folder and below it, those that come later too; how many."""
        now = self.clock()
        return self.write(lambda db: skipped_folders.skip_folder(db, folder, now))

    def retry_folder(self, folder: Path) -> int:
        """Queue the songs in a folder and below it once more, as `retry` does, and take back that
        it, a folder above it or one below was skipped; how many."""
        self.write(lambda db: skipped_folders.take_back_folder(db, folder))
        return self.retry(entry.id for entry in self.below(folder))

    def make_due(self, error_classes: Collection[str]) -> int:
        """Take up the songs that wait, or were set aside, for errors of these classes.

        Returns
        -------
        int
            How many they are.
        """
        now = self.clock()
        return self.write(lambda db: queueing.make_due(db, sorted(error_classes), now))

    def check_writer(self) -> None:
        """Wait until the writing thread answers; raises as every write does."""
        self.write(lambda db: db.execute("SELECT 1").fetchone())

    # What a scan notes

    def missing(self, ids: Iterable[int]) -> None:
        """Note that the files of songs are not there; they are forgotten after a month."""
        now, chosen = self.clock(), list(ids)

        def missing(db: sqlite3.Connection) -> None:
            for id in chosen:
                db.execute(
                    "UPDATE tracks SET missing_since = COALESCE(missing_since, ?)"
                    " WHERE id = ? AND state != 'working'",
                    (now, id),
                )

        self.write(missing)

    def back(self, ids: Iterable[int]) -> None:
        """Note that the files of missing songs are there again, as they were."""
        chosen = list(ids)

        def back(db: sqlite3.Connection) -> None:
            for id in chosen:
                db.execute("UPDATE tracks SET missing_since = NULL WHERE id = ?", (id,))

        self.write(back)

    def cleaned(self, ids: Iterable[int]) -> None:
        """Note that what we wrote for missing songs is gone: one that comes back is done anew."""
        chosen = list(ids)

        def cleaned(db: sqlite3.Connection) -> None:
            for id in chosen:
                db.execute("UPDATE tracks SET written = '[]', size = -1 WHERE id = ?", (id,))

        self.write(cleaned)

    def scanned(self, library: Path) -> None:
        """Note that a library was gone through; forget what has been missing for long."""
        now, key = self.clock(), os.fsencode(library)

        def scanned(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO libraries (path, scanned_at) VALUES (?, ?)"
                " ON CONFLICT (path) DO UPDATE SET scanned_at = excluded.scanned_at",
                (key, now),
            )
            db.execute(
                "DELETE FROM tracks WHERE library = ? AND missing_since < ?",
                (key, now - FORGET_AFTER),
            )
            kept.prune(db)

        self.write(scanned)


def _look(path: Path) -> Fingerprint:
    try:
        return Fingerprint.of(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be queued: {error.strerror}", remedy="Check the path"
        ) from error
