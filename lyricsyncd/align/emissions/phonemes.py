"""A small CTC network that writes English phones: the second acoustic model of the base install.

Five megabytes from the wheel ``hama`` (`lyricsyncd.models.install`), half a percent of a song's
length on one core. It writes IPA in 191 columns, but of these the phones of English alone: on
French, Spanish and German songs the columns of sounds that English lacks win one frame in a
thousand. So words reach it as they reach the phone states, by the 39 phones of the lexicon, each
of which is a set of columns, scored as the best of them.

It is not adapted to the singer, and on badly separated vocals it may lose whole songs, but it errs
elsewhere than the phone states do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions import CompiledLyrics, Lines, PronunciationVariant
from lyricsyncd.align.emissions.ctc.alphabet import Alphabet
from lyricsyncd.align.emissions.ctc.model import SEARCH_OPTIONS, CtcModel, FloatArray
from lyricsyncd.align.lexicon import Pronunciation, pronounce
from lyricsyncd.align.lexicon.first_sounds import FirstSoundLags
from lyricsyncd.align.options import SearchOptions
from lyricsyncd.errors import ModelError
from lyricsyncd.registry import ModelContext

BLANK, BOUNDARY = "<blank>", "<wb>"
LAG = -0.06
FIRST_SOUND_LAGS = FirstSoundLags(vowel=-0.057, fricative=0.013, sonorant=-0.003, stop=0.012)
WINDOW_S, CONTEXT_S = 16.0, 3.0
"""Seconds of a window, and of the context at both of its ends. Longer windows take more memory
(30 MB with 16 s); with less context single lines are lost (docs/alignment.md)."""
_PEAK = 0.9
"""Full scale of the audio that the network was trained on, about."""

_COLUMNS = """
    AA ɑ ɒ a ɐ ä ɔ      AE æ a ɛ            AH ʌ ə ɐ ɤ a ɘ      AO ɔ ɒ ɑ o oʊ
    AW aʊ               AY aɪ               EH ɛ e eɪ æ         ER ɝ ɚ ɜ ə ɹ
    EY eɪ e ɛ je        IH ɪ ɨ i e          IY i ɪ j y          OW oʊ o ɔ
    OY ɔɪ               UH ʊ u ʉ ɯ          UW u ʉ ʊ ɯ y ju
    B b β               CH t͡ʃ t͡ɕ t͡ɕʰ       D d ɾ ɖ             DH ð d
    F f ɸ               G ɡ g ɣ             HH h ħ x ɦ          JH d͡ʒ t͡ɕ ɟ
    K k kʰ c k͈          L l ɫ               M m                 N n ɲ
    NG ŋ                P p pʰ p͈            R ɹ r ɾ ʁ ɻ         S s s͈
    SH ʃ ɕ ʂ            T t tʰ ɾ t͈          TH θ                V v ʋ
    W w                 Y j                 Z z s               ZH ʒ ʑ ʃ
"""


def _cells(text: str) -> dict[str, tuple[str, ...]]:
    cells = (
        cell.split() for line in text.splitlines() for cell in line.split("  ") if cell.strip()
    )
    return {phone: tuple(columns) for phone, *columns in cells}


COLUMNS: Mapping[str, tuple[str, ...]] = _cells(_COLUMNS)
"""The columns of each phone of the lexicon (`lyricsyncd.align.lexicon.phones`). Sets that were
learnt from placed words did worse on songs of other languages than those they were learnt from."""


_PENALTIES = replace(SEARCH_OPTIONS.penalties, floor_between=-2.0)
_SEARCH_OPTIONS = replace(SEARCH_OPTIONS, first_penalties=_PENALTIES, penalties=_PENALTIES)
"""The network has spikes for sounds and is silent between them: a higher floor makes it cheaper to
pass over what the lyrics lack. Of the songs with a verse missing it alone places 2 points more, of
those as they are the same."""


@dataclass(frozen=True)
class PhonemeModel(CtcModel):
    """The network behind the search; its sound units are sets of columns."""

    name: str = "phonemes"
    window: float = WINDOW_S
    context: float = CONTEXT_S
    normalise: bool = False
    lag: float = LAG
    search_options: SearchOptions = _SEARCH_OPTIONS

    def compile(self, lines: Lines, language: str | None) -> CompiledLyrics:
        """Turn words into phones, then into sets of columns with blanks between them."""
        compiler = _Compiler(self.alphabet)
        pronounced = pronounce(lines, language)
        compiled = tuple(
            tuple(tuple(map(compiler.variant, word)) for word in line) for line in pronounced
        )
        units = tuple(compiler.units)
        short = np.zeros(len(units), np.bool_)
        return CompiledLyrics(
            compiled, len(units), short, units, FIRST_SOUND_LAGS.of_all(pronounced)
        )

    def features(self, audio: npt.NDArray[np.float32]) -> FloatArray:
        """Compute log-probabilities, shape (T, 191), of the song at the level the network knows.

        Raises
        ------
        ModelError
            The network failed, for lack of memory, say.
        """
        peak = float(np.abs(audio).max(initial=0.0))
        return super().features(audio * np.float32(_PEAK / peak) if peak > 0.0 else audio)


class _Compiler:
    """Turn pronunciations into sets of columns; number those that occur."""

    def __init__(self, alphabet: Alphabet) -> None:
        self._gap = alphabet.gap
        self._blank = (alphabet.blank,)
        self._columns = {
            phone: tuple(alphabet.numbers[c] for c in columns if c in alphabet.numbers)
            for phone, columns in COLUMNS.items()
        }
        self.units: dict[tuple[int, ...], int] = {}

    def variant(self, pronunciation: Pronunciation) -> PronunciationVariant:
        blank = self._unit(self._blank)
        units: list[int] = []
        optional: list[bool] = []
        before: tuple[int, ...] = ()
        for slot in pronunciation.slots:
            columns = tuple(sorted({c for phone in slot for c in self._columns[phone]}))
            if before:
                units.append(blank)
                optional.append(columns != before)
            units.append(self._unit(columns))
            optional.append(False)
            before = columns
        return PronunciationVariant((*units, self._unit(self._gap)), (*optional, True))

    def _unit(self, columns: tuple[int, ...]) -> int:
        return self.units.setdefault(columns, len(self.units))


class _OnnxNetwork:
    """The network on onnxruntime; its log-mel front end is inside the graph."""

    def __init__(self, path: Path) -> None:
        from lyricsyncd.models.attention_masks import without_attention_masks
        from lyricsyncd.models.onnx_session import open_session

        # On a graphics card its windows would take longer to copy than to compute. All of them are
        # full, so its masks do nothing: without them a window takes 30 MB in place of 67.
        self._session = open_session(path, device="cpu", edit=without_attention_masks)

    def __call__(self, windows: FloatArray, *, last: bool = False) -> FloatArray:
        """Run as `lyricsyncd.align.emissions.ctc.model.Network` says."""
        from lyricsyncd.models.onnx_session import run

        lengths = np.full(len(windows), windows.shape[1], np.int64)
        return run(
            self._session,
            {"waveform": windows, "waveform_lengths": lengths},
            "log_probs",
            last=last,
        )


def open_installed(context: ModelContext) -> PhonemeModel:
    """Open the installed model for `lyricsyncd.registry`.

    Raises
    ------
    ModelError
        It is not installed, or damaged.
    """
    from lyricsyncd.config.paths import models_dir
    from lyricsyncd.models import installable

    network = installable.require(installable.PHONEMES, models_dir(context.models_dir))
    return open_phonemes(network, network.with_suffix(".json"))


def open_phonemes(network: Path, units: Path) -> PhonemeModel:
    """Open the model from its network and the list of its columns.

    Raises
    ------
    ModelError
        A file is missing or is not one of this model.
    """
    try:
        columns: Sequence[str] = json.loads(units.read_text(encoding="utf-8"))["units"]
        numbers = {str(column): number for number, column in enumerate(columns)}
        alphabet = Alphabet(numbers, numbers[BLANK], numbers[BOUNDARY])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"The columns of the phoneme network cannot be read from {units}",
            remedy="Install it anew with: lyricsyncd models install phonemes",
        ) from error
    return PhonemeModel(_OnnxNetwork(network), alphabet)
