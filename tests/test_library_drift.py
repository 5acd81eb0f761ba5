"""A library of another version, with another interface, is a bug and never a bad file or answer.

Each test takes keywords away from the one function that we call, as a new version of its library
may: Python itself then raises the `TypeError`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import lyricsgenius
import mutagen
import onnxruntime
import pytest
import syncedlyrics.providers

from lyricsyncd import audio, lyrics
from lyricsyncd.cli import sync_main
from lyricsyncd.config.schema import OutputFile
from lyricsyncd.errors import AudioError, ModelError, raised_inside
from lyricsyncd.formats import read
from lyricsyncd.identify.tags import parse_tags
from lyricsyncd.lyrics.embedded import parse_embedded
from lyricsyncd.lyrics.genius import GeniusSource
from lyricsyncd.lyrics.local import LocalSource
from lyricsyncd.lyrics.synced import SyncedlyricsSource
from lyricsyncd.model import Track
from lyricsyncd.models.onnx_session import open_session
from lyricsyncd.tags import Journal, songfile, write_lyrics
from tests.noise_songs import encode, stream_like

DRIFTED = "unexpected keyword argument"
SONG = Track(path=Path("song.mp3"), artist="Nina Simone", title="Sinnerman")


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(tmp_path_factory.mktemp("drift") / "song.flac")


def renamed(function: Callable[..., Any], *, but: int) -> Callable[..., Any]:
    """The function with its first parameters alone, as a version without the others has it."""

    def narrower(*args: Any) -> Any:
        assert len(args) <= but
        return function(*args)

    return narrower


class TestDecoding:
    """What PyAV does not know of our call is no fault of the song's."""

    @pytest.mark.parametrize("read_song", [audio.probe, lambda song: audio.decode(song, 16_000)])
    def test_an_option_that_is_gone_is_no_broken_song(
        self, song: Path, monkeypatch: pytest.MonkeyPatch, read_song: Callable[[Path], Any]
    ) -> None:
        monkeypatch.setattr(av, "open", renamed(av.open, but=2))
        with pytest.raises(TypeError, match=DRIFTED):
            read_song(song)

    def test_nor_is_a_name_that_is_gone(self, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(av, "open")
        with pytest.raises(AttributeError):
            audio.decode(song, 16_000)

    def test_the_command_line_calls_it_a_bug(
        self, song: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = song.with_suffix(".txt")
        words.write_text("some words\n")
        monkeypatch.setattr(av, "open", renamed(av.open, but=2))
        with pytest.raises(SystemExit) as ended:
            sync_main([str(song), "--lyrics", str(words), "-o", "-"])
        assert ended.value.code == 1
        said = capsys.readouterr().err
        assert "This is a bug" in said
        assert DRIFTED in said
        assert "audio file" not in said

    def test_a_fault_of_our_own_while_decoding_is_no_broken_song(
        self, song: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(audio, "_stereo", lambda frame: frame.to_ndarray().reshape(7, -1))
        with pytest.raises(ValueError, match="reshape") as caught:
            audio.decode(song, 16_000)
        assert not isinstance(caught.value, AudioError)

    def test_names_in_a_wrong_encoding_are_read_in_every_version(self, tmp_path: Path) -> None:
        song = encode(tmp_path / "song.flac")
        with av.open(str(song)) as source, av.open(str(tmp_path / "named.flac"), "w") as target:
            target.metadata["title"] = "ZZZZZZ"
            stream = stream_like(target, source.streams.audio[0])
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
        named = (tmp_path / "named.flac").read_bytes()
        assert b"ZZZZZZ" in named
        song.write_bytes(named.replace(b"ZZZZZZ", b"Z\xff\xfeZ\xe9Z"))
        assert len(audio.decode(song, 16_000)) > 16_000


class TestTags:
    """What mutagen does not know of our call is no fault of the tags'."""

    @pytest.mark.parametrize(
        "read_song",
        [parse_tags, parse_embedded],
    )
    def test_another_interface_is_no_broken_song(
        self, song: Path, monkeypatch: pytest.MonkeyPatch, read_song: Callable[[Path], Any]
    ) -> None:
        def file(*, filething: Path) -> None:
            del filething

        monkeypatch.setattr(mutagen, "File", file)
        with pytest.raises(TypeError):
            read_song(song)

    def test_a_fault_while_writing_is_reported_as_it_is_and_leaves_the_song(
        self, song: Path, tmp_path: Path
    ) -> None:
        def check(_copy: Path) -> None:
            raise AttributeError("no such method")

        before = song.read_bytes()
        with pytest.raises(AttributeError):
            songfile.rewrite(song, [], check, state=song.stat())
        assert song.read_bytes() == before
        assert [path.suffix for path in song.parent.iterdir() if path.suffix == ".part"] == []
        output = (OutputFile(format="lrc_standard", to="tag"),)
        assert write_lyrics(
            song, read(b"[00:01.00]Row", "lrc"), output, journal=Journal(tmp_path / "journal.db")
        ).written


class TestSources:
    """What a library of a website does not know of our call is no answer of the website's."""

    def test_of_genius_is_a_bug(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kind = lyricsgenius.Genius
        monkeypatch.setattr(kind, "search_songs", renamed(kind.search_songs, but=2))
        with pytest.raises(TypeError, match=DRIFTED):
            GeniusSource("token").find(SONG)

    def test_of_syncedlyrics_is_a_bug(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(syncedlyrics.providers.NetEase, "API_ENDPOINT_METADATA")
        with pytest.raises(AttributeError):
            SyncedlyricsSource(("netease",)).find(SONG)

    def test_it_costs_the_source_not_the_song_and_is_called_a_bug(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "song.txt").write_text("words\n")
        track = Track(path=tmp_path / "song.mp3", artist="Nina Simone", title="Sinnerman")
        monkeypatch.delattr(syncedlyrics.providers.NetEase, "API_ENDPOINT_METADATA")
        found = lyrics.choose(track, [SyncedlyricsSource(("netease",)), LocalSource()])
        assert found.lyrics.text == "words"
        assert "a bug" in found.warnings[0]


class TestModels:
    """A network is broken where onnxruntime says so, and not where it is called wrongly."""

    def test_another_interface_is_no_broken_model(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kind = onnxruntime.InferenceSession
        monkeypatch.setattr(onnxruntime, "InferenceSession", renamed(kind, but=1))
        with pytest.raises(TypeError, match=DRIFTED):
            open_session(tmp_path / "model.onnx", device="cpu")

    @pytest.mark.parametrize("content", [b"", b"x" * 100, b"\x08\x07\x12" + b"a" * 50])
    def test_a_broken_model_is_one(self, tmp_path: Path, content: bytes) -> None:
        model = tmp_path / "model.onnx"
        model.write_bytes(content)
        with pytest.raises(ModelError, match="cannot be opened"):
            open_session(model, device="cpu")


class TestWhereItWasRaised:
    """An error is a library's where its code raised it, and not where it was called wrongly."""

    def test_inside_the_library(self) -> None:
        import yaml

        with pytest.raises(yaml.YAMLError) as caught:
            yaml.safe_load("[")
        assert raised_inside(caught.value, "yaml")
        assert not raised_inside(caught.value, "json")

    def test_at_the_call(self) -> None:
        import yaml

        load: Any = yaml.safe_load
        with pytest.raises(TypeError) as caught:
            load("[", colour="red")
        assert not raised_inside(caught.value, "yaml")
