"""Where the control interface may listen, and what its settings may be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lyricsyncd.config.reader import load
from lyricsyncd.config.schema import Config
from lyricsyncd.config.values import host_and_port, is_loopback
from lyricsyncd.errors import ConfigError


def read(folder: Path, text: str) -> Config:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, {})


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8786", "127.0.0.1", 8786),
        ("[::1]:80", "::1", 80),
        ("localhost:0", "localhost", 0),
        ("music.lan:65535", "music.lan", 65535),
    ],
)
def test_an_address_has_two_parts(text: str, host: str, port: int) -> None:
    assert host_and_port(text) == (host, port)


@pytest.mark.parametrize("text", ["8786", "127.0.0.1", "::1:80", "a:65536", "a b:1", ":80", "a:-1"])
def test_what_is_no_address_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"web\.listen: expected an address and a port"):
        read(tmp_path, f"web: {{listen: '{text}'}}")


@pytest.mark.parametrize("listen", ["0.0.0.0:8786", "[::]:8786", "192.168.1.5:80", "nas.lan:80"])
def test_beyond_this_computer_a_token_is_needed(tmp_path: Path, listen: str) -> None:
    with pytest.raises(ConfigError, match=r"needs a token: set web\.token") as caught:
        read(tmp_path, f"web: {{listen: '{listen}'}}")
    assert "\n" not in str(caught.value)
    assert read(tmp_path, f"web: {{listen: '{listen}', token: long enough}}").web.listen == listen


@pytest.mark.parametrize("token", [" ", "\t\n", "a", "seven77", "  seven77  "])
def test_beyond_this_computer_a_token_that_can_be_guessed_is_refused(
    tmp_path: Path, token: str
) -> None:
    settings = json.dumps({"web": {"listen": "0.0.0.0:0", "token": token}})
    with pytest.raises(ConfigError, match=r"use 8 characters or more, as `openssl rand") as caught:
        read(tmp_path, settings)
    assert "seven77" not in str(caught.value)
    # In a file it is only seen when it is read.
    (tmp_path / "token").write_text(token, encoding="utf-8")
    settings = json.dumps({"web": {"listen": "0.0.0.0:0", "token": {"file": "token"}}})
    web = read(tmp_path, settings).web
    with pytest.raises(ConfigError):
        web.shown_tokens()


def test_on_loopback_a_short_token_will_do_and_a_blank_one_will_not(tmp_path: Path) -> None:
    assert read(tmp_path, "web: {token: ' a '}").web.shown_tokens() == ("a", None)
    with pytest.raises(ConfigError, match="a blank token is none"):
        read(tmp_path, "web: {token: ' '}")


def test_a_viewer_has_another_token_beside_the_first(tmp_path: Path) -> None:
    web = read(tmp_path, "web: {token: ' a ', viewer_token: ' b '}").web
    assert web.shown_tokens() == ("a", "b")
    with pytest.raises(ConfigError, match=r"viewer_token needs a token"):
        read(tmp_path, "web: {viewer_token: b}")
    with pytest.raises(ConfigError, match=r"another one than web\.token") as caught:
        read(tmp_path, "web: {token: secret, viewer_token: secret}")
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="use 8 characters or more"):
        read(tmp_path, "web: {listen: '0.0.0.0:0', token: long enough, viewer_token: b}")
    # In files they are only seen when they are read.
    (tmp_path / "token").write_text("secret \n", encoding="utf-8")
    web = read(tmp_path, "web: {token: secret, viewer_token: {file: token}}").web
    with pytest.raises(ConfigError, match=r"web\.viewer_token: it must be another one"):
        web.shown_tokens()


def test_on_loopback_none_is_needed() -> None:
    for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"):
        assert is_loopback(host)
    for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.evil.net"):
        assert not is_loopback(host)
    assert Config().web.listen == "127.0.0.1:8786"


def test_it_may_be_switched_off(tmp_path: Path) -> None:
    assert read(tmp_path, "web: {listen: null}").web.listen is None


def test_folders_may_have_other_names_elsewhere(tmp_path: Path) -> None:
    config = read(tmp_path, "web: {path_map: {/data: /srv/music}}")
    assert config.web.path_map == {"/data": "/srv/music"}
    for wrong in ("{data: /srv}", "[/data]", "{/data: 5}"):
        with pytest.raises(ConfigError, match=r"web\.path_map: expected folders"):
            read(tmp_path, f"web: {{path_map: {wrong}}}")
