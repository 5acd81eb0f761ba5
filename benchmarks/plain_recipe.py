"""The usual recipe for one song, as people run it: a fresh process, the whole bag, no known words.

    python -m benchmarks.plain_recipe SONG.wav WORDS.txt --bag htdemucs_ft [--repository DIR]
        --whisper MODEL [--device cuda] [--transcribe-mix]

Demucs separates with all networks of the bag, Whisper transcribes, difflib matches the transcript
with the lyrics, and the other words are interpolated. Prints the seconds of each stage as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
WHISPER_RATE = 16_000


def separated(mix: FloatArray, bag: Any, device: str) -> FloatArray:
    """The vocals, shape (n, 2), of a mix at the bag's rate, by Demucs' own `apply_model`."""
    import torch
    from demucs.apply import apply_model

    wave = torch.from_numpy(np.ascontiguousarray(mix.T))
    mono = wave.mean(0)
    mean, deviation = mono.mean(), mono.std() + 1e-8
    with torch.inference_mode():
        sources = apply_model(bag, ((wave - mean) / deviation)[None], shifts=0, device=device)
    vocals = sources[0, list(bag.sources).index("vocals")].cpu() * deviation + mean
    result: FloatArray = vocals.numpy().T
    return result


def transcribed(audio: FloatArray, model: Any) -> list[tuple[str, float, float]]:
    """Words with start and end, by faster-whisper's defaults."""
    segments, _ = model.transcribe(audio, word_timestamps=True)
    return [
        (word.word.strip(), word.start, word.end)
        for segment in segments
        for word in segment.words or ()
    ]


def matched(
    transcript: list[tuple[str, float, float]], known: list[str], length: float
) -> list[float]:
    """Return starts of the known words: of equal ones as recognised, of others interpolated."""
    texts = [text.lower().strip(".,!?") for text, _, _ in transcript]
    matcher = SequenceMatcher(None, [word.lower().strip(".,!?") for word in known], texts)
    at, starts = [-1], [0.0]
    for i, j, size in matcher.get_matching_blocks():
        at += range(i, i + size)
        starts += [start for _, start, _ in transcript[j : j + size]]
    interpolated = np.interp(range(len(known)), [*at, len(known)], [*starts, length])
    return [float(start) for start in interpolated]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("song", type=Path)
    parser.add_argument("words", type=Path)
    parser.add_argument("--bag", default="htdemucs_ft")
    parser.add_argument("--repository", type=Path)
    parser.add_argument("--whisper", default="base")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--transcribe-mix", action="store_true")
    given = parser.parse_args()

    began, stages = time.perf_counter(), {}

    def done(stage: str) -> None:
        nonlocal began
        stages[stage] = time.perf_counter() - began
        began = time.perf_counter()

    import soxr
    from demucs.pretrained import get_model
    from faster_whisper import WhisperModel

    from lyricsyncd import audio

    bag = get_model(given.bag, given.repository)
    kind = "int8" if given.device == "cpu" else "auto"
    whisper = WhisperModel(given.whisper, device=given.device, compute_type=kind)
    done("load")
    mix = np.concatenate(list(audio.blocks(given.song, bag.samplerate)))
    done("decode")
    vocals = separated(mix, bag, given.device)
    done("separate")
    sound = mix if given.transcribe_mix else vocals
    mono = soxr.resample(sound.mean(axis=1), bag.samplerate, WHISPER_RATE)
    transcript = transcribed(mono.astype(np.float32), whisper)
    done("transcribe")
    known = given.words.read_text(encoding="utf-8").split()
    matched(transcript, known, len(mix) / bag.samplerate)
    done("match")
    json.dump(stages, sys.stdout)


if __name__ == "__main__":
    main()
