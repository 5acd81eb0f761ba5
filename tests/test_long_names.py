"""Songs whose names leave little or no room for the names of what lies beside them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lyricsyncd.cli import main
from lyricsyncd.config.schema import Output
from lyricsyncd.lyrics.local import LocalSource
from lyricsyncd.model import Track
from lyricsyncd.tags import Journal, carry_sidecars, clean_sidecars, write_lyrics
from lyricsyncd.tags.report import WriteReport
from tests.service_home import Home
from tests.web_api import SONG, TIMED

NAMES = {
    "bytes": "a" * 251 + ".mp3",
    "characters of three bytes": "歌" * 83 + "aa.mp3",
    "one byte less": "b" * 250 + ".mp3",
    "a short suffix": "c" * 252 + ".wv",
}


@pytest.fixture(params=NAMES.values(), ids=list(NAMES))
def song(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    made: Path = tmp_path / request.param
    shutil.copyfile(SONG, made)
    return made


def written(song: Path, preset: str) -> WriteReport:
    from lyricsyncd import formats

    lyrics = formats.read(TIMED.encode(), "lrc")
    journal = Journal(song.parent / "journal.db")
    return write_lyrics(song, lyrics, Output.model_validate({"preset": preset}), journal=journal)


class TestReading:
    def test_a_name_too_long_for_a_file_s_is_no_file(
        self, song: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert LocalSource().find(Track(path=song)) == []
        assert not caplog.records

    def test_words_beside_it_are_found_where_there_is_room(self, tmp_path: Path) -> None:
        song = tmp_path / NAMES["bytes"]
        shutil.copyfile(SONG, song)
        song.with_suffix(".lrc").write_text("[00:01.00]Row, row\n", encoding="utf-8")
        (found,) = LocalSource().find(Track(path=song))
        assert found.lyrics.text == "Row, row"

    def test_the_command_finds_them(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        song = tmp_path / NAMES["characters of three bytes"]
        shutil.copyfile(SONG, song)
        song.with_suffix(".lrc").write_text("[00:01.00]Row, row\n", encoding="utf-8")
        config = tmp_path / "config.yaml"
        config.write_text("lyrics: {order: [local]}\n", encoding="utf-8")
        with pytest.raises(SystemExit, match="0"):
            main(["lyrics", str(song), "--config", str(config)])
        assert "Row, row" in capfd.readouterr().out


class TestWriting:
    @pytest.mark.parametrize("preset", ["generic", "navidrome", "jellyfin", "plex", "kodi"])
    def test_what_has_room_is_written_and_what_has_none_is_reported(
        self, song: Path, preset: str
    ) -> None:
        report = written(song, preset)
        lrc = song.with_suffix(".lrc")
        if len(os.fsencode(lrc.name)) <= 255:
            assert report.written
        else:
            assert report.written == ()
            assert report.kept
        assert {path for path in song.parent.iterdir() if path.suffix in (".lrc", ".elrc")} == set(
            report.written
        )
        for note in report.kept:
            assert "too long" in note.why

    def test_times_of_words_are_not_lost_where_a_player_reads_them_in_an_lrc(
        self, tmp_path: Path
    ) -> None:
        song = tmp_path / NAMES["bytes"]
        shutil.copyfile(SONG, song)
        written(song, "jellyfin")
        assert "<00:06" in song.with_suffix(".lrc").read_text(encoding="utf-8")

    def test_a_song_that_gets_a_long_name_keeps_what_has_no_room_there(
        self, tmp_path: Path
    ) -> None:
        song = tmp_path / "short.mp3"
        shutil.copyfile(SONG, song)
        written(song, "generic")
        new = song.rename(tmp_path / NAMES["bytes"])
        report = carry_sidecars(song, new, Journal(tmp_path / "journal.db"))
        assert report.written == (new.with_suffix(".lrc"),)
        assert [(one.path.name, "too long" in one.why) for one in report.kept] == [
            ("short.elrc", True)
        ]
        new.unlink()
        clean_sidecars(new, Journal(tmp_path / "journal.db"))
        assert not new.with_suffix(".lrc").exists()


@pytest.mark.slow
@pytest.mark.daemon
def test_the_service_does_songs_with_long_names(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.configure(web={"listen": None})
    home.start()
    try:
        names = [NAMES["bytes"], NAMES["characters of three bytes"], NAMES["one byte less"]]
        for name in names:
            shutil.copyfile(SONG, home.music / name)
            (home.music / name).with_suffix(".lrc").write_text(TIMED, encoding="utf-8")
        home.until_counts(done=len(names))
        assert not [line for line in home.said().splitlines() if "rror" in line and ".mp3" in line]
        assert home.stop() == 0
    finally:
        home.kill()
