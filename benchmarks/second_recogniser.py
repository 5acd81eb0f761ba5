"""Compare the phone states alone, Whisper alone, and both as the service uses them.

    python -m benchmarks.second_recogniser DIR --whisper MODEL [--cache FOLDER] [--jobs N]
        [--markdown]

Over a folder laid out as `lyricsyncd.judging.references` says, with a converted Whisper model (a
folder, or a size on the hub). Whisper alone is the usual recipe: its transcript is matched with the
words, and the others are interpolated; with line times, line by line. Both together is what the
service does: where the placement of the phone states is doubtful, the words are placed once more
with the transcript as anchors, and that is taken where it is clearly judged better.

A second table shows how songs are judged with the transcript and without: with their own words, and
with those of other songs. The constants of `lyricsyncd.judging.agreement` are fitted at the end.
Placements and transcripts are stored in ``--cache``: they take a minute or two per song.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy import Scores
from lyricsyncd.align import align_words, refine
from lyricsyncd.align.aligner import Alignment, align
from lyricsyncd.align.anchors import transcript_starts
from lyricsyncd.align.emissions import SAMPLE_RATE
from lyricsyncd.align.emissions.sphinx import PhoneStateModel
from lyricsyncd.config.schema import Quality
from lyricsyncd.judging import agreement, quality
from lyricsyncd.judging.calibration import phone_states
from lyricsyncd.judging.references import Recording, read_all
from lyricsyncd.model import Word
from lyricsyncd.pipeline.placer import DOUBTFUL

DoubleArray = npt.NDArray[np.float64]

RIGHT = ("plain words", "line times", "a verse missing", "plain words, on the mix")
MODELS = ("phone states", "whisper", "both")
NEAR = 0.3
WRONG_WEIGHT = 0.5
RIDGE = 0.02


@dataclass(frozen=True)
class Case:
    """One song with one text: its transcript, and where each way put the words."""

    song: str
    way: str
    text: Recording
    transcribed: tuple[Word, ...]
    without_prior: Alignment
    both: Alignment | None
    """``None`` where the placement of the phone states was not doubtful."""
    right: bool

    @property
    def known(self) -> list[Word]:
        """The words."""
        return _words(self.text)

    @property
    def transcript(self) -> agreement.Transcript:
        """The transcript, matched with the words."""
        starts = transcript_starts(self.transcribed, self.known)
        return agreement.Transcript(starts, len(self.transcribed), self.text.language)

    @property
    def as_used(self) -> Alignment:
        """The placement that the service would take."""
        if self.both is None:
            return self.without_prior
        kept, _ = agreement.better(
            self.without_prior, self.both, self.transcript, Quality(), phone_states()
        )
        return kept

    def by(self, model: str) -> Scores:
        """Return the errors of one of `MODELS`."""
        placed = self.as_used if model == "both" else self.without_prior
        onset, offset = placed.onset, placed.offset
        if model == "whisper":
            onset, offset = _by_recipe(self)
        truth = list(zip(self.text.onsets.tolist(), self.text.ends.tolist(), strict=True))
        return Scores.of(onset.tolist(), offset.tolist(), truth)


def _words(text: Recording) -> list[Word]:
    return [Word(word) for line in text.lines for word in line]


def _by_recipe(case: Case) -> tuple[DoubleArray, DoubleArray]:
    """Place the words by the transcript alone (and the line times)."""
    if case.way != "line times":
        placed, _ = align_words(case.transcribed, case.known)
    else:
        starts = [*case.text.starts, np.inf]
        placed = []
        for line, start, end in zip(case.text.lines, starts, starts[1:], strict=False):
            here = [w for w in case.transcribed if start - 0.5 <= (w.start or 0.0) < end - 0.5]
            words, _ = align_words(
                [Word("\0", start, start), *here], [Word("\0"), *map(Word, line)]
            )
            placed += words[1:]
    times = np.array([(word.start or 0.0, word.end or 0.0) for word in placed], np.float64)
    return times[:, 0], times[:, 1]


def cases(songs: Sequence[Recording], whisper: str, cache: Path | None, jobs: int) -> list[Case]:
    """Place every song with every text, song by song in as many processes."""
    count = len(songs)
    tasks = [
        (songs[i], songs[(i + 1) % count], songs[(i + 5) % count], whisper, cache)
        for i in range(count)
    ]
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        return [case for each in pool.map(_cases, tasks) for case in each]


def _cases(task: tuple[Recording, Recording, Recording, str, Path | None]) -> list[Case]:
    song, other, another, whisper, cache = task
    transcribed = _cached(cache, f"{song.name}.transcript", lambda: _transcribed(song, whisper))
    n_lines = len(song.lines)
    middle = set(range(n_lines // 3, n_lines // 2))
    missing = song.with_lines([i for i in range(n_lines) if i not in middle])
    texts = [
        *((way, song) for way in RIGHT if way != "a verse missing"),
        ("a verse missing", missing),
        ("wrong words", other),
        ("other wrong words", another),
        ("few wrong words", another.with_lines(range(len(another.lines) // 4 + 1))),
        ("two wrong lines", other.with_lines(range(2, 4))),
    ]
    found = []
    for way, text in texts:
        place = _placing(song, text, way)
        without_prior = _cached(cache, f"{song.name}.{way}", place)
        both = None
        right = text.name == song.name
        if right and quality.judge(without_prior, Quality(), phone_states()).score < DOUBTFUL:
            starts = transcript_starts(transcribed, _words(text))
            both = _cached(cache, f"{song.name}.{way}.both", _placing(song, text, way, starts))
        found.append(
            Case(
                song.name,
                way,
                replace(text, vocals=_NOTHING, mix=_NOTHING),
                transcribed,
                without_prior,
                both,
                right,
            )
        )
    return found


_NOTHING = np.zeros(0, np.float32)


def _transcribed(song: Recording, whisper: str) -> tuple[Word, ...]:
    from lyricsyncd.transcribe import open_transcriber

    recogniser = open_transcriber("faster-whisper", whisper, "cpu")
    return tuple(recogniser.transcribe(song.mix, song.language))


def _placing(
    song: Recording, text: Recording, way: str, starts: Sequence[float | None] | None = None
) -> Callable[[], Alignment]:
    def place() -> Alignment:
        audio = song.mix if way.endswith("mix") else song.vocals
        placed = align(
            audio,
            text.lines,
            text.language,
            PhoneStateModel.load(),
            line_starts=song.starts if way == "line times" else None,
            transcript_starts=starts,
        )
        onset, offset = refine.refine(placed.onset, placed.offset, audio, SAMPLE_RATE)
        return replace(placed, onset=onset, offset=offset)

    return place


def _cached(cache: Path | None, name: str, make: Callable[[], Any]) -> Any:
    """Return what an earlier run stored, or make it now."""
    if cache is None:
        return make()
    path = cache / f"{name}.pickle"
    if path.exists():
        return pickle.loads(path.read_bytes())
    made = make()
    path.write_bytes(pickle.dumps(made))
    return made


def table(rows: Iterable[tuple[str, Scores]], *, markdown: bool) -> str:
    """What a person reads."""
    if markdown:
        head = "| | mean error | median | within 0.3 s | within 0.1 s |\n|---|---|---|---|---|\n"
        return head + "\n".join(
            f"| {name} | {s.aae:.2f} s | {s.median:.3f} s | {s.within_300ms:.1f} % |"
            f" {s.within_100ms:.1f} % |"
            for name, s in rows
        )
    return "\n".join(
        f"{name:44s} {s.aae:7.3f} {s.median:7.3f} {s.within_300ms:6.1f} {s.within_100ms:6.1f}"
        for name, s in rows
    )


def _logits(case: Case) -> DoubleArray:
    p = np.clip(quality.confidences(case.without_prior, phone_states()), 1e-4, 1.0 - 1e-4)
    return np.log(p / (1.0 - p))


def _in_place(case: Case) -> DoubleArray:
    if not case.right:
        return np.zeros(len(case.without_prior.onset))
    return (np.abs(case.without_prior.onset - case.text.onsets) <= NEAR).astype(np.float64)


def _predictors(case: Case) -> DoubleArray:
    """Return the predictors that the constants are fitted to, shape (N, 3)."""
    return agreement.transcript_predictors(case.without_prior.onset, case.transcript)


def fitted(some: Sequence[Case]) -> DoubleArray:
    """Fit the constants by Newton's method, on top of the calibration."""
    x = np.concatenate([_predictors(case) for case in some])
    base = np.concatenate([_logits(case) for case in some])
    y = np.concatenate([_in_place(case) for case in some])
    w = np.concatenate(
        [np.full(len(c.known), (1.0 if c.right else WRONG_WEIGHT) / len(c.known)) for c in some]
    )
    w /= w.mean()
    beta = np.zeros(x.shape[1])
    ridge = RIDGE * np.eye(len(beta))
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-base - x @ beta))
        gradient = x.T @ (w * (p - y)) / len(y) + RIDGE * beta
        curvature = (x * (w * p * (1.0 - p))[:, None]).T @ x / len(y) + ridge
        beta -= np.linalg.solve(curvature, gradient)
    return beta


def judging(everything: Sequence[Case]) -> str:
    """Compare scores without and with the transcript, its constants fitted on other songs."""
    beta = {
        song: fitted([case for case in everything if case.song != song])
        for song in dict.fromkeys(case.song for case in everything)
    }
    lines = []
    for title, additions in (
        ("without", [np.zeros(len(case.known)) for case in everything]),
        ("with", [_predictors(case) @ beta[case.song] for case in everything]),
    ):
        score = np.array(
            [
                quality.judge(case.without_prior, Quality(), phone_states(), added).score
                for case, added in zip(everything, additions, strict=True)
            ]
        )
        truth = np.array([_in_place(case).mean() for case in everything])
        right = np.array([case.right for case in everything])
        good = right & (truth >= 0.8)
        lines.append(
            f"{title:8s} score off by {np.abs(score - truth)[right].mean():.3f} (right words);"
            f" words in place that score ≥ 0.7: {(score[good] >= 0.7).mean():.0%};"
            f" wrong words: at most {score[~right].max():.2f}, mean {score[~right].mean():.3f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--whisper", required=True, help="a folder with a converted model, or base")
    parser.add_argument("--stems", type=Path, help="keep stems here between runs")
    parser.add_argument("--cache", type=Path, help="keep transcripts and placements here")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--markdown", action="store_true", help="a table for the documentation")
    options = parser.parse_args()
    if options.cache is not None:
        options.cache.mkdir(parents=True, exist_ok=True)
    songs = read_all(options.folder, options.stems)
    everything = cases(songs, options.whisper, options.cache, options.jobs)
    rows = [
        (
            f"{way}: {model}",
            Scores.mean(case.by(model) for case in everything if case.way == way),
        )
        for way in RIGHT
        for model in MODELS
    ]
    print(table(rows, markdown=options.markdown))
    doubtful = [case for case in everything if case.both is not None]
    if not options.markdown:
        for case in doubtful:
            scores = [(f"  {case.text.name[:24]}, {case.way}: {e}", case.by(e)) for e in MODELS]
            print(table(scores, markdown=False))
    print(judging(everything))
    print("_CONSTANT, _SONG, _NEARBY =", *(f"{b:.2f}" for b in fitted(everything)))


if __name__ == "__main__":
    main()
