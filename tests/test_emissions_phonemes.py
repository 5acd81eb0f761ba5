"""The phoneme network: words reach it by the phones of the lexicon, each a set of its columns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from lyricsyncd.align.aligner import align
from lyricsyncd.align.emissions.ctc import Alphabet
from lyricsyncd.align.emissions.phonemes import (
    BLANK,
    BOUNDARY,
    COLUMNS,
    LAG,
    PhonemeModel,
    open_installed,
    open_phonemes,
)
from lyricsyncd.align.lexicon.phones import PHONES
from lyricsyncd.errors import ModelError
from lyricsyncd.registry import ModelContext, aligners
from tests.test_emissions_ctc import numbered

UNITS = sorted({column for columns in COLUMNS.values() for column in columns})
NUMBERS = {unit: number for number, unit in enumerate([*UNITS, BOUNDARY, BLANK])}
ALPHABET = Alphabet(NUMBERS, NUMBERS[BLANK], NUMBERS[BOUNDARY])
FloatArray = npt.NDArray[np.float32]


class Written:
    """A network that has written certain phonemes at certain frames of `numbered` audio."""

    def __init__(self, phonemes: dict[int, str], scale: float) -> None:
        self.phonemes, self.scale = phonemes, scale

    def __call__(self, windows: FloatArray, *, last: bool = False) -> FloatArray:  # noqa: ARG002
        n = (windows.shape[1] - 400) // 320 + 1
        logs = np.full((len(windows), n, len(NUMBERS)), -12.0, np.float32)
        frames = np.round(windows[:, : n * 320 : 320] / self.scale).astype(int) - 1
        for row, numbers in zip(logs, frames, strict=True):
            for at, frame in enumerate(numbers):
                row[at, NUMBERS[self.phonemes.get(int(frame), BLANK)]] = -0.01
        return logs


def model(phonemes: dict[int, str], n_frames: int) -> PhonemeModel:
    """A model that takes audio of these many frames at a peak of 0.9, whatever it was before."""
    return PhonemeModel(Written(phonemes, 0.9 / n_frames), ALPHABET)


class TestTheColumns:
    def test_are_known_for_each_phone_of_the_lexicon(self) -> None:
        assert set(COLUMNS) == PHONES
        assert all(COLUMNS.values())

    def test_of_alternative_phones_are_scored_as_their_best(self) -> None:
        lyrics = model({}, 50).compile([["tu"]], "fr")
        ((way, *_),) = lyrics.lines[0]
        vowel = lyrics.units[way.units[2]]
        assert {NUMBERS["u"], NUMBERS["y"], NUMBERS["i"]} <= set(vowel)

    def test_have_blanks_between_them_which_may_be_skipped_but_between_equal_ones(self) -> None:
        lyrics = model({}, 50).compile([["see"]], "en")
        ((way, *_),) = lyrics.lines[0]
        assert [lyrics.units[unit] for unit in way.units[1::2]][:1] == [(NUMBERS[BLANK],)]
        assert way.optional[1]
        assert set(lyrics.units[way.units[-1]]) == {NUMBERS[BLANK], NUMBERS[BOUNDARY]}
        assert way.optional[-1]


class TestASong:
    def test_is_placed_where_the_phonemes_are_written_at_any_level(self) -> None:
        written = {50: "s", 54: "i", 100: "m", 104: "aɪ"}
        for level in (1.0, 0.01):
            audio = numbered(4.0) * np.float32(level)
            placed = align(audio, [["see", "my"]], "en", model(written, 200))
            lags = np.array([0.013, -0.003]) + LAG
            np.testing.assert_allclose(placed.onset - lags, [1.0, 2.0], atol=0.05)

    def test_without_any_sound_is_placed_all_the_same(self) -> None:
        audio = np.zeros(16_000, np.float32)
        placed = align(audio, [["see"]], "en", PhonemeModel(Written({}, 1.0), ALPHABET))
        assert np.isfinite(placed.onset).all()


class TestOpening:
    def test_names_the_command_where_it_is_not_installed(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="'phonemes' is not installed") as raised:
            open_installed(ModelContext(models_dir=tmp_path))
        assert "models install" in str(raised.value.remedy)
        assert "phonemes" in aligners.names()

    @pytest.mark.parametrize("content", ["", "[]", json.dumps({"units": ["a"]})])
    def test_refuses_columns_that_are_not_its_own(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "units.json").write_text(content)
        with pytest.raises(ModelError, match="columns of the phoneme network"):
            open_phonemes(tmp_path / "network.onnx", tmp_path / "units.json")
