"""Names that others chose reach neither the log nor a terminal as they are."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.cli import logs
from lyricsyncd.printable import escaped
from lyricsyncd.systemd.notify import sd_notify

FORGED = "a\n2026-01-01 00:00:00,000 CRITICAL forged \x1b[31mred\x9b1m\u202e3pm.mp3"
SHOWN = "a\\n2026-01-01 00:00:00,000 CRITICAL forged \\x1b[31mred\\x9b1m\\u202e3pm.mp3"


def record(message: str, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    info: Any = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("x", logging.WARNING, __file__, 1, message, values, info)


class TestEscaped:
    def test_controls_overrides_and_separators_are_shown_as_escapes(self) -> None:
        assert escaped(FORGED) == SHOWN
        assert escaped("a\r\tb\x7f\u2028\u2066c") == "a\\r\\tb\\x7f\\u2028\\u2066c"

    def test_bytes_of_names_that_are_not_utf_8_are_shown(self) -> None:
        assert escaped(os.fsdecode(b"caf\xe9.mp3")) == "caf\\xe9.mp3"
        assert escaped("\ud800") == "\\ud800"

    @pytest.mark.parametrize(
        "text", ["plain", "Ænima (naïve)", "日本語の歌", "שלום", "👩‍👩‍👧", "नमस्ते", "C:\\n", ""]
    )
    def test_all_that_people_write_stays_as_it_is(self, text: str) -> None:
        assert escaped(text) == text

    @given(st.text(st.characters()))
    def test_any_text_becomes_a_line_that_can_be_written(self, text: str) -> None:
        shown = escaped(text)
        shown.encode("utf-8")
        assert len(shown.splitlines()) <= 1
        assert escaped(shown) == shown


class TestLog:
    @pytest.mark.parametrize("style", [logs.OneLine("%(levelname)s %(message)s"), logs._Journal()])
    def test_a_record_is_a_line(self, style: logging.Formatter) -> None:
        line = style.format(record("%s: done", FORGED))
        assert line.endswith(f"{SHOWN}: done")
        assert "\n" not in line

    def test_an_error_with_a_name_in_it_forges_none_in_its_traceback(self) -> None:
        try:
            raise ValueError(FORGED)
        except ValueError as error:
            made = record("one song failed", error=error)
        first, *more = logs.OneLine("%(message)s").format(made).split("\n")
        assert first == "one song failed"
        assert all(line.startswith("  ") for line in more)
        assert not any("\x1b" in line for line in more)
        marked = logs._Journal().format(made).split("\n")
        assert all(line.startswith("<4>") for line in marked)

    def test_json_escapes_by_itself(self) -> None:
        line = logs._Json().format(record("%s", FORGED))
        assert "\n" not in line
        assert line.isascii()
        assert "\x1b" not in line


def test_a_name_in_a_status_is_no_message_to_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        sd_notify("WATCHDOG=1", "STATUS=song\nMAINPID=1; 3 songs done")
        assert listening.recv(4096) == b"WATCHDOG=1\nSTATUS=song\\nMAINPID=1; 3 songs done"


class TestCommands:
    @pytest.fixture
    def call(self, tmp_path: Path) -> Any:
        music = tmp_path / "music"
        music.mkdir()
        (music / FORGED).write_bytes(b"no music")
        config = tmp_path / "config.yaml"
        config.write_text(f"libraries: [{{path: {music}}}]\n", encoding="utf-8")
        environment = {
            **os.environ,
            "STATE_DIRECTORY": str(tmp_path / "state"),
            "LYRICSYNCD_CONFIG": str(config),
            "COLUMNS": "300",
        }

        def call(*arguments: str | Path) -> str:
            done = subprocess.run(
                [sys.executable, "-m", "lyricsyncd", *map(str, arguments)],
                env=environment,
                capture_output=True,
                text=True,
            )
            return done.stdout + done.stderr

        return call

    @pytest.mark.slow
    def test_a_song_s_name_is_shown_with_its_escapes(self, call: Any, tmp_path: Path) -> None:
        song = tmp_path / "music" / FORGED
        words = tmp_path / "words.lrc"
        words.write_text("[00:01.00]a line\n", encoding="utf-8")
        said = [
            call("scan", "--dry-run"),
            call("scan"),
            call("queue"),
            call("show", "1"),
            call("skip", "1"),
            call("retry", song),
            call("status"),
            call("apply", words, song),
            call("undo", song),
            call("lyrics", song),
            call("sync", song),
        ]
        assert sum(SHOWN.removesuffix(".mp3") in text for text in said) >= 7
        for text in said:
            assert not {"\x1b", "\x9b", "\u202e"} & set(text), text
            assert not any(line.startswith("2026-01-01") for line in text.splitlines()), text
