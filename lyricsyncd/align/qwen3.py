"""Qwen3-ForcedAligner (extra ``qwen3``) as a second aligner (Shi et al., arXiv 2601.21337).

The model reads the audio and the words at once and predicts the start and the end of each word, as
one of many bins of 80 ms. In long songs it loses its way, so it gets some lines at a time, in
windows around where an acoustic model has placed them. Not the most probable bin is used but the
probabilities of all of them: the search keeps the words in order, which the model by itself does
not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions import SAMPLE_RATE, Lines
from lyricsyncd.align.event_times import LogPosteriors
from lyricsyncd.align.onset_priors import OnsetPosteriors
from lyricsyncd.align.windows import Window, windows
from lyricsyncd.errors import ModelError
from lyricsyncd.models import torch_device
from lyricsyncd.models.hub import loading, resolve_reachable
from lyricsyncd.registry import ModelContext, aligners
from lyricsyncd.text.words import has_cjk

if TYPE_CHECKING:
    from lyricsyncd.align.aligner import Alignment

FloatArray = npt.NDArray[np.float32]

DEFAULT = "Qwen/Qwen3-ForcedAligner-0.6B-hf"
LANGUAGES = frozenset("de en es fr it ja ko pt ru yue zh".split())
"""ISO 639 codes of the languages that it supports."""
_OLDEST = "5.13"
"""The first transformers that has the model."""
_FILES = (
    "config.json, model.safetensors, processor_config.json, tokenizer.json and all that is small"
)
_SEGMENTERS = {"ja": "nagisa", "ko": "soynlp"}
"""What segments lines into the words of the model, where spaces do not."""
_TEMPLATE = (
    "{% for turn in messages %}{% for part in turn.content %}{% if part.type == 'audio' %}"
    "<|audio_start|><|audio_pad|><|audio_end|>{% else %}{{ part.text }}<timestamp><timestamp>"
    "{% endif %}{% endfor %}{% endfor %}"
)
"""The chat template, for a folder that lacks the file."""
_MOST_S = 300.0
"""Seconds that it was made for; only a single held word can be longer than the windows."""
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Question:
    """A window of the song as the model gets it.

    Attributes
    ----------
    first : int
        Number of its first word within the song.
    words : tuple of str
        In the characters of the model.
    text : str
        The words as one text.
    frame : int
        Its first bin, counted from the start of the song.
    audio : ndarray of float32, shape (n,)
    """

    first: int
    words: tuple[str, ...]
    text: str
    frame: int
    audio: FloatArray


class Qwen3Aligner:
    """Qwen3-ForcedAligner, which stays loaded; a `lyricsyncd.align.second_aligner.SecondAligner`.

    Parameters
    ----------
    model : str
        A name on the hub, or a folder; see `lyricsyncd.models.hub.resolve`.
    device : str
        ``auto``, ``cpu`` or ``cuda[:N]``.

    Raises
    ------
    ModelError
        transformers is missing or too old, the model cannot be had or is another, or the device
        is not there.
    """

    name = "qwen3"

    def __init__(
        self, model: str = DEFAULT, device: str = "auto", models_dir: Path | None = None
    ) -> None:
        with loading(model, models_dir, extra=aligners.entry("qwen3").extra, files=_FILES):
            self._device = torch_device.resolve(device)
            network_class = _network_class()
            from transformers import AutoConfig, AutoProcessor

            where = resolve_reachable(model, models_dir)
            if hasattr(AutoConfig.from_pretrained(where), "thinker_config"):
                raise ValueError(f"it is for its makers' own library; take {DEFAULT}")
            network, info = network_class.from_pretrained(
                where,
                dtype=torch_device.half_precision(self._device),
                output_loading_info=True,
            )
            if info["missing_keys"]:
                raise ValueError("its weights are not those of an aligner")
            self._processor: Any = AutoProcessor.from_pretrained(where)
        self._processor.chat_template = self._processor.chat_template or _TEMPLATE
        self._network = network.eval()
        self._device = torch_device.placed(network, self._device)
        self._at_once = _AT_ONCE if self._device.type == "cuda" else 1

    @property
    def hop(self) -> float:
        """Seconds of a bin."""
        return float(self._processor.timestamp_segment_time) / 1000.0

    def onset_posteriors(
        self,
        audio: FloatArray,
        lines: Lines,
        language: str | None,
        first: Alignment,
        *,
        line_starts: Sequence[float | None] | None = None,  # noqa: ARG002 - used by `first`
        transcript_starts: Sequence[float | None] | None = None,  # noqa: ARG002
    ) -> OnsetPosteriors | None:
        """Return how likely each word starts at each moment, in windows around the first placement.

        ``None`` for languages that it does not support, and where no words were placed.

        Raises
        ------
        ModelError
            A window does not fit into memory, or what segments the language into words is missing.
        """
        if language is None or not supports(language) or not first.placed.any():
            return None
        code = _code(language)
        questions = self._questions(audio, lines, first)

        def run(batch: Sequence[_Question]) -> list[list[FloatArray | None]]:
            return self._answered(batch, code)

        answers = torch_device.in_batches(questions, self._at_once, run, self._leave)
        index: list[int] = []
        frames: list[int] = []
        logs: list[FloatArray] = []
        for window, words in zip(questions, answers, strict=True):
            for word, word_logs in enumerate(words, window.first):
                if word_logs is not None:
                    index.append(word)
                    frames.append(window.frame)
                    logs.append(word_logs)
        if not index:
            return None
        base = np.cumsum([0, *map(len, logs)], dtype=np.int64)
        posteriors = LogPosteriors(np.concatenate(logs), base, np.array(frames, np.int64))
        lag = np.zeros(len(index))
        return OnsetPosteriors(self.name, posteriors, np.array(index, np.int64), self.hop, lag)

    def _questions(self, audio: FloatArray, lines: Lines, first: Alignment) -> list[_Question]:
        """Cut the song into windows that start with a bin; those without letters are left out."""
        words = [(number, plain(word)) for number, line in enumerate(lines) for word in line]
        duration = len(audio) / SAMPLE_RATE
        found = windows(first.onset, first.offset, [number for number, _ in words], duration)
        questions = [self._question(audio, words, window) for window in found]
        return [
            window
            for window in questions
            if any(map(str.isalnum, window.text))
            and self.hop <= len(window.audio) / SAMPLE_RATE <= _MOST_S
        ]

    def _question(
        self, audio: FloatArray, words: Sequence[tuple[int, str]], window: Window
    ) -> _Question:
        some = words[window.first : window.stop]
        by_line = groupby(some, key=itemgetter(0))
        text = " ".join(joined([word for _, word in line]) for _, line in by_line)
        frame = int(window.start / self.hop)
        start = round(frame * self.hop * SAMPLE_RATE)
        stop = round(window.end * SAMPLE_RATE)
        spoken = tuple(word for _, word in some)
        return _Question(window.first, spoken, text, frame, audio[start:stop])

    def _answered(self, batch: Sequence[_Question], language: str) -> list[list[FloatArray | None]]:
        """Return the log-probabilities of each word's start, in nats below its likeliest bin."""
        import torch

        try:
            inputs, units = self._processor.prepare_forced_aligner_inputs(
                audio=[window.audio for window in batch],
                transcript=[window.text for window in batch],
                language=language,
            )
        except ImportError as error:
            package = _SEGMENTERS.get(language, error.name)
            raise ModelError(
                f"qwen3 cannot segment the language {language!r} into words without {package}",
                remedy=f"Install it with: pip install {package}",
            ) from error
        with torch.inference_mode():
            logits = self._network(**inputs.to(self._device, self._network.dtype)).logits
        marks = inputs["input_ids"] == self._network.config.timestamp_token_id
        result: list[list[FloatArray | None]] = []
        for window, spoken, scores, marked in zip(batch, units, logits, marks, strict=True):
            starts = scores[marked.to(scores.device)][::2]
            if len(starts) != len(spoken):
                raise ModelError(
                    "the aligner's prompt does not ask for the times of the words",
                    remedy=f"Put the chat_template.jinja of {DEFAULT} beside its weights",
                )
            n_bins = -(-len(window.audio) // round(self.hop * SAMPLE_RATE))
            logs = starts[:, :n_bins].float()
            logs = (logs - logs.amax(-1, keepdim=True)).cpu().numpy()
            # Half precision can overflow.
            finite = np.isfinite(logs).all(axis=-1)
            result.append(
                [
                    None if unit is None or not finite[unit] else logs[unit]
                    for unit in units_of(window.words, spoken)
                ]
            )
        return result

    def _leave(self) -> bool:
        import torch

        if self._device.type == "cpu":
            return False
        self._device = torch.device("cpu")
        self._network = self._network.to(self._device).float()
        return True


def _network_class() -> Any:
    """Return the model's class, which older versions of transformers lack."""
    import transformers

    found = getattr(transformers, "Qwen3ASRForTokenClassification", None)
    if found is None:
        raise ModelError(
            f"qwen3 needs transformers {_OLDEST} or newer, not {transformers.__version__}",
            remedy='Install it with: pip install --upgrade "lyricsyncd[qwen3]"',
        )
    return found


def supports(language: str | None) -> bool:
    """Return whether the model supports a language, by its ISO 639 code."""
    return language is not None and _code(language) in LANGUAGES


def _code(language: str) -> str:
    return language.lower().partition("-")[0]


def plain(word: str) -> str:
    """Write a word in the characters of the model: composed, with straight apostrophes."""
    return "".join(unicodedata.normalize("NFKC", word).replace("\u2019", "'").split())


def joined(words: Sequence[str]) -> str:
    """Join the words of a line as it is written: without spaces where the script has none.

    >>> joined(["走っ", "て", "baby", "go"])
    '走って baby go'
    """
    text = "".join(words[:1])
    for word, following in pairwise(words):
        text += ("" if has_cjk(word) and has_cjk(following) else " ") + following
    return text


def units_of(words: Sequence[str], units: Sequence[str]) -> list[int | None]:
    """Return the first of a model's units that each word is made of.

    Parameters
    ----------
    words : sequence of str
        As they are written, in the characters of the units.
    units : sequence of str
        The same text in other parts, without what is not pronounced.

    Returns
    -------
    list of int or None
        A unit for each word; ``None`` for a word that is not pronounced or starts within a unit,
        and for all where the units are not those of the words.
    """
    spoken = "".join(units)
    starts = dict(zip(accumulate(map(len, units), initial=0), range(len(units)), strict=False))
    found: list[int | None] = []
    at = 0
    for word in words:
        begin = at
        for character in word:
            at += spoken.startswith(character, at)
        found.append(starts.get(begin) if at > begin else None)
    return found if at == len(spoken) else [None] * len(words)


def open_qwen3(context: ModelContext) -> Qwen3Aligner:
    """Open the aligner for `lyricsyncd.registry`; raises as the class."""
    return Qwen3Aligner(context.model or DEFAULT, context.device, context.models_dir)
