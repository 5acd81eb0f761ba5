"""The settings in force, as the page shows them: all of them, and no secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lyricsyncd.config.in_force import HIDDEN, settings_in_force
from lyricsyncd.config.keys import is_secret, keys, names
from lyricsyncd.config.schema import Config
from tests.web_api import home

SECRETS = sorted(
    (*path, name)
    for path, section in keys().items()
    for name in names(section)
    if is_secret((*path, name))
)
SOUNDS_SECRET = re.compile(r"token|secret|passw|credential|(^|_)(api_?)?key$")
CANARY = "canary-"


def settings_with_every_secret(*, in_files: Path | None = None) -> dict[str, Any]:
    """Settings in which every secret of the schema has a value of its own."""
    made: dict[str, Any] = {}
    for n, (*path, name) in enumerate(SECRETS):
        section = made
        for part in path:
            section = section.setdefault(part, {})
        value: Any = f"{CANARY}{n}"
        if in_files is not None:
            (in_files / str(n)).write_text(value, encoding="utf-8")
            value = {"file": str(in_files / str(n))}
        listed = "tuple" in str(keys()[tuple(path)].model_fields.get(name, ""))
        section[name] = [value, value] if listed else value
    return made


def shown(settings: dict[str, Any]) -> dict[str, str]:
    found = settings_in_force(Config.model_validate(settings))
    return {each.key: each.value for each in found}


class TestSecrets:
    def test_are_those_of_the_schema(self) -> None:
        found = {".".join(key) for key in SECRETS}
        assert {"web.token", "web.viewer_token", "notify.urls", "lyrics.genius.token"} <= found

    def test_have_the_type_of_secrets_if_they_sound_like_one(self) -> None:
        plain = [
            ".".join((*path, name))
            for path, section in keys().items()
            for name in names(section)
            if SOUNDS_SECRET.search(name) and not is_secret((*path, name))
        ]
        # The path of a file.
        assert plain == ["daemon.dask_tls.key"]

    def test_stand_nowhere_in_the_answer(self, tmp_path: Path) -> None:
        settings = settings_with_every_secret()
        web = settings.pop("web")
        with home(tmp_path, **web) as made:
            made.config = Config.model_validate({**settings, "web": web})
            header = {"Authorization": f"Bearer {web['viewer_token']}"}
            for path in ("/api/v1/settings", "/api/v1/health", "/api/v1/status", "/api/v1/setup"):
                answer = made.client.get(path, headers=header)
                assert answer.status_code == 200
                assert CANARY not in answer.text
            found = made.client.get("/api/v1/settings", headers=header).json()
        values = {each["key"]: each["value"] for each in found["settings"]}
        assert found["file"] == str(made.file)
        for key in SECRETS:
            assert HIDDEN in values[".".join(key)]

    def test_are_named_by_the_file_that_holds_them(self, tmp_path: Path) -> None:
        found = shown(settings_with_every_secret(in_files=tmp_path))
        assert CANARY not in str(found)
        for key in SECRETS:
            assert str(tmp_path) in found[".".join(key)]

    @pytest.mark.parametrize(
        "url",
        ["http://me:pa55@host:4533/x", "http://pa55@host:4533/x", "http://host:4533/x?k=pa55"],
    )
    def test_within_addresses_are_left_out(self, url: str) -> None:
        found = shown({"lyrics": {"lrclib": {"url": url}}})["lyrics.lrclib.url"]
        assert "pa55" not in found
        assert "host:4533/x" in found

    def test_of_other_packages_are_unknown_so_that_only_names_are_shown(self) -> None:
        config = Config.model_construct(plugins={"acme": {"folder": "/srv", "pin": 1234}})
        found = {each.key: each.value for each in settings_in_force(config)}["plugins"]
        assert yaml.safe_load(found) == {"acme": {"folder": HIDDEN, "pin": HIDDEN}}


class TestSettings:
    def test_are_all_there_each_on_one_line(self) -> None:
        found = shown({})
        sections = {".".join(path) for path in keys() if "*" not in path}
        every = {
            ".".join((*path, name))
            for path, section in keys().items()
            for name in names(section)
            if "*" not in path
        }
        assert set(found) == every - sections
        assert all("\n" not in value for value in found.values())

    def test_are_those_of_the_configuration_when_read_back(self) -> None:
        text = (
            "libraries: [{path: /music, exclude: [A], overrides: [{match: J/**, language: ja}]}]\n"
            "output: [{format: lrc}, {format: ttml, romanise: true}]\n"
            "daemon: {settle: 90s, quiet_hours: '22:00-07:00', memory_limit: 2G}\n"
            "web: {listen: null, path_map: {/data: /srv}, origins: ['https://music.example']}\n"
        )
        config = Config.model_validate(yaml.safe_load(text))
        assert config != Config()
        lines = [f"{each.key}: {each.value}" for each in settings_in_force(config)]
        again: dict[str, Any] = {}
        for line in lines:
            ((key, value),) = yaml.safe_load(line).items()
            *path, name = key.split(".")
            section = again
            for part in path:
                section = section.setdefault(part, {})
            section[name] = value
        assert Config.model_validate(again) == config

    def test_tell_which_were_changed(self) -> None:
        config = Config.model_validate({"quality": {"words": 0.8}, "web": {"audio": True}})
        changed = [each.key for each in settings_in_force(config) if each.changed]
        assert changed == ["quality.words"]

    def test_are_written_as_people_write_them(self) -> None:
        found = shown({"daemon": {"settle": 90}, "web": {"listen": None}})
        assert found["daemon.settle"] == "90s"
        assert found["web.listen"] == "null"
        assert found["models.keep_alive"] == "10m"
