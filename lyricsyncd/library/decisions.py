"""Carry out what a person decides about a song's words.

A decision counts more than any result: what it writes is recorded as written by hand, and no later
run replaces it. Everything is journalled, so `undo` gives back what was there before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import Catalog, Entry, Fingerprint, Outcome, State
from lyricsyncd.catalog.drafts import Choices, Draft, words_key
from lyricsyncd.catalog.kept import Outdated
from lyricsyncd.catalog.records import BY_HAND
from lyricsyncd.errors import LyricsyncError, UsageError
from lyricsyncd.library.undoing import keep_choices, take_back
from lyricsyncd.library.word_order import check_pins, check_times
from lyricsyncd.model import Decision, Lyrics, Timing
from lyricsyncd.playback.cache import file_changed
from lyricsyncd.tags import Journal, write_sandboxed

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Output, OutputFile
    from lyricsyncd.tags import UndoReport, WriteReport

REJECTED = "a person rejected these words"
UNSUNG = "a person says that nothing is sung"
_WRITTEN = (State.DONE, State.MIXED, State.LINES)


class Action(str, Enum):
    """The decisions that a person may make."""

    ACCEPT = "accept"
    LINES = "lines"
    REJECT = "reject"
    INSTRUMENTAL = "instrumental"
    UNREJECT = "unreject"


class Busy(LyricsyncError):
    """A song is in work, or its file changed: it cannot be decided about now."""


@dataclasses.dataclass(frozen=True, slots=True)
class Decided:
    """The result of a decision.

    Attributes
    ----------
    written, removed : tuple of Path
        Files that were changed, or would be.
    notes : tuple of str
        What a person should know: files that were kept, and why.
    """

    written: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Decisions:
    """Carry out decisions.

    Attributes
    ----------
    output
        Where lyrics are written to, as the configuration has it.
    """

    catalog: Catalog
    output: Output | tuple[OutputFile, ...]

    def decide(
        self, id: int, action: Action, revision: int | None = None, *, dry_run: bool = False
    ) -> Decided:
        """Carry out a decision about a song.

        Parameters
        ----------
        revision : int, optional
            Of the draft that the person has seen.

        Raises
        ------
        UsageError
            There is no such song, or it has no placed words.
        Outdated
            Its draft is another by now.
        Busy
            It is in work, or its file changed.
        WriteError
            Nothing, or not all, could be written.
        """
        entry = self._entry(id)
        self._check_revision(id, revision)
        if action is Action.UNREJECT:
            return self._unreject(entry, dry_run)
        if action is Action.REJECT:
            return self._reject(entry, dry_run)
        if action is Action.INSTRUMENTAL:
            return self._instrumental(entry, dry_run)
        draft = self._draft(entry)
        if action is Action.ACCEPT:
            # A person vouches for the doubtful words, too.
            draft = dataclasses.replace(draft, lyrics=draft.lyrics.with_all_words())
        return self._write(entry, draft, lines_only=action is Action.LINES, dry_run=dry_run)

    def save(
        self, id: int, lyrics: Lyrics, revision: int, pinned: Sequence[int] | None = None
    ) -> int:
        """Store words and times that a person corrected; nothing is written beside the song.

        Parameters
        ----------
        pinned : sequence of int, optional
            Numbers of the words whose starts a person set; by default those of before that start
            where they did.

        Returns
        -------
        int
            The new revision.

        Raises
        ------
        BrokenTimes
            Times are not in order.
        UsageError
            There is no such song, or it has no placed words.
        Outdated
            The draft is another by now.
        """
        check_times(lyrics)
        draft = self._draft(self._entry(id))
        kept = dataclasses.replace(
            lyrics,
            language=lyrics.language or draft.lyrics.language,
            source=draft.lyrics.source,
            source_id=draft.lyrics.source_id,
            metadata=draft.lyrics.metadata,
        )
        pins = _still_pinned(draft, lyrics) if pinned is None else tuple(sorted(set(pinned)))
        if any(number >= len(lyrics.words) for number in pins):
            raise UsageError("A pin names no word of the song", remedy="Count from 0")
        changed = dataclasses.replace(draft, lyrics=kept, pinned=pins)
        return self.catalog.edit(id, changed, revision)

    def shift(
        self, id: int, seconds: float, *, absolute: bool = False, dry_run: bool = False
    ) -> Decided:
        """Shift all words of a song, and write them as finely as they were written before.

        Words that are still to be placed are shifted once they are, as those of every later run.

        Parameters
        ----------
        seconds : float
            Later than now; with ``absolute`` later than they were placed.

        Raises
        ------
        As `decide`.
        """
        entry = self._entry(id)
        if self.catalog.draft(id) is None and (absolute or entry.state is State.PENDING):
            if not dry_run:
                self._choose_offset(id, seconds, absolute=absolute)
                if entry.state in _WRITTEN:
                    self.catalog.retry([id])
            return Decided()
        draft = self._draft(entry)
        by = seconds - draft.offset if absolute else seconds
        moved = dataclasses.replace(
            draft, lyrics=draft.lyrics.shifted(by), offset=round(draft.offset + by, 3)
        )
        if not dry_run:
            self._choose_offset(id, moved.offset, absolute=True)
            moved = dataclasses.replace(
                moved, revision=self.catalog.edit(id, moved, draft.revision)
            )
        if entry.state not in _WRITTEN:
            # It is still to be decided about, or to be placed anew.
            return Decided()
        if entry.words is not None and entry.words_timed == entry.words:
            moved = dataclasses.replace(moved, lyrics=moved.lyrics.with_all_words())
        lines_only = entry.state is State.LINES
        return self._write(entry, moved, lines_only=lines_only, dry_run=dry_run)

    def _choose_offset(self, id: int, seconds: float, *, absolute: bool) -> None:
        choices = self.catalog.choices(id)
        offset = round(seconds if absolute else choices.offset + seconds, 3)
        self.catalog.choose(id, dataclasses.replace(choices, offset=offset))

    def set(
        self,
        id: int,
        *,
        language: str | None = None,
        lyrics: Lyrics | None = None,
        offset: float | None = None,
    ) -> Choices:
        """Have a song placed anew with a language or with words of a person's choice.

        Parameters
        ----------
        offset : float, optional
            Seconds by which they are shifted then.

        Raises
        ------
        UsageError
            There is no such song.
        """
        entry = self._entry(id)
        choices = dataclasses.replace(self.catalog.choices(id), instrumental=False)
        if offset is not None:
            choices = dataclasses.replace(choices, offset=offset)
        if language is not None:
            choices = dataclasses.replace(
                choices, language=None if language == "auto" else language
            )
        if lyrics is not None:
            choices = dataclasses.replace(choices, lyrics=lyrics, pins=())
        self.catalog.choose(entry.id, choices)
        self.catalog.retry([entry.id])
        return choices

    def place(
        self,
        id: int,
        lyrics: Lyrics,
        pins: Sequence[tuple[int, float]] = (),
        revision: int | None = None,
    ) -> None:
        """Have words placed, for review: nothing is written until a person decides.

        Parameters
        ----------
        pins : sequence of (int, float)
            Words, by their numbers in the song, and the seconds at which they start.

        Raises
        ------
        UsageError
            There is no such song, or no such word, or pins are not in order.
        Outdated
            The draft is another by now.
        """
        entry = self._entry(id)
        self._check_revision(id, revision)
        if not lyrics.words:
            raise UsageError("There are no words to place", remedy="Send some")
        if any(not 0 <= number < len(lyrics.words) for number, _ in pins):
            raise UsageError("A pin names no word of the song", remedy="Count from 0")
        check_pins(pins)
        choices = self.catalog.choices(id)
        chosen = dataclasses.replace(
            choices,
            lyrics=lyrics,
            pins=tuple(sorted(pins)),
            only_draft=True,
            rejected=choices.rejected - {words_key(lyrics)},
        )
        self.catalog.choose(id, chosen)
        self.catalog.retry([entry.id])

    def undo(self, id: int, *, dry_run: bool = False) -> Decided:
        """Give back what was there before us, and forget what a person chose for the song, which
        is then left alone.

        Raises
        ------
        UsageError
            There is no such song.
        """
        entry = self._entry(id)
        return _given_back(take_back(Journal(), self.catalog, [entry.path], dry_run=dry_run).report)

    def _write(self, entry: Entry, draft: Draft, *, lines_only: bool, dry_run: bool) -> Decided:
        lyrics = draft.lyrics.without_word_times() if lines_only else draft.lyrics
        if lyrics.timing is Timing.NONE:
            raise UsageError("The words have no times yet", remedy="Place the song again")
        report = write_sandboxed(
            entry.path, lyrics, self.output, journal=Journal(), by_hand=True, dry_run=dry_run
        )
        notes = tuple(map(str, report.notes))
        if not (report.written or report.unchanged):
            raise Busy(
                f"Nothing could be written: {'; '.join(notes) or 'no output wants these lyrics'}",
                remedy="Look at the files beside the song",
            )
        decided = Decided(report.written, report.removed, notes)
        if not dry_run:
            self._note_written(entry, draft, lines_only, report, notes)
        return decided

    def _note_written(
        self,
        entry: Entry,
        draft: Draft,
        lines_only: bool,
        report: WriteReport,
        notes: tuple[str, ...],
    ) -> None:
        lyrics = draft.lyrics
        timed = [] if lines_only else [line for line in lyrics if line.timed_words]
        state, decision = State.DONE, Decision.WORDS
        if lines_only:
            state, decision = State.LINES, Decision.LINES
        elif entry.state is State.MIXED and any(line.doubtful for line in lyrics):
            state, decision = State.MIXED, Decision.MIXED
        outcome = Outcome(
            state,
            f"A person accepted its {'lines' if lines_only else 'words'}",
            quality=draft.score,
            decision=decision.value,
            source=lyrics.source,
            language=draft.language,
            separator=draft.separator,
            aligner=draft.aligner,
            placed_by=BY_HAND,
            lines=sum(1 for line in lyrics if line.words),
            words=len(lyrics.words),
            lines_with_words=len(timed),
            words_timed=sum(len(line.words) for line in timed),
            stages=entry.stages,
            written=report.written + report.unchanged,
            notes=notes,
        )
        self._settle(entry, outcome)

    def _reject(self, entry: Entry, dry_run: bool) -> Decided:
        decided = self._take_back(entry, Outcome(State.IGNORED, REJECTED), dry_run)
        draft = self.catalog.draft(entry.id)
        if draft is not None and not dry_run:
            choices = self.catalog.choices(entry.id)
            rejected = choices.rejected | {words_key(draft.lyrics)}
            lyrics = choices.lyrics
            if lyrics is not None and words_key(lyrics) in rejected:
                lyrics = None
            self.catalog.choose(
                entry.id, dataclasses.replace(choices, rejected=rejected, lyrics=lyrics, pins=())
            )
        return decided

    def _instrumental(self, entry: Entry, dry_run: bool) -> Decided:
        if not dry_run:
            choices = self.catalog.choices(entry.id)
            self.catalog.choose(
                entry.id, dataclasses.replace(choices, instrumental=True, lyrics=None, pins=())
            )
        return self._take_back(entry, Outcome(State.INSTRUMENTAL, UNSUNG), dry_run)

    def _unreject(self, entry: Entry, dry_run: bool) -> Decided:
        if not dry_run:
            choices = self.catalog.choices(entry.id)
            self.catalog.choose(entry.id, dataclasses.replace(choices, rejected=frozenset()))
            self.catalog.retry([entry.id])
        return Decided()

    def _take_back(self, entry: Entry, outcome: Outcome, dry_run: bool) -> Decided:
        """Remove what we wrote of words that are not the song's."""
        report = keep_choices(Journal(), self.catalog, entry.path, dry_run=dry_run)
        if not dry_run:
            self._settle(entry, outcome)
        return _given_back(report)

    def _settle(self, entry: Entry, outcome: Outcome) -> None:
        stamp = Fingerprint.of(entry.path)
        file_changed(entry.fingerprint.key, stamp.key)
        self.catalog.settle(entry.id, outcome, stamp)

    def _entry(self, id: int) -> Entry:
        entry = self.catalog.get(id)
        if entry is None:
            raise UsageError(f"There is no song {id}", remedy="Run `lyricsyncd scan` first")
        if entry.state is State.WORKING:
            raise Busy("The song is in work", remedy="Wait until it is done, or skip it")
        try:
            stamp = Fingerprint.of(entry.path)
        except OSError as error:
            raise Busy(
                f"{entry.path} cannot be read: {error.strerror}", remedy="Scan the library again"
            ) from None
        if stamp != entry.fingerprint:
            raise Busy("The song's file has changed", remedy="Wait until it is placed again")
        return entry

    def _check_revision(self, id: int, seen: int | None) -> None:
        """Check that the draft is still the one that a person has seen, where that is known."""
        if seen is not None and self.catalog.revision(id) != seen:
            raise Outdated("The words have been changed meanwhile", remedy="Load them again")

    def _draft(self, entry: Entry) -> Draft:
        draft = self.catalog.draft(entry.id)
        if draft is None:
            raise UsageError(
                "The song has no placed words", remedy="Have them placed: lyricsyncd retry"
            )
        return draft


def _given_back(report: UndoReport) -> Decided:
    return Decided(
        written=report.restored + report.cleared,
        removed=report.removed,
        notes=tuple(map(str, report.kept + report.failed)),
    )


def _still_pinned(draft: Draft, lyrics: Lyrics) -> tuple[int, ...]:
    """Return the pinned words of a draft that have the same text and start in new lyrics."""
    before, words = draft.lyrics.words, lyrics.words

    def same(number: int) -> bool:
        if number >= min(len(before), len(words)):
            return False
        was, now = before[number], words[number]
        return (was.text, was.start) == (now.text, now.start)

    return tuple(filter(same, draft.pinned))
