"""``lyricsyncd pronounce``: how words would be sung, and by whom they were read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.test_cli import surroundings


def pronounce(folder: Path, *arguments: str, text: bytes = b"", status: int = 0) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "lyricsyncd", "pronounce", *arguments],
        input=text,
        capture_output=True,
        cwd=folder,
        env=surroundings(folder),
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stdout.decode(), done.stderr.decode()


def read(folder: Path, *arguments: str) -> dict[str, Any]:
    printed, _ = pronounce(folder, *arguments, "--json")
    result: dict[str, Any] = json.loads(printed)
    return result


def test_a_word_is_shown_with_its_readings_and_reader(tmp_path: Path) -> None:
    found = read(tmp_path, "--language", "ko", "사랑")
    assert found == {
        "language": "ko",
        "words": [{"word": "사랑", "ipa": ["saɾaŋ"], "reader": "rules"}],
    }


def test_the_voice_is_named(tmp_path: Path) -> None:
    (word,) = read(tmp_path, "--language", "fr", "amour")["words"]
    assert word == {"word": "amour", "ipa": ["amuʁ"], "reader": "espeak-ng (fr-fr)"}


def test_japanese_is_shown_by_the_words_that_were_read(tmp_path: Path) -> None:
    pytest.importorskip("fugashi")
    found = read(tmp_path, "君と夜空を歩く")
    assert found["language"] == "ja"
    assert [row["word"] for row in found["words"]] == ["君と", "夜空を", "歩く"]
    assert found["words"][1]["ipa"] == ["jozoɾao"]


def test_standard_input_is_read_and_lines_are_aligned(tmp_path: Path) -> None:
    printed, _ = pronounce(tmp_path, "--language", "English", "-", text="sing ♪\nhello".encode())
    assert printed == "sing   sɪŋ  [espeak-ng (en-us)]\nhello  həloʊ  [espeak-ng (en-us)]\n"


def test_a_language_that_nothing_reads_is_romanised_and_said_so(tmp_path: Path) -> None:
    printed, notes = pronounce(tmp_path, "--language", "lo", "ລາວ")
    assert "[letters]" in printed
    assert "no library reads 'lo'" in notes


def test_an_unknown_language_is_refused(tmp_path: Path) -> None:
    _, notes = pronounce(tmp_path, "--language", "Klingonish", "word", status=2)
    assert "there is no language 'Klingonish'" in notes
