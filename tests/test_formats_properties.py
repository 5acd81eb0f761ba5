"""What holds for every format, whatever the lyrics and whatever the bytes."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections import Counter

import pytest
from hypothesis import assume, example, given, note
from hypothesis import strategies as st

from lyricsyncd import formats
from lyricsyncd.errors import FormatError
from lyricsyncd.formats.timing import tidy
from lyricsyncd.model import Line, Lyrics, Syllable, Word

NAMES = formats.names()
WITH_SYLLABLES = ("lrc", "lyricsfile", "json")
UNITS = {"lrc": 1000, "vtt": 1000, "ttml": 1000, "ass": 100, "json": 1000, "lyricsfile": 1000}

# Lyrics that look like markup of one format or another, and scripts that are easily broken.
NASTY = (
    "<3 [x2] [00:12.00] <00:12.00> <1:02:03.5> [-00:01.00] [ti:x] [bg: [offset:5] v2: v1:x "
    "{\\kf5} {\\an8} \\N \\ \\{ { } <i> </b> <font --> 00:00:01,000 &amp; &lt & ~ ~~ Ro~ # "
    "#BPM:3 : E P1 - * 99 No null ~null yes 1_000 0x1f '\" | > ! % @ `x` \u2060 "
    "\u2060\u2060<00:12.00> \\\u2060N "
    "👩‍👩‍👧 שלום مرحبا e\u0301 क्षि ﷺ あ 你 好 \u200bzero \u200fx WEBVTT NOTE "
    "]]> <!-- \ufeff \x00 \ud800 "
    "\x0c \x85 \u2028 \u3000 \xa0 \x07bell"
).split(" ")
TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=6),
    st.lists(st.sampled_from(NASTY), min_size=2, max_size=3).map("".join),
    st.lists(st.sampled_from(NASTY), min_size=2, max_size=3).map(" ".join),
    st.text("abcdeéñü", min_size=1, max_size=8),
)
ANY_TIMES = st.one_of(st.none(), st.floats(0, 80_000), st.integers(0, 2000).map(lambda t: t / 8))
VOICES = st.one_of(st.none(), st.just("bg"), st.sampled_from(["v2", "Ann, B.", "<&>"]), st.text())
METADATA = st.dictionaries(
    st.sampled_from(["title", "artist", "album", "tool", "length", "duration", "other"]),
    TEXTS,
    max_size=4,
)
LANGUAGES = st.sampled_from([None, "en", "ja", "pt-BR", "not a code", ""])


@st.composite
def sung_lines(draw: st.DrawFn) -> Line:
    """A line as an aligner makes it: words in order, some ends and a few onsets unknown."""
    at = draw(st.floats(0, 7000))
    start = at
    words = []
    for text in draw(st.lists(TEXTS, max_size=6)):
        at += draw(st.floats(0, 2))
        end = at + draw(st.floats(0, 2))
        middle = at + draw(st.floats(0, 2))
        words.append(
            Word(
                text,
                at if draw(st.integers(0, 9)) else None,
                end if draw(st.integers(0, 4)) else None,
                draw(st.one_of(st.none(), st.floats(0, 1))),
                draw(st.booleans()),
                (Syllable(text[:1], at, middle), Syllable(text[1:], middle)),
            )
        )
        at = draw(st.sampled_from([at, end]))
    closed = draw(st.one_of(st.none(), st.just(at + 1)))
    return Line(
        tuple(words),
        start if draw(st.integers(0, 4)) else None,
        closed,
        draw(VOICES),
        doubtful=not draw(st.integers(0, 4)),
        estimated=not draw(st.integers(0, 4)),
    )


WORDS = st.builds(Word, TEXTS, ANY_TIMES, ANY_TIMES, st.none() | st.floats(), st.booleans())
WILD_LINES = st.builds(Line, st.lists(WORDS, max_size=4).map(tuple), ANY_TIMES, ANY_TIMES, VOICES)
LYRICS = st.builds(
    Lyrics,
    st.lists(sung_lines() | WILD_LINES, max_size=5).map(tuple),
    language=LANGUAGES,
    source=st.just("file"),
    instrumental=st.just(False),
    metadata=METADATA,
)


def with_all_times(lyrics: Lyrics) -> Lyrics:
    """The lyrics with a time for each line and for its first word, which some formats need."""
    lines = []
    for line in lyrics.lines:
        start = 0.0 if line.start is None else line.start
        words = tuple(
            dataclasses.replace(word, start=start, end=None) if i == 0 else word
            for i, word in enumerate(line.words)
        )
        lines.append(dataclasses.replace(line, words=words, start=start))
    return lyrics.with_lines(lines)


def encoded(text: str) -> bytes:
    return text.encode()


def sung_texts(lyrics: Lyrics) -> Counter[str]:
    return Counter(line.text for line in lyrics if line.words)


@given(lyrics=LYRICS, complete=st.booleans())
def test_what_is_written_reads_as_what_the_format_can_say(lyrics: Lyrics, complete: bool) -> None:
    if complete:
        lyrics = with_all_times(lyrics)
    for name in NAMES:
        note(name)
        try:
            said = formats.project(lyrics, name)
        except FormatError:
            with pytest.raises(FormatError):
                formats.write(lyrics, name)
            continue
        text = formats.write(lyrics, name)
        assert formats.read(encoded(text), name) == said
        assert formats.project(said, name) == said
        assert formats.write(said, name) == text


@pytest.mark.parametrize("name", WITH_SYLLABLES)
@given(lyrics=LYRICS)
def test_syllables_on_request_read_as_what_the_format_can_say(name: str, lyrics: Lyrics) -> None:
    lyrics = with_all_times(lyrics)
    said = formats.project(lyrics, name, syllables=True)
    text = formats.write(lyrics, name, syllables=True)
    assert formats.read(encoded(text), name) == said


@given(lyrics=LYRICS)
def test_no_format_loses_or_changes_a_word(lyrics: Lyrics) -> None:
    lyrics = with_all_times(lyrics)
    texts = sung_texts(tidy(lyrics))
    for name in NAMES:
        note(name)
        try:
            said = formats.project(lyrics, name)
        except FormatError:
            # Only word times that run backwards, which nobody can believe, can be missing here.
            assert name == "ultrastar"
            continue
        assert sung_texts(said) == texts


@given(line=sung_lines())
def test_onsets_move_by_half_a_step_of_the_format_at_most(line: Line) -> None:
    line = with_all_times(Lyrics((line,))).lines[0]
    # Words that no space parts are syllables of one, which have onsets in some formats only.
    line = dataclasses.replace(
        line, words=tuple(dataclasses.replace(word, space=True) for word in line.words)
    )
    before = tidy(Lyrics((line,))).words
    assume(before and before[0].start is not None)
    onsets = [word.start for word in before if word.start is not None]
    for name, unit in UNITS.items():
        note(name)
        after = formats.project(Lyrics((line,)), name).words
        # Words without an onset may be glued to the one before; onsets stay in order and number.
        said = [word.start for word in after if word.start is not None]
        assert len(onsets) == len(said)
        step = 1 / unit
        # WebVTT has no marks at the same time: words that begin together are a millisecond apart.
        most = step * (len(onsets) - 1 if name == "vtt" else 0) + step / 2 + 1e-6
        assert all(abs(a - b) <= most for a, b in zip(onsets, said, strict=True))


@given(lyrics=LYRICS)
def test_lrc_holds_this_with_either_number_of_decimals(lyrics: Lyrics) -> None:
    lyrics = with_all_times(lyrics)
    for name, decimals in itertools.product(["lrc", "lrc_standard"], [2, 3]):
        note(f"{name}, {decimals} decimals")
        text = formats.write(lyrics, name, decimals=decimals)
        said = formats.project(lyrics, name, decimals=decimals)
        assert formats.read(encoded(text), name) == said


# Bad bytes


def read_or_refuse(data: bytes, name: str) -> Lyrics | None:
    """The lyrics, or ``None`` where the format refuses; any other error fails the test."""
    try:
        lyrics = formats.read(data, name)
    except FormatError:
        return None
    # What was read is sound: every reader ends in the same order as every writer begins.
    assert tidy(lyrics, doubtful=True) == dataclasses.replace(lyrics, source="", source_id=None)
    return lyrics


@pytest.mark.parametrize("name", NAMES)
@given(data=st.binary(max_size=300))
def test_random_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    read_or_refuse(data, name)
    formats.guess(data)


FRAGMENTS = st.sampled_from(
    "[00:01.00] [00:02.00] <00:01.50> <00:03> [1:2:3.4] [offset:99] [offset:-5] [bg: ] v2: word "
    "[Events] [Script,Info] Format: Start,End,Text Dialogue: 0:00:01.00 , {\\k50} {\\kt9} { } \\N "
    "WEBVTT 00:01.000 00:00:02.000 --> 00:00:01,000 <v,Ann> <c> </c> &amp; &#0; 1 "
    "<tt> </tt> <body> </body> <p> <p,begin='1s'> </p> <span,begin='1s',end='2'> "
    "</span> <br/> <?xml "
    "#BPM:300 #GAP:-5 #RELATIVE:yes : * - 3 5 0 ~ E P1 P2 B "
    "version: metadata: lines: plain: text: start_ms: words: 1.0 null ~ | > & * !!int !!python/x ? "
    '[ ] { } "word" "line" "start" "end" NaN 1e999 -1 0 1 , : " \' 99999999999999999999 %'.split(
        " "
    )
).map(lambda piece: piece.replace(",", " ") if len(piece) > 1 else piece)


@pytest.mark.parametrize("name", NAMES)
@given(
    parts=st.lists(st.tuples(FRAGMENTS, st.sampled_from(["", " ", "\n", "\n  ", "\r\n", "\n\n"])))
)
def test_rubble_of_markup_is_read_or_refused(name: str, parts: list[tuple[str, str]]) -> None:
    read_or_refuse("".join(piece + gap for piece, gap in parts).encode(), name)


@pytest.mark.parametrize("name", NAMES)
@given(lyrics=LYRICS, data=st.data())
def test_damaged_files_are_read_or_refused(name: str, lyrics: Lyrics, data: st.DataObject) -> None:
    try:
        whole = bytearray(formats.write(with_all_times(lyrics), name).encode())
    except FormatError:
        return
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole)))
        width = data.draw(st.sampled_from([0, 1, 1, 8, 100]))
        put = data.draw(
            st.sampled_from([b"", b"\x00", b"\xff", b"9" * 30, b"-", b"<", b"[", b"{", b"\n", b":"])
            | st.binary(max_size=4)
        )
        whole[at : at + width] = put
    read_or_refuse(bytes(whole), name)


@pytest.mark.parametrize("name", NAMES)
@given(text=st.text(max_size=80), encoding=st.sampled_from(["utf-8-sig", "utf-16", "cp1252"]))
@example(text="<tt xmlns='http://www.w3.org/ns/ttml'/>", encoding="utf-16")
def test_any_encoding_of_any_text_is_read_or_refused(name: str, text: str, encoding: str) -> None:
    read_or_refuse(text.encode(encoding, errors="replace"), name)


@given(lyrics=LYRICS)
def test_line_ends_and_a_byte_mark_change_nothing(lyrics: Lyrics) -> None:
    for name in NAMES:
        note(name)
        try:
            text = formats.write(with_all_times(lyrics), name)
        except FormatError:
            continue
        said = formats.read(text.encode(), name)
        if not re.search(r"[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text):
            assert formats.read(text.replace("\n", "\r\n").encode("utf-8-sig"), name) == said
        assert formats.read(text.encode("utf-16"), name) == said
