"""One table of kinds of files, and everybody who asks it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from lyricsyncd import formats, media_types
from lyricsyncd.cli import target
from lyricsyncd.config.schema import OutputFile
from lyricsyncd.errors import UsageError
from lyricsyncd.library import rules
from lyricsyncd.lyrics.local import LocalSource
from lyricsyncd.media_types import AUDIO, AudioType
from lyricsyncd.model import Lyrics, Track
from lyricsyncd.tags import targets
from tests.noise_songs import CODECS, encode

SUFFIXES = [(kind, suffix) for kind in AUDIO for suffix in kind.suffixes]
ACME = """
class Acme:
    name = "acme"
    suffixes = (".acm",)
    def looks_like(self, text): return text.startswith("ACME")
    def read(self, data):
        from lyricsyncd.model import Lyrics
        return Lyrics.from_text(data.decode().removeprefix("ACME"))
    def project(self, lyrics): return lyrics
    def write(self, lyrics): return "ACME" + lyrics.text
"""


class TestSongs:
    @pytest.mark.parametrize(("kind", "suffix"), SUFFIXES)
    def test_what_is_discovered_can_be_decoded(self, kind: AudioType, suffix: str) -> None:
        assert rules.is_song(Path(f"a{suffix}")) == kind.discovered
        known = {name for format in av.formats_available for name in format.split(",")}
        assert set(kind.demuxers.split()) <= known | {"mov"}

    @pytest.mark.parametrize(("kind", "suffix"), SUFFIXES)
    def test_nothing_is_written_under_its_name(
        self, kind: AudioType, suffix: str, tmp_path: Path
    ) -> None:
        del kind
        with pytest.raises(UsageError, match="name of a song"):
            target.check(tmp_path / f"a{suffix}", "output")

    def test_no_suffix_is_of_two_kinds(self) -> None:
        suffixes = [suffix for _, suffix in SUFFIXES]
        assert len(suffixes) == len(set(suffixes))

    @pytest.mark.parametrize("suffix", CODECS)
    def test_what_is_tagged_is_known_by_its_content(self, suffix: str, tmp_path: Path) -> None:
        data = encode(tmp_path / f"a.{suffix}", 1).read_bytes()
        if data.startswith(b"ID3"):
            data = data[10 + data[9] + 128 * data[8] :]
        kind = media_types.by_content(data[:16])
        assert kind is not None
        assert kind.tags == next(k.tags for k, known in SUFFIXES if known == f".{suffix}")

    def test_audio_without_tags_and_other_files_are_not(self) -> None:
        for head in (b"\xff\xf1\x50\x80", b"\x1aE\xdf\xa3", b"#EXTM3U\nhttp://", b"", b"\xff"):
            assert media_types.by_content(head) is None

    def test_each_kind_that_is_tagged_has_a_signature(self) -> None:
        for kind in media_types.AUDIO:
            assert bool(kind.tags) == bool(kind.signature)


class TestLyrics:
    def test_what_wakes_a_song_can_be_read(self) -> None:
        for suffix in media_types.lyrics_suffixes():
            assert rules.is_lyrics(Path(f"a{suffix}"))
            assert formats.for_suffix(suffix) is not None

    def test_every_sidecar_that_we_write_is_one_that_we_notice(self) -> None:
        for name in formats.names():
            if name not in ("json", "ultrastar"):
                assert media_types.sidecar_suffix(name) in media_types.lyrics_suffixes()

    def test_subtitles_beside_a_song_are_its_words(self, tmp_path: Path) -> None:
        (tmp_path / "a.ass").write_text(formats.write(timed("Row row row"), "ass"))
        (found,) = LocalSource().find(Track(path=tmp_path / "a.mp3"))
        assert found.lyrics.text == "Row row row"


class TestAFormatOfAnotherPackage:
    def test_wakes_its_song_is_read_and_written(
        self, tmp_path: Path, plugin: Callable[..., None]
    ) -> None:
        plugin("lyricsyncd.formats", acme="acme_format:Acme")
        (tmp_path / "site" / "acme_format.py").write_text(ACME)
        importlib.invalidate_caches()
        assert rules.is_lyrics(Path("a.acm"))
        (tmp_path / "a.acm").write_text("ACME Row row row")
        (found,) = LocalSource().find(Track(path=tmp_path / "a.mp3"))
        assert found.lyrics.text == "Row row row"
        plan = targets.plan(tmp_path / "a.mp3", timed("Row"), (OutputFile(format="acme"),))
        assert [sidecar.path.name for sidecar in plan.sidecars] == ["a.acm"]


def timed(text: str) -> Lyrics:
    """Lyrics of one line whose words take a second each."""
    lyrics = Lyrics.from_text(text)
    words = tuple(type(word)(word.text, float(i), i + 1.0) for i, word in enumerate(lyrics.words))
    line = type(lyrics.lines[0])(words, 0.0, float(len(words)))
    return lyrics.with_lines([line])
