"""How well two voices that sing at once are placed, on songs made for it with exact times.

    python -m benchmarks.voices [--mix] [--json]

The demo's singer sings the songs, a second singer, higher and panned to the side, comes in before a
line of the first is over: a *duet* of two poems whose lines overlap by half, *backing vocals* that
repeat the end of each line while it is still sung, and the same written in *brackets* behind the
line. Those with a 2 and a 3 are other poems at other speeds, with singers at other places; nothing
was chosen by those with a 3. *In turn*, the words in brackets follow the line. Each is placed from
its words alone and compared with the times that it was made with: the share of words within 0.3 s,
by voice.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from benchmarks.hard import RATE, write_wave
from demo import band, score, singer
from demo.speech import speak
from lyricsyncd.config.schema import Config
from lyricsyncd.model import Line, Lyrics, Word
from lyricsyncd.pipeline.pipeline import LyricSyncPipeline

FloatArray = npt.NDArray[np.float64]

RIGHT_S = 0.3
_TONIC = 146.83
_INTRO_BEATS = 8
_CHORDS = ("C", "C", "F", "C", "F", "C", "G", "C")

_STAR = (
    "Twinkle,/1,1 twinkle,/5,5 little/6,6 star,/5:2",
    "How/4 I/4 wonder/3,3 what/2 you/2 are./1:2",
    "Up/5 above/5,4 the/4 world/3 so/3 high,/2:2",
    "Like/4 a/4 diamond/3,3 in/2 the/2 sky./1:2",
    "When/1 the/1 blazing/5,5 sun/6 is/6 gone,/5:2",
    "When/4 he/4 nothing/3,3 shines/2 upon,/2,1:2",
    "Then/5 you/5 show/4 your/4 little/3,3 light,/2:2",
    "Twinkle,/4,4 twinkle,/3,3 all/2 the/2 night./1:2",
)
_LAMB = (
    "Mary/3,2 had/1 a/2 little/3,3 lamb,/3:2",
    "Its/2 fleece/2 was/2 white/3 as/5 snow,/5:2",
    "And/3 everywhere/2,1,2 that/3 Mary/3,3 went/3:2",
    "The/2 lamb/2 was/3 sure/2 to/1 go./1:2",
    "It/3 followed/2,1 her/2 to/3 school/3 one/3 day/3:2",
    "Which/2 was/2 against/2,3 the/5 rules,/5:2",
    "It/3 made/2 the/1 children/2,3 laugh/3 and/3 play/3:2",
    "To/2 see/2 a/3 lamb/2 at/1 school./1:2",
)
_ECHOES = (
    "little/8,8 star/8:2",
    "what/5 you/5 are/5:2",
    "world/6 so/6 high/5:2",
    "in/5 the/5 sky/5:2",
    "sun/8 is/8 gone/8:2",
    "shines/5 upon/5,5:2",
    "little/6,6 light/5:2",
    "all/5 the/5 night/5:2",
)
_JACK = (
    "Jack/1 and/2 Jill/3 went/3 up/4 the/4 hill/5:2",
    "To/5 fetch/5 a/4 pail/4 of/3 water,/3:2,2:1",
    "Jack/1 fell/2 down/3 and/3 broke/4 his/4 crown,/3:2",
    "And/3 Jill/3 came/2 tumbling/2,2 after./1,1:2",
    "Up/5 Jack/5 got/4 and/4 home/3 did/3 trot/2:2",
    "As/1 fast/2 as/2 he/3 could/3 caper,/2,1:2",
    "He/3 went/3 to/4 bed/4 to/5 mend/5 his/4 head/3:1.5",
    "With/2 vinegar/2,2,3 and/3 brown/2 paper./1,1:1.5",
)
_SEA = (
    "I/3 saw/3 a/2 ship/1 go/2 sailing,/2,3:1.5",
    "Go/1 sailing/2,2 on/3 the/2 sea,/1:2",
    "And/1 oh/3 but/3 it/2 was/2 laden/3,4:1.5",
    "With/4 pretty/5,4 things/3 for/2 me./1:2",
    "There/3 were/3 comfits/4,4 in/3 the/2 cabin,/2,1:1.5",
    "And/1 apples/2,2 in/3 the/4 hold,/5:2",
    "The/5 sails/5 were/4 made/4 of/3 silk,/3:2",
    "And/3 the/2 masts/2 were/2 made/1 of/1 gold./1:2",
)
_ANSWERS = (
    "over/5,5 the/5 hill/5:1.5",
    "a/5 pail/6 of/6 water/5,5:1.5",
    "ooh/8:2 crown/8:1.5",
    "tumbling/5,5 down/5:2",
    "home/6 again/5,5:2",
    "as/5 fast/5 as/6 he/6 could/5:1.5",
    "ooh/8 mend/8 his/8 head/8:1.5",
    "brown/5 paper/5,5:2",
)
_CALLS = (
    "a/8 ship/8 go/6 sailing/5,5",
    "on/5 the/5 sea/6:2",
    "it/5 was/5 laden/6,6",
    "things/6 for/5 me/5:2",
    "in/8 the/6 cabin/5,5",
    "in/5 the/5 hold/5:2",
    "made/6 of/5 silk/5:2",
    "made/5 of/5 gold/5:2",
)


@dataclass(frozen=True)
class Part:
    """Lines of one voice.

    Attributes
    ----------
    voice : str or None
        As `lyricsyncd.model.Line.voice`.
    lines : tuple of str
        In the notation of `demo.score`.
    behind : float
        Beats from the beginning of a line of the song to that of this part's line.
    speaker : str
        A voice of espeak-ng.
    transposed : float
        What the pitches are multiplied by.
    pan : float
        -1 (left) to 1 (right).
    bracketed : bool
        Whether its words are written in brackets at the ends of the lead's lines.
    """

    voice: str | None
    lines: tuple[str, ...]
    behind: float
    speaker: str
    transposed: float = 1.0
    pan: float = 0.0
    level: float = 1.0
    bracketed: bool = False


@dataclass(frozen=True)
class Song:
    """Parts that are sung together, the lead first.

    Attributes
    ----------
    line_beats : int
        Beats from the beginning of a line of the lead to that of its next.
    """

    parts: tuple[Part, ...]
    beat_s: float = 0.48
    line_beats: int = 8


_LEAD = Part(None, _STAR, 0.0, "en-us")
_ECHO = Part("bg", _ECHOES, 6.5, "en-us", 1.5, -0.5, 0.7)
_LATE_LEAD = Part(None, _JACK, 0.0, "en-us", 1.2)
_ANSWER = Part("bg", _ANSWERS, 6.0, "en-us", 1.6, 0.35, 0.6)
SONGS: dict[str, Song] = {
    "duet": Song((_LEAD, Part("Ann", _LAMB, 4.5, "en-us", 1.7, 0.5, 0.9))),
    "backing": Song((_LEAD, _ECHO)),
    "duet 2": Song((_LATE_LEAD, Part("Ben", _SEA, 3.5, "en-us", 0.75, -0.4)), 0.42),
    "backing 2": Song((_LATE_LEAD, _ANSWER), 0.55),
    "duet 3": Song(
        (
            Part(None, _LAMB, 0.0, "en-us", 1.1),
            Part("Ann", _STAR, 4.0, "en-us", 1.6, 0.6, 0.9),
        ),
        0.46,
    ),
    "backing 3": Song(
        (
            Part(None, _SEA, 0.0, "en-us"),
            Part("bg", _CALLS, 6.0, "en-us", 1.4, -0.6, 0.8),
        ),
        0.5,
    ),
    "brackets": Song((_LEAD, replace(_ECHO, bracketed=True))),
    "brackets 2": Song((_LATE_LEAD, replace(_ANSWER, bracketed=True)), 0.55),
    "in turn": Song((_LEAD, replace(_ECHO, behind=8.5, bracketed=True)), line_beats=13),
    "one voice": Song((_LEAD,)),
}


@dataclass(frozen=True)
class Made:
    """A song, with its words in the order of the lyrics and their true starts in seconds."""

    mix: npt.NDArray[np.float32]
    lyrics: Lyrics
    starts: FloatArray
    leads: npt.NDArray[np.bool_]


def make(song: Song) -> Made:
    """Sing and play a song of several voices."""
    parts = song.parts
    n_lines = len(parts[0].lines)
    beats = _INTRO_BEATS + (n_lines + 1) * song.line_beats
    total_s = beats * song.beat_s
    sung = [_sung(part, song) for part in parts]
    chords = [_CHORDS[at % len(_CHORDS)] for at in range(-(-beats // 2))]
    mix = 0.8 * band.play(chords, song.beat_s, _TONIC, total_s, RATE)
    mix = np.pad(mix, ((0, 0), (0, max(0, round(total_s * RATE) - mix.shape[1]))))
    for part, rows in zip(parts, sung, strict=True):
        voice = np.zeros(mix.shape[1])
        for word in (word for row in rows for word in row):
            audio = soxr.resample(word.audio, word.sample_rate, RATE)
            audio *= np.sqrt(np.mean(audio**2)) ** -0.7
            start = round(word.start * RATE)
            voice[start : start + audio.size] += audio[: mix.shape[1] - start]
        voice *= 0.2 * part.level / np.sqrt(np.mean(voice[np.abs(voice) > 1e-4] ** 2))
        mix += voice * np.array([[1.0 - max(0.0, part.pan)], [1.0 + min(0.0, part.pan)]])
    lines: list[Line] = []
    starts: list[float] = []
    leads: list[bool] = []
    for number in range(n_lines):
        for part, of_part in zip(parts, sung, strict=True):
            words = tuple(Word(word.text) for word in of_part[number])
            if part.bracketed:
                words = (replace(words[0], text=f"({words[0].text}"), *words[1:])
                words = (*words[:-1], replace(words[-1], text=f"{words[-1].text})"))
                lines[-1] = Line((*lines[-1].words, *words))
            else:
                lines.append(Line(words, voice=part.voice))
            starts += [word.start for word in of_part[number]]
            leads += [part.voice is None] * len(words)
    return Made(
        (mix.T * (0.89 / np.abs(mix).max())).astype(np.float32),
        Lyrics(tuple(lines), "en", source="file"),
        np.array(starts),
        np.array(leads),
    )


def _sung(part: Part, song: Song) -> list[list[singer.SungWord]]:
    """Sing the lines of a part, each at its beat."""
    texts = [word for line in part.lines for word, _ in score.notated(line)]
    spoken = iter(speak(part.speaker, texts))
    lines = []
    for number, line in enumerate(part.lines):
        beat = _INTRO_BEATS + number * song.line_beats + part.behind
        tunes: list[tuple[singer.Note, ...]] = []
        words = []
        for _, notes in score.notated(line):
            tune: list[singer.Note] = []
            for degree, beats in notes:
                hertz = score.hertz(_TONIC * part.transposed, degree)
                tune.append(singer.Note(beat * song.beat_s, (beat + beats) * song.beat_s, hertz))
                beat += beats
            tunes.append(tuple(tune))
            words.append(next(spoken))
        row = []
        for at, (word, on_clock) in enumerate(zip(words, tunes, strict=True)):
            until = on_clock[-1].end - 0.5 * song.beat_s
            if at + 1 < len(words):
                ahead = singer.onset_length(words[at + 1]) + singer.rest_before(words[at + 1])
                until = tunes[at + 1][0].start - ahead
            row.append(singer.sing(word, on_clock, until, 100 * number + at))
        lines.append(row)
    return lines


@dataclass(frozen=True)
class Measured:
    """One song; shares are of words within 0.3 s, 0-1."""

    song: str
    lead: float
    other: float
    median: float
    score: float


def measure(name: str, folder: Path, separator: str, models: Path | None = None) -> Measured:
    """Make a song, place its words, and compare."""
    made = make(SONGS[name])
    path = folder / f"{name}.wav"
    write_wave(path, made.mix)
    config = Config.model_validate({"models": {"separator": separator, "dir": models}})
    result = LyricSyncPipeline(config=config).sync(path, lyrics=made.lyrics)
    found = np.array([word.start for word in result.lyrics.words], np.float64)
    error = np.abs(found - made.starts)
    right = error <= RIGHT_S

    def share(of: npt.NDArray[np.bool_]) -> float:
        return float(right[of].mean()) if of.any() else float("nan")

    return Measured(
        name, share(made.leads), share(~made.leads), float(np.median(error)), result.quality_score
    )


def table(measured: Sequence[Measured]) -> str:
    """Format the shares, a song a line."""
    lines = [f"{'':12s} {'lead':>6s} {'other':>6s} {'median':>7s} {'score':>6s}"]
    lines += [
        f"{row.song:12s} {100 * row.lead:6.1f} {100 * row.other:6.1f} {row.median:7.3f}"
        f" {row.score:6.2f}"
        for row in measured
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mix", action="store_true", help="do not separate the vocals")
    parser.add_argument("--json", action="store_true", help="every song, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        separator = "mix" if options.mix else "auto"
        measured = [measure(name, Path(scratch), separator) for name in SONGS]
    print(json.dumps([asdict(row) for row in measured]) if options.json else table(measured))


if __name__ == "__main__":
    main()
