"""The phone states: the model is read as it is, and scores what was said."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from lyricsyncd.align.activity import vocal_activity
from lyricsyncd.align.aligner import Alignment, align
from lyricsyncd.align.emissions import SAMPLE_RATE, AdaptableModel, cepstra, sphinx_model
from lyricsyncd.align.emissions.sphinx import PhoneStateModel
from lyricsyncd.align.options import SearchOptions
from lyricsyncd.errors import ModelError
from lyricsyncd.separate import VocalSeparator

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"


@pytest.fixture(scope="module")
def acoustic_model() -> PhoneStateModel:
    return PhoneStateModel.load()


@pytest.fixture(scope="module")
def mix() -> npt.NDArray[np.float32]:
    return VocalSeparator("mix").extract(SONG).mix


@pytest.fixture(scope="module")
def lines() -> list[list[str]]:
    text = SONG.with_suffix(".txt").read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if line.split()]


@pytest.fixture(scope="module")
def truth() -> npt.NDArray[np.float64]:
    table = np.genfromtxt(SONG.with_suffix(".words.csv"), delimiter=",", skip_header=1)
    return np.asarray(table[:, :2], np.float64)


@pytest.fixture(scope="module")
def placed(
    acoustic_model: PhoneStateModel, mix: npt.NDArray[np.float32], lines: list[list[str]]
) -> Alignment:
    return align(mix, lines, "en", acoustic_model)


class TestTheModel:
    def test_has_the_phones_and_sizes_of_the_en_us_model(self) -> None:
        model = sphinx_model.load()
        assert {"AA", "ZH", "SIL", "NG"} <= set(model.phones)
        assert model.means.shape == model.variances.shape == (42, 3, 128, 13)
        assert (model.variances > 0).all()

    def test_mixture_weights_sum_to_one_but_for_their_8_bits(self) -> None:
        totals = sphinx_model.load().weights.sum(axis=1)
        assert totals == pytest.approx(np.ones_like(totals), abs=0.1)

    def test_every_triphone_state_mixes_its_own_phones_codebook(self) -> None:
        model = sphinx_model.load()
        number = model.number
        for left in ("SIL", "T", "AA"):
            for place in range(4):
                states = model.states(number["S"], number[left], number["IY"], place)
                assert (model.codebook[list(states)] == number["S"]).all()

    def test_context_changes_the_states(self) -> None:
        model = sphinx_model.load()
        n = model.number
        inside = sphinx_model.INSIDE
        assert model.states(n["AA"], n["B"], n["T"], inside) != model.states(
            n["AA"], n["M"], n["L"], inside
        )

    def test_a_folder_without_a_model_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="pip install"):
            sphinx_model.read(tmp_path)

    def test_a_cut_file_says_what_to_do(self, tmp_path: Path) -> None:
        (tmp_path / "mdef").write_bytes(b"BMDF\x01\x00")
        with pytest.raises(ModelError, match="cannot be read"):
            sphinx_model.read(tmp_path)


class TestFeatures:
    def test_ten_milliseconds_a_frame(self) -> None:
        audio = np.zeros(SAMPLE_RATE, np.float32)
        assert cepstra.features(audio).shape == (cepstra.n_frames(len(audio)), 39)
        assert cepstra.n_frames(len(audio)) == 98

    def test_hardly_any_audio_is_still_a_frame(self) -> None:
        assert cepstra.features(np.zeros(7, np.float32)).shape == (1, 39)

    def test_loudness_does_not_matter(self, mix: npt.NDArray[np.float32]) -> None:
        part = mix[20 * SAMPLE_RATE : 24 * SAMPLE_RATE]
        loud, quiet = cepstra.features(part), cepstra.features(part * np.float32(0.5))
        assert np.corrcoef(loud[:, :13].ravel(), quiet[:, :13].ravel())[0, 1] > 0.98

    def test_silence_is_inactive_and_sound_is_active(self) -> None:
        audio = np.zeros(2 * SAMPLE_RATE, np.float32)
        audio[SAMPLE_RATE:] = np.random.default_rng(0).normal(0.0, 0.1, SAMPLE_RATE)
        activity = vocal_activity(audio, cepstra.n_frames(len(audio)), cepstra.HOP)
        assert activity[:90].max() < 0.01
        assert activity[110:].min() > 0.99


class TestPlacing:
    def test_the_demo_songs_words_are_found(
        self, placed: Alignment, truth: npt.NDArray[np.float64]
    ) -> None:
        errors = np.abs(placed.onset - truth[:, 0])
        assert np.median(errors) < 0.08
        assert (errors <= 0.3).mean() >= 0.9

    def test_words_are_in_order_and_have_a_length(self, placed: Alignment) -> None:
        assert (np.diff(placed.onset) >= 0).all()
        assert (placed.offset > placed.onset).all()

    def test_the_same_song_twice_is_the_same(
        self,
        acoustic_model: PhoneStateModel,
        mix: npt.NDArray[np.float32],
        lines: list[list[str]],
        placed: Alignment,
    ) -> None:
        again = align(mix, lines, "en", acoustic_model)
        assert np.array_equal(again.onset, placed.onset)

    def test_line_times_do_not_make_it_worse(
        self,
        acoustic_model: PhoneStateModel,
        mix: npt.NDArray[np.float32],
        lines: list[list[str]],
        truth: npt.NDArray[np.float64],
        placed: Alignment,
    ) -> None:
        firsts = np.cumsum([0, *(len(line) for line in lines[:-1])])
        timed = align(
            mix, lines, "en", acoustic_model, line_starts=[float(truth[i, 0]) for i in firsts]
        )
        error = np.abs(timed.onset - truth[:, 0])
        assert (error <= 0.3).mean() >= (np.abs(placed.onset - truth[:, 0]) <= 0.3).mean()

    def test_what_cannot_be_pronounced_lies_between_its_adjacent_words(
        self, acoustic_model: PhoneStateModel, mix: npt.NDArray[np.float32], lines: list[list[str]]
    ) -> None:
        odd = [["♪", *lines[0], "—", "…"], *lines[1:], ["🎤"]]
        result = align(mix, odd, "en", acoustic_model)
        assert not result.placed[0]
        assert not result.placed[-1]
        assert len(result.onset) == sum(map(len, odd))
        assert (np.diff(result.onset) >= 0).all()

    def test_more_words_than_the_audio_has_room_for_still_come_back(
        self, acoustic_model: PhoneStateModel
    ) -> None:
        audio = np.random.default_rng(0).normal(0.0, 0.1, SAMPLE_RATE).astype(np.float32)
        result = align(audio, [["wonderful"] * 200], "en", acoustic_model)
        assert len(result.onset) == 200
        assert not result.placed.any()
        assert (result.near == 0).all()

    def test_wrong_words_fit_worse(
        self, acoustic_model: PhoneStateModel, mix: npt.NDArray[np.float32], placed: Alignment
    ) -> None:
        other = "Au clair de la lune mon ami Pierrot prête moi ta plume pour écrire un mot"
        wrong = align(mix, [other.split()] * 3, "fr", acoustic_model)
        assert np.median(wrong.fit) < np.median(placed.fit)

    def test_getting_used_to_the_singer_changes_the_means_only(
        self, acoustic_model: PhoneStateModel, mix: npt.NDArray[np.float32], lines: list[list[str]]
    ) -> None:
        song = acoustic_model.compile(lines, "en")
        features = acoustic_model.features(mix)
        units = np.zeros(len(features), np.int64)
        adapted = acoustic_model.adapted(features, song, units)
        assert isinstance(adapted, AdaptableModel)
        assert not np.array_equal(adapted.model.means, acoustic_model.model.means)
        assert np.array_equal(adapted.model.variances, acoustic_model.model.variances)

    def test_its_front_ends_score_the_same_units_differently(
        self, acoustic_model: PhoneStateModel, mix: npt.NDArray[np.float32], lines: list[list[str]]
    ) -> None:
        song, part = acoustic_model.compile(lines, "en"), mix[: 8 * SAMPLE_RATE]
        found = [
            front_end.score(front_end.features(part), song).scores
            for front_end in acoustic_model.front_ends()
        ]
        assert len(found) == 3
        for one, other in itertools.combinations(found, 2):
            assert one.shape == other.shape
            assert not np.array_equal(one, other)

    def test_scores_of_some_units_are_those_among_all(
        self, acoustic_model: PhoneStateModel, mix: npt.NDArray[np.float32], lines: list[list[str]]
    ) -> None:
        song = acoustic_model.compile(lines, "en")
        features = acoustic_model.features(mix[: 4 * SAMPLE_RATE])
        units = np.arange(3, song.n_units, 7)
        some = acoustic_model.score(features, song.restricted(units))
        every = acoustic_model.score(features, song)
        np.testing.assert_allclose(some.scores, every.scores[:, units], atol=0.02)
        np.testing.assert_allclose(some.silence, every.silence, atol=0.01)

    def test_one_pass_can_be_asked_for(
        self, acoustic_model: PhoneStateModel, mix: npt.NDArray[np.float32], lines: list[list[str]]
    ) -> None:
        result = align(
            mix, lines, "en", acoustic_model, options=SearchOptions(adapt=False, expected=False)
        )
        assert len(result.onset) == sum(map(len, lines))
