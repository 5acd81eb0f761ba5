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

from demo.speech import speak

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


def voice() -> dict[str, FloatArray]:
    """The words of the song, each said once: mono at 16 kHz."""
    words = sorted(set(LYRICS.split()))
    return {
        said.text: soxr.resample(said.audio, said.sample_rate, RATE)
        for said in speak("en-us", words)
    }


def say(spoken: dict[str, FloatArray], words: Sequence[str], rng: np.random.Generator) -> Said:
    """Words with pauses between them, most of them short, on a little noise."""
    pieces: list[FloatArray] = []
    times = []
    at = 0
    for word in words:
        audio = spoken[word]
        pause = round(
            RATE * (rng.uniform(0.6, 1.5) if rng.random() < 0.15 else rng.uniform(0, 0.2))
        )
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
            "conv_dim": (128, 128),
            "conv_kernel": (128, 12),
            "conv_stride": (32, 10),
            "conv_bias": True,
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


def train(folder: Path, steps: int = 300, utterances: int = 96, seed: int = 0) -> None:
    """Train the small model and save it as one that comes from the hub."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    spoken = voice()
    words = sorted(spoken)
    made = processor(folder)
    model = Wav2Vec2ForCTC(small_config())
    _listen_to_bands(model)
    length = 3 * RATE
    audio, targets = [], []
    for _ in range(utterances):
        said = say(spoken, list(rng.choice(words, 10)), rng)
        samples = np.pad(said.audio, (0, length))[:length]
        audio.append((samples - samples.mean()) / np.sqrt(samples.var() + 1e-7))
        targets.append(_frames(said, (length - 400) // HOP + 1))
    where = torch.from_numpy(np.stack(targets))
    # The filters stay as they are: what they hear needs computing only once.
    with torch.no_grad():
        recognised = torch.cat(
            [
                model.wav2vec2.feature_extractor(torch.from_numpy(a[None].astype(np.float32)))
                for a in audio
            ]
        ).transpose(1, 2)
    where = where[:, : recognised.shape[1]]
    learning = [p for n, p in model.named_parameters() if "feature_extractor" not in n]
    optimiser = torch.optim.AdamW(learning, lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    model.train()
    for _ in range(steps):
        batch = torch.from_numpy(rng.choice(utterances, 8, replace=False))
        projected, _ = model.wav2vec2.feature_projection(recognised[batch])
        logits = model.lm_head(model.wav2vec2.encoder(projected)[0])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), where[batch].flatten())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimiser.step()
        schedule.step()
    model.eval().save_pretrained(folder)
    made.save_pretrained(folder)


def _listen_to_bands(model: Wav2Vec2ForCTC) -> None:
    """Let the first layer begin as a bank of filters, so that training takes seconds."""
    conv = model.wav2vec2.feature_extractor.conv_layers[0].conv
    size = conv.weight.shape[-1]
    mel = np.linspace(2595 * np.log10(1 + 80 / 700), 2595 * np.log10(1 + 7000 / 700), 32)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    turn = 2j * np.pi * hertz[:, None] * np.arange(size) / RATE
    waves = np.exp(turn) * np.hanning(size)
    # Four phases, of which a rectifier always passes one or two.
    bank = np.concatenate([waves.real, waves.imag, -waves.real, -waves.imag])
    bank /= np.sqrt(np.square(bank).sum(axis=1, keepdims=True))
    with torch.no_grad():
        conv.weight[:, 0] = torch.from_numpy(bank.astype(np.float32))


def _frames(said: Said, n: int) -> npt.NDArray[np.int64]:
    """What is to be written in each frame: the letters spread over their word, blanks elsewhere."""
    target = np.zeros(n, np.int64)
    for word, (start, end) in zip(said.words, said.times, strict=True):
        edges = np.linspace(start, end, len(word) + 1) * RATE / HOP
        for letter, left, right in zip(word, edges[:-1], edges[1:], strict=True):
            target[round(left) : max(round(left) + 1, round(right))] = VOCABULARY.index(letter)
    return target
