"""Whisper on transformers (extra ``models``), word times from cross-attention.

The model's own ``generate`` is called, as the speech-recognition pipeline does: the pipeline drops
the probabilities, and cuts songs in the middle of words.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricsyncd.model import Word
from lyricsyncd.models import torch_device
from lyricsyncd.models.hub import loading, resolve_reachable
from lyricsyncd.registry import ModelContext, recognisers
from lyricsyncd.text.words import has_cjk
from lyricsyncd.transcribe.pieces import SAMPLE_RATE, pieces

DEFAULT = "openai/whisper-large-v3-turbo"
_PIECE_S = 29.5
"""The model takes 30 s at once."""
_CARD_BATCH = 8


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a word, as the model writes it.

    Attributes
    ----------
    number : int
        In the vocabulary.
    start, end : float
        Seconds.
    probability : float
        Given by the model, 0-1.
    """

    number: int
    start: float
    end: float
    probability: float


class Whisper:
    """A Whisper model of transformers, which stays loaded.

    Parameters
    ----------
    model : str
        A name on the hub, or a folder; see `lyricsyncd.models.hub.resolve`.
    device : str
        ``auto``, ``cpu`` or ``cuda[:N]``.

    Raises
    ------
    ModelError
        transformers is not installed, the model cannot be had, or the device is not there.
    """

    name = "whisper"

    def __init__(
        self, model: str = "", device: str = "auto", models_dir: Path | None = None
    ) -> None:
        model = model or DEFAULT
        self._device = torch_device.resolve(device)
        with loading(model, models_dir, extra=recognisers.entry("whisper").extra):
            from transformers import AutoProcessor, WhisperForConditionalGeneration

            where = resolve_reachable(model, models_dir)
            self._processor: Any = AutoProcessor.from_pretrained(where)
            network: Any = WhisperForConditionalGeneration.from_pretrained(
                where, dtype=torch_device.half_precision(self._device)
            )
        self._network = network.eval()
        self._device = torch_device.placed(network, self._device)
        self._config = network.generation_config = _config(network)
        self._batch = 1 if self._device.type == "cpu" else _CARD_BATCH

    def transcribe(self, audio: npt.NDArray[np.float32], language: str | None) -> list[Word]:
        """Recognise words with times and confidences in mono audio at 16 kHz.

        Raises
        ------
        ModelError
            Not even one piece of the song fits into memory.
        """
        cuts = pieces(audio, _PIECE_S)
        options = self._options(language)

        def run(batch: Sequence[tuple[int, int]]) -> list[list[list[Token]]]:
            return self._tokens([audio[first:last] for first, last in batch], options)

        tokens = torch_device.in_batches(cuts, self._batch, run, self._leave)
        result: list[Word] = []
        for (first, last), segments in zip(cuts, tokens, strict=True):
            begin, until = first / SAMPLE_RATE, (last - first) / SAMPLE_RATE
            for word in (word for part in segments for word in words(self._decoded(part))):
                start, end = word.start or 0.0, min(word.end or 0.0, until)
                # Whisper continues in the silence that a piece is padded with.
                if start < until:
                    start, end = round(begin + start, 3), round(begin + end, 3)
                    result.append(dataclasses.replace(word, start=start, end=end))
        return result

    def _options(self, language: str | None) -> dict[str, Any]:
        """Return options for ``generate``: English-only models take neither task nor language."""
        if not getattr(self._config, "is_multilingual", True):
            return {}
        options = {"task": "transcribe"}
        code = (language or "").partition("-")[0]
        if f"<|{code}|>" in (getattr(self._config, "lang_to_id", None) or {}):
            options["language"] = code
        return options

    def _tokens(
        self, audio: list[npt.NDArray[np.float32]], options: dict[str, Any]
    ) -> list[list[list[Token]]]:
        """Return the tokens of each segment of each piece, with times from the piece's start."""
        import torch

        features = self._processor(
            audio, sampling_rate=SAMPLE_RATE, return_tensors="pt", return_attention_mask=True
        ).to(self._device)
        with torch.inference_mode():
            output = self._network.generate(
                input_features=features["input_features"].to(self._network.dtype),
                attention_mask=features["attention_mask"],
                return_timestamps=True,
                return_token_timestamps=True,
                return_segments=True,
                condition_on_prev_tokens=False,
                **options,
            )
        text_below = int(self._processor.tokenizer.eos_token_id)
        return [
            [list(_text_tokens(segment, text_below)) for segment in segments]
            for segments in output["segments"]
        ]

    def _decoded(self, tokens: Sequence[Token]) -> Iterator[tuple[str, Token]]:
        """Yield tokens with their text; those that are parts of one character are joined."""
        held: list[Token] = []
        for token in tokens:
            held.append(token)
            text = self._processor.tokenizer.decode([part.number for part in held])
            # Half a character is no text yet; four bytes are the longest character.
            if not text.endswith("\ufffd") or len(held) == 4:
                yield text, _joined(held)
                held = []

    def _leave(self) -> bool:
        import torch

        if self._device.type == "cpu":
            return False
        self._device = torch.device("cpu")
        self._network = self._network.to(self._device).float()
        self._batch = 1
        return True


def _config(network: Any) -> Any:
    """Return greedy generation settings. Where they do not name the attention heads to read times
    from, those of the upper half are taken, as in OpenAI's code."""
    config = copy.deepcopy(network.generation_config)
    config.do_sample, config.num_beams = False, 1
    if not getattr(config, "alignment_heads", None):
        layers = network.config.decoder_layers
        heads = range(network.config.decoder_attention_heads)
        config.alignment_heads = [[n, h] for n in range(layers // 2, layers) for h in heads]
    return config


def _text_tokens(segment: dict[str, Any], text_below: int) -> Iterator[Token]:
    """Yield the text tokens of a segment that ``generate`` returned.

    A time is the end of a token, which starts where the one before it ended.
    """
    result = segment["result"]
    scores = result["scores"]
    first = int(segment["idxs"][0]) - (len(result["sequences"]) - len(scores))
    times = [float(time) for time in segment["token_timestamps"]]
    last = min(float(segment["start"]), *times[:1])
    for i, (number, end) in enumerate(zip(segment["tokens"].tolist(), times, strict=False)):
        end = max(last, end)
        if number < text_below:
            probability = float(scores[first + i].float().log_softmax(-1)[number].exp())
            yield Token(number, last, end, probability)
        last = end


def _joined(tokens: Sequence[Token]) -> Token:
    likely = math.prod(token.probability for token in tokens)
    return Token(tokens[0].number, tokens[0].start, tokens[-1].end, likely)


def words(decoded: Iterable[tuple[str, Token]]) -> list[Word]:
    """Join tokens into words: a space starts one, and so does a character of an unspaced script.

    Punctuation goes with the word before it. A word's confidence is the geometric mean of its
    tokens' probabilities.
    """
    groups: list[list[tuple[str, Token]]] = []
    for text, token in decoded:
        if not text.strip():
            continue
        sounds = any(c.isalnum() for c in text)
        if not groups or text[0].isspace() or (sounds and has_cjk(text)):
            groups.append([])
        groups[-1].append((text, token))
    groups = [group for group in groups if any(c.isalnum() for text, _ in group for c in text)]
    return [
        Word(
            "".join(text for text, _ in group).strip(),
            group[0][1].start,
            group[-1][1].end,
            math.prod(max(token.probability, 1e-6) for _, token in group) ** (1 / len(group)),
            space=after is None or after[0][0][0].isspace(),
        )
        for group, after in zip_longest(groups, groups[1:])
    ]


def open_whisper(context: ModelContext) -> Whisper:
    """Open the recogniser for `lyricsyncd.registry`; raises as the class."""
    return Whisper(context.model, context.device, context.models_dir)
