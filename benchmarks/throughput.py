"""Measure songs per hour and seconds per stage, against the usual recipe in the same run.

    python -m benchmarks.throughput DIR --whisper MODEL [--models DIR] [--device cuda]
    python -m benchmarks.throughput DIR --whisper MODEL --random [--seconds 30] [--songs 2]

Over a folder laid out as `lyricsyncd.judging.references` says. The recipe
(`benchmarks.plain_recipe`) is a fresh process for each song, with the whole bag of Demucs,
transcription and difflib. The service is one warm model worker, the network of the vocals alone,
the known words placed by the search; once song by song, and once with each next song prefetched.
Its first song includes loading.

Where the weights cannot be had, ``--random`` makes a bag of Demucs' own classes in the real size:
it takes as long, and separates nothing. Whisper then gets the mix, which has words in it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lyricsyncd import audio
from lyricsyncd.config.schema import Config
from lyricsyncd.judging import references
from lyricsyncd.model import SongIdentification, Track
from lyricsyncd.pipeline.prepared import Answer, Prepared
from lyricsyncd.pipeline.settings import placing_settings
from lyricsyncd.processes.executor import WorkerExecutor
from lyricsyncd.processes.limits import ResourceLimits
from lyricsyncd.work import worker

RATE = 44_100
STAGES = ("load", "decode", "separate", "transcribe", "match", "align", "refine", "judge")
BAG, NETWORKS = "htdemucs_ft", 4


@dataclass(frozen=True)
class Run:
    """One way through all songs.

    Attributes
    ----------
    walls : tuple of float
        Seconds, a song each.
    stages : tuple of dict from stage to seconds
    """

    name: str
    walls: tuple[float, ...]
    stages: tuple[dict[str, float], ...]

    @property
    def an_hour(self) -> float:
        """Songs an hour."""
        return 3600.0 * len(self.walls) / sum(self.walls)

    def stage(self, name: str) -> float:
        """Mean seconds of a stage a song."""
        return sum(stages.get(name, 0.0) for stages in self.stages) / len(self.stages)

    def warm(self) -> Run:
        """All but the song that paid for the loading."""
        return Run(f"{self.name}, warm", self.walls[1:], self.stages[1:])


@dataclass(frozen=True)
class Clip:
    """A song, or its beginning, with the words that are sung in it."""

    path: Path
    words: Path
    prepared: Prepared


def clips(found: Sequence[Path], seconds: float | None, folder: Path) -> list[Clip]:
    """The songs, or some seconds of them from shortly before the first line."""
    result = []
    for number, song in enumerate(found):
        lyrics, language = references.lyrics(song, line_times=False), references.language(song)
        path, duration = song, audio.probe(song).duration
        if seconds is not None:
            starts = references.line_starts(song)
            begin = max(0.0, starts[0] - 2.0)
            path, duration = folder / f"{number}.wav", min(duration - begin, seconds)
            _cut(song, path, begin, duration)
            kept = [
                line
                for line, start in zip(lyrics, starts, strict=True)
                if start < begin + 0.9 * duration
            ]
            lyrics = lyrics.with_lines(kept)
        words = folder / f"{number}.txt"
        words.write_text(" ".join(word.text for word in lyrics.words), encoding="utf-8")
        track = Track(path, title=song.stem, duration=duration)
        result.append(
            Clip(path, words, Prepared(path, SongIdentification(track), lyrics, language))
        )
    return result


def _cut(song: Path, path: Path, begin: float, seconds: float) -> None:
    samples = np.concatenate(list(audio.blocks(song, RATE)))
    samples = samples[round(begin * RATE) :][: round(seconds * RATE)]
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, len(samples), "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def random_bag(models_dir: Path) -> None:
    """A bag with as many networks as `BAG`, of its size, with weights that nobody trained."""
    import hashlib
    from fractions import Fraction

    import torch
    from demucs.htdemucs import HTDemucs

    torch.manual_seed(0)
    network = HTDemucs(
        sources=["drums", "bass", "other", "vocals"], samplerate=RATE, segment=Fraction(39, 5),
        channels=48, t_layers=5, t_heads=8, bottom_channels=512, dconv_mode=3,
    )  # fmt: skip
    args, kwargs = network._init_args_kwargs
    folder = models_dir / "demucs"
    folder.mkdir(parents=True, exist_ok=True)
    package = {"klass": HTDemucs, "args": args, "kwargs": kwargs, "state": network.state_dict()}
    first = folder / "network.th"
    torch.save(package, first)
    checksum = hashlib.sha256(first.read_bytes()).hexdigest()[:8]
    signatures = [f"{number:08x}" for number in range(1, NETWORKS + 1)]
    for signature in signatures:
        os.link(first, folder / f"{signature}-{checksum}.th")
    first.unlink()
    bag = {"models": signatures, "weights": np.eye(NETWORKS).tolist()}
    (folder / f"{BAG}.yaml").write_text(json.dumps(bag), encoding="utf-8")


def recipe(some: Sequence[Clip], given: argparse.Namespace, models_dir: Path | None) -> Run:
    """The usual recipe, a process a song."""
    walls, stages = [], []
    for clip in some:
        command = [sys.executable, "-m", "benchmarks.plain_recipe", str(clip.path)]
        command += [str(clip.words), "--bag", BAG, "--whisper", given.whisper]
        command += ["--device", given.device]
        if models_dir is not None and (models_dir / "demucs").is_dir():
            command += ["--repository", str(models_dir / "demucs")]
        if given.random:
            command.append("--transcribe-mix")
        began = time.perf_counter()
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        walls.append(time.perf_counter() - began)
        stages.append(json.loads(output.splitlines()[-1]))
    return Run("usual recipe", tuple(walls), tuple(stages))


def service(name: str, some: Sequence[Clip], config: Config, *, ahead: bool) -> tuple[Run, int]:
    """One warm worker; also how many models it loaded after its first song."""
    # By its name there: what runs as a program is another module to the worker.
    from benchmarks import throughput

    walls, stages = [], []
    with _worker() as executor:
        loaded = 0
        for number, clip in enumerate(some):
            began = time.perf_counter()
            future: Future[Answer] = executor.submit(
                worker.place, placing_settings(config), clip.prepared
            )
            if ahead and number + 1 < len(some):
                while not future.running() and not future.done():
                    time.sleep(0.001)
                executor.call_out_of_band(worker.prefetch, some[number + 1].path)
            result = future.result()
            walls.append(time.perf_counter() - began)
            stages.append(dict(result.stages))
            if number == 0:
                loaded = len(executor.submit(throughput.loads).result())
        again = len(executor.submit(throughput.loads).result()) - loaded
    return Run(name, tuple(walls), tuple(stages)), again


def loads() -> list[str]:
    """What this process, a model worker, has loaded."""
    assert worker._warm is not None, "asked after a song"
    return worker._warm.models.loads


@contextlib.contextmanager
def _worker() -> Iterator[WorkerExecutor]:
    # As quick as the recipe's processes may be.
    executor = WorkerExecutor(limits=ResourceLimits(nice=0, ionice="none"))
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def table(runs: Sequence[Run]) -> str:
    """Seconds a stage and song, and songs an hour."""
    used = [stage for stage in STAGES if any(run.stage(stage) > 0.005 for run in runs)]
    lines = [f"{'seconds a song':28s}" + "".join(f"{s:>11s}" for s in (*used, "all", "songs/h"))]
    for run in runs:
        cells = [run.stage(stage) for stage in used] + [sum(run.walls) / len(run.walls)]
        seconds = "".join(f"{cell:11.2f}" for cell in cells)
        lines.append(f"{run.name:28s}{seconds}{run.an_hour:11.1f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--whisper", default="base", help="a size, or a converted model's folder")
    parser.add_argument("--models", type=Path, help="folder of models; the cache by default")
    parser.add_argument("--separator", default=BAG, help="the service's; the recipe has Demucs")
    parser.add_argument("--aligner", default="auto")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--random", action="store_true", help="a bag of random weights")
    parser.add_argument("--seconds", type=float, help="of each song")
    parser.add_argument("--songs", type=int, help="how many of them")
    parser.add_argument("--no-recipe", action="store_true", help="measure the service alone")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models_dir: Path | None = given.models
        if given.random:
            models_dir = folder / "models"
            random_bag(models_dir)
        some = clips(references.find(given.folder)[: given.songs], given.seconds, folder)
        models = {"separator": given.separator, "aligner": given.aligner, "transcriber": "none"}
        models |= {"device": given.device} | ({"dir": str(models_dir)} if models_dir else {})
        config = Config.model_validate({"models": models, "lyrics": {"order": ["local"]}})
        minutes = sum(clip.prepared.track.duration or 0.0 for clip in some) / 60
        print(f"{len(some)} songs, {minutes:.1f} minutes, on {given.device}", flush=True)
        plain = None if given.no_recipe else recipe(some, given, models_dir)
        if plain is not None:
            print(table([plain]), flush=True)
        ours, again = service("service", some, config, ahead=False)
        print(table([ours]), flush=True)
        early, _ = service("decoding ahead", some, config, ahead=True)
    warm, warm_early = ours.warm(), early.warm()
    runs = [plain, ours, warm, early, warm_early]
    print(table([run for run in runs if run is not None and run.walls]))
    print(f"models loaded after the first song: {again}")
    if plain is not None:
        parts = plain.stage("separate") / ours.stage("separate")
        print(f"separation, vocals alone against the whole bag: {parts:.2f} × as fast")
        print(f"all in all against the usual recipe: {ours.an_hour / plain.an_hour:.2f} ×", end="")
        print(f", warm {warm.an_hour / plain.an_hour:.2f} ×" if warm.walls else "")
    if warm.walls:
        gain = warm_early.an_hour / warm.an_hour
        print(f"decoding the next song meanwhile: {gain:.3f} × as many songs an hour")


if __name__ == "__main__":
    main()
