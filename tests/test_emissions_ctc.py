"""Characters with blanks between them, by a network whose answers are known."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from lyricsyncd.align import acoustic_models
from lyricsyncd.align.aligner import align
from lyricsyncd.align.emissions.ctc import Alphabet, CtcModel
from lyricsyncd.errors import ModelError, UsageError

VOCABULARY = {"<pad>": 0, "<unk>": 1, "|": 2, **{c: 3 + i for i, c in enumerate("abcdehlorstwy'")}}
ALPHABET = Alphabet.of(VOCABULARY, "<pad>", "|")
FloatArray = npt.NDArray[np.float32]


class Written:
    """A network that has written certain characters at certain frames, whatever the
    audio: its samples are the numbers of their frames, and so say which frames are wanted."""

    def __init__(self, letters: dict[int, str]) -> None:
        self.letters = letters

    def __call__(self, windows: FloatArray, *, last: bool = False) -> FloatArray:  # noqa: ARG002
        n = (windows.shape[1] - 400) // 320 + 1
        logs = np.full((len(windows), n, len(VOCABULARY)), -12.0, np.float32)
        frames = np.round(windows[:, : n * 320 : 320]).astype(int) - 1
        for row, (window, asked) in enumerate(zip(logs, frames, strict=True)):
            for at, frame in enumerate(asked):
                letter = self.letters.get(int(frame))
                logs[row, at, VOCABULARY[letter] if letter else 0] = -0.01
            assert window.shape == logs[row].shape
        return logs


def numbered(seconds: float) -> FloatArray:
    """Audio each of whose samples is its frame's number, from 1."""
    frames = np.arange(round(seconds * 50))
    return (np.repeat(frames, 320) + 1).astype(np.float32)


def acoustic_model(letters: dict[int, str]) -> CtcModel:
    return CtcModel(Written(letters), ALPHABET, normalise=False, batch=2)


class TestCompiling:
    def test_blanks_stand_between_letters_and_may_be_stepped_over(self) -> None:
        song = acoustic_model({}).compile([["row"]], "en")
        ((way,),) = song.lines[0]
        units = [song.units[unit] for unit in way.units]
        r, o, w = (VOCABULARY[c] for c in "row")
        assert units == [(r,), (0,), (o,), (0,), (w,), (0, 2)]
        assert way.optional == (False, True, False, True, False, True)

    def test_but_not_between_two_that_are_equal(self) -> None:
        song = acoustic_model({}).compile([["all"]], "en")
        ((way,),) = song.lines[0]
        assert way.optional == (False, True, False, False, False, True)

    def test_words_of_other_scripts_are_written_as_they_are_read(self) -> None:
        pytest.importorskip("fugashi")
        latin = Alphabet(
            {letter: at for at, letter in enumerate("abcdefghijklmnopqrstuvwxyz", 1)}, 0
        )
        song = replace(acoustic_model({}), alphabet=latin).compile([["夜", "空", "愛"]], "ja")
        written = [
            "".join(chr(96 + song.units[unit][0]) for unit in way.units if song.units[unit] != (0,))
            for (way, *_) in song.lines[0]
        ]
        assert written == ["yo", "zora", "ai"]

    def test_capitals_and_accents_are_what_the_network_writes(self) -> None:
        assert ALPHABET.encode("Là") == ALPHABET.encode("la")
        capitals = Alphabet.of({"<pad>": 0, "L": 1, "A": 2}, "<pad>", None)
        assert capitals.encode("la") == (1, 2)

    def test_other_scripts_come_in_latin_letters(self) -> None:
        assert ALPHABET.encode("лес") == ALPHABET.encode("les")

    def test_what_cannot_be_written_has_no_variant(self) -> None:
        song = acoustic_model({}).compile([["♪", "row"]], "en")
        assert song.lines[0][0] == ()
        assert song.lines[0][1] != ()

    @pytest.mark.skipif(
        importlib.util.find_spec("num2words") is None, reason="comes with the extra models"
    )
    def test_numbers_are_spelled_out(self) -> None:
        song = acoustic_model({}).compile([["2"]], "en")
        ((way,),) = song.lines[0]
        letters = [song.units[unit] for unit in way.units[::2]]
        assert letters == [(VOCABULARY[c],) for c in "two"]


class TestFeatures:
    @pytest.mark.parametrize("seconds", [0.5, 15.9, 16.0, 16.02, 40.0])
    def test_windows_join_without_a_seam(self, seconds: float) -> None:
        letters = dict.fromkeys(range(0, 4000, 7), "a")
        logs = acoustic_model(letters).features(numbered(seconds))
        assert len(logs) == round(seconds * 50)
        found = np.flatnonzero(logs[:, VOCABULARY["a"]] > -1.0)
        np.testing.assert_array_equal(found, np.arange(0, len(logs), 7))

    def test_words_are_placed_where_they_were_written(self) -> None:
        at = {}
        starts = [60, 110, 300, 340]
        for start, word in zip(starts, ["hello", "world", "yes", "sad"], strict=True):
            for i, letter in enumerate(word):
                at[start + 3 * i] = letter
        writer = acoustic_model(at)
        audio = numbered(9.0)
        found = align(audio, [["hello", "world"], ["yes", "sad"]], "en", writer)
        np.testing.assert_allclose(found.onset, np.array(starts) * 0.02, atol=0.03)
        assert (found.near > 0.9).all()


class TestNames:
    def test_an_unknown_model_is_named_with_those_there_are(self) -> None:
        with pytest.raises(UsageError, match="There are: auto, sphinx, phonemes, ctc, mms"):
            acoustic_models.open_acoustic_model("parrot")

    def test_auto_fetches_nothing(self, tmp_path: Path) -> None:
        assert acoustic_models.pair("auto", "cpu", tmp_path, "en") == ("sphinx", None)
        assert acoustic_models.open_acoustic_model("auto", "cpu", tmp_path, "en").name == "sphinx"

    def test_auto_takes_an_exported_model_for_the_language_as_second_aligner(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "ctc").mkdir()
        french, any_other = tmp_path / "ctc" / "fr.onnx", tmp_path / "ctc" / "any.onnx"
        french.write_bytes(b"")
        assert acoustic_models.pair("auto", "cpu", tmp_path, "fr") == ("sphinx", str(french))
        assert acoustic_models.pair("auto", "cpu", tmp_path, "en") == ("sphinx", None)
        any_other.write_bytes(b"")
        assert acoustic_models.pair("auto", "cpu", tmp_path, "en") == ("sphinx", str(any_other))

    def test_two_are_named_with_a_plus_between_them(self) -> None:
        assert acoustic_models.pair("sphinx+ctc", "cpu", None, "en") == ("sphinx", "ctc")
        assert (
            acoustic_models.pair("sphinx+/models/a+b.onnx", "cpu", None, "en")[1]
            == "/models/a+b.onnx"
        )

    def test_but_a_path_may_have_one_too(self) -> None:
        assert acoustic_models.pair("/models/a+b.onnx", "cpu", None, "en") == (
            "/models/a+b.onnx",
            None,
        )

    def test_a_file_that_is_no_model_is_one_line(self, tmp_path: Path) -> None:
        (tmp_path / "x.onnx").write_bytes(b"no model")
        with pytest.raises(ModelError, match="cannot be opened"):
            acoustic_models.open_acoustic_model(str(tmp_path / "x.onnx"), "cpu")

    @pytest.mark.skipif(
        importlib.util.find_spec("transformers") is not None, reason="the extra is installed"
    )
    def test_without_the_extra_it_says_which(self) -> None:
        with pytest.raises(ModelError, match=r"lyricsyncd\[models\]"):
            acoustic_models.open_acoustic_model("ctc", "cpu", None, "en")
