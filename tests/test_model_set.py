"""One warm set of models: nothing is loaded before it is needed, and nothing twice."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from lyricsyncd import LyricSyncPipeline
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import ModelError
from lyricsyncd.models import installable
from lyricsyncd.pipeline.model_set import ModelSet
from lyricsyncd.pipeline.settings import ModelSettings, placing_settings

SONG = Path(__file__).parent.parent / "demo" / "songs" / "Au_clair_de_la_lune.mp3"
CONFIG = Config.model_validate(
    {
        "models": {"separator": "mix", "aligner": "sphinx", "transcriber": "none"},
        "lyrics": {"order": ["local"]},
    }
)


def test_a_second_song_loads_nothing() -> None:
    pipeline = LyricSyncPipeline(config=CONFIG)
    assert pipeline.models.loads == []
    text = SONG.with_suffix(".txt").read_text(encoding="utf-8")
    pipeline.sync(SONG, lyrics=text, language="fr")
    assert pipeline.models.loads == ["separator:mix", "acoustic model:sphinx"]
    pipeline.sync(SONG, lyrics=text, language="en")
    assert pipeline.models.loads == ["separator:mix", "acoustic model:sphinx"]


def test_the_same_acoustic_model_is_returned_again() -> None:
    models = ModelSet(placing_settings(CONFIG).models)
    assert models.acoustic_model("en") is models.acoustic_model("fr")
    assert models.separator() is models.separator()


def test_memory_is_reported_in_bytes() -> None:
    assert ModelSet(placing_settings(CONFIG).models).memory()["process"] > 10_000_000


def test_what_was_let_go_is_loaded_anew() -> None:
    models = ModelSet(placing_settings(CONFIG).models)
    models.separator()
    models.close()
    models.separator()
    assert models.loads == ["separator:mix"] * 2


class TestAPhonemeModelThatIsMissing:
    """Songs are placed without it; the log says so once, and what to do."""

    def placed(self, caplog: pytest.LogCaptureFixture, settings: ModelSettings) -> list[str]:
        models = ModelSet(settings)
        for language in ("en", "fr", "en"):
            models.acoustic_model(language)
        return [record.getMessage() for record in caplog.records]

    def test_the_warning_comes_once_for_all_songs(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (warning,) = self.placed(caplog, ModelSettings(folder=tmp_path))
        assert "'phonemes' is missing" in warning
        assert "lyricsyncd models install lite" in warning

    def test_a_damaged_one_counts_as_missing(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        installable.path_of(installable.PHONEMES, tmp_path).write_bytes(b"half a network")
        (warning,) = self.placed(caplog, ModelSettings(folder=tmp_path))
        assert "'phonemes' is damaged" in warning

    def test_an_aligner_that_was_chosen_needs_none(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert self.placed(caplog, ModelSettings(folder=tmp_path, aligner="sphinx")) == []


@pytest.mark.skipif(
    importlib.util.find_spec("torch") is not None, reason="the extra models is installed"
)
def test_the_full_profile_says_what_it_needs() -> None:
    with pytest.raises(ModelError, match=r"lyricsyncd\[all\]"):
        ModelSet(ModelSettings(profile="full"))


def test_the_set_itself_imports_nothing_large() -> None:
    code = (
        "import sys, lyricsyncd.pipeline.model_set;"
        "print(sorted({'torch', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
