"""Readers that we do not control find in our files what we put there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import mediafile
import mutagen
import pytest
import taglib
from hypothesis import given
from mutagen.id3 import ID3

from lyricsyncd import formats
from lyricsyncd.config.schema import Output, OutputFile
from lyricsyncd.config.setting_types import PresetName
from lyricsyncd.formats.text import GUARD
from lyricsyncd.model import Line, Lyrics, Word
from lyricsyncd.tags import Journal, write_lyrics
from tests import jellyfin_reader, navidrome_reader
from tests.navidrome_reader import Shown
from tests.noise_songs import CODECS, encode
from tests.player_cases import CASES
from tests.test_formats_properties import LYRICS, with_all_times

WORDS = formats.read(
    "[00:01.00]<00:01.00>Row, <00:02.00>röw<00:03.00>\n[00:04.00]<00:04.00>Böat<00:05.00>\n"
    .encode(),
    "lrc",
)  # fmt: skip
LINES = ["[00:01.00]Row, röw", "[00:04.00]Böat", "[00:05.00]"]


def line(*words: tuple[str, float], end: float | None = None, voice: str | None = None) -> Line:
    return Line(tuple(Word(text, start) for text, start in words), words[0][1], end, voice)


NAVIDROME: dict[str, tuple[Line, list[Shown]]] = {
    "words": (
        line(("Row,", 1.0), ("row", 1.52), end=2.0),
        [Shown(1000, "Row, row", [("Row, ", 1000), ("row", 1520)]), Shown(2000, "")],
    ),
    "a rest": (
        Line((Word("Row", 1.0, 1.25), Word("row", 3.0, 3.5)), 1.0, 3.5),
        [
            Shown(1000, "Row row", [("Row", 1000), (" ", 1250), ("row", 3000)]),
            Shown(3500, ""),
        ],
    ),
    "a word without a time": (
        Line((Word("Row", 1.0), Word("your"), Word("boat", 2.0)), 1.0),
        [Shown(1000, "Row your boat", [("Row your ", 1000), ("boat", 2000)])],
    ),
    "a line without word times": (
        Line.from_text("Row your boat", 61.5),
        [Shown(61_500, "Row your boat")],
    ),
    "scripts without spaces": (
        Line((Word("你", 1.0, 1.5, space=False), Word("好", 1.5, 2.0)), 1.0, 2.0),
        [Shown(1000, "你好", [("你", 1000), ("好", 1500)]), Shown(2000, "")],
    ),
    "from right to left": (
        line(("שלום", 1.0), ("עולם", 2.0)),
        [Shown(1000, "שלום עולם", [("שלום ", 1000), ("עולם", 2000)])],
    ),
    "emoji": (
        line(("👩‍👩‍👧", 1.0), ("oh", 2.0)),
        [Shown(1000, "👩‍👩‍👧 oh", [("👩‍👩‍👧 ", 1000), ("oh", 2000)])],
    ),
    "after an hour": (
        line(("late", 3723.045)),
        [Shown(3_723_045, "late", [("late", 3_723_045)])],
    ),
    "after a hundred minutes": (
        line(("later", 6000.5)),
        [Shown(6_000_500, "later", [("later", 6_000_500)])],
    ),
    "words that look like marks": (
        line(("[00:12.00]", 1.0), ("<00:12.00>", 2.0), ("<3", 3.0), ("[x2]", 4.0)),
        [
            Shown(
                1000,
                "[00:12.00] <00:12.00> <3 [x2]",
                [("[00:12.00] ", 1000), ("<00:12.00> ", 2000), ("<3 ", 3000), ("[x2]", 4000)],
            )
        ],
    ),
    "words that look like a tag": (
        line(("[ti:x]", 1.0), ("v2:", 2.0)),
        [Shown(1000, "[ti:x] v2:", [("[ti:x] ", 1000), ("v2:", 2000)])],
    ),
}


def without_guard(shown: list[Shown]) -> list[Shown]:
    """What a person sees: joiners are invisible."""
    return [
        Shown(
            each.start,
            each.text.replace(GUARD, ""),
            [(text.replace(GUARD, ""), time) for text, time in each.words],
            each.voice,
        )
        for each in shown
    ]


class TestTheTableOfCases:
    @pytest.mark.parametrize("what", CASES)
    def test_is_what_we_write(self, what: str) -> None:
        assert formats.write(CASES[what].lyrics, "lrc", decimals=2) == CASES[what].text

    @pytest.mark.parametrize("what", CASES)
    def test_is_what_navidrome_shows(self, what: str) -> None:
        lines = navidrome_reader.lrc(CASES[what].text).lines
        assert [
            (line.start, [(*word, end) for word, end in zip(line.words, line.ends, strict=True)])
            for line in lines
        ] == CASES[what].navidrome

    @pytest.mark.parametrize("old", [False, True])
    @pytest.mark.parametrize("what", CASES)
    def test_is_what_jellyfin_shows_in_its_old_versions_too(self, what: str, old: bool) -> None:
        lines = jellyfin_reader.lrc(CASES[what].text, old=old)
        assert [(line.start, line.cues) for line in lines] == CASES[what].jellyfin

    def test_holds_in_jellyfin_for_the_files_of_its_preset(self, tmp_path: Path) -> None:
        song = encode(tmp_path / "song.mp3", 1)
        journal = Journal(tmp_path / "journal.db")
        write_lyrics(song, WORDS, Output(preset="jellyfin"), journal=journal)
        text = song.with_suffix(".elrc").read_text()
        for old in (False, True):
            cues = [cue for line in jellyfin_reader.lrc(text, old=old) for cue in line.cues]
            assert cues == [("Row, ", 1000, 2000), ("röw", 2000, 3000), ("Böat", 4000, 5000)]

    def test_three_decimals_are_ten_times_as_much_in_an_old_jellyfin(self) -> None:
        assert jellyfin_reader.lrc("[00:12.340]tea", old=True)[0].start == 15_400


class TestNavidrome:
    @pytest.mark.parametrize("what", NAVIDROME)
    def test_shows_an_elrc_as_it_is_sung(self, what: str) -> None:
        sung, expected = NAVIDROME[what]
        page = navidrome_reader.lrc(formats.write(Lyrics((sung,)), "lrc"))
        assert without_guard(page.lines) == expected

    @pytest.mark.parametrize("what", NAVIDROME)
    def test_shows_an_lrc_line_by_line(self, what: str) -> None:
        sung, expected = NAVIDROME[what]
        page = navidrome_reader.lrc(formats.write(Lyrics((sung,)), "lrc_standard"))
        shown = [(each.start // 10, each.text, each.words) for each in without_guard(page.lines)]
        assert shown == [(each.start // 10, each.text, []) for each in expected]

    @pytest.mark.parametrize("what", NAVIDROME)
    def test_shows_a_lyricsfile_as_it_is_sung(self, what: str) -> None:
        sung, expected = NAVIDROME[what]
        page = navidrome_reader.lyricsfile(formats.write(Lyrics((sung,)), "lyricsfile"))
        # Where a line ends stands beside it there: it needs no empty lines, nor rests.
        (line,) = page.lines
        words = [(word.rstrip(), time) for word, time in expected[0].words if word.strip()]
        assert [(word.rstrip(), time) for word, time in line.words] == words
        assert (line.start, line.text) == (expected[0].start, expected[0].text)

    def test_parts_the_backing_voice_from_the_lead(self) -> None:
        lead = line(("Row", 1.0), ("on", 2.0), end=3.0)
        backing = line(("ooh", 2.5), end=3.5, voice="bg")
        page = navidrome_reader.lrc(formats.write(Lyrics((lead, backing)), "lrc"))
        voices = [(each.text, each.voice) for each in page.lines if each.text]
        assert voices == [("Row on", ""), ("ooh", "bg")]

    def test_reads_names_and_language_and_passes_over_our_mark(self) -> None:
        lyrics = Lyrics(
            (line(("Row", 1.0)),),
            "en",
            metadata={"title": "Tïtle", "artist": "A", "tool": "lyricsyncd 0.1.0 sha=0"},
        )
        page = navidrome_reader.lrc(formats.write(lyrics, "lrc"))
        assert page.tags == {"ti": "Tïtle", "ar": "A", "lang": "en"}
        assert [each.text for each in page.lines] == ["Row"]

    @given(lyrics=LYRICS)
    def test_shows_every_line_of_any_lyrics(self, lyrics: Lyrics) -> None:
        lyrics = with_all_times(lyrics)
        said = [each for each in formats.project(lyrics, "lyricsfile") if each.words]
        page = navidrome_reader.lyricsfile(formats.write(lyrics, "lyricsfile"))
        assert [each.text for each in page.lines] == [each.text for each in said]
        assert [each.start for each in page.lines] == [round((s.start or 0) * 1000) for s in said]


def from_taglib(song: Path) -> str:
    with taglib.File(str(song)) as file:
        (text,) = file.tags["LYRICS"]
    return str(text)


def from_mediafile(song: Path) -> str:
    return str(mediafile.MediaFile(str(song)).lyrics)


def from_ffmpeg(song: Path) -> str:
    """What ffprobe shows, by the library below it."""
    with av.open(str(song)) as file:
        tags = dict(file.metadata)
        for stream in file.streams:
            tags |= stream.metadata
    (text,) = [value for key, value in tags.items() if "lyrics" in key.lower()]
    return str(text)


def from_ffprobe(song: Path) -> str:
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed here")
    version = subprocess.run(["ffprobe", "-version"], capture_output=True, text=True).stdout
    if song.suffix == ".wav" and version.startswith("ffprobe version 5."):
        # Seen with 5.1.9; without that chunk it reads them, and from_ffmpeg's library always does.
        pytest.skip("this ffprobe reads no ID3 tags of a WAV file that has a LIST chunk, too")
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(song)]
    reported = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    every = [reported["format"], *reported["streams"]]
    (text,) = [
        value
        for each in every
        for key, value in each.get("tags", {}).items()
        if "lyrics" in key.lower()
    ]
    return str(text)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("songs")
    return {kind: encode(folder / f"song.{kind}", 1).read_bytes() for kind in CODECS}


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize("reader", [from_taglib, from_mediafile, from_ffmpeg, from_ffprobe])
class TestTags:
    def written(
        self, originals: dict[str, bytes], folder: Path, kind: str, preset: PresetName
    ) -> Path:
        song = folder / f"a song.{kind}"
        song.write_bytes(originals[kind])
        journal = Journal(folder / "state" / "journal.db")
        write_lyrics(song, WORDS, Output(preset=preset), journal=journal)
        return song

    def test_of_either_preset_hold_a_time_for_each_line(
        self, kind: str, reader: Callable[[Path], str], originals: dict[str, bytes], tmp_path: Path
    ) -> None:
        for preset in ("embed", "navidrome_web"):
            text = reader(self.written(originals, tmp_path, kind, preset))
            rows = text.replace("\r\n", "\n").rstrip("\n").split("\n")
            assert rows[0].startswith("[re:lyricsyncd ")
            assert rows[1:] == LINES
            page = navidrome_reader.lrc(text)
            assert [(each.start, each.text) for each in page.lines] == [
                (1000, "Row, röw"),
                (4000, "Böat"),
                (5000, ""),
            ]

    def test_with_word_marks_hold_them_where_a_list_asks_for_them(
        self, kind: str, reader: Callable[[Path], str], originals: dict[str, bytes], tmp_path: Path
    ) -> None:
        song = tmp_path / f"a song.{kind}"
        song.write_bytes(originals[kind])
        output = (OutputFile(format="lrc", to="tag"),)
        write_lyrics(song, WORDS, output, journal=Journal(tmp_path / "journal.db"))
        page = navidrome_reader.lrc(reader(song))
        assert page.lines[0].words == [("Row, ", 1000), ("röw", 2000)]


@pytest.mark.parametrize("kind", ["mp3", "wav", "aiff"])
def test_synchronised_frames_are_read_by_others(
    kind: str, originals: dict[str, bytes], tmp_path: Path
) -> None:
    song = tmp_path / f"song.{kind}"
    song.write_bytes(originals[kind])
    write_lyrics(song, WORDS, Output(preset="embed"), journal=Journal(tmp_path / "journal.db"))
    pieces = [("\nRow, ", 1000), ("röw", 2000), ("", 3000), ("\nBöat", 4000), ("", 5000)]
    assert mediafile.MediaFile(str(song)).synced_lyrics == pieces
    tags = mutagen.File(song).tags
    assert isinstance(tags, ID3)
    assert tags.getall("SYLT")[0].text == pieces
