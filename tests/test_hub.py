"""Where models of the hub are looked for, and what is said when they are not there."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from lyricsyncd.errors import ModelError
from lyricsyncd.models import hub

constants = pytest.importorskip("huggingface_hub.constants")

NAME = "someone/some-model"


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model's folder in the hub's cache, laid out as the hub's client does."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    model = tmp_path / "cache" / "models--someone--some-model"
    folder = model / "snapshots" / ("a" * 40)
    folder.mkdir(parents=True)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("a" * 40)
    (folder / "config.json").write_text("{}")
    return folder


class TestFinding:
    def test_a_folder_of_models_goes_first(self, snapshot: Path, tmp_path: Path) -> None:
        (snapshot / "model.safetensors").touch()
        own = tmp_path / "someone--some-model"
        own.mkdir()
        assert hub.resolve(NAME, tmp_path) == str(own)
        assert hub.resolve(str(own), None) == str(own)

    def test_what_was_fetched_is_a_folder_too(self, snapshot: Path, tmp_path: Path) -> None:
        (snapshot / "model.safetensors").touch()
        assert hub.resolve(NAME, tmp_path) == str(snapshot)
        assert hub.is_local(NAME, tmp_path)

    def test_half_a_model_is_none(self, snapshot: Path, tmp_path: Path) -> None:
        assert not hub.is_local(NAME, tmp_path)
        shards = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
        (snapshot / "model.safetensors.index.json").write_text(json.dumps(shards))
        (snapshot / "model-1.safetensors").touch()
        assert hub.resolve(NAME, tmp_path) == NAME
        (snapshot / "model-2.safetensors").touch()
        assert hub.is_local(NAME, tmp_path)

    @pytest.mark.parametrize("name", ["", "a/b/c", "no such", "sphinx"])
    def test_any_name_can_be_asked_for(self, name: str, tmp_path: Path) -> None:
        assert not hub.is_local(name or "x", tmp_path)


class TestSaying:
    @pytest.fixture(autouse=True)
    def _nothing_cached(self, snapshot: Path) -> None:
        (snapshot / "config.json").unlink()

    def test_a_hub_out_of_reach_is_said_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            monkeypatch.setattr(
                constants, "ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}"
            )
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr("urllib.request.getproxies", dict)
        with pytest.raises(ModelError) as caught, hub.loading(NAME, tmp_path, extra="models"):
            hub.resolve_reachable(NAME, tmp_path)
        assert str(caught.value) == (
            f"the model {NAME!r} is not installed and cannot be fetched: "
            "127.0.0.1 cannot be reached. "
            "Put its files from the hub (config.json, model.safetensors and all that is small) "
            f"into {tmp_path / 'someone--some-model'}"
        )

    def test_a_damaged_folder_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "someone--some-model").mkdir()
        with (
            pytest.raises(ModelError, match="some-model cannot be loaded: half a file") as caught,
            hub.loading(NAME, tmp_path, extra="models", files="model.ckpt"),
        ):
            raise EOFError("half a file.\nand more\nthan that")
        assert "anew: model.ckpt" in str(caught.value)

    def test_what_is_already_said_is_not_said_again(self, tmp_path: Path) -> None:
        (tmp_path / "someone--some-model").mkdir()
        with (
            pytest.raises(ModelError, match=r"^no such card$"),
            hub.loading(NAME, tmp_path, extra="models"),
        ):
            raise ModelError("no such card")

    def test_what_is_not_installed_says_how(self, tmp_path: Path) -> None:
        (tmp_path / "someone--some-model").mkdir()
        with (
            pytest.raises(ModelError, match=r'pip install "lyricsyncd\[granite\]"'),
            hub.loading(NAME, tmp_path, extra="granite"),
        ):
            raise ModuleNotFoundError("No module named 'transformers'")

    def test_a_licence_with_a_catch_is_reported_before(self, tmp_path: Path) -> None:
        mms = "MahmoudAshraf/mms-300m-1130-forced-aligner"
        assert "CC-BY-NC" in hub.caution(mms, tmp_path)
        assert hub.caution("facebook/wav2vec2-base-960h", tmp_path) == ""
        (tmp_path / hub.folder_name(mms)).mkdir()
        assert hub.caution(mms, tmp_path) == ""
