"""Record in the catalog what became of each song, and write its lyrics before that.

What must not be lost is written again until the state folder can be written to.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from lyricsyncd.catalog.catalog import Catalog, Entry, Fingerprint, Outcome, State
from lyricsyncd.catalog.queries import MODELS
from lyricsyncd.catalog.records import BY_HAND
from lyricsyncd.config.paths import present
from lyricsyncd.errors import (
    JournalError,
    LyricsyncError,
    SourceError,
    WriteError,
)
from lyricsyncd.http import rate_limit
from lyricsyncd.library import sidecars
from lyricsyncd.pipeline.result import SyncResult
from lyricsyncd.playback import cache
from lyricsyncd.printable import escaped
from lyricsyncd.unexpected import TRANSIENT
from lyricsyncd.work import improvement, outcomes
from lyricsyncd.work.chosen import for_review, with_offset

if TYPE_CHECKING:
    from lyricsyncd.catalog.drafts import Draft
    from lyricsyncd.model import Lyrics, Track
    from lyricsyncd.playback.peaks import Peaks
    from lyricsyncd.tags import WriteReport
    from lyricsyncd.work.steps import Found

log = logging.getLogger(__name__)
T = TypeVar("T")

_RETRY_S = 3.0
"""Interval of the attempts to write what could not be written."""


class Recorder:
    """Bring songs to an end on behalf of the runner, which holds their leases.

    Parameters
    ----------
    owner
        Holder of the leases.
    stopping
        Set when the runner stops: nothing is retried then.
    finished : callable, optional
        Called with each song and its state at the end.
    """

    def __init__(
        self,
        catalog: Catalog,
        owner: str,
        stopping: threading.Event,
        finished: Callable[[Entry, State], None] | None = None,
    ) -> None:
        self._catalog = catalog
        self._owner = owner
        self._stopping = stopping
        self._finished = finished
        self._peaks = cache.peaks_cache()

    # Songs that are not done yet

    def progress(self, entry: Entry, stage: str, share: float) -> None:
        """Record how far a song is; a failure to do so does not matter."""
        try:
            self._catalog.progress(entry.id, self._owner, stage, share)
        except LyricsyncError as error:
            log.debug("%s", error)

    def found(self, entry: Entry, track: Track) -> None:
        """Record the names that were found for a song."""
        self._retry(lambda: self._catalog.found(entry.id, self._owner, track))

    def needs_look_up(self, entry: Entry) -> None:
        """Queue a song for the network: there are no words for it on this computer."""
        self._retry(lambda: self._catalog.needs_look_up(entry.id, self._owner))

    def keep(
        self, entry: Entry, placed_by: str | None = None, overrides: str | None = None
    ) -> None:
        """End the work on a song that was queued quietly: its result stays.

        Parameters
        ----------
        placed_by : str, optional
            What could not place it better, so that it is not tried with the same again.
        overrides : str, optional
            The settings with which it could not be placed well, likewise.
        """
        self._retry(lambda: self._catalog.keep(entry.id, self._owner, placed_by, overrides))

    def note_models(self, identity: str) -> None:
        """Note what places songs now, on whatever computer; see `lyricsyncd.pipeline.identity`."""
        if identity and self._catalog.noted(MODELS) != identity:
            self._retry(lambda: self._catalog.note(MODELS, identity))

    def postpone(self, entry: Entry, settle_s: float, stamp: Fingerprint) -> None:
        """Queue a song again for when its file has stopped changing."""
        if entry.quietly:
            # The change itself has it queued.
            self.keep(entry)
            return
        due = self._catalog.clock() + settle_s
        self._retry(lambda: self._catalog.postpone(entry.id, self._owner, due, stamp))

    def gone(self, entry: Entry) -> None:
        """Record that a song's file is not there any more."""
        if entry.quietly:
            self.keep(entry)
            return
        self._retry(lambda: self._catalog.gone(entry.id, self._owner))

    # The ends of a song

    def holds(self, entry: Entry) -> bool:
        """Return whether a song is still leased to the runner: nobody has skipped it, say."""
        now = self._catalog.get(entry.id)
        return now is not None and (now.state, now.lease_owner) == (State.WORKING, self._owner)

    def superseded(self, found: Found) -> bool:
        """Queue a song again that changed since it was taken up, or whose words did; return whether
        that was so. What was found for what it was must not be written beside what it is."""
        entry, settle_s = found.entry, found.config.daemon.settle
        if self._file_superseded(entry, settle_s):
            return True
        from lyricsyncd.lyrics.local import words_beside

        if words_beside(entry.path) == found.beside:
            return False
        log.info("the words beside %s changed meanwhile: it is queued again", entry.display_path)
        self.postpone(entry, settle_s, entry.fingerprint)
        return True

    def failed_by_a_change(self, entry: Entry, settle_s: float) -> bool:
        """Queue a song again that failed because its file was moved or written just then; return
        whether that was so."""
        try:
            return self._file_superseded(entry, settle_s)
        except (LyricsyncError, OSError) as error:
            # It failed for another reason, or the catalog cannot be written to.
            log.debug("%s: %s", entry.display_path, error)
            return False

    def _file_superseded(self, entry: Entry, settle_s: float) -> bool:
        try:
            stamp = Fingerprint.of(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            log.info("%s is not there any more", entry.display_path)
            self.gone(entry)
            return True
        if stamp == entry.fingerprint:
            return False
        log.info("%s changed meanwhile: it is queued again", entry.display_path)
        self.postpone(entry, settle_s, stamp)
        return True

    def write(
        self, found: Found, result: SyncResult, then: Callable[[], None] | None = None
    ) -> None:
        """Write a result beside or into its song, unless the song changed or was taken back.

        Parameters
        ----------
        then : callable, optional
            Called when lyrics were written, before that is recorded: the lease is still held.
        """
        entry = found.entry
        if self.superseded(found):
            return
        if not self._retry(lambda: self._catalog.progress(entry.id, self._owner, "write", 0.0)):
            log.info("%s was taken back: nothing is written", entry.display_path)
            return
        result = self._as_chosen(entry, result)
        if entry.quietly and not self._may_replace(found, result):
            return
        report: WriteReport | None = None
        # As it was when it was taken up: what others write into it from now on is a change.
        stamp = entry.fingerprint
        if result.may_write:
            report = self._written(found, result.lyrics)
            if report is None:
                return
            for note in report.kept:
                log.info("kept as it is: %s", escaped(str(note)))
            if entry.path in report.written:
                stamp = Fingerprint.of(entry.path)
                cache.file_changed(entry.fingerprint.key, stamp.key)
            elif not present(entry.path):
                # Deleted, or moved, at that very moment.
                sidecars.clean(self._catalog, [entry])
                self.gone(entry)
                return
        self._store_peaks(result.peaks, stamp)
        if result.may_write and then is not None:
            then()
        outcome = outcomes.of_result(result, report)
        draft = outcomes.draft_of(result, self._catalog.choices(entry.id).pins)
        outcome = dataclasses.replace(outcome, overrides=found.overridden.key)
        self.finish(entry, outcome, found.began, stamp, draft, has_result=True)

    def _may_replace(self, found: Found, result: SyncResult) -> bool:
        """Return whether a result may take the place of that of its song, and all files are still
        as we wrote them; otherwise end the work on the song."""
        from lyricsyncd.tags import Journal, write_sandboxed

        entry = found.entry
        if not result.models:
            # The words have times by now: a person brought or edited them.
            self.keep(entry, BY_HAND)
            return False
        if entry.for_improvement and not improvement.is_better(entry, result):
            log.info("%s: its words stay, they were not placed better", entry.display_path)
            self.keep(entry, result.models)
            return False
        if not result.may_write and entry.written:
            log.info("%s: its words stay, the new ones are doubtful", entry.display_path)
            self.keep(entry, overrides=found.overridden.key)
            return False
        song, output = entry.path, found.config.output
        if write_sandboxed(song, result.lyrics, output, journal=Journal(), dry_run=True).kept:
            log.info("%s: its words stay, a person changed them", entry.display_path)
            self.keep(entry, BY_HAND)
            return False
        return True

    def finish(
        self,
        entry: Entry,
        outcome: Outcome,
        began: float,
        stamp: Fingerprint | None = None,
        draft: Draft | None = None,
        *,
        has_result: bool = False,
    ) -> None:
        """Record the outcome of a song, and log it.

        Parameters
        ----------
        began : float
            When the song was taken up, by the monotonic clock, in seconds.
        stamp : Fingerprint, optional
            State of the file after it was written.
        draft : Draft, optional
            The result, to be stored for review.
        has_result : bool
            Whether words were placed; without, a song that was queued quietly stays as it is.
        """
        if entry.quietly and not has_result:
            self.keep(entry)
            return
        if not self._retry(
            lambda: self._catalog.finish(entry.id, self._owner, outcome, stamp, draft)
        ):
            return
        # A warning is what only a person can remedy, not what is merely tried again.
        bad = outcome.state is State.FAILED or outcome.error_class in (
            WriteError.__name__,
            JournalError.__name__,
        )
        level = logging.WARNING if bad else logging.INFO
        if outcome.waits_for is not None:
            # The host that it waits for is logged once, not with each song.
            level = logging.DEBUG
        seconds = time.monotonic() - began
        log.log(
            level,
            "%s",
            outcomes.log_line(entry, outcome, seconds),
            extra={"song": outcomes.as_fields(entry, outcome, seconds)},
        )
        if self._finished is not None:
            self._finished(entry, outcome.state)

    def failed(self, entry: Entry, error: LyricsyncError | OSError, began: float) -> bool:
        """Record the outcome of an error; false if the catalog could not be written to.

        The lease then expires, and the song is taken up again.
        """
        outcome = outcomes.of_error(error)
        host = error.host if isinstance(error, SourceError) else None
        if outcome.state is State.PENDING and rate_limit.resting(host):
            # It is taken up as soon as its host may be contacted again.
            outcome = dataclasses.replace(outcome, retry=(0.0,), waits_for=host)
        try:
            self.finish(entry, outcome, began)
        except LyricsyncError as trouble:
            log.log(logging.DEBUG if self._stopping.is_set() else logging.ERROR, "%s", trouble)
            return False
        return True

    def crashed(self, entry: Entry, error: Exception) -> None:
        """Count a crash against a song, which is set aside after too many."""
        if self._stopping.is_set():
            return
        if entry.quietly:
            self.keep(entry)
            return
        cause = error if isinstance(error, LyricsyncError) else LyricsyncError(repr(error))
        try:
            state = self._retry(lambda: self._catalog.crashed(entry.id, self._owner, cause))
        except LyricsyncError as trouble:
            log.error("%s", trouble)
            return
        if state not in (State.PENDING, State.FAILED):
            return
        after = "set aside" if state is State.FAILED else "it is tried again later"
        log.warning("%s: %s; %s", entry.display_path, cause, after)
        if state is State.FAILED and self._finished is not None:
            self._finished(entry, state)

    def _as_chosen(self, entry: Entry, result: SyncResult) -> SyncResult:
        """Shift a result as a person chose, and keep it from being written where that person wants
        to see it first: this once."""
        choices = self._catalog.choices(entry.id)
        result = with_offset(result, choices)
        if not choices.only_draft:
            return result
        after = dataclasses.replace(choices, only_draft=False)
        self._retry(lambda: self._catalog.choose(entry.id, after))
        return for_review(result)

    def reuse_peaks(self, first: Fingerprint, stamp: Fingerprint) -> None:
        """Store the peaks of a recording for another file of it, too."""
        for kind in cache.PEAKS:
            self._peaks.copy(f"{first.key}.{kind}", f"{stamp.key}.{kind}")

    def _store_peaks(self, peaks: Peaks | None, stamp: Fingerprint) -> None:
        """Store the peaks of a song; on a failure they are computed again when needed."""
        if peaks is None:
            return
        try:
            self._peaks.put(f"{stamp.key}.vocals", peaks.vocals)
            self._peaks.put(f"{stamp.key}.mix", peaks.mix)
        except OSError as error:
            log.debug("the peaks of a song are not stored: %s", error)

    def _written(self, found: Found, lyrics: Lyrics) -> WriteReport | None:
        """Write lyrics as soon as the journal can be written to; ``None`` if the song, or its
        words, changed until then."""
        from lyricsyncd.tags import Journal, write_sandboxed

        def write() -> WriteReport | None:
            if self.superseded(found):
                return None
            # What was written before the journal failed is found as it is by the next attempt.
            song, output = found.entry.path, found.config.output
            return write_sandboxed(song, lyrics, output, journal=Journal())

        return self._retry(write, JournalError)

    def _retry(self, write: Callable[[], T], trouble: type[WriteError] = WriteError) -> T:
        """Write what must not be lost, as soon as the state folder can be written to.

        Nothing else could be done meanwhile: no song is taken up without the catalog, and none
        written without the journal.
        """
        while True:
            try:
                return write()
            except trouble as error:
                if not error.transient or self._stopping.is_set():
                    raise
                TRANSIENT.log(error)
                self._stopping.wait(_RETRY_S)
