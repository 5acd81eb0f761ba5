"""Define the result of one song, for callers and the command line."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lyricsyncd import formats
from lyricsyncd.catalog.drafts import Considered
from lyricsyncd.model import WRITTEN, Decision, Lyrics, SongIdentification, Timing, Track
from lyricsyncd.pipeline.prepared import FROM_A_PERSON, Placement, Prepared, Stages, added
from lyricsyncd.playback.peaks import Peaks

SOURCE_QUALITY = 0.97
"""Score of word times that a person has: trusted as ours of a song without difficulties are, though
not measured."""


@dataclass(frozen=True, slots=True)
class SyncResult:
    """The result of one song."""

    song: SongIdentification
    lyrics: Lyrics
    """The words with their times and confidences, those too doubtful to be shown marked as such
    (`lyricsyncd.model.Line.doubtful`)."""
    quality_score: float
    """0-1: the predicted share of word onsets within 0.3 s of the truth."""
    decision: Decision
    reason: str
    """One sentence: why this decision."""
    language: str | None = None
    separator: str = "none"
    aligner: str = "none"
    stages: Stages = field(default_factory=dict)
    """Seconds spent in each stage, in the order they ran."""
    warnings: tuple[str, ...] = ()
    considered: tuple[Considered, ...] = ()
    """All words that were prepared, those that were chosen among them."""
    peaks: Peaks | None = None
    offset: float = 0.0
    """Seconds by which a person's choice shifted the words since they were placed."""
    models: str = ""
    """What placed the words, see `lyricsyncd.pipeline.identity`; empty where no model did."""

    @property
    def to_write(self) -> Lyrics | None:
        """The lyrics as the decision allows them to be shown; ``None`` for nothing."""
        return self.lyrics.without_doubtful() if self.may_write else None

    @property
    def may_write(self) -> bool:
        """Return whether the decision allows the lyrics to be written.

        Writers are given ``lyrics``: every format leaves out what is too doubtful for it.
        """
        return self.decision in WRITTEN

    def with_all_words(self) -> SyncResult:
        """Return the same result with every word's time to be shown, however doubtful."""
        return dataclasses.replace(self, lyrics=self.lyrics.with_all_words())

    @property
    def lines_with_words(self) -> int:
        """Count the lines that are shown with word times."""
        return sum(line.timed_words for line in self.lyrics)

    @property
    def words_timed(self) -> int:
        """Count the words that are shown with their times."""
        return sum(len(line.words) for line in self.lyrics if line.timed_words)

    def to_format(self, name: str) -> str:
        """Format the lyrics as the name says; only ``json`` has the times of doubtful words."""
        return formats.write(self.lyrics, name)

    def to_lrc(self) -> str:
        """Format the lyrics as enhanced LRC (word-timed)."""
        return self.to_format("lrc")

    def to_json(self) -> str:
        """Format the words as the recipe's array of ``{word, start, end, confidence, line}``."""
        return self.to_format("json")

    def to_srt(self) -> str:
        """Format the lyrics as SubRip subtitles, with a cue for each line."""
        return self.to_format("srt")

    def to_ass(self) -> str:
        """Format the lyrics as ASS karaoke (``\\kf``)."""
        return self.to_format("ass")

    def report(self, written: Iterable[Path] = ()) -> dict[str, Any]:
        """Return the object that ``--report`` writes."""
        report: dict[str, Any] = {
            "song": {
                "path": str(self.song.path) if self.song.path else None,
                "artist": self.song.artist,
                "title": self.song.title,
                "album": self.song.album,
                "duration": self.song.duration,
            },
            "quality_score": round(self.quality_score, 4),
            "decision": self.decision.value,
            "reason": self.reason,
            "source": self.lyrics.source,
            "language": self.language,
            "separator": self.separator,
            "aligner": self.aligner,
            "lines": sum(1 for line in self.lyrics if line.words),
            "words": len(self.lyrics.words),
            "lines_with_words": self.lines_with_words,
            "words_timed": self.words_timed,
            "estimated_lines": [at for at, line in enumerate(self.lyrics) if line.estimated],
            "stages": {name: round(seconds, 4) for name, seconds in self.stages.items()},
            "written": [str(path) for path in written],
        }
        if self.warnings:
            report["warnings"] = list(self.warnings)
        return report


def of_placement(prepared: Prepared, placed: Placement) -> SyncResult:
    """Make the result of a song whose words were placed."""
    return SyncResult(
        song=prepared.song,
        lyrics=with_header(placed.lyrics, prepared.track),
        quality_score=placed.score,
        decision=placed.decision,
        reason=placed.reason,
        language=placed.language,
        separator=placed.separator,
        aligner=placed.aligner,
        stages=added(prepared.stages, placed.stages),
        warnings=prepared.warnings + placed.warnings,
        considered=tuple(
            Considered(lyrics, score)
            for lyrics, score in itertools.zip_longest(
                (prepared.lyrics, *prepared.others), placed.scores
            )
            if lyrics is not None
        ),
        peaks=placed.peaks,
        models=placed.models,
    )


def without_models(prepared: Prepared) -> SyncResult:
    """Make the result of a song whose words need no placing: instrumental, or timed already."""
    lyrics = prepared.lyrics
    if lyrics.words and not lyrics.instrumental and lyrics.timing is Timing.WORD:
        return SyncResult(
            song=prepared.song,
            lyrics=with_header(lyrics, prepared.track),
            quality_score=SOURCE_QUALITY,
            decision=Decision.WORDS,
            reason=f"The {lyrics.source or 'source'} already had a time for every word",
            language=prepared.language,
            aligner="source",
            stages=prepared.stages,
            warnings=prepared.warnings,
        )
    what = f"It is {prepared.wordless}" if prepared.wordless else "The song is an instrumental"
    return SyncResult(
        song=prepared.song,
        lyrics=lyrics,
        quality_score=1.0,
        decision=Decision.NONE,
        reason=f"{what}: nothing to place",
        language=prepared.language,
        stages=prepared.stages,
        warnings=prepared.warnings,
    )


def with_header(lyrics: Lyrics, track: Track) -> Lyrics:
    """Add the song's names and length, which formats with a header write there.

    Names in a file of words that was chosen for the song go over those of the tags, and names that
    a source has go over a guess from the file's name. The length is always the recording's.
    """
    names = {"title": track.title, "artist": track.artist, "album": track.album}
    known = {key: value for key, value in names.items() if value}
    others = {key: value for key, value in lyrics.metadata.items() if key != "length"}
    if lyrics.source in FROM_A_PERSON or track.from_file_name:
        metadata = {**known, **others}
    else:
        metadata = {**others, **known}
    if track.duration:
        minutes, seconds = divmod(round(track.duration), 60)
        metadata["length"] = f"{minutes:02}:{seconds:02}"
    return dataclasses.replace(lyrics, metadata=metadata)
