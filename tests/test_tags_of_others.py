"""``apply`` and ``undo`` on files that others made, broken ones among them."""

from __future__ import annotations

import json
import shutil
import struct
import warnings
from pathlib import Path
from typing import Any

import mutagen
import pytest
import taglib
from click.testing import CliRunner

from lyricsyncd.cli import cli
from tests import foreign_songs

WORDS = "[00:01.00]<00:01.00>Row, <00:02.00>röw<00:03.00>\n[00:04.00]<00:04.00>Böat<00:05.00>\n"
ACCEPTED = {"mutagen": 66, "taglib": 60}
"""At least so many get lyrics into their tags. The others are no songs, of kinds without tags of
ours, or damaged."""
OURS = ("uslt", "sylt", "lyrics", "\xa9lyr", "wm/lyrics")


def command(*arguments: object) -> dict[str, Any]:
    """Run a command; what it printed, and its exit status."""
    done = CliRunner().invoke(cli, [*map(str, arguments), "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    report: dict[str, Any] = json.loads(done.stdout)
    return {**report, "status": done.exit_code}


def tags_by_mutagen(song: Path) -> dict[str, str] | None:
    """All tags but lyrics, as another reader finds them; ``None`` where it finds none."""
    try:
        file = mutagen.File(song)
    except (mutagen.MutagenError, ValueError, LookupError, struct.error, EOFError):
        return None
    if file is None or file.tags is None:
        return {}
    return {
        str(key): repr(file.tags[key])
        for key in file.tags.keys()  # noqa: SIM118 - ASF's tags iterate over pairs
        if not str(key).lower().startswith(OURS)
    }


def tags_by_taglib(song: Path) -> dict[str, list[str]] | None:
    try:
        with taglib.File(song) as file:
            return {key: value for key, value in file.tags.items() if "LYRICS" not in key}
    except OSError:
        return None


@pytest.mark.slow
@pytest.mark.parametrize("maker", ACCEPTED)
def test_nothing_but_our_lyrics_changes_and_undo_gives_the_same_bytes(
    maker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        originals = foreign_songs.fetch(maker)
    except foreign_songs.Unavailable as error:
        pytest.skip(str(error))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    words = tmp_path / "words.elrc"
    words.write_text(WORDS, encoding="utf-8")
    accepted: list[str] = []
    for original in originals:
        song = tmp_path / original.name
        shutil.copyfile(original, song)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report = command("apply", words, song, "--preset", "embed")
            if str(song) in report["written"]:
                accepted.append(song.name)
                assert not report["kept"]
                assert song.read_bytes() != original.read_bytes()
                if mutagen_before := tags_by_mutagen(original):
                    assert tags_by_mutagen(song) == mutagen_before
                if taglib_before := tags_by_taglib(original):
                    assert tags_by_taglib(song) == taglib_before
            else:
                assert report["kept"], "the reason is reported"
                assert song.read_bytes() == original.read_bytes()
        undone = command("undo", song)
        assert undone["status"] == 0
        assert undone["kept"] == []
        assert song.read_bytes() == original.read_bytes()
        assert {path.name for path in tmp_path.iterdir()} == {song.name, words.name, "state"}
        song.unlink()
    assert len(accepted) >= ACCEPTED[maker], (len(originals), accepted)
