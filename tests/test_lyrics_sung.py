"""The sung part of words as beets, LRCGET, LyricsGenius and people leave them beside songs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from mutagen.id3 import ID3, USLT

from lyricsyncd.config.schema import Config
from lyricsyncd.errors import LyricsNotFound
from lyricsyncd.lyrics import choose
from lyricsyncd.lyrics.base import Candidate
from lyricsyncd.lyrics.local import LocalSource, stored
from lyricsyncd.lyrics.sung import from_plain
from lyricsyncd.model import Decision, Lyrics, Timing, Track
from lyricsyncd.pipeline.finder import Finder
from lyricsyncd.pipeline.result import without_models
from tests.noise_songs import encode

FILES = Path(__file__).parent / "data" / "words"
STAR = (FILES / "14-plain-words.lrc").read_text("utf-8").strip()
TRACK = Track(title="The Star", artist="The Sampled Choir")
OFFLINE = Config.model_validate({"lyrics": {"order": ["local"]}})


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return encode(tmp_path_factory.mktemp("songs") / "song.mp3", 1).read_bytes()


@pytest.fixture
def song(original: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "song.mp3"
    path.write_bytes(original)
    return path


def beside(song: Path, case: str) -> Path:
    """Copy a file of words beside the song."""
    (file,) = FILES.glob(f"{case}-*")
    return Path(shutil.copy(file, song.with_suffix(file.suffix)))


def in_tag(song: Path, *texts: str) -> Path:
    tags = ID3()
    for at, text in enumerate(texts):
        tags.add(USLT(encoding=3, lang="eng", desc=str(at) if at else "", text=text))
    tags.save(song)
    return song


@dataclass(frozen=True)
class Next:
    """A source that has the words of every song."""

    name: str = "next"
    idle: str | None = None

    def find(self, track: Track) -> list[Candidate]:
        del track
        return [Candidate(Lyrics.from_text("Up above"), "next", "1", 1.0, "the same song")]


def own(song: Path) -> Lyrics:
    return choose(Track(song, title="The Star"), [LocalSource()]).lyrics


class TestPageFurniture:
    @pytest.mark.parametrize("case", ["03", "04", "05", "07", "14"])
    def test_is_no_part_of_what_is_placed(self, song: Path, case: str) -> None:
        beside(song, case)
        assert own(song).text == STAR

    def test_stays_in_the_file_and_where_the_file_is_shown(self, song: Path) -> None:
        file = beside(song, "05")
        before = file.read_bytes()
        own(song)
        assert file.read_bytes() == before
        (shown,) = stored(song)
        assert shown.lyrics.text.startswith("[Verse 1: The Sampled Choir]\nTwinkle")

    def test_is_none_in_a_tag_either(self, song: Path) -> None:
        text = (FILES / "03-genius-page.txt").read_text("utf-8")
        assert own(in_tag(song, text)).text == STAR

    @pytest.mark.parametrize(
        "page",
        [
            "The Star Lyrics[Verse 1]\n{}\nYou might also like5Embed",
            "The Star Lyrics\n\nLyrics from www.example.com\n{}\nAdvertisement",
            "Songtext:\n{}\n\nWritten by: Jane Taylor\n© 1806 Longman",
            "<body><h1>The Star Lyrics</h1><p>{}</p><script>var a = 1;</script></body>",
        ],
    )
    def test_of_other_pages_goes_too(self, song: Path, page: str) -> None:
        assert own(in_tag(song, page.format(STAR))).text == STAR

    def test_goes_from_timed_lines_and_leaves_their_times(self, song: Path) -> None:
        song.with_suffix(".lrc").write_text(
            "[00:01.00]3 ContributorsThe Star Lyrics[Verse 1]\n[00:05.29]Twinkle, twinkle\n"
            "[00:07.00][Chorus]\n[00:09.02]How I wonder2Embed\n"
        )
        found = own(song)
        assert [(line.start, line.text) for line in found] == [
            (5.29, "Twinkle, twinkle"),
            (9.02, "How I wonder"),
        ]
        assert found.timing is Timing.LINE

    def test_goes_from_a_file_that_is_named(self, song: Path) -> None:
        prepared = Finder(OFFLINE).find(song, lyrics=FILES / "03-genius-page.txt")
        assert prepared.lyrics.text == STAR

    @pytest.mark.parametrize("line", ["Not found", "Just a moment", "These lyrics", "Advertise me"])
    def test_is_not_what_may_be_sung(self, line: str) -> None:
        assert from_plain(f"Oh oh\n{line}\nYeah", TRACK).text == f"Oh oh\n{line}\nYeah"


class TestAnAnswerWithoutLyrics:
    @pytest.mark.parametrize(
        "text",
        [
            "302 Found",
            "404 Not Found",
            "<html><head><title>302 Found</title></head><body><center><h1>302 Found</h1></center>"
            "<hr><center>nginx/1.18.0</center></body></html>",
            "Just a moment...\nEnable JavaScript and cookies to continue",
            "Sorry, we don't have lyrics for this song yet.",
            "Lyrics for this song have yet to be released. Please check back later.",
            "[Verse 1]\n\n[Chorus]\n3Embed",
            "Tekst piosenki:\n\nHistoria edycji tekstu",
        ],
    )
    def test_is_none_and_the_next_source_is_asked(self, song: Path, text: str) -> None:
        in_tag(song, text)
        found = choose(Track(song, title="The Star"), [LocalSource(), Next()])
        assert (found.source, found.lyrics.text) == ("next", "Up above")
        assert any("without lyrics in the song's tag USLT" in why for why in found.why)
        with pytest.raises(LyricsNotFound):
            own(song)

    def test_in_a_named_file_is_an_error(self, song: Path, tmp_path: Path) -> None:
        (tmp_path / "words.txt").write_text("302 Found\n")
        with pytest.raises(LyricsNotFound, match="nothing that is sung"):
            Finder(OFFLINE).find(song, lyrics=tmp_path / "words.txt")


class TestInstrumentals:
    @pytest.mark.parametrize("case", ["01", "02"])
    def test_are_known_by_a_file_without_a_model(self, song: Path, case: str) -> None:
        beside(song, case)
        prepared = Finder(OFFLINE).find(song)
        assert prepared.lyrics.instrumental
        assert not prepared.needs_models
        result = without_models(prepared)
        assert result.decision is Decision.NONE
        assert "instrumental" in result.reason

    @pytest.mark.parametrize(
        "text",
        [
            "[Instrumental]",
            "[au: instrumental]",
            "[00:00.00] ♪ Instrumental ♪",
            "[ar:A]\n[ti:B]\n[au:instrumental]\n",
            "[00:00.00]纯音乐，请欣赏",
            "Instrumental - no lyrics",
            "(инструментал)",
        ],
    )
    def test_are_known_by_a_tag(self, song: Path, text: str) -> None:
        found = own(in_tag(song, text))
        assert found.instrumental
        assert not found.words

    def test_are_known_by_a_named_file(self, song: Path) -> None:
        prepared = Finder(OFFLINE).find(song, lyrics=FILES / "01-lrcget-instrumental.lrc")
        assert prepared.lyrics.instrumental
        assert not prepared.needs_models

    def test_are_none_where_a_person_has_words(self, song: Path) -> None:
        beside(song, "02")
        assert own(in_tag(song, "Twinkle, twinkle")).text == "Twinkle, twinkle"

    def test_are_none_with_an_instrumental_break(self, song: Path) -> None:
        found = own(in_tag(song, "Twinkle\n[Instrumental]\nLittle star"))
        assert found.text == "Twinkle\nLittle star"
        assert not found.instrumental


class TestRepeats:
    @pytest.mark.parametrize("mark", ["(x2)", "[2x]", "(bis)", "(Repeat 2x)", "Repeat 2x", "x2"])
    def test_of_all_that_is_above_are_written_out(self, song: Path, mark: str) -> None:
        found = own(in_tag(song, f"{STAR}\n{mark}"))
        assert found.text == f"{STAR}\n{STAR}"

    def test_are_written_out_of_a_file(self, song: Path) -> None:
        beside(song, "06")
        assert own(song).text == f"{STAR}\n{STAR}"

    @pytest.mark.parametrize("header", ["[Chorus]", "Chorus", "(Chorus)", "Repeat Chorus"])
    def test_of_a_chorus_without_its_text_are_written_out(self, song: Path, header: str) -> None:
        text = f"[Verse]\nOne\n\n[Chorus]\nLa la\nLo lo\n\n[Verse 2]\nTwo\n\n{header}"
        assert own(in_tag(song, text)).text == "One\nLa la\nLo lo\nTwo\nLa la\nLo lo"
