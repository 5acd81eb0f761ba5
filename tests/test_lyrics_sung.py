"""The sung part of words as beets, LRCGET, LyricsGenius and people leave them beside songs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from mutagen.id3 import ID3, USLT

from lyricsyncd import formats
from lyricsyncd.catalog import drafts
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import LyricsNotFound
from lyricsyncd.lyrics import choose
from lyricsyncd.lyrics.base import Candidate
from lyricsyncd.lyrics.local import LocalSource, stored
from lyricsyncd.lyrics.sung import from_plain
from lyricsyncd.model import (
    Decision,
    Line,
    Lyrics,
    ParallelKind,
    ParallelText,
    Timing,
    Track,
    Word,
)
from lyricsyncd.pipeline.finder import Finder
from lyricsyncd.pipeline.result import without_models
from lyricsyncd.tags import Journal, write_lyrics
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
            "[00:00.00]302 Found",
            "Error 1015\nYou are being rate limited",
            "Please verify you are a human",
            "Sorry, page not found",
            '{"message":"Failed to find specified track","statusCode":404}',
            "(no lyrics)",
            "Lyrics coming soon!",
            "Unfortunately, due to licensing restrictions these lyrics cannot be shown",
            "Brak tekstu",
            "Letra no disponible",
            "暂无歌词",
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
            "This is an instrumental",
            "This song is instrumental and has no lyrics",
            "Lyrics: instrumental",
            "The Star\n[Instrumental]",
            "[00:00.00]♪",
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

    @pytest.mark.parametrize(
        "mark", ["Repeat", "(repeat)", "Da capo", "Repeat all", "(Repeat from the beginning)", "2x"]
    )
    def test_after_the_last_stanza_are_of_the_whole_song(self, mark: str) -> None:
        assert from_plain(f"One\nTwo\n\nThree\n\n{mark}", TRACK).text == (
            "One\nTwo\nThree\nOne\nTwo\nThree"
        )

    @pytest.mark.parametrize(
        "marked",
        ["|: One :|", "/: One :/", "One - 2x", "One / bis", "(2x) One", "One ×2", "One (repeat)"],
    )
    def test_of_a_line_are_written_out(self, marked: str) -> None:
        assert from_plain(f"{marked}\nTwo", TRACK).text == "One\nOne\nTwo"

    def test_between_signs_are_of_the_lines_between(self) -> None:
        text = "Zero\n|: One\nTwo :|\nThree"
        assert from_plain(text, TRACK).text == "Zero\nOne\nTwo\nOne\nTwo\nThree"

    def test_of_a_verse_by_its_number_are_written_out(self) -> None:
        text = "1.\nOne\n\nR:\nLa\n\n2.\nTwo\n\nR:\n\n1."
        assert from_plain(text, TRACK).text == "One\nLa\nTwo\nLa\nOne"

    @pytest.mark.parametrize("line", ["Repeat", "Encore", "Bis"])
    def test_are_none_where_their_words_are_sung(self, line: str) -> None:
        assert line in from_plain(f"One\n{line}\nTwo", TRACK).text

    @pytest.mark.parametrize("header", ["[Chorus]", "Chorus", "(Chorus)", "Repeat Chorus"])
    def test_of_a_chorus_without_its_text_are_written_out(self, song: Path, header: str) -> None:
        text = f"[Verse]\nOne\n\n[Chorus]\nLa la\nLo lo\n\n[Verse 2]\nTwo\n\n{header}"
        assert own(in_tag(song, text)).text == "One\nLa la\nLo lo\nTwo\nLa la\nLo lo"


SPANISH = (
    "Brilla, brilla, estrellita,\ncómo me pregunto qué eres.\nAllá arriba del mundo tan alto,\n"
    "como un diamante en el cielo.\nCuando el sol ardiente se ha ido,\ncuando ya nada alumbra,\n"
    "entonces muestras tu lucecita,\nbrilla, brilla, toda la noche."
)
JAPANESE = "夜空に光る星\n君と見ていた\nいつかまた\n会えるように"
ROMAJI = "yozora ni hikaru hoshi\nkimi to mite ita\nitsuka mata\naeru you ni"
ENGLISH = "Stars in the night sky\nI watched with you\nSome day again\nThat we may meet"


def beside_of(lyrics: Lyrics, at: int = 0) -> str:
    return "\n".join(line.parallel[at].text for line in lyrics)


def kinds(lyrics: Lyrics) -> set[tuple[tuple[ParallelKind, str | None], ...]]:
    return {tuple((each.kind, each.language) for each in line.parallel) for line in lyrics}


def in_turn(*texts: str) -> str:
    return "\n".join("\n".join(rows) for rows in zip(*map(str.splitlines, texts), strict=True))


def stamped(*texts: str) -> str:
    rows = zip(*map(str.splitlines, texts), strict=True)
    timed = ((5 + 4 * at, row) for at, group in enumerate(rows) for row in group)
    return "\n".join(f"[00:{second:02}.00]{row}" for second, row in timed)


TRANSLATED = {((ParallelKind.TRANSLATION, "es"),)}


class TestSeveralTextsInOne:
    def test_at_the_same_stamp_the_first_is_sung(self, song: Path) -> None:
        beside(song, "08")
        found = own(song)
        assert (found.text, beside_of(found), found.timing) == (STAR, SPANISH, Timing.LINE)
        assert kinds(found) == TRANSLATED

    def test_in_turn_the_first_is_sung(self, song: Path) -> None:
        beside(song, "08b")
        found = own(song)
        assert found.text == STAR
        assert kinds(found) == {((ParallelKind.TRANSLATION, "ja"),)}
        assert found.lines[1].parallel[0].text == "おそらのほしよ"

    def test_in_turn_in_one_script_are_known_by_their_languages(self, song: Path) -> None:
        found = own(in_tag(song, in_turn(STAR, SPANISH)))
        assert (found.text, beside_of(found)) == (STAR, SPANISH)
        assert kinds(found) == TRANSLATED

    @pytest.mark.parametrize("written", [in_turn, stamped])
    def test_three_are_sung_romanised_and_translated(
        self, song: Path, written: Callable[..., str]
    ) -> None:
        found = own(in_tag(song, written(JAPANESE, ROMAJI, ENGLISH)))
        assert "".join(found.text.split()) == "".join(JAPANESE.split())
        assert (beside_of(found, 0), beside_of(found, 1)) == (ROMAJI, ENGLISH)
        assert [each.kind for each in found.lines[0].parallel] == [
            ParallelKind.ROMANISATION,
            ParallelKind.TRANSLATION,
        ]

    def test_a_romanisation_that_comes_first_is_not_what_is_placed(self, song: Path) -> None:
        found = own(in_tag(song, in_turn(ROMAJI, JAPANESE)))
        assert "".join(found.text.split()) == "".join(JAPANESE.split())
        assert {each.kind for line in found for each in line.parallel} == {
            ParallelKind.ROMANISATION
        }

    @pytest.mark.parametrize(
        "heading", ["[Traducción]", "Translation:", "(Spanish translation)", "Tłumaczenie:"]
    )
    def test_a_block_after_a_heading_stands_beside(self, song: Path, heading: str) -> None:
        found = own(in_tag(song, f"{STAR}\n\n{heading}\n{SPANISH}"))
        assert (found.text, beside_of(found)) == (STAR, SPANISH)

    @pytest.mark.parametrize(
        "headings",
        [("[English]", "[Español]"), ("Original:", "Translation:"), ("English:", "Spanish:")],
    )
    def test_blocks_with_a_heading_each_stand_beside(self, headings: tuple[str, str]) -> None:
        text = f"{headings[0]}\n{STAR}\n\n{headings[1]}\n{SPANISH}"
        found = from_plain(text, TRACK)
        assert (found.text, beside_of(found)) == (STAR, SPANISH)

    def test_a_block_of_a_romanisation_that_comes_first_is_not_what_is_placed(self) -> None:
        text = f"Romaji:\n{ROMAJI}\n\nJapanese:\n{JAPANESE}\n\nEnglish:\n{ENGLISH}"
        found = from_plain(text, TRACK)
        assert [found.text, beside_of(found), beside_of(found, 1)] == [JAPANESE, ROMAJI, ENGLISH]

    def test_parts_of_a_song_in_two_languages_are_all_sung(self) -> None:
        text = f"[English]\n{STAR}\n\n[Español]\nBrilla, brilla"
        assert from_plain(text, TRACK).text == f"{STAR}\nBrilla, brilla"

    def test_a_second_block_stands_beside(self, song: Path) -> None:
        found = own(in_tag(song, f"{STAR}\n\n{SPANISH}"))
        assert (found.text, beside_of(found)) == (STAR, SPANISH)

    def test_the_language_of_the_tags_decides(self, song: Path) -> None:
        in_tag(song, stamped(STAR, SPANISH))
        (found,) = LocalSource().find(Track(song, title="The Star", language="es"))
        assert (found.lyrics.text, beside_of(found.lyrics)) == (SPANISH, STAR)

    def test_the_other_text_is_tried_where_the_first_does_not_fit(self, song: Path) -> None:
        beside(song, "08")
        (other,) = choose(Track(song), [LocalSource()]).others
        assert (other.text, other.language) == (SPANISH, "es")
        assert beside_of(other) == STAR
        assert [line.start for line in other] == [line.start for line in own(song)]

    def test_two_frames_of_two_languages_are_one_text(self, song: Path) -> None:
        tags = ID3()
        tags.add(USLT(encoding=3, lang="eng", desc="", text=STAR))
        tags.add(USLT(encoding=3, lang="spa", desc="", text=SPANISH))
        tags.save(song)
        for language, sung, other in (("en", STAR, SPANISH), ("es", SPANISH, STAR)):
            (found,) = LocalSource().find(Track(song, title="The Star", language=language))
            assert (found.lyrics.text, beside_of(found.lyrics)) == (sung, other)

    def test_two_singers_at_a_time_are_both_sung(self, song: Path) -> None:
        rows = STAR.splitlines()
        found = own(in_tag(song, stamped("\n".join(rows), "\n".join(reversed(rows)))))
        assert len(found.lines) == 16

    def test_verses_in_two_languages_are_all_sung(self, song: Path) -> None:
        text = f"{STAR}\n\n{SPANISH}\n\n{STAR}"
        assert own(in_tag(song, text)).text == text.replace("\n\n", "\n")


class TestTextsBesideLines:
    WRITTEN = Lyrics(
        (
            Line(
                (Word("夜", 1.0, 1.5, space=False), Word("空", 1.5, 2.0)),
                1.0,
                2.0,
                parallel=(
                    ParallelText("yozora", ParallelKind.ROMANISATION, "ja-Latn"),
                    ParallelText("Night <sky> & stars", language="en"),
                ),
            ),
            Line((Word("星", 3.0, 3.5),), 3.0, 3.5, "bg", (ParallelText("A star"),)),
            Line((Word("君", 5.0, 5.5),), 5.0, 5.5),
        ),
        language="ja",
    )

    @pytest.mark.parametrize("name", ["ttml", "lyricsfile"])
    def test_are_carried(self, name: str) -> None:
        found = formats.read(formats.write(self.WRITTEN, name).encode(), name)
        assert [line.parallel for line in found] == [line.parallel for line in self.WRITTEN]
        assert found == formats.project(self.WRITTEN, name)

    @pytest.mark.parametrize("name", ["lrc", "lrc_standard"])
    def test_are_second_lines_of_lrc_on_request(self, name: str) -> None:
        assert "yozora" not in formats.write(self.WRITTEN, name)
        text = formats.write(self.WRITTEN, name, translations=True)
        rows = [row for row in text.splitlines() if "yozora" in row or "Night" in row]
        assert [row.partition("]")[2] for row in rows] == ["yozora", "Night <sky> & stars"]
        assert {row.partition("]")[0].rstrip("0") for row in rows} == {"[00:01."}
        found = formats.read(text.encode(), name)
        assert found == formats.project(self.WRITTEN, name, translations=True)

    @pytest.mark.parametrize("name", sorted({*formats.names()} - {"ttml", "lyricsfile"}))
    def test_are_not_sung_in_other_formats(self, name: str) -> None:
        text = formats.write(self.WRITTEN, name)
        assert "yozora" not in text
        assert all(not line.parallel for line in formats.project(self.WRITTEN, name))

    def test_are_written_beside_the_song_where_the_settings_ask_for_them(
        self, song: Path, tmp_path: Path
    ) -> None:
        wanted = [{"format": "lrc_standard", "translations": True}, {"format": "lrc"}]
        output = Config.model_validate({"output": wanted}).output
        assert isinstance(output, tuple)
        write_lyrics(song, self.WRITTEN, output, journal=Journal(tmp_path / "journal.db"))
        assert "]Night <sky> & stars\n" in song.with_suffix(".lrc").read_text("utf-8")
        assert "Night" not in song.with_suffix(".elrc").read_text("utf-8")

    @pytest.mark.parametrize("output", [{"format": "srt"}, {"format": "lrc", "to": "tag"}])
    def test_are_second_lines_of_lrc_files_only(self, output: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="second lines of LRC files only"):
            Config.model_validate({"output": [{**output, "translations": True}]})

    def test_are_read_from_the_head_of_apples_ttml(self) -> None:
        text = (
            '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:itunes="i" xml:lang="ja"><head><metadata>'
            '<iTunesMetadata><translations><translation xml:lang="en"><text for="L1">Sky</text>'
            '</translation></translations><transliterations><transliteration xml:lang="ja-Latn">'
            '<text for="L1">so<span>ra</span></text></transliteration></transliterations>'
            "</iTunesMetadata></metadata></head><body><div>"
            '<p begin="1" end="2" itunes:key="L1">空</p></div></body></tt>'
        )
        (line,) = formats.read(text.encode(), "ttml")
        assert line.parallel == (
            ParallelText("Sky", ParallelKind.TRANSLATION, "en"),
            ParallelText("sora", ParallelKind.ROMANISATION, "ja-Latn"),
        )

    def test_are_read_from_parts_of_other_languages(self) -> None:
        text = (
            '<tt xmlns="http://www.w3.org/ns/ttml"><body><div xml:lang="en"><p begin="1" end="2">'
            'One</p><p begin="3" end="4">Two</p></div><div xml:lang="es"><p begin="1" end="2">Uno'
            '</p><p begin="3" end="4">Dos</p></div></body></tt>'
        )
        found = formats.read(text.encode(), "ttml")
        assert (found.text, beside_of(found)) == ("One\nTwo", "Uno\nDos")
        assert kinds(found) == TRANSLATED

    def test_are_kept_with_a_draft(self) -> None:
        assert drafts.lyrics_of_plain(drafts.lyrics_as_plain(self.WRITTEN)) == self.WRITTEN
