"""Choose the lyrics of a song among the candidates of its sources, with a reason for each."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.errors import LyricsNotFound, LyricsyncError, SourceError
from lyricsyncd.lyrics.translations import alternatives
from lyricsyncd.model import Lyrics, Timing, Track
from lyricsyncd.text.words import letters

if TYPE_CHECKING:
    from lyricsyncd.lyrics.base import Candidate, Source

_log = logging.getLogger(__name__)
_RANK = {Timing.NONE: 0, Timing.LINE: 1, Timing.MIXED: 2, Timing.WORD: 3}
_MOST_REASONS = 5
"""Rejected candidates of one source that are listed."""
_MOST_OTHERS = 2


@dataclass(frozen=True, slots=True)
class Found:
    """The lyrics that were chosen for a song, and why."""

    lyrics: Lyrics
    source: str
    id: str | None
    score: float
    """0-1: how sure it is that they are of this recording."""
    why: tuple[str, ...] = ()
    """One line for each candidate and source, the chosen candidate first."""
    warnings: tuple[str, ...] = ()
    """One line for each source that could not be searched."""
    ours: bool = False
    """Whether they are from a file that lyricsyncd wrote: no source has any."""
    others: tuple[Lyrics, ...] = ()
    """Other lyrics that may be the song's, the likeliest first: to be tried where the audio does
    not match the chosen ones."""
    other_version: bool = False
    """Whether they are the plain words of another version of the song: no source has its own."""


def choose(track: Track, sources: Sequence[Source], *, other_versions: bool = False) -> Found:
    """Choose the lyrics of a song from sources, searched in their order.

    Parameters
    ----------
    other_versions
        Whether the words of a live take, say, will do for a studio recording where no source has
        others. Only the audio can tell whether they are sung in this one.

    Raises
    ------
    LyricsNotFound, SourceError
        As `lyricsyncd.lyrics.find_lyrics`.
    """
    why: list[str] = []
    failures: list[SourceError] = []
    last_resort: Candidate | None = None
    of_others: list[Candidate] = []
    for source in sources:
        try:
            candidates = source.find(track)
        except SourceError as error:
            _log_once(source.name, error)
            failures.append(error)
            why.append(f"{source.name}: {error.message}")
            continue
        except LyricsyncError:
            raise
        except Exception as error:  # noqa: BLE001 - reported as what it is, a bug
            # It costs this source, not the song; and it does not mean that the source has nothing.
            _log.exception("%s: a bug", source.name)
            bug = SourceError(f"{source.name} could not be asked, by a bug: {error!r}")
            failures.append(bug)
            why.append(bug.message)
            continue
        _failing.discard(source.name)
        usable = ranked([candidate for candidate in candidates if not candidate.ours])
        if usable:
            best = usable[0]
            reasons = [f"chosen: {best}", *why, *_reasons(source, candidates, best)]
            others = (*alternatives(best.lyrics), *_others(usable))
            return chosen_of(best, reasons, failures, others)
        why += _reasons(source, candidates, None)
        last_resort = last_resort or next(iter(ranked(candidates)), None)
        of_others += [each for each in candidates if each.other_version and each.lyrics.words]
    if last_resort is not None:
        return chosen_of(
            last_resort, [f"chosen, for want of others: {last_resort}", *why], failures
        )
    passing = any(failure.transient for failure in failures)
    if other_versions and of_others and not passing:
        return _of_other_version(sorted(of_others, key=lambda each: -each.score), why, failures)
    if failures:
        raise _to_raise(failures)
    detail = "; ".join(why) or "no source is configured"
    raise LyricsNotFound(
        f"No lyrics for {track.name} ({detail})",
        remedy="Put them beside the song as a .txt, or correct its tags",
    )


def _of_other_version(
    candidates: Sequence[Candidate], why: Sequence[str], failures: Sequence[SourceError]
) -> Found:
    """Make the result of a choice among words of other versions."""
    best = candidates[0]
    reasons = [
        f"chosen, for want of others: {best}",
        *(each for each in why if str(best) not in each),
    ]
    found = chosen_of(best, reasons, failures, _others(candidates))
    warning = f"no source has the words of this recording; those of another are tried ({best.why})"
    return dataclasses.replace(found, other_version=True, warnings=(*found.warnings, warning))


_failing: set[str] = set()
"""Sources whose failure has been logged, until they answer again."""


def _log_once(name: str, error: SourceError) -> None:
    """Log that a source begins to fail, and not again for each song.

    Below the level of a warning: the caller gets the failure too, as an error or in `Found`.
    """
    # The failure of a host, and its recovery, are reported by the service itself.
    level = logging.DEBUG if name in _failing or error.host is not None else logging.INFO
    _failing.add(name)
    _log.log(level, "%s: %s", name, error.message)


def _to_raise(failures: Sequence[SourceError]) -> SourceError:
    """Return the failure to raise: a transient one, if any, so that the song is tried again."""
    return next((error for error in failures if error.transient), failures[0])


def chosen_of(
    chosen: Candidate,
    why: Sequence[str],
    failures: Sequence[SourceError],
    others: Sequence[Lyrics] = (),
) -> Found:
    """Make the result of a choice."""
    return Found(
        chosen.lyrics,
        chosen.source,
        chosen.id,
        chosen.score,
        tuple(why),
        tuple(error.message for error in failures),
        chosen.ours,
        tuple(others),
    )


def ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that are accepted, best first.

    The surest match is first; among sure ones the finest timing, then the source's own order.
    """
    from lyricsyncd.text.match import ACCEPTED, SURE

    def rank(candidate: Candidate) -> tuple[float, int, float]:
        timing = _RANK[candidate.lyrics.timing]
        return (min(candidate.score, SURE), timing, candidate.score)

    usable = [
        candidate
        for candidate in candidates
        if candidate.score >= ACCEPTED and (candidate.lyrics.words or candidate.lyrics.instrumental)
    ]
    # Lyrics outweigh a claim that the song is instrumental: they were transcribed from it.
    sung = [candidate for candidate in usable if candidate.lyrics.words]
    return sorted(sung or usable, key=rank, reverse=True)


def _others(accepted: Sequence[Candidate]) -> list[Lyrics]:
    """Return the runners-up with other words than those before them; none for the user's own."""
    if accepted[0].source in ("sidecar", "tag"):
        return []
    seen = {letters(accepted[0].lyrics.text)}
    others: list[Lyrics] = []
    for candidate in accepted[1:]:
        # Punctuation and line breaks make no other version.
        words = letters(candidate.lyrics.text)
        if words and words not in seen and len(others) < _MOST_OTHERS:
            seen.add(words)
            others.append(candidate.lyrics)
    return others


def _reasons(
    source: Source, candidates: Sequence[Candidate], chosen: Candidate | None
) -> list[str]:
    """Describe each candidate that was not chosen in one line, or that there were none."""
    others = [candidate for candidate in candidates if candidate is not chosen]
    if not candidates:
        return [f"{source.name}: {source.idle or 'nothing'}"]
    reasons = [
        f"{'ours' if candidate.ours else 'not taken'}: {candidate}"
        for candidate in sorted(others, key=lambda candidate: -candidate.score)[:_MOST_REASONS]
    ]
    if len(others) > _MOST_REASONS:
        reasons.append(f"{source.name}: {len(others) - _MOST_REASONS} others")
    return reasons
