"""The units: what they open, what they quote, and what systemd itself thinks of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from lyricsyncd.config.schema import Config
from lyricsyncd.errors import UsageError
from lyricsyncd.systemd import UnitSettings, render
from tests.test_cli import run

EXPOSURE = 2.0
"""The worst that `systemd-analyze security` may say."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


def api(*libraries: str | Path, **more: object) -> UnitSettings:
    command = ("/usr/bin/python3", "-m", "lyricsyncd")
    return UnitSettings(tuple(map(Path, libraries)), command, **more)  # type: ignore[arg-type]


def lines(api: UnitSettings, *, system: bool = True) -> list[str]:
    return render(api, system=system).splitlines()


class TestAUnit:
    def test_opens_the_music_and_nothing_else(self) -> None:
        reported = lines(api("/srv/music", "/srv/more"))
        writable = [line for line in reported if line.startswith(("ReadWrite", "Bind"))]
        assert writable == ["ReadWritePaths=-/srv/music", "ReadWritePaths=-/srv/more"]
        assert "ProtectSystem=strict" in reported
        assert "ProtectHome=yes" in reported

    def test_opens_the_folder_of_stems_for_karaoke(self) -> None:
        def writable(folder: str | None, *, karaoke: bool = True) -> list[str]:
            output = {"karaoke": karaoke, "karaoke_folder": folder}
            config = Config.model_validate(
                {"libraries": [{"path": "/srv/music"}], "output": output}
            )
            reported = lines(UnitSettings.of(config, None))
            return [line for line in reported if line.startswith("ReadWrite")]

        music = "ReadWritePaths=-/srv/music"
        assert writable("/srv/karaoke") == [music, "ReadWritePaths=-/srv/karaoke"]
        assert writable("/srv/music/stems") == writable(None) == [music]
        assert writable("/srv/karaoke", karaoke=False) == [music]

    def test_shows_the_system_service_only_the_music_of_a_home(self) -> None:
        reported = lines(api("/home/anna/Music", prefixes=(Path("/home/anna/venv"),)))
        assert "BindPaths=-/home/anna/Music" in reported
        assert "BindReadOnlyPaths=-/home/anna/venv" in reported
        assert "ProtectHome=tmpfs" in reported

    def test_opens_what_a_link_leads_to(self, tmp_path: Path) -> None:
        (tmp_path / "music").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "music")
        reported = lines(api(tmp_path / "link"))
        assert f"BindPaths=-{tmp_path}/music" in reported

    def test_lets_the_user_service_keep_its_state(self) -> None:
        reported = lines(api("/srv/music", state=(Path("/home/a/.local/state/x"),)), system=False)
        assert "ReadWritePaths=/home/a/.local/state/x" in reported
        assert not [line for line in reported if line.startswith(("User=", "StateDirectory="))]

    def test_quotes_names_with_blanks_percents_and_dollars(self) -> None:
        reported = lines(api("/srv/My 100% Music", config=Path("/etc/a $b.yaml")))
        assert 'ReadWritePaths="-/srv/My 100%% Music"' in reported
        assert any(line.endswith('run --config "/etc/a $$b.yaml"') for line in reported)

    def test_of_a_name_that_no_unit_can_hold_is_refused(self) -> None:
        with pytest.raises(UsageError, match="cannot be named"):
            render(api("/srv/a\nExecStartPre=rm"), system=True)

    def test_has_the_gpu_only_where_the_configuration_wants_it(self) -> None:
        assert "PrivateDevices=yes" in lines(api("/m"))
        wants = Config.model_validate({"libraries": [{"path": "/m"}], "models": {"device": "cuda"}})
        reported = lines(UnitSettings.of(wants, None))
        assert "PrivateDevices=no" in reported
        assert any(line.startswith("DeviceAllow=char-nvidia") for line in reported)

    def test_runs_as_another_user_in_that_users_group(self) -> None:
        reported = lines(api("/m", account="anna", groups=("media",)))
        assert "User=anna" in reported
        assert "SupplementaryGroups=media" in reported
        assert not [line for line in reported if line.startswith("Group=")]

    def test_can_give_sidecars_to_the_group_of_the_songs(self) -> None:
        """In a user namespace it could not: there are no groups but its own."""
        assert "PrivateUsers=yes" in lines(api("/m"))
        assert "PrivateUsers=yes" not in lines(api("/m", groups=("media",)))


PATHS: dict[str, Any] = {
    "libraries.path": {"libraries": [{"path": "/home/a/x"}]},
    "output.karaoke_folder": {"output": {"karaoke": True, "karaoke_folder": "/home/a/x"}},
    "lyrics.genius.token": {"lyrics": {"genius": {"token": {"file": "/home/a/x"}}}},
    "identify.acoustid_key": {"identify": {"acoustid_key": {"file": "/home/a/x"}}},
    "models.dir": {"models": {"dir": "/home/a/x"}},
    "models.aligner": {"models": {"aligner": "sphinx+/home/a/x"}},
    "daemon.dask_tls.ca": {"daemon": {"dask_tls": {"ca": "/home/a/x", "cert": "/c", "key": "/k"}}},
    "daemon.dask_tls.cert": {
        "daemon": {"dask_tls": {"ca": "/c", "cert": "/home/a/x", "key": "/k"}}
    },
    "daemon.dask_tls.key": {"daemon": {"dask_tls": {"ca": "/c", "cert": "/c", "key": "/home/a/x"}}},
    "web.token": {"web": {"token": {"file": "/home/a/x"}}},
    "web.viewer_token": {
        "web": {"token": "0123456789abcdef", "viewer_token": {"file": "/home/a/x"}}
    },
    "opensubsonic.password": {"opensubsonic": {"password": {"file": "/home/a/x"}}},
    "opensubsonic.api_key": {"opensubsonic": {"api_key": {"file": "/home/a/x"}}},
    "notify.urls": {"notify": {"urls": [{"file": "/home/a/x"}]}},
}
"""Each key that can name a file or a folder, with settings in which it names one in a home."""
WRITTEN = {"libraries.path", "output.karaoke_folder"}


def keys_of_paths(section: type[BaseModel] = Config, above: str = "") -> Iterator[str]:
    """Yield the keys of a configuration that take the path of a file or a folder."""
    for name, field in section.model_fields.items():
        key = f"{above}{field.alias or name}"
        described = repr((field.annotation, field.metadata))
        if name == "aligner" or "_located" in described or "Secret" in described:
            yield key
        for inner in sections_in(field.annotation):
            yield from keys_of_paths(inner, f"{key}.")


def sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    # Python 3.10 takes `tuple[Library, ...]` for a class.
    inner = get_args(annotation)
    if not inner and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in inner:
        yield from sections_in(each)


class TestEachPathOfAConfiguration:
    def test_is_in_the_table_of_this_test(self) -> None:
        assert set(keys_of_paths()) == set(PATHS)

    @pytest.mark.parametrize("key", PATHS)
    def test_is_shown_to_the_system_service_with_the_least_rights(self, key: str) -> None:
        settings = Config.model_validate(PATHS[key])
        bound = "BindPaths" if key in WRITTEN else "BindReadOnlyPaths"
        shown = [line for line in lines(UnitSettings.of(settings, None)) if "/home/a/x" in line]
        assert shown == [f"{bound}=-/home/a/x"]

    @pytest.mark.parametrize("key", PATHS)
    def test_is_written_by_a_users_own_service_where_it_must_be(self, key: str) -> None:
        """It can read whatever its user can."""
        settings = Config.model_validate(PATHS[key])
        unit = lines(UnitSettings.of(settings, None), system=False)
        assert ("ReadWritePaths=-/home/a/x" in unit) == (key in WRITTEN)

    @pytest.mark.parametrize("system", [True, False])
    def test_is_shown_in_a_folder_of_temporary_files_too(self, system: bool) -> None:
        """PrivateTmp= hides those of others."""
        named = {"libraries": [{"path": "/var/tmp/m"}], "models": {"dir": "/tmp/models"}}
        unit = lines(UnitSettings.of(Config.model_validate(named), None), system=system)
        assert "BindPaths=-/var/tmp/m" in unit
        assert "BindReadOnlyPaths=-/tmp/models" in unit

    def test_of_a_plug_ins_settings_is_read(self) -> None:
        settings = Config.model_construct(plugins={"acme": {"words": ["/home/a/x"], "n": 1}})
        assert "BindReadOnlyPaths=-/home/a/x" in lines(UnitSettings.of(settings, None))

    def test_that_is_a_link_is_shown_with_its_target(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("k")
        (tmp_path / "link").symlink_to("key")
        named = {"web": {"token": {"file": str(tmp_path / "link")}}}
        unit = lines(UnitSettings.of(Config.model_validate(named), None))
        assert f"BindReadOnlyPaths=-{tmp_path}/link" in unit
        assert f"BindReadOnlyPaths=-{tmp_path}/key" in unit


@needs_systemd
@pytest.mark.parametrize("system", [True, False])
class TestToSystemd:
    @pytest.fixture
    def unit(self, system: bool, tmp_path: Path) -> Path:
        music = tmp_path / "My 100% Music"
        music.mkdir()
        named = UnitSettings(
            (music, Path("/home/anna/Music")),
            (sys.executable, "-m", "lyricsyncd"),
            account="root",
            groups=("audio",) if system else (),
        )
        unit = tmp_path / "lyricsyncd.service"
        unit.write_text(render(named, system=system), encoding="utf-8")
        return unit

    def test_it_is_clean(self, unit: Path, system: bool, tmp_path: Path) -> None:
        manager = [] if system else ["--user"]
        done = subprocess.run(
            ["systemd-analyze", *manager, "verify", str(unit)],
            capture_output=True,
            text=True,
            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        )
        # What it says of other units is none of ours.
        about_us = [line for line in done.stderr.splitlines() if "lyricsyncd" in line]
        assert about_us == []
        assert done.returncode == 0, done.stderr

    def test_it_is_little_exposed(self, unit: Path) -> None:
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)],
            capture_output=True,
            text=True,
        )
        found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
        assert found is not None, done.stderr
        assert float(found.group(1)) <= EXPOSURE


class TestTheCommand:
    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        (tmp_path / "music").mkdir()
        run("init", "--library", tmp_path / "music", home=tmp_path)
        return tmp_path

    def test_installs_for_a_user_and_removes_again(self, home: Path) -> None:
        # On a path without systemctl: the tests must not meddle with the systemd that may run here.
        done = run("service", "install", "--json", home=home, PATH=str(home))
        reported = json.loads(done.stdout)
        unit = Path(reported["unit"])
        assert home in unit.parents
        # The home of this test lies among temporary files, which are private to a service.
        assert f"BindPaths=-{home}/music" in unit.read_text(encoding="utf-8")
        assert json.loads(run("service", "uninstall", "--json", home=home, PATH=str(home)).stdout)[
            "removed"
        ]
        assert not unit.exists()
        assert "There is no" in run("service", "uninstall", home=home).stdout

    def test_opens_the_models_that_a_user_has_from_a_hub(self, home: Path) -> None:
        try_it = ("service", "install", "--dry-run")
        assert f"BindPaths=-{home}/.cache/huggingface\n" in run(*try_it, home=home).stdout
        moved = run(*try_it, home=home, HF_HOME="/srv/hub").stdout
        assert "Environment=HF_HOME=/srv/hub\n" in moved
        assert "ReadWritePaths=-/srv/hub\n" in moved

    def test_can_be_tried_without_effect(self, home: Path) -> None:
        done = run("service", "install", "--system", "--dry-run", home=home)
        assert "[Service]" in done.stdout
        assert "User=lyricsyncd" in done.stdout
        reported = json.loads(run("service", "install", "--dry-run", "--json", home=home).stdout)
        assert not Path(reported["unit"]).exists()

    def test_wants_a_library_first(self, tmp_path: Path) -> None:
        done = run("service", "install", home=tmp_path)
        assert done.returncode == 2
        assert "lyricsyncd init --library" in done.stderr
