"""Times of lines and words as formats need them: checked, in order, on a format's own grid."""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lyricsyncd.errors import FormatError
from lyricsyncd.formats.syllables import in_order, joined, parted
from lyricsyncd.formats.text import MAX_WORDS, language_code, one_line, pieces, report
from lyricsyncd.model import Line, Lyrics, ParallelText, Word

MAX_S = 24 * 3600.0
LINGER_S = 5.0
"""How long a line stays on the screen when nobody knows where it ends."""


def checked(time: float | None) -> float | None:
    """Return a time that a song can have; raises FormatError for any other."""
    if time is not None and not (math.isfinite(time) and 0 <= time <= MAX_S):
        raise FormatError(
            f"{time} s is no time within a song", remedy="Times lie between 0 and 24 hours"
        )
    return None if time is None else float(time)


def clock_ms(hours: str | None, minutes: str | None, seconds: str, fraction: str | None) -> int:
    """Convert the digits of a clock to rounded milliseconds; raises FormatError beyond 24 hours."""
    total = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds)
    digits = (fraction or "0")[:9]
    milliseconds: int = total * 1000 + round(int(digits) * 1000 / 10 ** len(digits))
    checked(milliseconds / 1000)
    return milliseconds


def clock(time: float, decimals: int = 3, mark: str = ".") -> str:
    """Format seconds as ``hh:mm:ss.mmm``."""
    seconds, fraction = divmod(round(time * 10**decimals), 10**decimals)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{fraction:0{decimals}}"


def on_grid(time: float, unit: float) -> float:
    """Round a time to the nearest of ``unit`` steps a second."""
    return round(time * unit) / unit


def tidy(lyrics: Lyrics, *, doubtful: bool = False) -> Lyrics:
    """Make lyrics with which every format can begin, and with which every reader ends.

    Words hold no white space (one that does is parted: its first piece keeps the start, its last
    the end) and nothing invisible; empty ones are dropped. Times are possible ones. A line whose
    word times run backwards loses them: nobody can tell which of them to believe. An end before
    its start is not known. Words that no space parts are syllables of one (see `syllables`). What
    only a source knows (``source``, ``source_id``) goes. So do the word times of doubtful lines,
    unless a format keeps them, with their confidences, as ``doubtful``.

    Raises
    ------
    FormatError
        For times that are not finite, negative or beyond 24 hours, and for more words than any
        song has.
    """
    check_length(lyrics.lines)
    if not doubtful:
        lyrics = lyrics.without_doubtful()
    lines = tuple(map(_tidy_line, lyrics.lines))
    check_length(lines)
    lost = [
        line
        for before, line in zip(lyrics.lines, lines, strict=True)
        if line.words and _is_timed(before) and not _is_timed(line)
    ]
    if lost:
        what = f"word times that run backwards are left out, those of {len(lost)} lines"
        report(what, lost[0].words[0].text)
    metadata = {key: one_line(value) for key, value in lyrics.metadata.items()}
    return Lyrics(
        lines=lines,
        language=language_code(lyrics.language),
        instrumental=lyrics.instrumental,
        metadata={key: value for key, value in metadata.items() if value},
    )


def _is_timed(line: Line) -> bool:
    return any(word.start is not None and word.text.strip() for word in line.words)


def check_length(lines: Sequence[Line]) -> None:
    """Raise FormatError for more words and lines than any song has."""
    if len(lines) + sum(len(line.words) for line in lines) > MAX_WORDS:
        raise FormatError(f"more than {MAX_WORDS} words are not the lyrics of one song")


def _tidy_line(line: Line) -> Line:
    words = joined(_in_order(parted(in_order(_split(line.words)))))
    start, end = checked(line.start), checked(line.end)
    if start is None and words:
        start = words[0].start
    if start is None or (end is not None and end < start):
        end = None
    return Line(
        words,
        start,
        end,
        one_line(line.voice or "") or None,
        _parallel(line),
        doubtful=line.doubtful,
        estimated=line.estimated and start is not None,
    )


def _parallel(line: Line) -> tuple[ParallelText, ...]:
    texts = (
        dataclasses.replace(each, text=one_line(each.text), language=language_code(each.language))
        for each in line.parallel
    )
    return tuple(each for each in texts if each.text)


def _split(words: Iterable[Word]) -> list[Word]:
    split: list[Word] = []
    for word in words:
        start, end = checked(word.start), checked(word.end)
        parts = pieces(word.text)
        for syllable in word.syllables:
            checked(syllable.start), checked(syllable.end)
        if split and (word.text[:1].isspace() or (not parts and word.space)):
            split[-1] = dataclasses.replace(split[-1], space=True)
        if parts == [word.text] and start is word.start and end is word.end:
            split.append(word)
            continue
        for i, part in enumerate(parts):
            last = i == len(parts) - 1
            split.append(
                Word(
                    part,
                    start if i == 0 else None,
                    end if last else None,
                    word.confidence,
                    word.space or not last or word.text[-1:].isspace(),
                )
            )
    if split and not split[-1].space:
        split[-1] = dataclasses.replace(split[-1], space=True)
    return split


def _in_order(words: Sequence[Word]) -> tuple[Word, ...]:
    ordered: list[Word] = []
    latest = 0.0
    for word in words:
        if word.start is not None:
            if word.start < latest:
                return tuple(dataclasses.replace(w, start=None, end=None) for w in words)
            latest = word.start
        if word.end is not None and word.end < latest:
            word = dataclasses.replace(word, end=None)
        ordered.append(word)
    return tuple(ordered)


def bare(line: Line) -> tuple[Word, ...]:
    """Return a line's words without times, parted where people see white space."""
    return Line.from_text(line.text).words


def stamped(line: Line, unit: float, *, syllables: bool = False) -> tuple[Word, ...]:
    """Return words for a format that marks where words begin, ``unit`` steps a second.

    Between two marks lies one stretch of text, so a word without an onset belongs to the stretch
    of the word before it (glued to it where no space parts them), only the last word of a
    stretch has an end, and that end is at most the next mark: the next mark itself where it is
    not known. A line whose first word has no onset has no word times at all. With ``syllables``
    they are marked like words.
    """
    words = _glued(parted(line.words))
    if not words or words[0].start is None:
        return bare(line)
    stamped: list[Word] = []
    for i, word in enumerate(words):
        end = word.end
        if i + 1 < len(words):
            following = words[i + 1].start
            end = following if end is None or following is None else min(end, following)
        stamped.append(
            Word(
                word.text,
                None if word.start is None else on_grid(word.start, unit),
                None if end is None else on_grid(end, unit),
                None,
                word.space,
            )
        )
    if syllables:
        return joined(stamped)
    return tuple(dataclasses.replace(word, syllables=()) for word in joined(stamped))


def _glued(words: Iterable[Word]) -> list[Word]:
    glued: list[Word] = []
    for word in words:
        if glued and word.start is None and not glued[-1].space:
            before = glued.pop()
            word = dataclasses.replace(word, text=before.text + word.text, start=before.start)
        glued.append(word)
    return glued


class Stretch(NamedTuple):
    """The text between two marks."""

    start: float | None
    text: str


def words_of(stretches: Sequence[Stretch], end: float | None = None) -> tuple[Word, ...]:
    """Make words of what lies between marks; a stretch of white space is a rest.

    ``end`` is where the last stretch ends, if that is known.
    """
    words: list[Word] = []
    for i, (start, text) in enumerate(stretches):
        following = stretches[i + 1].start if i + 1 < len(stretches) else end
        parts = pieces(text)
        if words and text[:1].isspace():
            words[-1] = dataclasses.replace(words[-1], space=True)
        for j, part in enumerate(parts):
            last = j == len(parts) - 1
            words.append(
                Word(
                    part,
                    start if j == 0 else None,
                    following if last else None,
                    space=not last or text[-1:].isspace(),
                )
            )
    return tuple(words)


def stretches(words: Sequence[Word]) -> list[tuple[str, float, float | None]]:
    """Return text, start and end of each stretch of ``stamped`` words, trailing space included."""
    found: list[tuple[str, float, float | None]] = []
    words = parted(words)
    for i, word in enumerate(words):
        text = word.text + (" " if word.space and i + 1 < len(words) else "")
        if word.start is None:
            text_before, start, _ = found.pop()
            found.append((text_before + text, start, word.end))
        else:
            found.append((text, word.start, word.end))
    return found


def framed(
    lines: Sequence[Line],
    unit: float,
    *,
    words: bool,
    need_end: bool = True,
    parallel: bool = False,
    syllables: bool = False,
) -> tuple[Line, ...]:
    """Make cues of timed lines: each with words, a start and an end, which hold all its words.

    An end that nobody knows is where the last word ends, else (for formats that ``need_end``)
    where the next line begins, or ``LINGER_S`` later if that is earlier. Lines without a time
    stay without one, for the format to judge; lines without words are dropped. With ``words`` the
    word times are kept, as ``stamped`` has them, the last one ending with the line if nothing
    else is known. With ``parallel`` the texts beside a line are kept, with ``syllables`` those of
    the words.
    """
    sung = [line for line in lines if line.words]
    if syllables:
        sung = [dataclasses.replace(line, words=parted(line.words)) for line in sung]
    starts = sorted(line.start for line in sung if line.start is not None)
    cues = []
    for line in sung:
        beside = line.parallel if parallel else ()
        if line.start is None:
            cues.append(Line(bare(line), voice=line.voice, parallel=beside))
            continue
        start, end = _frame(line, starts if need_end else None, unit)
        timed = stamped(line, unit, syllables=syllables) if words else bare(line)
        if timed[0].start is not None and timed[-1].end is None:
            timed = joined(parted((*timed[:-1], dataclasses.replace(timed[-1], end=end))))
        cues.append(Line(timed, start, end, line.voice, beside))
    return tuple(cues)


def _frame(line: Line, starts: Sequence[float] | None, unit: float) -> tuple[float, float | None]:
    assert line.start is not None
    onsets = [word.start for word in line.words if word.start is not None]
    ends = [word.end for word in line.words if word.end is not None]
    start = min([line.start, *onsets])
    known = [end for end in (line.end, line.words[-1].end) if end is not None]
    if not known and starts is None:
        return on_grid(start, unit), None
    if not known and starts is not None:
        later = bisect.bisect_right(starts, line.start)
        known = [min([line.start + LINGER_S, *starts[later : later + 1]])]
    start, end = on_grid(start, unit), on_grid(max(known + onsets + ends), unit)
    return start, min(max(end, on_grid(start + 1 / unit, unit)), MAX_S)


def needs_line_times(lines: Iterable[Line], name: str) -> None:
    """Raise FormatError where a line with words has no time."""
    for number, line in enumerate((line for line in lines if line.words), start=1):
        if line.start is None:
            raise FormatError(
                f"line {number} of the lyrics ({line.text[:40]!r}) has no time, which {name} needs",
                remedy="Place the words with `lyricsyncd sync` first, or write txt",
            )
