"""Tags that others made stay byte for byte as they were, however strange they are."""

from __future__ import annotations

import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path

import av
import mutagen
import pytest
import taglib
from hypothesis import given
from hypothesis import strategies as st
from mutagen.apev2 import APEv2, APEValue
from mutagen.asf._attrs import ASFByteArrayAttribute, ASFQWordAttribute
from mutagen.flac import (
    FLAC,
    CueSheet,
    CueSheetTrack,
    CueSheetTrackIndex,
    Picture,
    SeekPoint,
    SeekTable,
)
from mutagen.id3 import ID3, TIT2, USLT
from mutagen.mp4 import MP4, MP4Cover, MP4FreeForm
from mutagen.ogg import OggPage

from lyricsyncd import formats
from lyricsyncd.config.schema import Output
from lyricsyncd.lyrics.local import LocalSource
from lyricsyncd.model import Track
from lyricsyncd.tags import Journal, songfile, undo, write_lyrics
from lyricsyncd.tags.container import Saved
from lyricsyncd.tags.kinds import opened
from lyricsyncd.tags.raw import Untouchable, id3, vorbis
from lyricsyncd.tags.splice import Splice, copy_spliced
from tests.noise_songs import CODECS, encode, stream_like

WORDS = formats.read(
    "[00:01.00]<00:01.00>Row, <00:02.00>röw<00:03.00>\n[00:04.00]<00:04.00>Böat<00:05.00>\n"
    .encode(),
    "lrc",
)  # fmt: skip
EMBED = Output(preset="embed")
Make = Callable[[str, bytes], Path]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("songs")
    return {kind: encode(folder / f"song.{kind}", 1).read_bytes() for kind in CODECS}


@pytest.fixture
def audio(originals: dict[str, bytes]) -> bytes:
    """MPEG audio without any tag."""
    data = originals["mp3"]
    assert data.startswith(b"ID3")
    return data[10 + int.from_bytes(data[6:10], "big") :]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.db")


def texts(song: Path) -> set[str]:
    found = LocalSource().find(Track(song))
    return {candidate.lyrics.text for candidate in found if candidate.source == "tag"}


def round_trip(song: Path, journal: Journal, *, force: bool = False) -> bytes:
    """Write lyrics into a song, and take them back: it is the same; return what it was between."""
    before = song.read_bytes()
    report = write_lyrics(song, WORDS, EMBED, journal=journal, force=force)
    assert report.written == (song,), report.kept
    during = song.read_bytes()
    # What was written a second time, too, is undone by one `undo`.
    write_lyrics(song, WORDS.without_times(), EMBED, journal=journal, force=force)
    write_lyrics(song, WORDS, EMBED, journal=journal, force=force)
    report_of_undo = undo(journal, [song])
    assert not report_of_undo.kept
    assert song.read_bytes() == before
    return during


def refused(song: Path, journal: Journal) -> str:
    """Write lyrics, which go beside the song; return why."""
    before = song.read_bytes()
    report = write_lyrics(song, WORDS, EMBED, journal=journal)
    assert {path.suffix for path in report.written} == {".lrc", ".elrc"}
    assert song.read_bytes() == before
    return report.kept[0].why


# --- ID3 ----------------------------------------------------------------------------------------


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def tag(version: int, body: bytes, flags: int = 0) -> bytes:
    head = bytes((version, 0, flags)) + synchsafe(len(body))
    return b"ID3" + head + body + (b"3DI" + head if flags & 0x10 and version == 4 else b"")


def frame(version: int, name: str, data: bytes, flags: int = 0) -> bytes:
    if version == 2:
        return name.encode() + len(data).to_bytes(3, "big") + data
    size = synchsafe(len(data)) if version == 4 else len(data).to_bytes(4, "big")
    return name.encode() + size + flags.to_bytes(2, "big") + data


def utf16(text: str) -> bytes:
    return b"\x01" + text.encode("utf-16")


ARTISTS = frame(3, "TPE1", utf16("Ann One\0Bob Two"))
GENRES = frame(3, "TCON", b"\0Rock\0Pop\0")
COMMENTS = [
    frame(3, "COMM", b"\0engmine\0one"),
    frame(3, "COMM", b"\0deu\0zwei"),
    frame(3, "COMM", b"\0eng\0three"),
]
UNKNOWN = frame(3, "XABC", bytes(range(256)))
TWICE = frame(3, "TIT2", b"\0A title") + frame(3, "TIT2", b"\0Another")
NOT_UTF16 = frame(3, "TALB", b"\x01\xff\xfe\x00\xd8\x00")
COMPRESSED = frame(3, "TXXX", (9).to_bytes(4, "big") + zlib.compress(b"\0key\0text"), 0x80)
ENCRYPTED = frame(3, "TXXX", b"\x80secret", 0x40)
GROUPED = frame(3, "TXXX", b"\x07\0key\0text", 0x20)
PICTURE = frame(3, "APIC", b"\0image/png\0\x03\0\x89PNG" + bytes(range(256)) * 40)
VERSION_3 = {
    "several artists and genres": ARTISTS + GENRES + bytes(64),
    "comments in several languages": b"".join(COMMENTS) + bytes(2000),
    "an unknown frame": ARTISTS + UNKNOWN,
    "a frame twice": TWICE + bytes(10),
    "text that is none": NOT_UTF16 + GENRES,
    "compressed, encrypted and grouped frames": COMPRESSED + ENCRYPTED + GROUPED + bytes(5),
    "a picture": PICTURE + ARTISTS + bytes(3000),
    "an empty frame": frame(3, "TIT2", b"") + ARTISTS,
    "iTunes' frames of ID3v2.2": frame(3, "TP1\0", b"\0Ann") + ARTISTS,
    "something behind the frames": ARTISTS + b"lower case and no frame",
    "a last frame that is cut off": ARTISTS + b"TALB\0\0\xff\xff\0\0\0text",
    "only padding": bytes(100),
    "nothing": b"",
}


class TestId3:
    @pytest.mark.parametrize("name", VERSION_3)
    def test_every_frame_of_others_stays_where_and_as_it_is(
        self, name: str, audio: bytes, make: Make, journal: Journal
    ) -> None:
        body = VERSION_3[name]
        song = make("song.mp3", tag(3, body) + audio)
        during = round_trip(song, journal)
        rest = body.rstrip(b"\0") if not body.endswith(b"text") else body.partition(b"TALB")[0]
        kept = rest.removesuffix(b"lower case and no frame")
        assert during[10:].startswith(kept)
        assert during.endswith(audio)

    def test_several_artists_stay_several_to_other_readers(
        self, audio: bytes, make: Make, journal: Journal
    ) -> None:
        song = make("song.mp3", tag(3, ARTISTS + GENRES + bytes(64)) + audio)
        write_lyrics(song, WORDS, EMBED, journal=journal)
        assert ID3(song)["TPE1"].text == ["Ann One", "Bob Two"]
        with taglib.File(song) as file:
            assert file.tags["GENRE"] == ["Rock", "Pop"]
            assert "Row, röw" in file.tags["LYRICS"][0]
        assert "Row, röw\nBöat" in texts(song)

    @pytest.mark.parametrize("before", [b"", b"\xff\xfb is no frame"])
    @pytest.mark.parametrize("end", ["TAG", "APE", "Lyrics3", "all"])
    def test_tags_at_the_end_stay(
        self, before: bytes, end: str, audio: bytes, make: Make, journal: Journal
    ) -> None:
        ape = BytesIO()
        tags = APEv2()
        tags["Artist"] = ["Ann", "Bob"]
        tags["Lyrics"] = "of another"
        tags.save(ape)
        lyrics = b"LYRICSBEGININD0000210LYR00008Of yours"
        ends = {
            "TAG": b"TAG" + b"title".ljust(125, b"\0"),
            "APE": ape.getvalue(),
            "Lyrics3": lyrics + b"%06dLYRICS200" % len(lyrics),
        }
        tail = b"".join([ends["APE"], ends["Lyrics3"], ends["TAG"]]) if end == "all" else ends[end]
        song = make("song.mp3", tag(3, ARTISTS + before) + audio + tail)
        assert round_trip(song, journal).endswith(audio + tail)

    def test_a_song_without_a_tag_gets_one_and_loses_it_again(
        self, audio: bytes, make: Make, journal: Journal
    ) -> None:
        during = round_trip(make("song.mp3", audio), journal)
        assert during.startswith(b"ID3\x04")
        assert during.endswith(audio)

    @pytest.mark.parametrize("version", [2, 3, 4])
    def test_the_version_stays_and_other_readers_find_the_words(
        self, version: int, audio: bytes, make: Make, journal: Journal
    ) -> None:
        title = frame(version, {2: "TT2"}.get(version, "TIT2"), b"\0A title")
        song = make("song.mp3", tag(version, title + bytes(20)) + audio)
        during = round_trip(song, journal)
        assert during[3] == version
        song.write_bytes(during)
        with taglib.File(song) as file:
            assert "Row, röw" in file.tags["LYRICS"][0]
        (synced,) = ID3(song).getall("SYLT")
        words = [(text, time) for text, time in synced.text if text.strip()]
        assert words == [("\nRow, ", 1000), ("röw", 2000), ("\nBöat", 4000)]
        assert "Row, röw\nBöat" in texts(song)

    @pytest.mark.parametrize("version", [2, 3, 4])
    def test_unsynchronised_tags_stay_so(
        self, version: int, audio: bytes, make: Make, journal: Journal
    ) -> None:
        data = b"\xff\xe0\xff\x00\xff\xff\xfb\x00\xff"
        name = {2: "PRV"}.get(version, "PRIV")
        if version == 4:
            stuffed = id3.unsynchronised(data)
            body = frame(4, name, synchsafe(len(data)) + stuffed, 3) + frame(4, "TIT2", b"\0A")
        else:
            body = id3.unsynchronised(frame(version, name, data) + frame(version, name, data))
        song = make("song.mp3", tag(version, body + bytes(20), 0x80) + audio)
        during = round_trip(song, journal)
        assert during[10:].startswith(body)
        length = id3_length(during)
        assert b"\xff\xfb" not in during[:length]
        song.write_bytes(during)
        assert "Row, röw\nBöat" in texts(song)
        with taglib.File(song) as file:
            assert "Row, röw" in file.tags["LYRICS"][0]

    def test_an_extended_header_and_a_footer_stay(
        self, audio: bytes, make: Make, journal: Journal
    ) -> None:
        extended = b"\0\0\0\x06\0\0\0\0\0\x14"
        song = make("3.mp3", tag(3, extended + ARTISTS + bytes(20), 0x40) + audio)
        assert round_trip(song, journal)[10:].startswith(extended + ARTISTS)
        extended = synchsafe(6) + b"\x01\0"
        title = frame(4, "TIT2", b"\x03A title")
        song = make("4.mp3", tag(4, extended + title, 0x50) + audio)
        during = round_trip(song, journal)
        length = id3_length(during)
        assert during[10:].startswith(extended + title)
        assert during[length : length + 3] == b"3DI"
        assert during[length + 10 :] == audio

    def test_sizes_as_itunes_once_wrote_them_stay(
        self, audio: bytes, make: Make, journal: Journal
    ) -> None:
        long = b"TXXX" + (300).to_bytes(4, "big") + b"\0\0" + b"\0key\0".ljust(300, b"x")
        title = b"TIT2" + (8).to_bytes(4, "big") + b"\0\0" + b"\0A title"
        song = make("song.mp3", tag(4, long + title + bytes(50)) + audio)
        assert round_trip(song, journal)[10:].startswith(long + title)

    def test_a_second_tag_stays(self, audio: bytes, make: Make, journal: Journal) -> None:
        second = tag(4, frame(4, "TIT2", b"\0Another"))
        song = make("song.mp3", tag(3, ARTISTS) + second + audio)
        assert round_trip(song, journal).endswith(second + audio)

    def test_lyrics_of_others_come_back_to_where_they_were(
        self, audio: bytes, make: Make, journal: Journal
    ) -> None:
        mine = [frame(3, "USLT", b"\0eng\0mine"), frame(3, "USLT", utf16("")[:1] + b"deu\0\0x")]
        times = frame(3, "SYLT", b"\0eng\x02\x01\0mine\0\0\0\0\x05")
        body = mine[0] + ARTISTS + times + COMMENTS[0] + mine[1] + GENRES + bytes(30)
        song = make("song.mp3", tag(3, body) + audio)
        during = round_trip(song, journal, force=True)
        for others in (ARTISTS, COMMENTS[0], GENRES):
            assert others in during
        assert mine[0] not in during

    def test_lyrics_that_cannot_be_read_are_somebodys(
        self, audio: bytes, make: Make, journal: Journal
    ) -> None:
        secret = frame(3, "USLT", b"\x80secret", 0x40)
        song = make("song.mp3", tag(3, secret + ARTISTS) + audio)
        report = write_lyrics(song, WORDS, EMBED, journal=journal)
        assert "USLT" in str(report.kept[0])
        assert secret in song.read_bytes()

    def test_compressed_lyrics_are_read(self, audio: bytes, make: Make) -> None:
        data = b"\0eng\0Mine alone"
        packed = len(data).to_bytes(4, "big") + zlib.compress(data)
        song = make("song.mp3", tag(3, frame(3, "USLT", packed, 0x80)) + audio)
        found = opened(song)
        assert found is not None
        assert found.read()["USLT"][0]["text"] == "Mine alone"

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (tag(3, b"\0\0\0\x0a\x80\0\0\0\0\0\1\2\3\4" + ARTISTS, 0x40), "checksum"),
            (tag(4, synchsafe(12) + b"\x01\x20\x05\0\0\0\0\0" + GENRES, 0x40), "checksum"),
            (tag(2, b"packed", 0x40), "compressed"),
            (tag(5, ARTISTS), "unknown version"),
            (b"ID3\x03\0\0\x80\0\0\0" + ARTISTS, "damaged"),
            (b"ID3\x03\0\0\x7f\0\0\0" + ARTISTS, "cut off"),
        ],
    )
    def test_what_cannot_be_changed_without_harm_gets_sidecars(
        self, data: bytes, why: str, audio: bytes, make: Make, journal: Journal
    ) -> None:
        assert why in refused(make("song.mp3", data + audio), journal)

    @pytest.mark.parametrize("fault", ["drops a frame", "changes a frame", "uses up padding"])
    def test_a_fault_in_what_writes_is_found_before_the_song_is_replaced(
        self,
        fault: str,
        audio: bytes,
        make: Make,
        journal: Journal,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        song = make("song.mp3", tag(3, ARTISTS + GENRES + bytes(64)) + audio)

        def faulty(source: Path, target: Path, splices: list[Splice]) -> None:
            copy_spliced(source, target, splices)
            data = target.read_bytes()
            found = id3.parse(data[: id3_length(data)])
            frames = list(found.frames)
            if fault == "drops a frame":
                del frames[1]
            elif fault == "changes a frame":
                frames[0] = frames[0].replace(b"B\0o\0b\0", b"R\0o\0b\0")
            else:
                frames[-1] += b""
                found = id3.Tag(found.version, frames=found.frames, tail=found.tail[:-8])
            target.write_bytes(found.rendered(frames) + data[id3_length(data) :])

        monkeypatch.setattr(songfile, "copy_spliced", faulty)
        assert "something else of it would have changed" in refused(song, journal)

    def test_what_earlier_versions_journalled_is_undone(
        self, audio: bytes, make: Make, journal: Journal
    ) -> None:
        song = make("song.mp3", tag(3, ARTISTS) + audio)
        write_lyrics(song, WORDS, EMBED, journal=journal)
        with closing(sqlite3.connect(journal.path)) as connection, connection:
            connection.execute("UPDATE entries SET before = NULL")
        undo(journal, [song])
        assert song.read_bytes() == tag(3, ARTISTS) + audio


def id3_length(data: bytes) -> int:
    """The length of the tag at the start, without a footer."""
    length = 0
    for byte in data[6:10]:
        length = length << 7 | byte
    return 10 + length


FRAME_DATA = st.binary(max_size=300) | st.binary(max_size=300).map(
    lambda data: data.replace(b"a", b"\xff").replace(b"b", b"\xff\xe0").replace(b"c", b"\xff\0")
)
NAMES = st.sampled_from(["TIT2", "TPE1", "COMM", "XABC", "PRIV", "APIC", "RVA2", "TXXX"])


class TestAnyId3Tag:
    @given(
        version=st.sampled_from([2, 3, 4]),
        raw=st.lists(st.tuples(NAMES, FRAME_DATA, st.integers(0, 0xFFFF)), max_size=8),
        padding=st.integers(0, 50),
        stuffed=st.booleans(),
        ours=FRAME_DATA.filter(bool),
        at=st.integers(0, 8),
    )
    def test_a_frame_goes_in_and_out_and_the_bytes_are_the_same(
        self,
        version: int,
        raw: list[tuple[str, bytes, int]],
        padding: int,
        stuffed: bool,
        ours: bytes,
        at: int,
    ) -> None:
        width = 3 if version == 2 else 4
        frames = [frame(version, name[:width], content, flags) for name, content, flags in raw]
        body = b"".join(frames) + bytes(padding)
        if stuffed and version < 4:
            body = id3.unsynchronised(body)
        data = tag(version, body, 0x80 if stuffed else 0)
        found = id3.parse(data)
        assert found.rendered(found.frames) == data
        if not found.plain_sizes:
            assert len(found.frames) == len(frames)
        name = "ULT" if version == 2 else "USLT"
        added = list(found.frames)
        added.insert(at, id3.framed(name, ours, found))
        again = id3.parse(found.rendered(added))
        if again.plain_sizes == found.plain_sizes:
            assert list(again.frames) == added
            at = min(at, len(frames))
            got, flags, content = id3.unframed(again.frames[at], again)
            assert got == name
            assert (id3.resynchronised(content[4:]) if flags else content) == ours
        assert again.rendered([*added[:at], *added[at + 1 :]]) == data

    @given(st.binary(max_size=400).map(lambda body: tag(3, body)) | st.binary(min_size=10))
    def test_any_bytes_are_a_tag_or_refused(self, data: bytes) -> None:
        try:
            found = id3.parse(data)
        except Untouchable:
            return
        assert b"".join((found.extended, *found.frames, found.tail)) == data[10 : id3_length(data)]


# --- chunks -------------------------------------------------------------------------------------


def chunk(name: bytes, data: bytes, order: str) -> bytes:
    size = len(data).to_bytes(4, "little" if order == "<" else "big")
    return name + size + data + b"\0" * (len(data) % 2)


@pytest.mark.parametrize("kind", ["wav", "aiff"])
class TestChunks:
    def whole(self, original: bytes, *chunks: bytes, kind: str, short: int = 0) -> bytes:
        """A file with more chunks before and behind its own."""
        order = "<" if kind == "wav" else ">"
        before, behind = chunks[:1], chunks[1:]
        body = original[8:12] + b"".join(before) + original[12:] + b"".join(behind)
        body = body[: len(body) - short]
        return original[:4] + struct.pack(f"{order}I", len(body)) + body

    @pytest.mark.parametrize("short", [0, 1])
    @pytest.mark.parametrize("last", [b"even", b"odd"])
    def test_other_chunks_and_what_follows_them_stay(
        self,
        kind: str,
        last: bytes,
        short: int,
        originals: dict[str, bytes],
        make: Make,
        journal: Journal,
    ) -> None:
        if short and len(last) % 2 == 0:
            pytest.skip("nothing to leave out")
        order = "<" if kind == "wav" else ">"
        chunks = [
            chunk(b"bext", bytes(range(255)), order),
            chunk(b"LIST", b"INFOISFT\x04\0\0\0Ann\0", order),
            chunk(b"cue ", last, order),
        ]
        data = self.whole(originals[kind], *chunks, kind=kind, short=short)
        song = make(f"song.{kind}", data + b"behind all chunks")
        during = round_trip(song, journal)
        for each in chunks:
            assert each[: len(each) - short] in during
        assert during.endswith(b"behind all chunks")

    def test_names_in_chunks_of_their_own_stay_beside_a_tag(
        self, kind: str, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        order = "<" if kind == "wav" else ">"
        names = chunk(b"LIST", b"INFOIART\x04\0\0\0Ann\0", order)
        own = chunk(b"ID3 ", tag(3, ARTISTS), order)
        song = make(f"song.{kind}", self.whole(originals[kind], names, own, kind=kind))
        assert names in round_trip(song, journal)

    @pytest.mark.parametrize("name", [b"ID3 ", b"id3 "])
    @pytest.mark.parametrize("rest", [b"", b"\0", b"more"])
    def test_a_chunk_with_a_tag_is_changed_in_its_place(
        self,
        kind: str,
        name: bytes,
        rest: bytes,
        originals: dict[str, bytes],
        make: Make,
        journal: Journal,
    ) -> None:
        order = "<" if kind == "wav" else ">"
        for number, at in enumerate((0, 1)):
            chunks = [chunk(b"note", b"first", order), chunk(b"note", b"last", order)]
            chunks.insert(at, chunk(name, tag(3, ARTISTS + bytes(9)) + rest, order))
            data = self.whole(originals[kind], *chunks, kind=kind)
            song = make(f"{number}.{kind}", data)
            assert ARTISTS in round_trip(song, journal)

    def test_one_that_was_never_finished_gets_sidecars(
        self, kind: str, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        data = originals[kind]
        song = make(f"song.{kind}", data[:4] + b"\xff" * 4 + data[8:])
        assert "never finished" in refused(song, journal)


# --- FLAC and Ogg ---------------------------------------------------------------------------------


class TestFlac:
    def blocks(self, data: bytes) -> list[bytes]:
        at, found = data.index(b"fLaC") + 4, []
        while True:
            end = at + 4 + int.from_bytes(data[at + 1 : at + 4], "big")
            found.append(data[at:end])
            if data[at] & 0x80:
                return found
            at = end

    def test_all_other_blocks_stay(
        self, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        song = make("song.flac", originals["flac"])
        file = FLAC(song)
        file["ARTIST"] = ["Ann", "Bob"]
        picture = Picture()
        picture.data = bytes(range(256)) * 30
        file.add_picture(picture)
        cues = CueSheet(None)
        cues.tracks += [CueSheetTrack(1, 0), CueSheetTrack(170, 48000)]
        cues.tracks[0].indexes.append(CueSheetTrackIndex(1, 0))
        seeks = SeekTable(None)
        seeks.seekpoints.append(SeekPoint(0, 0, 4096))
        file.metadata_blocks += [cues, seeks]
        file.save()
        before = self.blocks(song.read_bytes())
        after = self.blocks(round_trip(song, journal))
        assert len(after) == len(before)
        assert [block for block in after if block[0] & 0x7F != 4] == [
            block for block in before if block[0] & 0x7F != 4
        ]

    @pytest.mark.parametrize("alone", [False, True])
    def test_a_file_without_comments_gets_a_block_and_loses_it(
        self, alone: bool, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        data = originals["flac"]
        blocks = self.blocks(data)
        frames = data[4 + sum(map(len, blocks)) :]
        rest = b"" if alone else b"\x81\0\0\x10" + bytes(16)
        info = bytes([0x80 if alone else 0]) + blocks[0][1:]
        song = make("song.flac", b"fLaC" + info + rest + frames)
        during = round_trip(song, journal)
        assert during.startswith(b"fLaC\0")
        assert during.endswith(rest + frames)

    def test_an_id3_tag_before_it_stays(
        self, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        song = make("song.flac", tag(3, ARTISTS) + originals["flac"])
        assert round_trip(song, journal).startswith(tag(3, ARTISTS) + b"fLaC\0")

    def test_comments_that_are_no_text_stay(
        self, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        data = originals["flac"]
        blocks = self.blocks(data)
        frames = data[4 + sum(map(len, blocks)) :]
        items = (b"TITLE=\xff\xfe", b"no equals sign", b"artist=Ann", b"ARTIST=Bob", b"=", b"")
        body = vorbis.Comments(b"\xfftool", items, b"more").rendered(items)
        comments = b"\x84" + len(body).to_bytes(3, "big") + body
        song = make("song.flac", b"fLaC\0" + blocks[0][1:] + comments + frames)
        found = vorbis.parse(self.blocks(round_trip(song, journal))[1][4:])
        assert found.vendor == b"\xfftool"
        assert found.tail == b"more"
        assert found.items[:6] == items

    @given(st.binary(max_size=20), st.lists(st.binary(max_size=30)), st.binary(max_size=9))
    def test_any_comments_are_rendered_as_they_were(
        self, vendor: bytes, items: list[bytes], tail: bytes
    ) -> None:
        data = vorbis.Comments(vendor, (), tail).rendered(items)
        assert vorbis.parse(data) == vorbis.Comments(vendor, tuple(items), tail)


def pages_of(data: bytes) -> list[OggPage]:
    file, found = BytesIO(data), []
    while file.tell() < len(data):
        found.append(OggPage(file))
    return found


def packets_of(data: bytes) -> list[list[bytes]]:
    """The packets of each stream; a chain may have several of one serial number."""
    streams: list[list[OggPage]] = []
    current: dict[int, list[OggPage]] = {}
    for page in pages_of(data):
        if page.first:
            current[page.serial] = []
            streams.append(current[page.serial])
        current[page.serial].append(page)
    return [OggPage.to_packets(pages) for pages in streams]


@pytest.mark.parametrize("kind", ["ogg", "opus"])
class TestOgg:
    def with_comments(self, song: Path, size: int) -> None:
        file = mutagen.File(song)
        file["ARTIST"] = ["Ann", "Bob"]
        file["PICTURE"] = ["x" * size]
        file.save(padding=lambda _: 0)

    @pytest.mark.parametrize("size", [0, 3000, 64_000, 200_000])
    def test_every_other_packet_and_position_stays(
        self, kind: str, size: int, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        song = make(f"song.{kind}", originals[kind])
        self.with_comments(song, size)
        before = song.read_bytes()
        during = round_trip(song, journal)
        (packets,), (known,) = packets_of(during), packets_of(before)
        assert packets[0] == known[0]
        assert packets[2:] == known[2:]
        assert b"PICTURE=" + b"x" * size in packets[1]
        pages = pages_of(during)
        assert [page.sequence for page in pages] == list(range(len(pages)))
        positions = [page.position for page in pages if page.position > 0]
        assert positions == [page.position for page in pages_of(before) if page.position > 0]

    def test_pages_of_other_streams_and_of_a_chain_stay(
        self, kind: str, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        song = make(f"song.{kind}", originals[kind])
        self.with_comments(song, 70_000)
        one = pages_of(song.read_bytes())
        two = pages_of(originals["opus"])
        three = pages_of(originals["ogg"])
        for page in two:
            page.serial = 77
        # The headers of both, then their pages in turn.
        mixed = [one[0], two[0]]
        rest, others = one[1:], two[1:]
        headers = next(at for at, page in enumerate(rest) if page.position > 0)
        mixed += rest[:headers]
        rest = rest[headers:]
        while rest or others:
            mixed += rest[:1] + others[:1]
            rest, others = rest[1:], others[1:]
        song.write_bytes(b"".join(page.write() for page in [*mixed, *three]))
        before = song.read_bytes()
        during = round_trip(song, journal)
        changed, *others_now = packets_of(during)
        known, *others_then = packets_of(before)
        assert others_now == others_then
        assert len(others_now) == 2
        assert changed[2:] == known[2:]

    def test_a_page_with_another_checksum_is_not_mended_in_passing(
        self, kind: str, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        data = bytearray(originals[kind])
        second = data.index(b"OggS", 4)
        data[second + 22] ^= 1
        assert "something else" in refused(make(f"song.{kind}", bytes(data)), journal)


# --- MP4, APE, ASF --------------------------------------------------------------------------------


def atom(name: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + name + body


def m4a(path: Path, *, fast_start: bool, fragmented: bool = False) -> Path:
    """AAC in MP4, its moov atom at the end or at the start, or in fragments."""
    flags = ["+faststart"] if fast_start else []
    flags += ["+frag_keyframe+empty_moov"] if fragmented else []
    options = {"movflags": "".join(flags)} if flags else {}
    with (
        av.open(str(encode(path.with_name("plain.m4a"), 1))) as source,
        av.open(str(path), "w", format="ipod", options=options) as out,
    ):
        stream = stream_like(out, source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return path


class TestMp4:
    def tagged(self, path: Path, fast_start: bool, padding: int) -> Path:
        song = m4a(path, fast_start=fast_start)
        file = MP4(song)
        file["\xa9ART"] = ["Ann", "Bob"]
        file["----:com.apple.iTunes:MINE"] = [MP4FreeForm(b"\xff\0\x01"), MP4FreeForm(b"two")]
        file["covr"] = [MP4Cover(bytes(range(256)) * 9)]
        file["trkn"] = [(1, 9)]
        file.save(padding=lambda _: padding)
        return song

    @pytest.mark.parametrize("fast_start", [False, True])
    @pytest.mark.parametrize("padding", [0, 5000])
    def test_all_other_atoms_stay(
        self, fast_start: bool, padding: int, tmp_path: Path, journal: Journal
    ) -> None:
        song = self.tagged(tmp_path / "song.m4a", fast_start, padding)
        before = opened(song)
        assert before is not None
        data = song.read_bytes()
        during = round_trip(song, journal)
        song.write_bytes(during)
        after = opened(song)
        assert after is not None
        assert after.place.items[:-1] == before.place.items
        assert during.count(b"free") == data.count(b"free")
        assert MP4(song)["\xa9lyr"][0].startswith("[")

    def test_unknown_items_and_old_structures_stay(self, tmp_path: Path, journal: Journal) -> None:
        song = m4a(tmp_path / "song.m4a", fast_start=False)
        data = song.read_bytes()
        strange = atom(b"\xa9xyz", b"none of iTunes'") + atom(b"abcd", atom(b"data", b"short"))
        moov = data.index(b"moov") - 4
        size = int.from_bytes(data[moov : moov + 4], "big")
        assert moov + size == len(data)
        head = atom(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
        metas = {
            "items": atom(b"meta", bytes(4) + head + atom(b"ilst", strange) + atom(b"free", b"x")),
            "no ilst": atom(b"meta", bytes(4) + head),
            "QuickTime's": atom(b"meta", head + atom(b"ilst", strange)) + bytes(4),
            "no meta": atom(b"name", b"Ann"),
            "nothing": b"",
        }
        own = data[moov + 8 :].partition(b"udta")[0][:-4]
        for name, meta in metas.items():
            body = own + atom(b"udta", meta)
            song.write_bytes(data[:moov] + atom(b"moov", body))
            assert meta[20:30] in round_trip(song, journal), name
        song.write_bytes(data[:moov] + atom(b"moov", own))
        round_trip(song, journal)

    def test_tables_of_64_bits_are_moved_too(self, tmp_path: Path, journal: Journal) -> None:
        song = m4a(tmp_path / "song.m4a", fast_start=True)
        data = song.read_bytes()
        at = data.index(b"stco") - 4
        size = int.from_bytes(data[at : at + 4], "big")
        count = int.from_bytes(data[at + 12 : at + 16], "big")
        places = struct.unpack(f">{count}I", data[at + 16 : at + size])
        more = 4 * count
        wide = struct.pack(f">{count}Q", *(place + more for place in places))
        table = atom(b"co64", data[at + 8 : at + 16] + wide)
        grown = bytearray(data[:at] + table + data[at + size :])
        for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            start = grown.index(name) - 4
            length = int.from_bytes(grown[start : start + 4], "big") + more
            grown[start : start + 4] = length.to_bytes(4, "big")
        song.write_bytes(grown)
        round_trip(song, journal)

    def test_fragments_with_an_index_get_sidecars(self, tmp_path: Path, journal: Journal) -> None:
        song = m4a(tmp_path / "song.m4a", fast_start=False, fragmented=True)
        assert b"mfra" in song.read_bytes()
        assert "positions" in refused(song, journal)

    def test_what_is_cut_off_gets_sidecars(self, tmp_path: Path, journal: Journal) -> None:
        song = m4a(tmp_path / "song.m4a", fast_start=True)
        song.write_bytes(song.read_bytes()[:-100])
        assert "damaged" in refused(song, journal)


class TestApe:
    @pytest.mark.parametrize(
        ("tagged", "end"), [(False, b""), (True, b""), (True, b"TAG" + bytes(125))]
    )
    def test_all_other_items_stay(
        self, end: bytes, tagged: bool, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        song = make("song.wv", originals["wv"])
        APEv2(song).delete()
        if tagged:
            tags = APEv2()
            tags["Artist"] = ["Ann", "Bob"]
            tags["Cover Art (Front)"] = APEValue(bytes(range(256)), 1)
            tags["lowercase"] = "x"
            tags.save(song)
        song.write_bytes(song.read_bytes() + end)
        before = opened(song)
        assert before is not None
        song_bytes = round_trip(song, journal)
        assert song_bytes.endswith(end)
        song.write_bytes(song_bytes)
        after = opened(song)
        assert after is not None
        assert after.place.items[: len(before.place.items)] == before.place.items
        assert "Row, röw\nBöat" in texts(song)

    def test_lyrics3_and_damaged_tags_get_sidecars(
        self, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        data = originals["wv"]
        song = make("1.wv", data + b"LYRICSBEGIN000011LYRICS200")
        assert "Lyrics3" in refused(song, journal)
        broken = data[:-20] + (99).to_bytes(4, "little") + data[-16:]
        assert "APE tag" in refused(make("2.wv", broken), journal)


class TestAsf:
    @pytest.mark.parametrize("tagged", [False, True])
    def test_all_other_descriptors_and_objects_stay(
        self, tagged: bool, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        song = make("song.wma", originals["wma"])
        if tagged:
            file = mutagen.File(song)
            file["WM/AlbumTitle"] = ["An album", "Another"]
            file["WM/Picture"] = [ASFByteArrayAttribute(bytes(range(256)) * 9)]
            file["WM/Mine"] = [ASFQWordAttribute(2**40)]
            file.save()
        before = opened(song)
        assert before is not None
        song.write_bytes(round_trip(song, journal))
        after = opened(song)
        assert after is not None
        assert after.place.items[:-1] == before.place.items
        assert "Row, röw\nBöat" in texts(song)

    def test_lyrics_without_room_go_beside_the_song(
        self, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        song = make("song.wma", originals["wma"])
        long = formats.read(("Row row row your boat\n" * 3000).encode(), "txt")
        before = song.read_bytes()
        report = write_lyrics(song, long, EMBED, journal=journal)
        assert "no room" in report.kept[0].why
        assert song.read_bytes() == before


class TestTagsOfAnotherKind:
    """A new tag with nothing but lyrics would hide them from players: it is not made."""

    @pytest.mark.parametrize("start", [b"", tag(3, bytes(20))])
    def test_of_mpeg_audio(self, start: bytes, audio: bytes, make: Make, journal: Journal) -> None:
        ape = BytesIO()
        tags = APEv2()
        tags["Artist"] = "Ann"
        tags.save(ape)
        for number, end in enumerate((b"TAG" + b"title".ljust(125, b"\0"), ape.getvalue())):
            song = make(f"{number}.mp3", start + audio + end)
            assert "another kind" in refused(song, journal)

    def test_behind_garbage(self, audio: bytes, make: Make, journal: Journal) -> None:
        song = make("song.mp3", bytes(100) + tag(3, ARTISTS) + audio)
        assert "another kind" in refused(song, journal)

    def test_of_wav_flac_and_wavpack(
        self, originals: dict[str, bytes], make: Make, journal: Journal
    ) -> None:
        names = chunk(b"LIST", b"INFOIART\x04\0\0\0Ann\0", "<")
        data = originals["wav"]
        body = data[8:] + names
        wav = data[:4] + len(body).to_bytes(4, "little") + body
        wavpack = make("old.wv", originals["wv"])
        APEv2(wavpack).delete()
        flac = originals["flac"]
        info = b"\x80" + flac[5:42]
        end = b"TAG" + b"title".ljust(125, b"\0")
        for song in (
            make("1.wav", wav),
            make("2.flac", tag(3, ARTISTS) + b"fLaC" + info + flac[flac.index(b"\xff\xf8") :]),
            make("3.wv", wavpack.read_bytes() + end),
        ):
            assert "another kind" in refused(song, journal)


class TestUndoAfterOthers:
    def test_what_others_did_since_stays(self, audio: bytes, make: Make, journal: Journal) -> None:
        song = make("song.mp3", tag(3, ARTISTS) + audio)
        write_lyrics(song, WORDS, EMBED, journal=journal)
        tags = ID3(song)
        tags.add(TIT2(encoding=3, text=["Added since"]))
        tags.save(song, v2_version=4)
        assert undo(journal, [song]).cleared == (song,)
        again = ID3(song)
        assert again["TIT2"].text == ["Added since"]
        assert again["TPE1"].text == ["Ann One", "Bob Two"]
        assert not again.getall("USLT")

    def test_a_value_goes_back_into_a_tag_of_another_version(
        self, audio: bytes, make: Make, journal: Journal
    ) -> None:
        song = make("song.mp3", tag(3, frame(3, "USLT", b"\0eng\0mine") + ARTISTS) + audio)
        write_lyrics(song, WORDS, EMBED, journal=journal, force=True)
        ID3(song).save(song, v2_version=4)
        assert undo(journal, [song]).restored == (song,)
        (mine,) = ID3(song).getall("USLT")
        assert (mine.lang, mine.text) == ("eng", "mine")
        assert isinstance(mine, USLT)


@pytest.mark.slow
class TestSpoiltSongs:
    """Damaged where tags are: written and taken back to the byte, or left alone."""

    @given(
        kind=st.sampled_from(sorted(CODECS)),
        tagged=st.booleans(),
        force=st.booleans(),
        spots=st.lists(
            st.tuples(st.integers(-600, 600), st.binary(max_size=4), st.integers(0, 5)),
            min_size=1,
            max_size=6,
        ),
    )
    def test_are_never_damaged_further(
        self,
        kind: str,
        tagged: bool,
        force: bool,
        spots: list[tuple[int, bytes, int]],
        originals: dict[str, bytes],
    ) -> None:
        with tempfile.TemporaryDirectory() as folder:
            song = Path(folder) / f"song.{kind}"
            song.write_bytes(originals[kind])
            if tagged:
                write_lyrics(song, WORDS, EMBED, journal=Journal(Path(folder) / "other.db"))
            data = song.read_bytes()
            for at, new, gone in spots:
                at %= len(data)
                data = data[:at] + new + data[at + gone :]
            song.write_bytes(data)
            journal = Journal(Path(folder) / "journal.db")
            report = write_lyrics(song, WORDS, EMBED, journal=journal, force=force)
            if song not in report.written:
                assert song.read_bytes() == data
            assert not undo(journal, [song]).kept
            assert song.read_bytes() == data


def test_a_slot_is_put_back_where_it_was(make: Make, audio: bytes) -> None:
    mine = frame(3, "USLT", b"\0eng\0mine")
    song = make("song.mp3", tag(3, mine + ARTISTS) + audio)
    found = opened(song)
    assert found is not None
    saved = found.save("USLT")
    assert saved == Saved(
        [{"lang": "eng", "desc": "", "text": "mine"}], ((0, mine),), "id3v2.3", {"absent": False}
    )
