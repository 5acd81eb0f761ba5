"""CTC ears: any `AutoModelForCTC` (wav2vec2, HuBERT, MMS …), on torch or, exported, on onnxruntime.

Such a network writes a character now and then and a *blank* in between. A word is spelled as its
characters with blanks between them that may be stepped over, except between two that are equal; a
last one may be held until the word ends. What is not in the lyrics is absorbed by the rests between
lines, whose floor serves as CTC's star: it costs the same whatever the network writes there.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions import (
    SAMPLE_RATE,
    CompiledLyrics,
    Emissions,
    Lines,
    PronunciationVariant,
)
from lyricsyncd.align.lexicon import pronunciations
from lyricsyncd.errors import ModelError, raised_inside

FloatArray = npt.NDArray[np.float32]

WINDOW_S, CONTEXT_S = 20.0, 2.0
"""Seconds of a window, and of those at both of its ends that only serve as context."""
_SCORE_FLOOR = -25.0
_MOST_CHARACTERS = 60
_BLANK = "<blank>"


class Network(Protocol):
    """A CTC network behind a window of audio."""

    def __call__(self, windows: FloatArray) -> FloatArray:
        """Log-probabilities of shape (windows, frames, vocabulary) for windows of one length,
        shape (windows, samples), mono at 16 kHz."""
        ...


@dataclass(frozen=True, slots=True)
class Alphabet:
    """What a CTC network writes.

    Attributes
    ----------
    numbers : mapping from str to int
        Characters (or phones) and their columns.
    blank : int
    delimiter : int or None
        The column that stands between words, if there is one.
    upper : bool
        Whether the letters are capitals.
    """

    numbers: Mapping[str, int]
    blank: int
    delimiter: int | None = None
    upper: bool = False

    @classmethod
    def of(cls, vocabulary: Mapping[str, int], blank: str, delimiter: str | None) -> Alphabet:
        """From a tokenizer's vocabulary; special tokens (``<unk>``, ``[PAD]``) are left out."""
        letters = {
            token: number
            for token, number in vocabulary.items()
            if token not in (blank, delimiter) and not (len(token) > 1 and token[0] in "<[")
        }
        known = [token for token in letters if token.isalpha()]
        upper = bool(known) and sum(map(str.isupper, known)) > len(known) / 2
        return cls(letters, vocabulary[blank], vocabulary.get(delimiter or ""), upper)

    def compile(self, text: str) -> tuple[int, ...]:
        """The columns for a wording; what the network cannot write, even in Latin letters or
        without its accents, is left out."""
        return tuple(number for c in text for number in self._character(c))

    def _character(self, character: str) -> Iterator[int]:
        folded = character.upper() if self.upper else character.lower()
        if folded in self.numbers:
            yield self.numbers[folded]
            return
        plain = "".join(
            c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c)
        )
        if plain == folded or not plain:
            plain = _in_latin(character)
            plain = plain.upper() if self.upper else plain.lower()
        yield from (self.numbers[c] for c in plain if c in self.numbers)


def _in_latin(character: str) -> str:
    """A letter of another script in Latin ones, where anyascii is installed."""
    try:
        from anyascii import anyascii
    except ImportError:
        return ""
    return str(anyascii(character)) if character.isalpha() else ""


@dataclass(frozen=True)
class CtcModel:
    """A CTC network as an ear for the search; its sound units are the alphabet's columns.

    Attributes
    ----------
    network
        Runs windows of audio.
    alphabet : Alphabet
    hop : float
        Seconds from frame to frame.
    reach : float
        Seconds of audio that one frame stands on: a window gives
        ``floor((samples - reach) / hop) + 1`` frames.
    normalise : bool
        Whether each window is brought to mean 0 and variance 1 first.
    batch : int
        Windows at once.
    calibration : Path or None
        Where the file may lie that says what its confidences are worth.
    """

    network: Network
    alphabet: Alphabet
    name: str = "ctc"
    hop: float = 0.02
    reach: float = 0.025
    normalise: bool = True
    batch: int = 1
    lag: float = 0.0
    calibration: Path | None = None

    def compile(self, lines: Lines, language: str | None) -> CompiledLyrics:
        """Words → wordings (numbers spelled out) → characters with blanks between them."""
        compiler = _Compiler(self.alphabet, language)
        compiled = tuple(tuple(compiler.word(word) for word in line) for line in lines)
        units = tuple(compiler.units)
        # Nothing is stretched in CTC: a held vowel is one character and many blanks.
        return CompiledLyrics(compiled, len(units), np.zeros(len(units), np.bool_), units)

    def features(self, audio: npt.NDArray[np.float32]) -> FloatArray:
        """Log-probabilities of the whole song, shape (T, vocabulary), from overlapping windows.

        Raises
        ------
        ModelError
            The network stopped, for want of memory, say.
        """
        hop, reach = round(self.hop * SAMPLE_RATE), round(self.reach * SAMPLE_RATE)
        n_frames = max(1, len(audio) // hop)
        context = round(CONTEXT_S / self.hop)
        core = round(WINDOW_S / self.hop) - 2 * context
        length = (core + 2 * context - 1) * hop + reach
        starts = range(0, n_frames, core)
        padded = np.pad(audio, (context * hop, length))
        result: list[FloatArray] = []
        for first in range(0, len(starts), self.batch):
            some = starts[first : first + self.batch]
            windows = np.stack([padded[s * hop : s * hop + length] for s in some])
            if self.normalise:
                mean = windows.mean(axis=1, keepdims=True)
                deviation = np.sqrt(windows.var(axis=1, keepdims=True) + 1e-7)
                windows = (windows - mean) / deviation
            logs = self.network(np.ascontiguousarray(windows, np.float32))
            result += [window[context : context + core] for window in logs]
        return np.concatenate(result)[:n_frames]

    def score(self, heard: FloatArray, song: CompiledLyrics) -> Emissions:
        """Scores of the song's characters relative to the frame's best; a rest is a blank or the
        sign between words."""
        best = heard.max(axis=1, keepdims=True)
        relative = np.maximum(heard - best, _SCORE_FLOOR)
        gap = relative[:, list(self._gap)].max(axis=1)
        columns = [relative[:, unit].max(axis=1) for unit in map(list, song.units)]
        scores = np.stack(columns, axis=1) if columns else np.empty((len(heard), 0), np.float32)
        return Emissions(scores.astype(np.float16), gap.astype(np.float32), self.hop)

    @property
    def _gap(self) -> tuple[int, ...]:
        return _gap(self.alphabet)


def _gap(alphabet: Alphabet) -> tuple[int, ...]:
    between = () if alphabet.delimiter is None else (alphabet.delimiter,)
    return (alphabet.blank, *between)


class _Compiler:
    """Numbers the units that come up: tuples of columns, scored as their best."""

    def __init__(self, alphabet: Alphabet, language: str | None) -> None:
        self._alphabet = alphabet
        self._language = (language or "en").partition("-")[0]
        self.units: dict[tuple[int, ...], int] = {}

    def word(self, word: str) -> tuple[PronunciationVariant, ...]:
        """The ways to spell a word: its wordings, numbers in words."""
        ways: dict[tuple[int, ...], PronunciationVariant] = {}
        for wording in self._wordings(pronunciations.plain(word)):
            characters = self._alphabet.compile(wording)[:_MOST_CHARACTERS]
            if characters:
                ways.setdefault(characters, self._way(characters))
        return tuple(ways.values())

    def _wordings(self, plain: str) -> Iterator[str]:
        if not plain:
            return
        for wording in pronunciations.wordings(plain, self._language):
            if any(c.isdigit() for c in wording):
                yield from _spoken_numbers(wording, self._language)
            else:
                yield wording

    def _way(self, characters: Sequence[int]) -> PronunciationVariant:
        blank, gap = self._unit((self._alphabet.blank,)), self._unit(_gap(self._alphabet))
        units: list[int] = []
        optional: list[bool] = []
        for i, character in enumerate(characters):
            if i:
                units.append(blank)
                optional.append(character != characters[i - 1])
            units.append(self._unit((character,)))
            optional.append(False)
        return PronunciationVariant((*units, gap), (*optional, True))

    def _unit(self, columns: tuple[int, ...]) -> int:
        return self.units.setdefault(columns, len(self.units))


def _spoken_numbers(wording: str, language: str) -> Iterator[str]:
    """ "99 red" as "ninety nine red", where num2words is installed and knows the language."""
    try:
        from num2words import num2words
    except ImportError:
        return
    words = []
    for part in wording.split():
        digits = part.replace(",", "")
        if not any(c.isdigit() for c in part):
            words.append(part)
            continue
        try:
            words.append(str(num2words(digits.strip("'s"), lang=language)))
        except Exception as error:
            # What it does not know of a language shows in any way.
            if not raised_inside(error, "num2words"):
                raise
            return
    yield " ".join(words).replace("-", " ")


# ------------------------------------------------------------------------------------ on torch


class TorchNetwork:
    """A transformers CTC model on torch; out of memory it goes on in smaller batches, then on the
    CPU."""

    def __init__(self, model: Any, device: str = "auto") -> None:
        import torch

        from lyricsyncd.models import torch_device

        wanted = torch_device.resolve(device)
        name = torch_device.precision(
            sum(weights.numel() for weights in model.parameters()),
            torch_device.free_bytes(wanted),
            ("float32", "float16"),
        )
        self._model = model.to(getattr(torch, name)).eval()
        self._device = torch_device.placed(model, wanted)

    def __call__(self, windows: FloatArray) -> FloatArray:
        """See `Network`."""
        from lyricsyncd.models.torch_device import in_batches

        logs: FloatArray = np.stack(in_batches(list(windows), len(windows), self._run, self._leave))
        return logs

    def _run(self, windows: Any) -> list[FloatArray]:
        import torch

        with torch.inference_mode():
            heard = torch.from_numpy(np.stack(windows)).to(self._device, self._model.dtype)
            logits = self._model(heard).logits
            return list(logits.float().log_softmax(-1).cpu().numpy())

    def _leave(self) -> bool:
        import torch

        if self._device.type == "cpu":
            return False
        self._device = torch.device("cpu")
        self._model = self._model.to(self._device).float()
        return True


def open_ctc(model: str, device: str = "auto", models_dir: Path | None = None) -> CtcModel:
    """A CTC model of the hub, or of a folder, on torch.

    Parameters
    ----------
    model : str
        A folder; or the model's name on the hub, looked for in ``models_dir`` first (with ``--``
        for the slash).

    Raises
    ------
    ModelError
        transformers is not installed, or the model is not to be had, or it is no CTC model.
    """
    from lyricsyncd.models.hub import loaded, located

    with loaded(model, models_dir, extra="models"):
        import torch
        from transformers import AutoFeatureExtractor, AutoModelForCTC, AutoTokenizer

        where = located(model, models_dir)
        network = AutoModelForCTC.from_pretrained(where, dtype=torch.float32)
        # Not as one processor: that of a model with a language model beside it needs its decoder.
        tokenizer = AutoTokenizer.from_pretrained(where)
        extractor = AutoFeatureExtractor.from_pretrained(where)
    config = network.config
    # Tokenizers add signs of their own, which the network does not write.
    vocabulary = {sign: n for sign, n in tokenizer.get_vocab().items() if n < config.vocab_size}
    hop = int(np.prod(config.conv_stride))
    reach = 1
    for kernel, stride in zip(
        reversed(config.conv_kernel), reversed(config.conv_stride), strict=True
    ):
        reach = (reach - 1) * stride + kernel
    return CtcModel(
        network=TorchNetwork(network, device),
        alphabet=Alphabet.of(
            vocabulary,
            # wav2vec2 writes its padding for a blank; MMS' aligner has one beside it.
            _BLANK if _BLANK in vocabulary else tokenizer.pad_token,
            getattr(tokenizer, "word_delimiter_token", None),
        ),
        name=f"ctc:{Path(model).name}",
        hop=hop / SAMPLE_RATE,
        reach=reach / SAMPLE_RATE,
        normalise=bool(getattr(extractor, "do_normalize", True)),
        batch=1 if network.device.type == "cpu" else 8,
    )


# -------------------------------------------------------------------------------- on onnxruntime

_METADATA = "lyricsyncd.ctc"


def export(acoustic_model: CtcModel, path: Path) -> None:
    """Write an ear that runs on torch as one ONNX file, which `open_onnx` reads without torch.

    The file appears whole or not at all.

    Raises
    ------
    ModelError
        The ear does not run on torch, ``onnx`` is not installed, or the file cannot be written.
    """
    if not isinstance(acoustic_model.network, TorchNetwork):
        raise ModelError("only an ear that runs on torch can be exported")
    try:
        import onnx
        import torch
    except ImportError as error:
        raise ModelError(
            f"a model cannot be exported here: {error}",
            remedy='Install what it needs with: pip install "lyricsyncd[models]"',
        ) from error

    class Logs(torch.nn.Module):
        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model = model

        def forward(self, windows: Any) -> Any:
            return self.model(windows).logits.log_softmax(-1)

    model = acoustic_model.network._model.to("cpu").float()
    length = round(
        (WINDOW_S / acoustic_model.hop - 1) * acoustic_model.hop * SAMPLE_RATE
        + acoustic_model.reach * SAMPLE_RATE
    )
    unfinished = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.onnx.export(
            Logs(model).eval(),
            (torch.zeros(1, length),),
            str(unfinished),
            input_names=["windows"],
            output_names=["logs"],
            dynamic_axes={"windows": {0: "batch", 1: "samples"}, "logs": {0: "batch", 1: "frames"}},
            opset_version=17,
            dynamo=False,
        )
        written = onnx.load(str(unfinished))
        entry = written.metadata_props.add()
        entry.key, entry.value = _METADATA, json.dumps(_told(acoustic_model))
        onnx.save(written, str(unfinished))
        unfinished.replace(path)
    except OSError as error:
        raise ModelError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _told(acoustic_model: CtcModel) -> dict[str, Any]:
    """All that `open_onnx` has to know beside the network."""
    alphabet = acoustic_model.alphabet
    return {
        "numbers": dict(alphabet.numbers),
        "blank": alphabet.blank,
        "delimiter": alphabet.delimiter,
        "upper": alphabet.upper,
        "name": acoustic_model.name,
        "hop": acoustic_model.hop,
        "reach": acoustic_model.reach,
        "normalise": acoustic_model.normalise,
        "lag": acoustic_model.lag,
    }


class OnnxNetwork:
    """An exported CTC network; runs in the base install."""

    def __init__(self, path: Path, device: str = "auto") -> None:
        from lyricsyncd.models.onnx_session import open_session

        self._session = open_session(path, device=device)

    def told(self) -> dict[str, Any]:
        """What `export` wrote beside the network.

        Raises
        ------
        ModelError
            The file is not from `export`.
        """
        metadata = self._session.get_modelmeta().custom_metadata_map
        try:
            told: dict[str, Any] = json.loads(metadata[_METADATA])
        except (KeyError, ValueError) as error:
            raise ModelError(
                "the ONNX file is not one that lyricsyncd exported",
                remedy="Write it with `lyricsyncd models export`",
            ) from error
        return told

    def __call__(self, windows: FloatArray) -> FloatArray:
        """See `Network`."""
        from lyricsyncd.models.onnx_session import run

        return run(self._session, "windows", windows, "logs")


def open_onnx(path: Path, device: str = "auto") -> CtcModel:
    """The ear that `export` wrote; needs no torch.

    Raises
    ------
    ModelError
        The file is missing, broken or not from `export`.
    """
    network = OnnxNetwork(path, device)
    told = network.told()
    try:
        letters = told["numbers"], told["blank"], told["delimiter"], bool(told["upper"])
        name, normalise = str(told["name"]), bool(told["normalise"])
        hop, reach, lag = (float(told[key]) for key in ("hop", "reach", "lag"))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model {path} is of another version: {error}") from error
    return CtcModel(
        network=network,
        alphabet=Alphabet(*letters),
        name=name,
        hop=hop,
        reach=reach,
        normalise=normalise,
        lag=lag,
    )
