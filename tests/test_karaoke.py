"""Stems for karaoke: the instrumental and the vocals of a song as files."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner

from lyricsyncd import audio
from lyricsyncd.cli import cli
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import AudioError, ModelError, WriteError
from lyricsyncd.library.rules import is_song
from lyricsyncd.separate.stems import stems_of, write_stems
from lyricsyncd.work.karaoke import folder_of

Samples = npt.NDArray[np.float32]
RATE = 44_100


class Middle:
    """A separator: what both channels share are the vocals, a second later in blocks of its own."""

    name = "middle"
    sample_rates = (22_050, RATE)

    def separate(self, blocks: Iterable[Samples], sample_rate: int) -> Iterator[Samples]:
        held = np.zeros((0, 2), np.float32)
        for block in blocks:
            held = np.concatenate([held, np.repeat(block.mean(axis=1, keepdims=True), 2, axis=1)])
            while len(held) > sample_rate:
                yield held[:12_345]
                held = held[12_345:]
        yield held


class Nothing:
    """The mix in place of the vocals."""

    name = "none"
    sample_rates = ()

    def separate(self, blocks: Iterable[Samples], sample_rate: int) -> Iterator[Samples]:
        del sample_rate
        yield from blocks


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Seven seconds of stereo, loud enough to clip in neither stem."""
    random = np.random.default_rng(1)
    samples = random.uniform(-0.4, 0.4, (7 * RATE + 123, 2))
    path = tmp_path / "Song.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
    return path


def whole(path: Path) -> Samples:
    return np.concatenate(list(audio.blocks(path, RATE)))


class TestTheStems:
    def test_are_together_the_song_sample_for_sample(self, song: Path, tmp_path: Path) -> None:
        stems = write_stems(song, tmp_path / "new" / "folder", Middle())
        mix, band, voice = whole(song), whole(stems.instrumental), whole(stems.vocals)
        assert len(mix) == len(band) == len(voice)
        assert np.abs(mix - band - voice).max() < 1e-4

    def test_are_as_long_as_the_song_in_opus_too(self, song: Path, tmp_path: Path) -> None:
        stems = write_stems(song, tmp_path, Middle(), "opus")
        assert stems == stems_of(song, tmp_path, "opus")
        for stem in (stems.instrumental, stems.vocals):
            assert abs(len(whole(stem)) - len(whole(song))) <= 1

    def test_leave_nothing_where_the_song_is_broken(self, tmp_path: Path) -> None:
        broken = tmp_path / "Broken.mp3"
        broken.write_bytes(b"no song")
        with pytest.raises(AudioError):
            write_stems(broken, tmp_path / "out", Middle())
        assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []

    def test_leave_nothing_where_the_separator_fails(self, song: Path, tmp_path: Path) -> None:
        class Failing(Middle):
            def separate(self, blocks: Iterable[Samples], sample_rate: int) -> Iterator[Samples]:
                yield next(iter(super().separate(blocks, sample_rate)))
                raise ModelError("out of memory", remedy="Buy some")

        with pytest.raises(ModelError):
            write_stems(song, tmp_path / "out", Failing())
        assert list((tmp_path / "out").iterdir()) == []

    def test_need_a_separator(self, song: Path, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="no separator"):
            write_stems(song, tmp_path, Nothing())

    def test_need_a_folder_that_can_be_written(self, song: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(WriteError):
            write_stems(song, tmp_path / "file", Middle())

    def test_are_no_songs_of_a_library(self) -> None:
        assert not is_song(Path("Song.instrumental.flac"))
        assert not is_song(Path("Song.vocals.opus"))
        assert is_song(Path("Vocals.flac"))


class TestTheirFolder:
    def test_is_none_unless_it_was_requested(self) -> None:
        assert folder_of(Path("/music/a.mp3"), Config()) is None
        files = Config.model_validate({"output": [{"format": "lrc"}]})
        assert folder_of(Path("/music/a.mp3"), files) is None

    def test_has_the_folders_of_the_library(self, tmp_path: Path) -> None:
        music = tmp_path / "music"
        values = {
            "libraries": [{"path": str(music)}],
            "output": {"karaoke": True, "karaoke_folder": str(tmp_path / "karaoke")},
        }
        config = Config.model_validate(values)
        assert folder_of(music / "A" / "b.mp3", config) == tmp_path / "karaoke" / "A"
        values["output"] = {"karaoke": True, "karaoke_folder": str(music)}
        assert folder_of(music / "A" / "b.mp3", Config.model_validate(values)) == music / "A"


class TestTheCommand:
    def test_says_what_it_would_write(self, song: Path, tmp_path: Path) -> None:
        arguments = ["karaoke", str(song), "-o", str(tmp_path / "out"), "--dry-run", "--json"]
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["vocals"] == str(tmp_path / "out" / "Song.vocals.flac")
        assert not (tmp_path / "out").exists()

    def test_writes_into_no_library_unless_it_is_named(
        self, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = tmp_path / "config.yaml"
        config.write_text(f"libraries: [{{path: {tmp_path}}}]\n")
        monkeypatch.chdir(tmp_path)
        arguments = ["karaoke", str(song), "--config", str(config), "--dry-run"]
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code != 0
        assert "in the library" in str(result.exception)
        assert CliRunner().invoke(cli, [*arguments, "-o", "."]).exit_code == 0
