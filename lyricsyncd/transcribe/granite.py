"""Granite Speech with word times (extra ``granite``): a language model that writes a time tag after
each word ("In-Sync", arXiv 2604.22817).

``hello [T:45] _ [T:120] world [T:182]``: a tag is the *end* of what precedes it, in hundredths
of a second, of which only the last three digits are written; ``_`` is silence. A word starts at
the tag before it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricsyncd.errors import ModelError
from lyricsyncd.model import Word
from lyricsyncd.models import torch_device
from lyricsyncd.models.hub import loading, resolve_reachable
from lyricsyncd.registry import ModelContext, recognisers
from lyricsyncd.transcribe.pieces import SAMPLE_RATE, pieces

DEFAULT = "ibm-granite/granite-speech-4.1-2b-plus"
AUDIO = "<|audio|>"
PROMPT = (
    f"{AUDIO} Timestamps: Transcribe the speech. After each word, add a timestamp tag showing the "
    "end time in centiseconds, e.g. hello [T:45] world [T:82]"
)
SYSTEM = (
    "Knowledge Cutoff Date: April 2024.\nToday's Date: December 19, 2024.\n"
    "You are Granite, developed by IBM. You are a helpful AI assistant"
)
_TEMPLATE = (
    "{% for turn in messages %}<|start_of_role|>{{ turn['role'] }}<|end_of_role|>"
    "{{ turn['content'] }}<|end_of_text|>\n{% endfor %}<|start_of_role|>assistant<|end_of_role|>"
)
"""Granite's chat template, for a folder that lacks the file."""
_PIECE_S = 60.0
"""Seconds at once: the model was made for up to 210, but a gap of ten seconds without any tag makes
the time ambiguous, and a short piece limits the damage."""
_LONGEST_S = 9.0
"""No word and no silence within a piece is longer."""
_LATE_S = 0.5
_TAGGED = re.compile(r"([^\[\]]*?)\s*\[T:\s*(\d{1,6})\s*\]")
_TOKENS_A_SECOND = 40
"""More than the fastest rap needs, tags included: it stops a model in a loop."""


def parse(
    text: str,
    offset: float = 0.0,
    duration: float = math.inf,
    probability: Sequence[float] | None = None,
) -> list[Word]:
    """Parse words with times from the output of the model.

    Parameters
    ----------
    text : str
        Such as ``hello [T:45] world [T:82]``. A last word without a tag is dropped.
    offset : float
        Seconds at which the piece starts.
    duration : float
        Its length in seconds: what is timed after its end is dropped.
    probability : sequence of float, optional
        That of each character of the text, 0-1: gives the words' confidences.
    """
    words: list[Word] = []
    last = 0.0
    for tagged in _TAGGED.finditer(text):
        # In whole hundredths: the remainder of a float can be almost 0 or almost the modulus.
        passed = (int(tagged[2]) - round(100 * last)) % 1000 / 100.0
        # Time that goes back a little is an error of the model, not ten seconds more.
        slip = passed > _LONGEST_S and last > 0.0
        end = round(last + (0.0 if slip else passed), 2)
        if end > duration + _LATE_S:
            break
        spoken = [
            word
            for word in re.finditer(r"\S+", tagged[1])
            if any(c.isalnum() for c in word[0])  # neither "_" nor punctuation alone
        ]
        # Several words before one tag share its time.
        edges = np.linspace(last, end, len(spoken) + 1)
        for word, start, stop in zip(spoken, edges[:-1], edges[1:], strict=True):
            first, after = word.start() + tagged.start(), word.end() + tagged.start()
            words.append(
                Word(
                    word[0],
                    round(offset + min(float(start), duration), 3),
                    round(offset + min(float(stop), duration), 3),
                    None if probability is None else _mean(probability[first:after]),
                )
            )
        last = end
    return words


def _mean(probability: Sequence[float]) -> float:
    """Return the geometric mean."""
    logs = [math.log(max(p, 1e-6)) for p in probability]
    return math.exp(sum(logs) / max(1, len(logs)))


class Granite:
    """Granite Speech, which stays loaded.

    Parameters
    ----------
    model : str
        A name on the hub, or a folder; see `lyricsyncd.models.hub.resolve`.
    device : str
        ``auto``, ``cpu`` or ``cuda[:N]``.

    Raises
    ------
    ModelError
        transformers is missing or too old, the model cannot be had, or the device is not there.
    """

    name = "granite"

    def __init__(
        self, model: str = "", device: str = "auto", models_dir: Path | None = None
    ) -> None:
        model = model or DEFAULT
        self._device = torch_device.resolve(device)
        with loading(model, models_dir, extra=recognisers.entry("granite").extra):
            from transformers import AutoConfig, AutoModelForSpeechSeq2Seq, AutoTokenizer

            where = resolve_reachable(model, models_dir)
            _check_adapter(AutoConfig.from_pretrained(where))
            self._tokenizer: Any = AutoTokenizer.from_pretrained(where)
            network: Any = AutoModelForSpeechSeq2Seq.from_pretrained(
                where, dtype=torch_device.half_precision(self._device)
            )
        self._network = network.eval()
        self._device = torch_device.placed(network, self._device)

    def transcribe(
        self,
        audio: npt.NDArray[np.float32],
        language: str | None,  # noqa: ARG002 - the model detects it
    ) -> list[Word]:
        """Recognise words with times and confidences in mono audio at 16 kHz; they have neither
        capitals nor punctuation.

        Raises
        ------
        ModelError
            A piece of the song does not fit into memory.
        """
        cuts = pieces(audio, _PIECE_S)

        def run(batch: Sequence[tuple[int, int]]) -> list[tuple[str, list[float]]]:
            return [self.written(audio[first:last]) for first, last in batch]

        written = torch_device.in_batches(cuts, 1, run, self._leave)
        return [
            word
            for (first, last), (text, probability) in zip(cuts, written, strict=True)
            for word in parse(text, first / SAMPLE_RATE, (last - first) / SAMPLE_RATE, probability)
        ]

    def written(self, audio: npt.NDArray[np.float32]) -> tuple[str, list[float]]:
        """Return the output of the model for one piece, and the probability of each character."""
        import torch

        spectrum_features = features(torch.from_numpy(audio)[None])
        n_tokens = self._audio_tokens(spectrum_features.shape[1])
        inputs = self._tokenizer(self._prompt(n_tokens), return_tensors="pt")
        probability: list[float] = []

        def record(_written: Any, scores: Any) -> Any:
            # All scores of a whole piece would take gigabytes.
            probability.append(float(scores[0].float().log_softmax(-1).max().exp()))
            return scores

        with torch.inference_mode():
            out = self._network.generate(
                input_ids=inputs["input_ids"].to(self._device),
                attention_mask=inputs["attention_mask"].to(self._device),
                input_features=spectrum_features.to(self._device, self._network.dtype),
                input_features_mask=torch.ones(1, n_tokens, dtype=torch.bool, device=self._device),
                max_new_tokens=100 + round(_TOKENS_A_SECOND * len(audio) / SAMPLE_RATE),
                logits_processor=[record],
                do_sample=False,
                num_beams=1,
            )
        return self._decoded(out[0, inputs["input_ids"].shape[-1] :].tolist(), probability)

    def _prompt(self, n_tokens: int) -> str:
        """Return the two turns in the model's template, with one sign per token of audio."""
        turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": PROMPT}]
        written: str = self._tokenizer.apply_chat_template(
            turns,
            tokenize=False,
            add_generation_prompt=True,
            chat_template=self._tokenizer.chat_template or _TEMPLATE,
        )
        sign = self._tokenizer.convert_ids_to_tokens(self._network.config.audio_token_id)
        return written.replace(AUDIO, sign * n_tokens)

    def _audio_tokens(self, n_frames: int) -> int:
        """Return the number of tokens that the audio takes in the text."""
        config = self._network.config
        blocks = math.ceil(n_frames / config.window_size)
        return int(blocks * (config.window_size // config.downsample_rate))

    def _decoded(self, tokens: list[int], probability: list[float]) -> tuple[str, list[float]]:
        """Decode tokens; return the text and the probability of the token of each character."""
        text, of_characters = "", list[float]()
        for n, of_token in enumerate(probability[: len(tokens)], start=1):
            so_far: str = self._tokenizer.decode(tokens[:n], skip_special_tokens=True)
            of_characters += [of_token] * (len(so_far) - len(text))
            text = so_far
        return text, of_characters[: len(text)]

    def _leave(self) -> bool:
        import torch

        if self._device.type == "cpu":
            return False
        self._device = torch.device("cpu")
        self._network = self._network.to(self._device).float()
        return True


def _check_adapter(config: Any) -> None:
    """Reject a model with an adapter, which transformers only loads where peft is installed."""
    import importlib.util

    if getattr(config, "has_lora_adapter", False) and importlib.util.find_spec("peft") is None:
        raise ModelError(
            "this Granite model has an adapter, which needs peft",
            remedy="Install it with: pip install peft",
        )


def features(audio: Any) -> Any:
    """Compute the model's input: log mel energies of 80 bands, two frames of 10 ms stacked.

    The same numbers as transformers' ``GraniteSpeechFeatureExtractor``, which needs a torchaudio
    that matches torch to the build, and without one prevents the whole model from loading.

    Parameters
    ----------
    audio : torch tensor of float32, shape (batch, n)
        Mono at 16 kHz.

    Returns
    -------
    torch tensor of float32, shape (batch, (n // 160 + 1) // 2, 160)
    """
    import torch
    from transformers.audio_utils import mel_filter_bank

    bank = mel_filter_bank(257, 80, 0.0, SAMPLE_RATE / 2, SAMPLE_RATE, norm=None, mel_scale="htk")
    spectrum = torch.stft(
        audio, 512, 160, 400, torch.hann_window(400), pad_mode="reflect", return_complex=True
    )
    mel = torch.from_numpy(bank.astype(np.float32)).T @ spectrum.abs().square()
    logs = mel.transpose(-1, -2).clamp(min=1e-10).log10()
    logs = torch.maximum(logs, logs.amax(dim=(-2, -1), keepdim=True) - 8.0) / 4.0 + 1.0
    even = logs.shape[1] // 2 * 2
    return logs[:, :even].reshape(len(logs), even // 2, -1)


def open_granite(context: ModelContext) -> Granite:
    """Open the recogniser for `lyricsyncd.registry`; raises as the class."""
    return Granite(context.model, context.device, context.models_dir)
