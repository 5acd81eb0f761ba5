"""Whose folders: one's own, those a service manager names, or those of the whole computer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lyricsyncd.config import paths


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer whose service is set up; its folder of state."""
    config, state = tmp_path / "etc" / "config.yaml", tmp_path / "var" / "lyricsyncd"
    config.parent.mkdir()
    config.touch()
    state.mkdir(parents=True)
    monkeypatch.setattr(paths, "SYSTEM_CONFIG", config)
    monkeypatch.setattr(paths, "SYSTEM_STATE", state)
    return state


def as_user(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: number)


def test_root_looks_after_the_service_of_the_computer(
    system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(0, monkeypatch)
    home = {"HOME": str(tmp_path / "root")}
    assert paths.state_dir(home) == system
    assert paths.state_dir({**home, "STATE_DIRECTORY": "/elsewhere"}) == Path("/elsewhere")
    assert paths.state_dir({**home, "XDG_STATE_HOME": "/mine"}) == Path("/mine/lyricsyncd")
    assert paths.state_dir({**home, "LYRICSYNCD_CONFIG": "/my.yaml"}) != system
    system.rmdir()
    assert paths.state_dir(home) == tmp_path / "root/.local/state/lyricsyncd"


def test_others_have_their_own_and_are_reported_where_the_services_is(
    system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(1000, monkeypatch)
    home = {"HOME": str(tmp_path / "anna")}
    own = paths.state_dir(home)
    assert own != system
    assert paths.kept_by_root(home)
    own.mkdir(parents=True)
    assert not paths.kept_by_root(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_whom_the_folder_does(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1234)
    made = tmp_path / "journal.db"
    made.touch()
    paths.hand_over(made)
    assert (made.stat().st_uid, made.stat().st_gid) == (1234, 1234)
