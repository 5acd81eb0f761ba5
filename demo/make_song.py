"""Make the demo songs, or prove that the ones that lie here are still what the rules give.

``python -m demo.make_song`` writes ``demo/songs/NAME.mp3`` with its words (``NAME.txt``), the true
times of every word and line (``NAME.words.csv``, ``NAME.lines.csv``) and its papers
(``NAME.json``). ``--check`` makes them again and compares: the times must be the same to the
millisecond, and the committed audio, decoded, must lie on the made one to the sample.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import click
import numpy as np
import soxr
from numpy.typing import NDArray

from demo import band, score, singer
from demo.speech import SpokenWord, speak

SONGS_DIR = Path(__file__).parent / "songs"
RATE = 44100
_BREATH_BEATS = 0.5
"""What the last note of a line gives up, so that the singer can breathe."""

_EVENNESS = 0.7
"""0: every word as loud as it was spoken; 1: all alike."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class TrueWord:
    """When a word is sung, in seconds; ``line`` counts from 0."""

    text: str
    start: float
    end: float
    line: int


@dataclass(frozen=True)
class Performance:
    """A song as made.

    Attributes
    ----------
    vocals, mix : float64 array, shape (2, samples)
        Stereo at 44100 Hz, within ±1.
    """

    song: score.Song
    vocals: FloatArray
    mix: FloatArray
    words: tuple[TrueWord, ...]


def perform(song: score.Song, spoken: Sequence[SpokenWord] | None = None) -> Performance:
    """Sing and play a song; the same song gives the same samples.

    ``spoken`` are its words where they are not to be said as the song's voice would read them.
    """
    chords = _arrangement(song)
    total_s = len(chords) * 2 * song.beat
    if spoken is None:
        spoken = speak(song.voice, " ".join(song.lyrics).split())
    sung = _sing(song, spoken)
    voice = np.zeros(round(total_s * RATE))
    for _, word in sung:
        start = round(word.start * RATE)
        audio = soxr.resample(word.audio, word.sample_rate, RATE)
        # A singer carries closed vowels as far as open ones, nearly.
        audio *= np.sqrt(np.mean(audio**2)) ** -_EVENNESS
        voice[start : start + audio.size] += audio
    voice *= 0.2 / np.sqrt(np.mean(voice[np.abs(voice) > 1e-4] ** 2))
    vocals = np.stack([voice, voice]) + _room(voice)
    mix = vocals + band.play(chords, song.beat, song.tonic, total_s, RATE)
    loudest = np.abs(mix).max() / 0.89
    words = tuple(
        TrueWord(word.text, round(word.start, 3), round(word.end, 3), line) for line, word in sung
    )
    return Performance(song, vocals / loudest, mix / loudest, words)


def _arrangement(song: score.Song) -> list[str]:
    """The chords of the whole song, one each two beats."""
    stanza = [chord for line in song.chords for chord in line.split()]

    def vamp(beats: int) -> list[str]:
        return (["C", "F", "C", "G"] * beats)[: beats // 2]

    chords = vamp(song.intro_beats)
    for number in range(len(song.stanzas)):
        chords += (vamp(song.break_beats) if number else []) + stanza
    return chords + ["C", "F", "G", "C"][-song.outro_beats // 2 :]


def _sing(
    song: score.Song, words_spoken: Sequence[SpokenWord]
) -> list[tuple[int, singer.SungWord]]:
    """Every word on its notes, with the number of its line."""
    voice = iter(words_spoken)
    sung: list[tuple[int, singer.SungWord]] = []
    beat_number: float = song.intro_beats
    line_number = 0
    for stanza in song.stanzas:
        for line in stanza:
            notes: list[tuple[singer.Note, ...]] = []
            words = score.notated(line)
            for _, tune in words:
                on_clock = []
                for degree, beats in tune:
                    start, beat_number = beat_number, beat_number + beats
                    pitch = score.hertz(song.tonic, degree)
                    on_clock.append(singer.Note(start * song.beat, beat_number * song.beat, pitch))
                notes.append(tuple(on_clock))
            spoken = [next(voice) for _ in words]
            for index, (word, tune_of_word) in enumerate(zip(spoken, notes, strict=True)):
                if index + 1 < len(spoken):
                    following = spoken[index + 1]
                    ahead = singer.onset_length(following) + singer.rest_before(following)
                    until = notes[index + 1][0].start - ahead
                else:
                    until = tune_of_word[-1].end - _BREATH_BEATS * song.beat
                sung.append((line_number, singer.sing(word, tune_of_word, until, len(sung))))
            line_number += 1
        beat_number += song.break_beats
    return sung


def _room(voice: FloatArray) -> FloatArray:
    """A little room about a mono voice: stereo, without the voice itself."""
    random = np.random.default_rng(4)
    clock = np.arange(round(0.5 * RATE)) / RATE
    size = 1 << (voice.size + clock.size).bit_length()
    spectrum = np.fft.rfft(voice, size)
    sides = []
    for _ in range(2):
        echo = random.standard_normal(clock.size) * np.exp(-clock / 0.11) * (clock > 0.015)
        echo /= np.sqrt((echo**2).sum())
        sides.append(0.13 * np.fft.irfft(spectrum * np.fft.rfft(echo, size), size)[: voice.size])
    return np.stack(sides)


def encode(performance: Performance, path: Path) -> None:
    """Write the mix as MP3 with tags; the encoder notes its delay, so that decoders undo it."""
    samples = (performance.mix.T * 32767).round().astype(np.int16)
    # Bit exact: nothing about the encoding library's version in the file.
    with av.open(str(path), "w", format="mp3", options={"fflags": "+bitexact"}) as container:
        container.metadata["artist"] = performance.song.artist
        container.metadata["title"] = performance.song.title
        container.metadata["album"] = "Public Domain"
        stream = container.add_stream("libmp3lame", rate=RATE, layout="stereo")
        stream.bit_rate = 96_000
        for start in range(0, len(samples), 1024):
            piece = np.ascontiguousarray(samples[start : start + 1024].reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="stereo")
            frame.sample_rate = RATE
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def decode(path: Path) -> FloatArray:
    """The audio of a file, shape (2, samples), as its sample rate has it, within ±1."""
    with av.open(str(path)) as container:
        pieces = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(pieces, axis=1).astype(np.float64)


def lag(made: FloatArray, decoded: FloatArray) -> int:
    """Samples by which ``decoded`` comes after ``made`` (both mono), by cross-correlation."""
    size = 1 << (made.size + decoded.size).bit_length()
    product = np.fft.rfft(decoded, size) * np.conj(np.fft.rfft(made, size))
    best = int(np.argmax(np.fft.irfft(product, size)))
    return best if best < size // 2 else best - size


def papers(performance: Performance) -> dict[str, str]:
    """The texts that lie beside the audio, by their suffix."""
    song = performance.song
    lines = song.lyrics
    last = {word.line: word for word in performance.words}
    first = {word.line: word for word in reversed(performance.words)}
    words_csv = _csv(
        ["word_start", "word_end", "line_end"],
        [
            [f"{w.start:.3f}", f"{w.end:.3f}", f"{w.end:.3f}" if w is last[w.line] else "nan"]
            for w in performance.words
        ],
    )
    lines_csv = _csv(
        ["start_time", "end_time", "lyrics_line"],
        [
            [f"{first[number].start:.3f}", f"{last[number].end:.3f}", line]
            for number, line in enumerate(lines)
        ],
    )
    about = {
        "artist": song.artist,
        "title": song.title,
        "language": song.language,
        "license": "CC0-1.0",
        "source": song.source,
        "creator": "made by demo/make_song.py",
    }
    return {
        ".txt": "\n".join(lines) + "\n",
        ".words.csv": words_csv,
        ".lines.csv": lines_csv,
        ".json": json.dumps(about, indent=1, ensure_ascii=False) + "\n",
    }


def _csv(header: list[str], rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def faults(performance: Performance, folder: Path) -> list[str]:
    """What is wrong with the files of a song in ``folder``, a sentence each; none is well."""
    name = performance.song.name
    found = []
    for suffix, text in papers(performance).items():
        path = folder / f"{name}{suffix}"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            found.append(f"{path.name} is not what the rules give")
    audio = folder / f"{name}.mp3"
    if not audio.exists():
        return [*found, f"{audio.name} is missing"]
    decoded = decode(audio)
    samples = lag(performance.mix.mean(0), decoded.mean(0))
    if samples:
        found.append(f"{audio.name} lies {samples} samples beside the truth")
    if decoded.shape != performance.mix.shape:
        found.append(f"{audio.name} is {decoded.shape[1]} samples long")
    else:
        likeness = np.corrcoef(decoded.ravel(), performance.mix.ravel())[0, 1]
        if likeness < 0.97:
            found.append(f"{audio.name} sounds different (correlation {likeness:.3f})")
    return found


@click.command(help=__doc__)
@click.option("--check", is_flag=True, help="Write nothing; compare with what lies here.")
@click.option("--out", type=click.Path(path_type=Path), default=SONGS_DIR, help="Folder.")
@click.option("--vocals", is_flag=True, help="Also write NAME.vocals.wav, to listen to.")
def main(check: bool, out: Path, vocals: bool) -> None:
    """Make or check every song."""
    broken = False
    for song in score.SONGS:
        performance = perform(song)
        if not check:
            out.mkdir(parents=True, exist_ok=True)
            encode(performance, out / f"{song.name}.mp3")
            for suffix, text in papers(performance).items():
                (out / f"{song.name}{suffix}").write_text(text, encoding="utf-8")
            if vocals:
                _write_wav(out / f"{song.name}.vocals.wav", performance.vocals)
        problems = faults(performance, out)
        broken = broken or bool(problems)
        length = performance.mix.shape[1] / RATE
        click.echo(f"{song.name}: {length:.1f} s, {len(performance.words)} words, ", nl=False)
        click.echo("; ".join(problems) or "as it should be")
    if broken:
        raise SystemExit(1)


def _write_wav(path: Path, audio: FloatArray) -> None:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(audio))
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((audio.T * 32767).round().astype("<i2").tobytes())


if __name__ == "__main__":
    main()
