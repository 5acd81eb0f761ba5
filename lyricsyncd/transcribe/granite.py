"""Granite Speech with word times (extra ``granite``): a language model that writes a time tag after
each word ("In-Sync", arXiv 2604.22817).

``hello [T:45] _ [T:120] world [T:182]``: a tag is the *end* of what stands before it, in hundredths
of a second modulo ten seconds; ``_`` is silence. A word starts where the tag before it says.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricsyncd import torch_device
from lyricsyncd.hub import found, loaded
from lyricsyncd.model import Word

DEFAULT = "ibm-granite/granite-speech-4.1-2b-plus"
PROMPT = (
    "<|audio|> Timestamps: Transcribe the speech. After each word, add a timestamp tag showing the "
    "end time in centiseconds, e.g. hello [T:45] world [T:82]"
)
SYSTEM = (
    "Knowledge Cutoff Date: April 2024.\nToday's Date: December 19, 2024.\n"
    "You are Granite, developed by IBM. You are a helpful AI assistant"
)
WINDOW_S = 60.0
"""Seconds at once: the model takes a few minutes, but a gap of ten seconds without any tag loses
the count, and a short window bounds what that costs."""
_RATE = 16_000
_WRAP_S = 10.0
_TAGGED = re.compile(r"([^\[\]]*?)\s*\[T:\s*(\d{1,6})\s*\]")
_MOST_TOKENS = 10_000


def parse(text: str, offset: float = 0.0) -> list[Word]:
    """Words with times from what the model writes.

    Parameters
    ----------
    text : str
        Such as ``hello [T:45] world [T:82]``. What is left without a tag is dropped.
    offset : float
        Seconds at which the window starts.
    """
    words: list[Word] = []
    last = 0.0
    for before, number in _TAGGED.findall(text):
        end = int(number) / 100.0
        # Written modulo ten seconds: whenever time goes back, ten more have passed.
        end += _WRAP_S * max(0, int(np.ceil((last - end) / _WRAP_S - 1e-9)))
        spoken = [token for token in before.split() if token != "_"]
        # Several words before one tag share its time.
        edges = np.linspace(last, end, len(spoken) + 1)
        for word, start, stop in zip(spoken, edges[:-1], edges[1:], strict=True):
            words.append(
                Word(word, round(offset + float(start), 3), round(offset + float(stop), 3))
            )
        last = end
    return words


class Granite:
    """Granite Speech, kept warm.

    Parameters
    ----------
    model : str
        A name on the hub, or a folder; see `lyricsyncd.hub.found`.
    device : str
        ``auto``, ``cpu`` or ``cuda[:N]``.

    Raises
    ------
    ModelError
        transformers is missing or too old, the model is not to be had, or the device is not there.
    """

    name = "granite"

    def __init__(self, model: str, device: str = "auto", models_dir: Path | None = None) -> None:
        model = DEFAULT if model in ("", "default", "base") else model
        self._device = torch_device.resolve(device)
        with loaded(model, models_dir, extra="granite"):
            from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

            where = found(model, models_dir)
            self._processor: Any = AutoProcessor.from_pretrained(where)
            network: Any = AutoModelForSpeechSeq2Seq.from_pretrained(
                where, dtype=torch_device.half_precision(self._device)
            )
        self._network = network.to(self._device).eval()

    def transcribe(
        self,
        audio: npt.NDArray[np.float32],
        language: str | None,  # noqa: ARG002 - the model tells it by itself
    ) -> list[Word]:
        """Words with times, from mono audio at 16 kHz; without capitals, marks and confidences."""
        window = round(WINDOW_S * _RATE)
        words: list[Word] = []
        for first in range(0, len(audio), window):
            piece = audio[first : first + window]
            if len(piece) >= _RATE // 10:
                until = (first + len(piece)) / _RATE
                heard = parse(self.written(piece), first / _RATE)
                # A count that ran away must not reach into the next window.
                words += [word for word in heard if (word.end or 0.0) <= until + 0.5]
        return words

    def written(self, audio: npt.NDArray[np.float32], most_tokens: int = _MOST_TOKENS) -> str:
        """What the model writes for one window."""
        import torch

        turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": PROMPT}]
        tokenizer = self._processor.tokenizer
        prompt = (
            tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
            if tokenizer.chat_template
            else f"{SYSTEM}\n{PROMPT}\n"
        )
        inputs = self._processor(prompt, torch.from_numpy(audio)[None], return_tensors="pt")
        inputs = inputs.to(self._device)
        for key, value in inputs.items():
            if torch.is_tensor(value) and value.is_floating_point():
                inputs[key] = value.to(self._network.dtype)
        with torch.inference_mode():
            out = self._network.generate(
                **inputs, max_new_tokens=most_tokens, do_sample=False, num_beams=1
            )
        new = out[:, inputs["input_ids"].shape[-1] :]
        text: str = tokenizer.batch_decode(new, skip_special_tokens=True)[0]
        return text
