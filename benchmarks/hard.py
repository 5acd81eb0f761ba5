"""Place words on hard versions of songs with human timings: weak vocals, poor copies, wrong words.

    python -m benchmarks.hard DIR [--versions NAME,...] [--cache DIR] [--jobs N] [--json]

The folder is laid out as `lyricsyncd.judging.references` says. Every song is made harder in each of
the ways below, and placed as `lyricsyncd sync` would place it. Errors are those of the words that
are sung; words that are not have no true time, and count where they are written.

Columns: mean absolute error in seconds; median; share within 0.3, 0.1 and 0.05 s; of the words
whose times may be written, the share within 0.3 s, and how many these are; the score; songs below
80 % that the score does not report (0.7 or more).
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import sys
import tempfile
import wave
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from lyricsyncd import audio
from lyricsyncd.config.schema import Config
from lyricsyncd.judging import references
from lyricsyncd.model import Lyrics
from lyricsyncd.pipeline.pipeline import LyricSyncPipeline
from lyricsyncd.pipeline.result import SyncResult
from lyricsyncd.separate import VocalSeparator

DoubleArray = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]

RATE = 44_100
"""Hz of the versions' audio."""
PAUSE_S = 3.0
"""Seconds of silence between two songs in one file."""
TOLERANCE_S = 0.3


@dataclass(frozen=True)
class Text:
    """Lines of words and where they are sung.

    Attributes
    ----------
    starts : tuple of lines, each a tuple of float
        True seconds of each word; NaN for words that are not sung.
    """

    lines: tuple[tuple[str, ...], ...]
    starts: tuple[tuple[float, ...], ...]

    def chosen(self, numbers: Sequence[int]) -> Text:
        """Return some of the lines."""
        return Text(tuple(self.lines[i] for i in numbers), tuple(self.starts[i] for i in numbers))

    def stretched(self, factor: float) -> Text:
        """Return the words with their times multiplied."""
        return Text(
            self.lines, tuple(tuple(factor * start for start in line) for line in self.starts)
        )


@dataclass(frozen=True)
class Source:
    """A song that versions are made of, and the next one of its language."""

    path: Path
    text: Text
    other_path: Path
    other: Text
    language: str | None


Sound = Callable[[Source, VocalSeparator], FloatArray]
"""Makes the audio of a version, stereo at `RATE`."""


def with_vocals(decibels: float) -> Sound:
    """Mix the separated vocals louder or quieter against the rest."""

    def made(source: Source, separator: VocalSeparator) -> FloatArray:
        whole = decoded(source.path)
        vocals, _ = separator.extract_vocals_full_rate(source.path)
        size = min(len(whole), len(vocals))
        band = whole[:size] - vocals[:size]
        louder: FloatArray = band + np.float32(10.0 ** (decibels / 20.0)) * vocals[:size]
        return louder

    return made


def at_speed(factor: float) -> Sound:
    """Play the song faster or slower, as a tape does."""

    def made(source: Source, _separator: VocalSeparator) -> FloatArray:
        import soxr

        whole: FloatArray = soxr.resample(decoded(source.path), RATE * factor, RATE)
        return whole

    return made


def low_bitrate(source: Source, _separator: VocalSeparator) -> FloatArray:
    """Encode the song as MP3, mono at 64 kbit/s, and decode it."""
    import av

    whole = decoded(source.path).mean(axis=1)
    encoded = io.BytesIO()
    with av.open(encoded, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono")
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = 64_000
        for start in range(0, len(whole), RATE):
            frame = av.AudioFrame.from_ndarray(whole[None, start : start + RATE], "fltp", "mono")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return _decoded_bytes(encoded.getvalue())


def two_songs(source: Source, _separator: VocalSeparator) -> FloatArray:
    """Append another song after a pause."""
    pause = np.zeros((round(PAUSE_S * RATE), 2), np.float32)
    return np.concatenate([decoded(source.path), pause, decoded(source.other_path)])


def verse_missing(source: Source) -> Text:
    """Leave out a sixth of the lines, in the middle."""
    count = len(source.text.lines)
    missing = range(count // 2 - count // 12, count // 2 - count // 12 + max(1, count // 6))
    return source.text.chosen([i for i in range(count) if i not in missing])


def choruses_once(source: Source) -> Text:
    """Write every repeated line only where it is sung first."""
    lines = source.text.lines
    return source.text.chosen([i for i, line in enumerate(lines) if line not in lines[:i]])


def verse_too_many(source: Source) -> Text:
    """Put a sixth as many lines of another song into the middle."""
    lines, starts = source.text.lines, source.text.starts
    middle, count = len(lines) // 2, max(1, len(lines) // 6)
    extra = source.other.lines[:count]
    nowhere = tuple((np.nan,) * len(line) for line in extra)
    return Text(
        lines[:middle] + extra + lines[middle:], starts[:middle] + nowhere + starts[middle:]
    )


def ad_libs(source: Source) -> Text:
    """Add words in brackets that are not sung to every third line."""
    words = ("(yeah", "yeah", "oh)")
    lines = [line + words * (i % 3 == 1) for i, line in enumerate(source.text.lines)]
    starts = [
        line + (np.nan,) * len(words) * (i % 3 == 1) for i, line in enumerate(source.text.starts)
    ]
    return Text(tuple(lines), tuple(starts))


def one_line(source: Source) -> Text:
    """Write all words in one line."""
    return Text((sum(source.text.lines, ()),), (sum(source.text.starts, ()),))


def same_text(source: Source) -> Text:
    """Return the words as they are."""
    return source.text


@dataclass(frozen=True)
class Version:
    """A way of making songs harder.

    Attributes
    ----------
    sound : callable or None
        Makes its audio; ``None`` for the song's own.
    text : callable
        Makes its words.
    separator : str
    """

    sound: Sound | None = None
    text: Callable[[Source], Text] = same_text
    separator: str = "auto"


VERSIONS = {
    "as it is": Version(),
    "vocals -6 dB": Version(with_vocals(-6.0)),
    "vocals -10 dB": Version(with_vocals(-10.0)),
    "mix": Version(separator="mix"),
    "64 kbit/s mono": Version(low_bitrate),
    "4 % slower": Version(at_speed(1 / 1.04), lambda source: source.text.stretched(1.04)),
    "4 % faster": Version(at_speed(1.04), lambda source: source.text.stretched(1 / 1.04)),
    "verse missing": Version(text=verse_missing),
    "choruses once": Version(text=choruses_once),
    "verse too many": Version(text=verse_too_many),
    "ad-libs": Version(text=ad_libs),
    "no line breaks": Version(text=one_line),
    "two songs": Version(two_songs),
}


def decoded(path: Path) -> FloatArray:
    """Decode a song, shape (n, 2), at `RATE`."""
    whole: FloatArray = np.concatenate(list(audio.blocks(path, RATE)))
    return whole


def _decoded_bytes(content: bytes) -> FloatArray:
    with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
        file.write(content)
        file.flush()
        return decoded(Path(file.name))


def write_wave(path: Path, samples: FloatArray) -> None:
    """Write 16-bit stereo; the file is complete or absent."""
    unfinished = path.with_name(f".{path.name}.part")
    with wave.open(str(unfinished), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        peak = max(1.0, float(np.abs(samples).max(initial=0.0)))
        file.writeframes((samples * (32767.0 / peak)).astype("<i2").tobytes())
    unfinished.replace(path)


def sources(folder: Path) -> list[Source]:
    """Read the songs of a folder, each with another of its language, if there is one."""
    songs = []
    for path in references.find(folder):
        lyrics = references.lyrics(path, line_times=False)
        times = np.array(references.word_times(path))[:, 0]
        lines = [[word.text for word in line.words] for line in lyrics]
        iterator = iter(times.tolist())
        starts = tuple(tuple(next(iterator) for _ in line) for line in lines)
        songs.append((path, Text(tuple(map(tuple, lines)), starts), references.language(path)))
    found = []
    for i, (path, text, language) in enumerate(songs):
        after = songs[i + 1 :] + songs[:i]
        same = [song for song in after if song[2] == language] or after or [songs[i]]
        found.append(Source(path, text, same[0][0], same[0][1], language))
    return found


@dataclass(frozen=True)
class Measured:
    """One song in one version; shares are 0-1."""

    version: str
    song: str
    aae: float
    median: float
    within_300ms: float
    within_100ms: float
    within_50ms: float
    score: float
    decision: str
    written: float
    """Share of the sung words whose times may be written."""
    written_right: float
    """Of all words whose times may be written, the share within 0.3 s; 1 without any."""
    seconds: float
    """Seconds of placing, without separation."""
    length: float
    right: tuple[bool, ...]
    """Of each word, whether it is within 0.3 s."""
    confidence: tuple[float, ...]


def _measure(task: tuple[str, Source], cache: Path) -> Measured:
    """Place a version of a song."""
    name, source = task
    version = VERSIONS[name]
    text = version.text(source)
    plain = Lyrics.from_text(
        "\n".join(" ".join(line) for line in text.lines), source="file", language=source.language
    )
    result = _pipeline(version.separator).sync(_audio(name, source, cache), lyrics=plain)
    words = result.lyrics.words
    onset = np.array([np.nan if word.start is None else word.start for word in words])
    confidence = np.array([word.confidence or 0.0 for word in words])
    truth = np.array([start for line in text.starts for start in line])
    sung = ~np.isnan(truth)
    error = np.abs(onset - truth)
    right = np.nan_to_num(error, nan=np.inf) <= TOLERANCE_S
    written = _written(result)
    return Measured(
        version=name,
        song=source.path.stem,
        aae=float(error[sung].mean()),
        median=float(np.median(error[sung])),
        within_300ms=float(right[sung].mean()),
        within_100ms=float((error[sung] <= 0.1).mean()),
        within_50ms=float((error[sung] <= 0.05).mean()),
        score=result.quality_score,
        decision=result.decision.value,
        written=float(written[sung].mean()),
        written_right=float(right[written].mean()) if written.any() else 1.0,
        seconds=sum(result.stages.get(stage, 0.0) for stage in ("align", "refine", "judge")),
        length=result.song.duration or 0.0,
        right=tuple(right.tolist()),
        confidence=tuple(confidence.tolist()),
    )


@functools.cache
def _pipeline(separator: str) -> LyricSyncPipeline:
    return LyricSyncPipeline(config=Config.model_validate({"models": {"separator": separator}}))


def _written(result: SyncResult) -> npt.NDArray[np.bool_]:
    """Return which words of a result are written with their times: those of its sure lines."""
    lines = [(line.timed_words, len(line.words)) for line in result.lyrics]
    sure = np.repeat([timed for timed, _ in lines], [count for _, count in lines]).astype(np.bool_)
    return sure & result.may_write


def _audio(name: str, source: Source, cache: Path) -> Path:
    """Make the audio of a version, once."""
    sound = VERSIONS[name].sound
    if sound is None:
        return source.path
    folder = cache / name.replace(" ", "_").replace("/", "_")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{source.path.stem}.wav"
    if not path.exists():
        write_wave(path, sound(source, VocalSeparator("auto")))
    return path


def table(measured: Sequence[Measured]) -> str:
    """Format the means over songs, one version a line."""
    names = list(dict.fromkeys(row.version for row in measured))
    header = f"{'':16s} {'AAE':>6s} {'median':>6s} {'≤.3':>6s} {'≤.1':>6s} {'≤.05':>6s}"
    lines = [f"{header} {'right':>6s} {'written':>7s} {'score':>5s} {'lost':>4s} {'cost':>5s}"]
    for name in names:
        rows = [row for row in measured if row.version == name]

        def mean(value: Callable[[Measured], float], rows: Sequence[Measured] = rows) -> float:
            return fmean(value(row) for row in rows)

        lost = sum(row.within_300ms < 0.8 and row.score >= 0.7 for row in rows)
        cost = sum(row.seconds for row in rows) / max(1.0, sum(row.length for row in rows))
        lines.append(
            f"{name:16s} {mean(lambda r: r.aae):6.3f} {mean(lambda r: r.median):6.3f}"
            f" {100 * mean(lambda r: r.within_300ms):6.1f}"
            f" {100 * mean(lambda r: r.within_100ms):6.1f}"
            f" {100 * mean(lambda r: r.within_50ms):6.1f}"
            f" {100 * mean(lambda r: r.written_right):6.1f} {100 * mean(lambda r: r.written):7.1f}"
            f" {mean(lambda r: r.score):5.2f} {lost:4d} {cost:5.3f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    versions = ", ".join(VERSIONS).replace("%", "%%")
    parser.add_argument("--versions", help=f"some of: {versions}")
    parser.add_argument("--cache", type=Path, help="keep the versions' audio here")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="every song, as JSON")
    options = parser.parse_args()
    names = options.versions.split(",") if options.versions else list(VERSIONS)
    if unknown := set(names) - set(VERSIONS):
        parser.error(f"there is no version {', '.join(sorted(unknown))}")
    songs = sources(options.folder)
    if not songs:
        parser.error(f"no songs with .words.csv in {options.folder}")
    with tempfile.TemporaryDirectory() as scratch:
        work = functools.partial(_measure, cache=options.cache or Path(scratch))
        tasks = [(name, source) for name in names for source in songs]
        measured: list[Measured] = []
        with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
            for row in pool.map(work, tasks):
                measured.append(row)
                share = 100 * row.within_300ms
                line = f"  {row.version:16s} {row.song[:40]:40s} {share:5.1f} {row.score:.2f}"
                print(line, file=sys.stderr, flush=True)
    print(json.dumps([asdict(row) for row in measured]) if options.json else table(measured))


if __name__ == "__main__":
    main()
