"""Speech of the demo's synthetic voice with known word times, and a small CTC model trained on it.

The model is a `Wav2Vec2ForCTC` of some 100,000 weights, made and saved by the classes that large
ones are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr
import torch
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    Wav2Vec2Processor,
)

from demo.speech import SpokenWord, speak

FloatArray = npt.NDArray[np.float32]

RATE, HOP = 16_000, 320
VOCABULARY = ["<pad>", "<s>", "</s>", "<unk>", "|", *"abcdefghijklmnopqrstuvwxyz'"]
LYRICS = """twinkle twinkle little star how i wonder what you are up above the world so high like a
diamond in the sky when the blazing sun is gone when he nothing shines upon then you show your
little light all the night"""


@dataclass(frozen=True)
class Said:
    """Words said one after the other: mono at 16 kHz, and (start, end) in seconds of each."""

    audio: FloatArray
    words: tuple[str, ...]
    times: tuple[tuple[float, float], ...]


def voice() -> dict[str, SpokenWord]:
    """The words of the song, each said once."""
    words = sorted(set(LYRICS.split()))
    return dict(zip(words, speak("en-us", words), strict=True))


def say(spoken: dict[str, SpokenWord], words: Sequence[str], rng: np.random.Generator) -> Said:
    """Words with pauses between them, most of them short, on a little noise."""
    pieces: list[FloatArray] = []
    times = []
    at = 0
    for word in words:
        said = spoken[word]
        pause = round(
            RATE * (rng.uniform(0.6, 1.5) if rng.random() < 0.15 else rng.uniform(0, 0.2))
        )
        audio = soxr.resample(said.audio, said.sample_rate, RATE)
        pieces += [np.zeros(pause, np.float32), audio]
        times.append(((at + pause) / RATE, (at + pause + len(audio)) / RATE))
        at += pause + len(audio)
    pieces.append(np.zeros(RATE // 2, np.float32))
    audio = np.concatenate(pieces)
    audio += rng.normal(0.0, 0.003, len(audio)).astype(np.float32)
    return Said(audio, tuple(words), tuple(times))


def processor(folder: Path) -> Wav2Vec2Processor:
    """A tokenizer of letters and the usual feature extractor, by way of the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {token: i for i, token in enumerate(VOCABULARY)}
    (folder / "vocab.json").write_text(json.dumps(numbers))
    tokenizer = Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))
    return Wav2Vec2Processor(
        feature_extractor=Wav2Vec2FeatureExtractor(do_normalize=True), tokenizer=tokenizer
    )


def small_config(**changes: object) -> Wav2Vec2Config:
    """A network of the real shape, 20 ms a frame, and few weights."""
    return Wav2Vec2Config(
        **{
            "vocab_size": len(VOCABULARY),
            "hidden_size": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 128,
            "conv_dim": (32,) * 7,
            "feat_extract_norm": "layer",
            "do_stable_layer_norm": True,
            "num_conv_pos_embeddings": 16,
            "num_conv_pos_embedding_groups": 4,
            "mask_time_prob": 0.0,
            "layerdrop": 0.0,
            "hidden_dropout": 0.0,
            "attention_dropout": 0.0,
            "feat_proj_dropout": 0.0,
            "final_dropout": 0.0,
            "pad_token_id": 0,
            "ctc_loss_reduction": "mean",
            **changes,
        }
    )


def train(folder: Path, steps: int = 250, seed: int = 0) -> None:
    """Train the small model and save it as one that comes from the hub."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    spoken = voice()
    words = sorted(spoken)
    made = processor(folder)
    model = Wav2Vec2ForCTC(small_config())
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    length = 4 * RATE
    model.train()
    for step in range(steps):
        audio, frames, labels = [], [], []
        for _ in range(8):
            said = say(spoken, list(rng.choice(words, 14)), rng)
            # As in a window of a song, what begins or ends outside is heard in part.
            samples = said.audio[:length]
            if len(samples) < length:
                samples = np.pad(samples, (0, length - len(samples)))
            audio.append((samples - samples.mean()) / np.sqrt(samples.var() + 1e-7))
            inside = [i for i, (_, end) in enumerate(said.times) if end * RATE < length]
            frames.append(_frames(said, (length - 400) // HOP + 1))
            labels.append("|".join(said.words[i] for i in inside))
        logits = model(torch.from_numpy(np.stack(audio).astype(np.float32))).logits
        where = torch.from_numpy(np.stack(frames))
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), where.flatten())
        if step > 0.7 * steps:
            loss = 0.7 * loss + 0.3 * _ctc(logits, labels)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    model.eval().save_pretrained(folder)
    made.save_pretrained(folder)


def _frames(said: Said, n: int) -> npt.NDArray[np.int64]:
    """What is to be written in each frame: the letters spread over their word, blanks elsewhere."""
    target = np.zeros(n, np.int64)
    for word, (start, end) in zip(said.words, said.times, strict=True):
        edges = np.linspace(start, end, len(word) + 1) * RATE / HOP
        for letter, left, right in zip(word, edges[:-1], edges[1:], strict=True):
            target[round(left) : max(round(left) + 1, round(right))] = VOCABULARY.index(letter)
    return target


def _ctc(logits: torch.Tensor, texts: Sequence[str]) -> torch.Tensor:
    logs = logits.log_softmax(-1).transpose(0, 1)
    targets = [torch.tensor([VOCABULARY.index(c) for c in text]) for text in texts]
    # What is heard in part at the end is not in the text: CTC sees the frames of the rest.
    return torch.nn.functional.ctc_loss(
        logs,
        torch.cat(targets),
        torch.full((len(texts),), len(logs)),
        torch.tensor([len(t) for t in targets]),
        zero_infinity=True,
    )
