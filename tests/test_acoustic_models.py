"""An acoustic model of another package is complete by itself: nothing asks what class it is of."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from lyricsyncd import registry
from lyricsyncd.align.acoustic_models import open_acoustic_model, open_second_aligner
from lyricsyncd.align.aligner import Debug, align
from lyricsyncd.align.emissions import CompiledLyrics, Emissions, Lines, Traits
from lyricsyncd.align.emissions.ctc.model import SEARCH_OPTIONS
from lyricsyncd.align.emissions.sphinx import CALIBRATION, PhoneStateModel
from lyricsyncd.align.features import word_frames
from lyricsyncd.align.options import SearchOptions
from lyricsyncd.align.second_aligner import SearchingAligner
from lyricsyncd.errors import UsageError
from lyricsyncd.judging.calibration import Calibration, Regressions
from lyricsyncd.judging.predictors import PREDICTORS
from lyricsyncd.pipeline.model_set import ModelSet
from lyricsyncd.pipeline.settings import ModelSettings
from tests.test_emissions_ctc import acoustic_model as writer
from tests.test_emissions_ctc import numbered

FloatArray = npt.NDArray[np.float32]

PLUGIN = '''
import dataclasses
from lyricsyncd.align.emissions.sphinx import PhoneStateModel


class Bare:
    """A model with what every model must have, and nothing else."""

    def __init__(self, context):
        self._model = PhoneStateModel.load()
        self.name, self.hop = "bare", self._model.hop

    def compile(self, lines, language):
        return self._model.compile(lines, language)

    def features(self, audio):
        return self._model.features(audio)

    def score(self, features, lyrics):
        return self._model.score(features, lyrics)


class GermanOnly(Bare):
    languages = frozenset({"de"})


class Listener:
    """A second aligner and nothing else."""

    name = "listener"

    def __init__(self, context):
        pass

    def onset_posteriors(self, audio, lines, language, first, **_):
        return None
'''
ENTRY_POINTS = """[lyricsyncd.aligners]
bare = acme_models:Bare
german = acme_models:GermanOnly
listener = acme_models:Listener
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with three aligners, as pip would have installed it."""
    (tmp_path / "acme_models.py").write_text(PLUGIN, encoding="utf-8")
    info = tmp_path / "acme_models-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-models\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.forget_plugins()
    yield
    registry.forget_plugins()


class TestTraits:
    @pytest.mark.usefixtures("plugins")
    def test_have_defaults_for_a_model_that_lacks_them(self) -> None:
        traits = Traits.of(open_acoustic_model("bare"))
        assert traits == Traits(0.0, SearchOptions(), None, None)

    def test_are_those_of_a_model_that_has_them(self) -> None:
        traits = Traits.of(PhoneStateModel.load())
        assert traits == Traits(0.05, SearchOptions(), CALIBRATION, vowel_lag=-0.04)
        assert Traits.of(writer({})).search_options == SEARCH_OPTIONS

    def test_a_model_without_a_list_of_languages_has_all(self) -> None:
        assert Traits().supports("sv")
        assert Traits(languages=frozenset({"de"})).supports("de-at")
        assert not Traits(languages=frozenset({"de"})).supports("en")
        assert Traits(languages=frozenset({"de"})).supports(None)


class TestAModelOfAnotherPackage:
    @pytest.mark.usefixtures("plugins")
    def test_is_not_calibrated_until_it_names_a_file(self, tmp_path: Path) -> None:
        model = open_acoustic_model("bare")
        assert Calibration.of(model) is None
        weights = Calibration(Regressions(tuple(0.5 for _ in PREDICTORS), (0.0, 1.0)))
        weights.write(tmp_path / "acme.json")
        model.calibration = tmp_path / "acme.json"  # type: ignore[attr-defined]
        assert Calibration.of(model) == weights

    def test_is_searched_with_its_own_options(self) -> None:
        at = {60 + 3 * i: letter for i, letter in enumerate("hello")}
        model, audio = writer(at), numbered(4.0)
        own = align(audio, [["hello"]], "en", model)
        stricter = replace(SEARCH_OPTIONS, scale=0.01)
        vague = align(audio, [["hello"]], "en", replace(model, search_options=stricter))
        assert vague.spread[0] > own.spread[0]
        given = align(audio, [["hello"]], "en", model, options=stricter)
        np.testing.assert_array_equal(given.spread, vague.spread)

    @pytest.mark.usefixtures("plugins")
    def test_leaves_languages_that_it_lacks_to_the_base_install(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        models = ModelSet(ModelSettings(aligner="german"))
        with caplog.at_level(logging.WARNING):
            assert models.acoustic_model("de").name == "bare"
            assert models.acoustic_model("en").name == "sphinx"
            assert models.acoustic_model("en").name == "sphinx"
        assert [record.message for record in caplog.records] == [
            "bare has no en: sphinx places these words"
        ]

    @pytest.mark.usefixtures("plugins")
    def test_is_a_second_aligner_by_a_search_of_its_own(self) -> None:
        aligner = open_second_aligner("bare", "cpu")
        assert isinstance(aligner, SearchingAligner)
        models = ModelSet(ModelSettings(aligner="sphinx+german"))
        assert models.second_aligner("de") is not None
        assert models.second_aligner("en") is None

    @pytest.mark.usefixtures("plugins")
    def test_may_be_a_second_aligner_and_nothing_else(self) -> None:
        assert open_second_aligner("listener", "cpu").name == "listener"
        models = ModelSet(ModelSettings(aligner="sphinx+listener"))
        second = models.second_aligner("en")
        assert second is not None
        assert second.name == "listener"
        with pytest.raises(UsageError, match=r"cannot place words by itself"):
            open_acoustic_model("listener")


@dataclass(frozen=True)
class Unpronounceable:
    """A model that can pronounce nothing."""

    name: str = "mute"
    hop: float = 0.01

    def compile(self, lines: Lines, language: str | None) -> CompiledLyrics:  # noqa: ARG002
        return CompiledLyrics(
            tuple(tuple(() for _ in line) for line in lines), 0, np.zeros(0, bool)
        )

    def features(self, audio: FloatArray) -> FloatArray:
        return audio

    def score(self, *_: object) -> Emissions:
        raise AssertionError("there is nothing to score")


class TestDebug:
    """What the search computed is there for research."""

    LINES = (("hello", "world"), ("yes", "sad"))
    STARTS = (60, 110, 300, 340)

    @pytest.fixture
    def debug(self) -> Debug:
        words = [word for line in self.LINES for word in line]
        at = {
            start + 3 * i: letter
            for start, word in zip(self.STARTS, words, strict=True)
            for i, letter in enumerate(word)
        }
        debug = Debug()
        align(numbered(9.0), self.LINES, "en", writer(at), debug=debug)
        return debug

    def test_has_the_scores_of_every_unit_at_every_frame(self, debug: Debug) -> None:
        assert debug.lyrics is not None
        assert debug.scores is not None
        assert debug.scores.scores.shape == (450, debug.lyrics.n_units)
        assert debug.scores.silence.shape == (450,)

    def test_has_the_graph_and_the_path_through_it(self, debug: Debug) -> None:
        assert debug.graph is not None
        assert debug.path is not None
        assert debug.path.states.shape == (450,)
        assert debug.first_paths == [debug.path]
        onsets, offsets = word_frames(debug.graph, debug.path.states)
        np.testing.assert_allclose(onsets, self.STARTS, atol=1)
        assert (offsets > onsets).all()

    def test_has_the_posterior_of_each_onset_over_time(self, debug: Debug) -> None:
        assert debug.posterior is not None
        starts = debug.posterior.starts
        for word, start in enumerate(self.STARTS):
            logs = starts.logs[starts.base[word] : starts.base[word + 1]]
            assert logs.max() == 0.0
            assert abs(starts.first[word] + int(logs.argmax()) - start) <= 1

    def test_is_empty_behind_the_words_where_there_is_no_path(self) -> None:
        debug = Debug()
        placed = align(numbered(1.0), [["hm"]], "en", Unpronounceable(), debug=debug)
        assert not placed.placed.any()
        assert debug.lyrics is not None
        assert (debug.trellis, debug.path, debug.posterior, debug.graph) == (None,) * 4
