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
from lyricsyncd.pipeline.model_set import ModelSet
from lyricsyncd.pipeline.settings import ModelSettings, placing_settings

SONG = Path(__file__).parent.parent / "demo" / "songs" / "Au_clair_de_la_lune.mp3"
CONFIG = Config.model_validate(
    {"models": {"separator": "mix", "transcriber": "none"}, "lyrics": {"order": ["local"]}}
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


def test_memory_is_told_in_bytes() -> None:
    assert ModelSet(placing_settings(CONFIG).models).memory()["process"] > 10_000_000


def test_what_was_let_go_is_loaded_anew() -> None:
    models = ModelSet(placing_settings(CONFIG).models)
    models.separator()
    models.close()
    models.separator()
    assert models.loads == ["separator:mix"] * 2


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
