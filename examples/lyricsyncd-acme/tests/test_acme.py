"""The back ends of this package, each by itself. Run with pytest where the package is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lyricsyncd import formats, registry
from lyricsyncd.align.acoustic_models import open_acoustic_model
from lyricsyncd.align.emissions import AdaptableModel, Traits
from lyricsyncd.config.schema import LyricsSources
from lyricsyncd.errors import FormatError, SourceError, UsageError
from lyricsyncd.judging.calibration import Calibration
from lyricsyncd.lyrics.base import Source
from lyricsyncd.model import Line, Lyrics, Track
from lyricsyncd.registry import ModelContext, SourceContext

STAR = Lyrics((Line.from_text("Twinkle, twinkle,", 1.0, 3.0), Line.from_text("star!", 3.5, 5.0)))


class TestTheAcousticModel:
    def test_has_search_options_and_a_calibration_of_its_own(self) -> None:
        model = open_acoustic_model("wide_band")
        assert Traits.of(model).search_options.band == 12.0
        assert Calibration.of(model) is not None

    def test_takes_its_options_from_the_settings(self) -> None:
        model = open_acoustic_model("wide_band", plugins={"wide_band": {"band": 20}})
        assert Traits.of(model).search_options.band == 20.0

    def test_refuses_a_setting_that_cannot_be(self) -> None:
        with pytest.raises(UsageError, match=r"plugins\.wide_band\.band"):
            registry.aligners.open("wide_band", ModelContext(settings={"band": "wide"}))

    def test_remains_itself_when_it_is_adapted(self) -> None:
        model = open_acoustic_model("wide_band")
        assert isinstance(model, AdaptableModel)
        assert {front_end.name for front_end in model.front_ends()} == {"wide_band"}


class TestTheFormat:
    def test_reads_what_it_writes(self) -> None:
        text = formats.write(STAR, "labels")
        assert text == "1.000000\t3.000000\tTwinkle, twinkle,\n3.500000\t5.000000\tstar!\n"
        assert formats.read(text.encode(), "labels") == formats.project(STAR, "labels") == STAR

    def test_is_known_by_its_suffix_and_by_its_content(self) -> None:
        assert formats.for_suffix(".labels") == "labels"
        assert formats.guess(b"0.5\t1.5\tRow\n") == "labels"
        assert formats.guess(b"Row, row, row\n") == "txt"

    @pytest.mark.parametrize("data", [b"no label", b"2.0\tRow", b"999999\t999999\tRow"])
    def test_refuses_what_is_none(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            formats.read(data, "labels")

    def test_needs_line_times(self) -> None:
        with pytest.raises(FormatError):
            formats.write(Lyrics.from_text("Row"), "labels")


class TestTheSource:
    def source(self, path: Path | None) -> Source:
        settings = {"path": str(path)} if path else {}
        return registry.sources.open("folder", SourceContext(LyricsSources(), settings))

    def test_finds_the_file_of_a_song(self, tmp_path: Path) -> None:
        (tmp_path / "Jane Taylor - The Star.txt").write_text("Twinkle\nstar\n")
        track = Track(artist="jane taylor", title="The Star")
        (candidate,) = self.source(tmp_path).find(track)
        assert candidate.lyrics.text == "Twinkle\nstar"
        assert self.source(tmp_path).find(Track(artist="Jane Taylor", title="Other")) == []

    def test_without_a_folder_it_is_idle(self) -> None:
        assert self.source(None).idle

    def test_a_folder_that_is_gone_is_an_error_of_the_source(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="gone"):
            self.source(tmp_path / "gone").find(Track(artist="a", title="b"))
