"""What a person listens to, and their keys, are kept from other users of the computer."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd.catalog import backup
from lyricsyncd.catalog.catalog import FILE_NAME, Catalog
from lyricsyncd.catalog.checks import state
from lyricsyncd.config import private
from lyricsyncd.config.checks import secrets
from lyricsyncd.config.reader import exposed_secrets
from lyricsyncd.findings import Verdict
from lyricsyncd.tags import Journal
from tests.service_home import Home


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_up(folder: Path) -> None:
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)


class TestState:
    def test_what_is_made_is_closed_to_others(self, tmp_path: Path) -> None:
        folder = tmp_path / "deep" / "state"
        with Catalog(folder / FILE_NAME) as catalog:
            catalog.pause()
            backup.back_up(catalog)
            assert mode(folder) == 0o700
            assert len(list(folder.iterdir())) == 4
            assert {mode(path) for path in folder.iterdir()} == {0o600}
        journal = Journal(folder / "journal.db")
        journal.close_entries([])
        journal.back_up()
        assert {mode(path) for path in folder.iterdir()} == {0o600}

    def test_what_was_left_open_is_closed(self, tmp_path: Path) -> None:
        folder = tmp_path / "state"
        with Catalog(folder / FILE_NAME) as catalog:
            catalog.pause()
            open_up(folder)
        with Catalog(folder / FILE_NAME) as catalog:
            assert catalog.paused
            assert (mode(folder), mode(catalog.path)) == (0o700, 0o600)

    def test_a_mended_catalog_is_closed_too(self, tmp_path: Path) -> None:
        with Catalog(tmp_path / "state" / FILE_NAME) as catalog:
            backup.back_up(catalog)
        path = tmp_path / "state" / FILE_NAME
        path.write_bytes(b"rubbish" * 1000)
        assert backup.mend(path)
        assert mode(path) == 0o600

    def test_a_folder_with_other_things_keeps_its_mode(self, tmp_path: Path) -> None:
        shared = tmp_path / "shared"
        shared.mkdir(mode=0o755)
        (shared / "holiday.jpg").touch(mode=0o644)
        with Catalog(shared / FILE_NAME):
            assert mode(shared) == 0o755
            assert mode(shared / "holiday.jpg") == 0o644
            assert mode(shared / FILE_NAME) == 0o600

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_nothing_of_another_user_is_touched(self, tmp_path: Path) -> None:
        folder = tmp_path / "lyricsyncd"
        folder.mkdir(mode=0o755)
        (folder / FILE_NAME).touch(mode=0o644)
        for path in (folder, folder / FILE_NAME):
            os.chown(path, 12345, 12345)
        private.make_folder(folder)
        private.close_files(folder)
        assert (mode(folder), mode(folder / FILE_NAME)) == (0o755, 0o644)

    def test_the_doctor_names_what_is_open(self, tmp_path: Path) -> None:
        with Catalog(tmp_path / "state" / FILE_NAME):
            pass
        found = list(state(tmp_path / "state", in_use=False))
        assert all(finding.verdict is Verdict.OK for finding in found)
        open_up(tmp_path / "state")
        (warning, _) = state(tmp_path / "state", in_use=False)
        assert warning.verdict is Verdict.WARNING
        assert FILE_NAME in warning.text


class TestSecrets:
    @pytest.fixture
    def config(self, tmp_path: Path) -> Path:
        return tmp_path / "config.yaml"

    @pytest.mark.parametrize(
        "settings",
        [
            {"identify": {"acoustid_key": "x"}},
            {"web": {"token": "long enough"}},
            {"opensubsonic": {"password": "x"}},
            {"notify": {"urls": ["mailto://user:pass@example.com"]}},
        ],
    )
    def test_a_configuration_with_one_that_all_can_read_is_named(
        self, config: Path, settings: object
    ) -> None:
        config.write_text(json.dumps(settings), encoding="utf-8")
        (warning,) = secrets(config)
        assert warning.verdict is Verdict.WARNING
        assert str(config) in warning.text
        assert f"chmod o-r {config}" in warning.remedy
        for closed in (0o600, 0o640):
            config.chmod(closed)
            assert [finding.verdict for finding in secrets(config)] == [Verdict.OK]

    def test_one_without_any_may_be_read_by_all(self, config: Path) -> None:
        config.write_text("web: {token: null}\nlanguage: en\n", encoding="utf-8")
        assert exposed_secrets(config, {}) == []

    def test_so_are_files_that_it_names(self, config: Path) -> None:
        (config.parent / "key").write_text("x", encoding="utf-8")
        config.write_text("identify: {acoustid_key: {file: key}}\n", encoding="utf-8")
        assert exposed_secrets(config, {}) == [config.parent / "key"]
        (config.parent / "key").chmod(0o600)
        assert exposed_secrets(config, {}) == []


@pytest.mark.slow
@pytest.mark.daemon
def test_the_service_closes_its_state_and_tells_of_open_secrets(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.configure(web={"listen": "127.0.0.1:0", "token": "long enough"})
    try:
        for _ in range(2):
            home.start()
            home.drop()
            home.until_counts(done=1)
            folder = tmp_path / "state"
            assert mode(folder) == 0o700
            assert {mode(path) for path in folder.iterdir()} == {0o600}
            assert f"can read the secrets in {home.config}: chmod o-r" in home.said()
            assert home.stop(signal.SIGTERM) == 0
            # Or the next start would seem to be over at once.
            home.log.unlink()
            open_up(folder)
    finally:
        home.kill()
