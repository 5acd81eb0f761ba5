"""Lyrics as other tools leave them are read as they were meant, or refused by name."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from lyricsyncd import formats
from lyricsyncd.errors import FormatError
from lyricsyncd.formats.chords import without_chords
from lyricsyncd.lyrics import files
from lyricsyncd.lyrics.sung import sung_part
from lyricsyncd.model import Line, Lyrics, Track

ASS = (
    "[Script Info]\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)
SONG = "#TITLE:t\n#ARTIST:a\n#BPM:300\n#GAP:1000\n"


def ttml(body: str, attributes: str = "") -> str:
    return (
        '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling" '
        f'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" {attributes}><body>{body}</body></tt>'
    )


def said(text: str | bytes, name: str | None = None) -> list[str]:
    """Rows as ``start (voice) text``, with the start of a word or syllable before it, if known."""
    data = text.encode() if isinstance(text, str) else text
    rows = []
    for line in formats.read(data, name or formats.guess(data) or "txt"):
        words = ""
        for word in line.words:
            for part in word.syllables or (word,):
                words += ("" if part.start is None else f"<{part.start:g}>") + part.text
            words += " " if word.space else ""
        voice = f"({line.voice}) " if line.voice else ""
        start = "" if line.start is None else f"{line.start:g} "
        rows.append(f"{start}{voice}{words.strip()}".rstrip())
    return rows


LRC: Mapping[str, tuple[str, list[str]]] = {
    "points between minutes and seconds": ("[00.01.25]tea\n[00.03.50]cup", ["1.25 tea", "3.5 cup"]),
    "spaces in brackets": ("[ 00:01.25 ]tea\n[ 00:03.50 ] cup", ["1.25 tea", "3.5 cup"]),
    "brackets of full width": ("【00:01.25】tea\n【00:03.50】cup", ["1.25 tea", "3.5 cup"]),
    "round brackets": ("(00:01) tea\n(00:03) cup", ["1 tea", "3 cup"]),
    "no brackets": ("0:01 tea\n0:03 cup\n1:05 pot", ["1 tea", "3 cup", "65 pot"]),
    "ends of lines": (
        "[00:01.00 --> 00:03.00] tea\n[00:03.00 --> 00:05.00] cup", ["1 tea", "3 cup", "5"]
    ),
    "times on rows of their own": (
        "0:01\ntea\n0:03\ncup\n1:00:05\npot", ["1 tea", "3 cup", "3605 pot"]
    ),
    "YouTube's captions": (
        "0:00:01.000,0:00:02.000\ntea\n\n0:00:03.000,0:00:04.000\ncup\n\n"
        "0:00:05.500,0:00:06.000\npot",
        ["1 tea", "2", "3 cup", "4", "5.5 pot", "6"],
    ),
    "a time that is sung": ("5:15\nI am late\nfor tea", ["5:15", "I am late", "for tea"]),
    "numbers that go down": ("3:00 go\n2:00 on\n1:00 now", ["3:00 go", "2:00 on", "1:00 now"]),
    "colons before milliseconds": ("[00:01:250]tea\n[00:03:500]cup", ["1.25 tea", "3.5 cup"]),
    "colons before hundredths": ("[00:01:25]tea\n[00:03:50]cup", ["1.25 tea", "3.5 cup"]),
    "hours": ("[01:00:30.5]late\n[1:00:31.25]later", ["3630.5 late", "3631.25 later"]),
    "a tag and a stamp on a row": (
        "[offset:+3][00:00.004]tea\n[00:00.005]cup", ["0.001 tea", "0.002 cup"]
    ),
    "several tags and a stamp on a row": ("[ti:K][ar:A] [la:en][00:01.00]tea", ["1 tea"]),
    "a whole song on a row": (
        "[00:01.00]tea is ready now[00:04.00]cups are warm too[00:08.00]sit down",
        ["1 tea is ready now", "4 cups are warm too", "8 sit down"],
    ),
    "a whole song of marked words on a row": (
        "[00:01.00]<00:01.00>tea <00:01.50>is[00:02.00]<00:02.00>cup",
        ["1 <1>tea <1.5>is", "2 <2>cup"],
    ),
    "a whole song in Chinese on a row": (
        "[00:01.00]你好吗[00:05.00]我很好[00:09.00]再见", ["1 你好吗", "5 我很好", "9 再见"]
    ),
    "lines with an end": (
        "[00:01.00]tea is ready[00:04.00]\n[00:06.00]sit", ["1 tea is ready", "4", "6 sit"]
    ),
    "words in square brackets": (
        "[00:01.00]tea [00:01.40]is [00:01.80]ready[00:02.20]", ["1 <1>tea <1.4>is <1.8>ready"]
    ),
    "rows with word marks only": (
        "<00:01.00>tea <00:01.50>is<00:02.00>\n<00:03.00>cup<00:04.00>",
        ["1 <1>tea <1.5>is", "3 <3>cup"],
    ),
    "backing vocals before the first line": (
        "[bg: <00:01.00>ooh<00:02.00>]\n[00:03.00]<00:03.00>tea<00:04.00>",
        ["1 (bg) <1>ooh", "3 <3>tea"],
    ),
    "backing vocals without times before the first line": (
        "[bg: ooh]\n[00:03.00]<00:03.00>tea<00:04.00>", ["3 (bg) ooh", "3 <3>tea"]
    ),
    "backing vocals before the first line, and an offset": (
        "[offset:500]\n[bg: <00:01.00>ooh]\n[00:03.00]tea", ["0.5 (bg) <0.5>ooh", "2.5 tea"]
    ),
    "character references": (
        "[00:01.00]Tea &amp; cake, it&#39;s four\n[00:02.00]&lt;3 &hellip; AT&T &bogus;",
        ["1 Tea & cake, it's four", "2 <3 … AT&T &bogus;"],
    ),
    "character references in marked words": (
        "[00:01.00]<00:01.00>rock <00:02.00>&quot;n&quot; <00:03.00>r&#xF6;ll",
        ["1 <1>rock <2>\"n\" <3>röll"],
    ),
    "a reference that would be a mark": ("[00:01.00]&lt;00:02.00&gt; x", ["1 <00:02.00> x"]),
    "rows without a stamp among others": (
        "[00:01.00]tea\n(a note)\n[00:05.00]cup\nanother", ["1 tea", "5 cup"]
    ),
    "a credit before the first line": ("by Nobody\n\n[00:01.00]tea", ["1 tea"]),
    "a single stamp above plain text": (
        "[00:00.00]\none\ntwo\nthree\nfour\nfive", ["one", "two", "three", "four", "five"]
    ),
    "KRC": (
        "[ti:x]\n[1000,2000]<0,500,0>tea <500,500,0>is\n[3000,900]<0,900,0>ready",
        ["1 <1>tea <1.5>is", "3 <3>ready"],
    ),
    "KRC with an offset": ("[offset:500]\n[1000,2000]<0,500,0>tea", ["0.5 <0.5>tea"]),
    "KRC with a backing voice": (
        "[1000,900]<0,500,0>tea\n[bg:<1500,300,0>ooh]", ["1 <1>tea", "1.5 (bg) <1.5>ooh"]
    ),
    "YRC": ("[1000,2000](1000,500,0)tea (1500,500,0)is", ["1 <1>tea <1.5>is"]),
    "YRC with credits": (
        '{"t":0,"c":[{"tx":"作词: "},{"tx":"X"}]}\n[1000,2000](1000,500,0)你(1500,500,0)好',
        ["1 <1>你<1.5>好"],
    ),
    "YRC with brackets that are sung": (
        "[1000,2000](1000,500,0)tea (1500,500,0)(ooh)", ["1 <1>tea <1.5>(ooh)"]
    ),
    "QRC": ("[1000,2000]tea (1000,500)is(1500,500)", ["1 <1>tea <1.5>is"]),
    "QRC in its XML": (
        '<?xml version="1.0"?>\n<QrcInfos><LyricInfo><Lyric_1 LyricType="1" LyricContent="[ti:x]\n'
        '[1000,2000]it&apos;s (1000,500)is(1500,500)\n"/></LyricInfo></QrcInfos>',
        ["1 <1>it's <1.5>is"],
    ),
    "LYS": (
        "[4]tea (1000,500)is(1500,500)\n[5]cup(3000,500)\n[7]ooh(3200,300)",
        ["1 <1>tea <1.5>is", "3 (v2) <3>cup", "3.2 (bg) <3.2>ooh"],
    ),
}  # fmt: skip

SUBTITLES: Mapping[str, tuple[str, list[str]]] = {
    "srt with short times and arrows": (
        "1\n0:0:1.5 --> 0:0:2\ntea\n\n2\n00:00:03,000 -> 00:00:04,000\ncup\n",
        ["1.5 tea", "3 cup"],
    ),
    "ass in several layers": (
        ASS + "Dialogue: 0,0:00:01.00,0:00:05.00,Default,,0,0,0,,tea cup\n"
        "Dialogue: 1,0:00:01.00,0:00:05.00,Default,,0,0,0,,tea cup\n",
        ["1 tea cup"],
    ),
    "SRT without blank lines": (
        "1\n00:00:01,000 --> 00:00:02,000\ntea\n2\n00:00:02,000 --> 00:00:03,000\ncup",
        ["1 tea", "2 cup"],
    ),
    "SRT without blank lines, numbers sung": (
        "1\n00:00:01,000 --> 00:00:02,000\n7\n2\n00:00:02,000 --> 00:00:03,000\n99\n3\n"
        "00:00:04,000 --> 00:00:05,000\n4\n",
        ["1 7", "2 99", "4 4"],
    ),
    "SRT without numbers and blank lines": (
        "00:00:01,000 --> 00:00:02,000\ntea\n00:00:02,000 --> 00:00:03,000\ncup",
        ["1 tea", "2 cup"],
    ),
    "SRT with character references": (
        "1\n00:00:01,000 --> 00:00:02,000\n<i>it&#39;s &amp;c</i>",
        ["1 it's &c"],
    ),
    "WebVTT without blank lines": (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\ntea\n00:00:01.000 --> 00:00:02.000\ncup",
        ["0 tea", "1 cup"],
    ),
    "WebVTT without blank lines, with numbers and voices": (
        "WEBVTT\n\n1\n00:00.000 --> 00:01.000\ntea\n2\n00:01.000 --> 00:02.000\n<v Ann>cup\n3\n"
        "00:03.000 --> 00:04.000\n10",
        ["0 tea", "1 (Ann) cup", "3 10"],
    ),
    "WebVTT without blank lines, with word marks": (
        "WEBVTT\n\n00:01.000 --> 00:02.000\ntea <00:01.500>is\n00:02.000 --> 00:03.000\ncup",
        ["1 <1>tea <1.5>is", "2 cup"],
    ),
    "ASS with a drawing": (
        ASS + "Dialogue: 0,0:00:01.00,0:00:05.00,D,,0,0,0,,{\\p1}m 0 0 l 100 0{\\p0}\n"
        "Dialogue: 0,0:00:01.00,0:00:05.00,D,,0,0,0,,{\\k50}tea {\\k50}cup",
        ["1 <1>tea <1.5>cup"],
    ),
    "ASS with a drawing before words": (
        ASS + "Dialogue: 0,0:00:01.00,0:00:05.00,D,,0,0,0,,{\\an7\\p2\\pos(1,2)}m 0 0{\\p0}tea",
        ["1 tea"],
    ),
    "ASS with tags that look like a drawing's": (
        ASS + "Dialogue: 0,0:00:01.00,0:00:05.00,D,,0,0,0,,{\\pos(3,4)\\pbo2}cup",
        ["1 cup"],
    ),
    "ASS after Aegisub's templates": (
        ASS + "Comment: 0,0:00:01.00,0:00:05.00,D,,0,0,0,karaoke,{\\k50}ket{\\k50}tle {\\k100}on\n"
        "Dialogue: 0,0:00:01.00,0:00:01.50,D,,0,0,0,fx,{\\pos(1,2)}ket\n"
        "Dialogue: 0,0:00:01.50,0:00:02.00,D,,0,0,0,fx,{\\pos(9,2)}tle",
        ["1 <1>ket<1.5>tle <2>on"],
    ),
    "ASS after Aegisub's templates, with lines of its own": (
        ASS + "Comment: 0,0:00:00.00,0:00:00.00,D,,0,0,0,template syl,{\\pos($x,$y)}\n"
        "Comment: 0,0:00:01.00,0:00:05.00,D,,0,0,0,Karaoke,{\\k50}tea\n"
        "Dialogue: 0,0:00:01.00,0:00:01.50,D,,0,0,0,fx,tea\n"
        "Dialogue: 0,0:00:06.00,0:00:07.00,D,,0,0,0,,plain",
        ["1 <1>tea", "6 plain"],
    ),
    "ASS with a comment of the writer": (
        ASS + "Comment: 0,0:00:01.00,0:00:05.00,D,,0,0,0,,to do\n"
        "Dialogue: 0,0:00:06.00,0:00:07.00,D,,0,0,0,,tea",
        ["6 tea"],
    ),
}

TTML: Mapping[str, tuple[str, list[str]]] = {
    "frames, ticks and clocks on the wall": (
        ttml(
            '<div><p begin="00:00:04:15" end="00:00:05:00">tea</p><p begin="60t">is</p>'
            '<p begin="wallclock(2026-01-01T00:00:00Z)">never</p><p begin="7s">ready</p></div>',
            'ttp:frameRate="25" ttp:tickRate="10"',
        ),
        ["4.6 tea", "6 is", "7 ready"],
    ),
    "frames as an offset, and many ticks": (
        ttml('<p begin="10000000t">tea</p><p begin="75f">cup</p>', 'ttp:tickRate="10000000"'),
        ["1 tea", "2.5 cup"],
    ),
    "NTSC's frames": (
        ttml(
            '<p begin="00:00:10:15">tea</p>',
            'ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"',
        ),
        ["10.501 tea"],
    ),
    "one bad time": (
        ttml(
            '<p begin="1s" end="4s"><span begin="1s" end="2s">tea</span> <span begin="0" end="0">is'
            '</span> <span begin="3s" end="4s">ready</span></p>'
        ),
        ["1 <1>tea is <3>ready"],
    ),
    "one time far too late": (
        ttml(
            '<p begin="1s" end="4s"><span begin="1s" end="2s">tea</span> <span begin="99s" end="99s'
            '">is</span> <span begin="3s" end="4s">ready</span></p>'
        ),
        ["1 <1>tea is <3>ready"],
    ),
    "a time that is none": (
        ttml(
            '<p begin="1s" end="4s"><span begin="x" end="y">tea</span> <span begin="2s" end="3s">is'
            '</span></p><p begin="soon">cup</p>'
        ),
        ["1 tea <2>is", "cup"],
    ),
    "a ruby": (
        ttml(
            '<p begin="1s" end="3s"><span tts:ruby="container"><span tts:ruby="base">漢字</span>'
            '<span tts:ruby="textContainer"><span tts:ruby="text" begin="1s" end="1.5s">かん</span>'
            '<span tts:ruby="text" begin="1.5s" end="2s">じ</span></span></span>'
            '<span begin="2s" end="3s">だ</span></p>'
        ),
        ["1 <1>漢字<2>だ"],
    ),
    "a ruby with times of its own": (
        ttml(
            '<p begin="1s" end="3s"><span tts:ruby="container" begin="1s" end="2s"><span tts:ruby='
            '"base">今日</span><span tts:ruby="text">きょう</span></span><span begin="2s" end="3s">'
            "は</span></p>"
        ),
        ["1 <1>今日<2>は"],
    ),
    "a ruby in a line without word times": (
        ttml(
            '<p begin="1s" end="3s">あ<span tts:ruby="container"><span tts:ruby="base">今日</span>'
            '<span tts:ruby="text">きょう</span></span>は</p>'
        ),
        ["1 あ今日は"],
    ),
    "two languages": (
        ttml(
            '<div xml:lang="en"><p begin="1s" end="2s">tea</p></div>'
            '<div xml:lang="de"><p begin="1s" end="2s">Tee</p></div>'
        ),
        ["1 tea"],
    ),
    "a verse in another language": (
        ttml(
            '<div xml:lang="en"><p begin="1s" end="2s">tea</p></div>'
            '<div xml:lang="de"><p begin="3s" end="4s">Tee</p></div>'
        ),
        ["1 tea", "3 Tee"],
    ),
    "times from the start of their line": (
        ttml(
            '<p begin="10s" end="14s"><span begin="0s" end="1s">tea</span> '
            '<span begin="1s" end="2s">is</span></p>'
        ),
        ["10 <10>tea <11>is"],
    ),
    "times from the start of their part": (
        ttml(
            '<div begin="10s" end="30s"><p begin="0s" end="4s"><span begin="0s" end="1s">tea</span>'
            '</p><p begin="5s" end="9s">cup</p></div>'
        ),
        ["10 <10>tea", "15 cup"],
    ),
    "times from the start of the song, within a part": (
        ttml('<div begin="10s" end="30s"><p begin="10s">tea</p><p begin="15s">cup</p></div>'),
        ["10 tea", "15 cup"],
    ),
}


def test_a_file_of_tags_alone_has_no_words() -> None:
    assert said("[ti:Kettle]\n[ar:Nobody]\n[length:03:10]") == []


@pytest.mark.parametrize(
    "text", ["[ti:x]\n[au: Instrumental]", "[00:00.00]\n[au: instrumental]", "[00:00.00]♪"]
)
def test_an_instrumental_is_marked_with_other_tags_or_by_a_note(text: str) -> None:
    data = text.encode()
    assert formats.read(data, formats.guess(data) or "txt").instrumental


@pytest.mark.parametrize("what", LRC)
def test_lrc_and_its_relatives_are_read(what: str) -> None:
    text, expected = LRC[what]
    assert said(text) == expected


@pytest.mark.parametrize("what", SUBTITLES)
def test_subtitles_are_read(what: str) -> None:
    text, expected = SUBTITLES[what]
    assert said(text) == expected


@pytest.mark.parametrize("what", TTML)
def test_ttml_is_read(what: str) -> None:
    text, expected = TTML[what]
    assert said(text) == expected


GERMAN = [
    "der Kessel singt für mich und dich",
    "und wir sind nicht allein",
    "die Nacht ist noch so lang",
]
ENGLISH = ["the kettle sings for you and me", "and we are not alone", "the night is still so long"]
JAPANESE = ["きらきらひかる", "おそらのほしよ", "まばたきしては"]


def subtitles(kind: str, *texts: list[str]) -> str:
    rows = [list(group) for group in zip(*texts, strict=True)]
    if kind == "ass":
        begin = "Dialogue: 0,0:00:0{at}.00,0:00:0{end}.00,Default,,0,0,0,,"
        return ASS + "".join(
            begin.format(at=at, end=at + 1) + "\\N".join(row) + "\n"
            for at, row in enumerate(rows, 1)
        )
    mark = "," if kind == "srt" else "."
    cues = [
        f"00:00:0{at}{mark}000 --> 00:00:0{at + 1}{mark}000\n" + "\n".join(row)
        for at, row in enumerate(rows, 1)
    ]
    return ("WEBVTT\n\n" if kind == "vtt" else "") + "\n\n".join(cues)


@pytest.mark.parametrize("kind", ["srt", "vtt", "ass"])
@pytest.mark.parametrize("other", [GERMAN, JAPANESE])
def test_rows_of_subtitles_in_two_languages_are_two_lines(kind: str, other: list[str]) -> None:
    expected = [
        f"{at} {row}" for at, pair in enumerate(zip(ENGLISH, other, strict=True), 1) for row in pair
    ]
    assert said(subtitles(kind, ENGLISH, other)) == expected


@pytest.mark.parametrize("kind", ["srt", "vtt", "ass"])
def test_rows_of_subtitles_in_one_language_are_one_line(kind: str) -> None:
    found = said(subtitles(kind, ENGLISH, ENGLISH[::-1]))
    assert found[0] == f"1 {ENGLISH[0]} {ENGLISH[2]}"


SPOKEN = [*ENGLISH, "so put the kettle on again", "and sing along"]


def clock(seconds: float, kind: str) -> str:
    return f"00:00:{seconds:06.3f}".replace(".", "," if kind == "srt" else ".")


def rolling(kind: str, rows: list[str]) -> str:
    """Captions of YouTube: each row once as it is spoken, once alone, once above the next."""
    cues = []
    for at, row in enumerate(rows):
        above = rows[at - 1] if at else " "
        cues += [(2 * at, 2 * at + 1.99, f"{above}\n{row}"), (2 * at + 1.99, 2 * at + 2, row)]
    head = "WEBVTT\nKind: captions\nLanguage: en\n\n" if kind == "vtt" else ""
    return head + "\n\n".join(
        f"{clock(begin, kind)} --> {clock(end, kind)} align:start position:0%\n{text}"
        for begin, end, text in cues
    )


@pytest.mark.parametrize("kind", ["srt", "vtt"])
class TestCaptionsThatRoll:
    def test_have_each_row_once(self, kind: str) -> None:
        found = formats.read(rolling(kind, SPOKEN).encode(), kind)
        assert [(line.text, line.start) for line in found] == [
            (row, 2.0 * at) for at, row in enumerate(SPOKEN)
        ]

    def test_keep_what_is_sung_twice(self, kind: str) -> None:
        rows = [ENGLISH[0], ENGLISH[0], ENGLISH[1], ENGLISH[1], ENGLISH[0]]
        found = formats.read(rolling(kind, rows).encode(), kind)
        assert [line.text for line in found] == rows

    def test_are_none_where_a_line_is_sung_over_and_over(self, kind: str) -> None:
        rows = [ENGLISH[0]] * 6
        for texts in ([rows], [rows, rows]):
            found = formats.read(subtitles(kind, *texts).encode(), kind)
            assert len(found.lines) == len(rows)


def test_captions_that_roll_keep_the_times_of_words() -> None:
    marked = [
        "".join(
            f"<{clock(2 * at + i / 4, 'vtt')}><c> {word}</c>" if i else word
            for i, word in enumerate(row.split())
        )
        for at, row in enumerate(SPOKEN)
    ]
    text = rolling("vtt", SPOKEN)
    for plain, words in zip(SPOKEN, marked, strict=True):
        at = text.index(plain)
        text = text[:at] + words + text[at + len(plain) :]
    lyrics = formats.read(text.encode(), "vtt")
    assert [line.text for line in lyrics] == SPOKEN
    assert [word.start for word in lyrics.lines[1].words] == [2, 2.25, 2.5, 2.75, 3]


class TestMicroDvd:
    TEXT = "{0}{100}{y:i}tea is ready|now\n{250}{}{c:$0000ff}/cup\n"

    @pytest.mark.parametrize("rate", ["25", "25.000", "25,0"])
    @pytest.mark.parametrize("suffix", [".lrc", ".txt", ".sub", ".srt"])
    def test_has_times_by_the_rate_that_it_gives(self, suffix: str, rate: str) -> None:
        text = f"{{1}}{{1}}{rate}\n{self.TEXT}"
        lyrics = files.parse(text, "song", suffix)
        assert [(line.text, line.start, line.end) for line in lyrics] == [
            ("tea is ready now", 0.0, 4.0),
            ("cup", 10.0, None),
        ]

    @pytest.mark.parametrize("suffix", [".lrc", ".txt", ".sub", ".srt"])
    def test_without_a_rate_is_refused_by_name(self, suffix: str) -> None:
        with pytest.raises(FormatError, match=r"MicroDVD.*first row, such as \{1\}\{1\}25"):
            files.parse(self.TEXT, "song", suffix)

    def test_of_a_rate_of_nothing_is_refused(self) -> None:
        with pytest.raises(FormatError, match="MicroDVD"):
            files.parse("{1}{1}0\n" + self.TEXT, "song")

    def test_is_not_what_is_sung_in_braces(self) -> None:
        lyrics = Lyrics((Line.from_text("{1}{2} tea"),))
        assert formats.read(formats.write(lyrics, "lrc").encode(), "lrc").text == "{1}{2} tea"


@pytest.mark.parametrize("stamp", ["", "[00:0{}.00]"])
def test_a_tab_parts_a_line_from_its_translation(stamp: str) -> None:
    rows = [
        f"{stamp.format(at)}{one}\t{two}"
        for at, (one, two) in enumerate(zip(ENGLISH, JAPANESE, strict=True), 1)
    ]
    found = sung_part(files.parse("\n".join(rows), "song"), Track())
    assert [(line.text, line.parallel[0].text) for line in found] == list(
        zip(ENGLISH, JAPANESE, strict=True)
    )
    in_one = "\n".join(f"{row[:9]}\t{row[9:]}" for row in ENGLISH)
    assert sung_part(files.parse(in_one, "song"), Track()).text.count("/") == 0


def test_lines_of_ttml_may_have_a_language_each() -> None:
    body = (
        '<div><p begin="1s" xml:lang="en">tea</p><p begin="1s" xml:lang="de">Tee</p>'
        '<p begin="3s" xml:lang="en">cup</p><p begin="3s" xml:lang="de">Tasse</p></div>'
    )
    lyrics = formats.read(ttml(body).encode(), "ttml")
    assert [(line.text, line.parallel[0].text) for line in lyrics] == [
        ("tea", "Tee"), ("cup", "Tasse")
    ]  # fmt: skip
    apart = body.replace('3s" xml:lang="de"', '5s" xml:lang="de"').replace(
        '1s" xml:lang="de"', '2s" xml:lang="de"'
    )
    assert said(ttml(apart)) == ["1 tea", "2 Tee", "3 cup", "5 Tasse"]


def test_xml_is_decoded_as_it_says() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?>' + ttml('<p begin="1s">thé</p>')
    assert files.from_bytes(text.encode("latin-1"), Path("a.ttml"), source="file").text == "thé"


@pytest.mark.parametrize(
    ("data", "kind"),
    [(rb"{\rtf1\ansi tea}", "RTF"), (b"%PDF-1.4 x", "PDF"), (b"<SAMI><BODY>", "SAMI")],
)
def test_files_of_other_programs_are_refused_by_name(data: bytes, kind: str) -> None:
    with pytest.raises(FormatError, match=kind):
        files.from_bytes(data, Path("a.txt"), source="file")


def test_chords_among_times_are_left_out() -> None:
    text = "[00:01.00][C]Tea is [G]ready\n[00:02.00]C  G7  Am\n[00:03.00][Am]Cups"
    lyrics = files.from_bytes(text.encode(), Path("a.lrc"), source="file")
    assert [(line.start, line.text) for line in lyrics] == [(1.0, "Tea is ready"), (3.0, "Cups")]


def test_ttml_has_the_language_of_its_body_or_of_what_is_sung() -> None:
    of_body = ttml('<p begin="1s">x</p>').replace("<body>", '<body xml:lang="fi">')
    of_part = ttml('<div xml:lang="de"><p begin="1s">x</p></div>')
    assert [formats.read(text.encode(), "ttml").language for text in (of_body, of_part)] == [
        "fi", "de"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "kind"), [(b"krc18\x00\xff" + bytes(range(200)), "KRC"), (b"0A1B" * 50, "QRC")]
)
def test_an_encrypted_file_is_refused_by_name(data: bytes, kind: str) -> None:
    with pytest.raises(FormatError, match=f"encrypted {kind}"):
        formats.read(data, formats.guess(data) or "txt")


class TestWhatIsNotKeptIsReported:
    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("[00:01.00]tea\n(a note)\n[00:05.00]cup", "1 lines without a time"),
            ("[00:01.00]<00:01.00>tea <00:00.50>is", "run backwards"),
            (TTML["one bad time"][0], "times of words disagree"),
            (TTML["frames, ticks and clocks on the wall"][0], "clock on the wall"),
            (
                TTML["two languages"][0].replace(
                    "Tee</p>", 'Tee</p><p begin="5s" end="6s">Kuchen</p>'
                ),
                "another language, de",
            ),
            (TTML["a time that is none"][0], "times are none"),
            ("[C]Twinkle [G]star\n[C]How I", "chords"),
            (SONG + ": 8 4 0 late\n: 0 4 0 early\nE", "out of order"),
        ],
    )
    def test_in_a_warning(self, text: str, what: str, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            said(text)
        assert what in caplog.text


class TestUltraStar:
    @pytest.mark.parametrize("encoding", ["CP1250", "CP1252", "UTF8", "utf-8", "Auto"])
    def test_is_decoded_as_it_says(self, encoding: str) -> None:
        codec = encoding.lower() if encoding.startswith("CP") else "utf-8"
        data = f"#ENCODING:{encoding}\n{SONG}: 0 4 0 žák\n: 4 4 0  é\nE\n".encode(codec)
        assert said(data, "ultrastar") == ["1 <1>žák <1.2>é"]

    def test_that_is_utf_8_whatever_it_says_is_read_as_that(self) -> None:
        data = f"#ENCODING:CP1250\n{SONG}: 0 4 0 žluť\nE\n".encode()
        assert said(data, "ultrastar") == ["1 <1>žluť"]

    def test_of_an_encoding_that_is_not_known_is_refused(self) -> None:
        with pytest.raises(FormatError, match="klingon"):
            formats.read(f"#ENCODING:Klingon\n{SONG}: 0 4 0 x\nE\n".encode(), "ultrastar")

    @pytest.mark.parametrize(
        ("name", "code"),
        [("Finnish", "fi"), ("suomi", "fi"), ("Deutsch, Englisch", "de"), ("Slovenian", "sl"),
         ("Portuguese (Brazil)", "pt"), ("de-DE", "de"), ("Norwegian Bokmål", "no"),
         ("Scottish Gaelic", "gd"), ("ja", "ja"), ("Elvish", None)],
    )  # fmt: skip
    def test_has_its_language_by_any_name(self, name: str, code: str | None) -> None:
        data = f"#LANGUAGE:{name}\n{SONG}: 0 4 0 x\nE\n".encode()
        assert formats.read(data, "ultrastar").language == code

    def test_is_written_with_any_language(self) -> None:
        lyrics = formats.read(f"#LANGUAGE:Finnish\n{SONG}: 0 4 0 x\nE\n".encode(), "ultrastar")
        assert "#LANGUAGE:Finnish\n" in formats.write(lyrics, "ultrastar")

    def test_notes_over_the_next_one_end_where_that_begins(self) -> None:
        data = (SONG + ": 0 8 0 one\n: 4 4 0  two\nE\n").encode()
        (line,) = formats.read(data, "ultrastar")
        assert [(word.start, word.end) for word in line.words] == [(1.0, 1.2), (1.2, 1.4)]

    def test_notes_in_disorder_are_put_in_order(self) -> None:
        assert said(SONG + ": 20 4 0  late\n: 16 4 0 early\nE\n") == ["1.8 <1.8>early <2>late"]


class TestSongSheets:
    @pytest.mark.parametrize(
        "sheet",
        [
            "Capo 2\n\nC      G7/B  Am\nTwinkle star\nF        C/E\nHow I wonder",
            "{title: Star}\n{c:Verse}\n[C]Twinkle [G7/B]st[Am]ar\n# a note\n{sot}\ne|--0--2--|\n"
            "{eot}\nHow I [G]wonder\n",
            "Intro: C F G C\nTwinkle star\n| C  | G | x2\nHow I wonder",
            "Am\nTwinkle star\nG   D/F#  Em7  N.C.\nHow I wonder",
        ],
    )
    def test_are_read_without_chords(self, sheet: str) -> None:
        assert said(sheet, "txt") == ["Twinkle star", "How I wonder"]

    @pytest.mark.parametrize(
        "text",
        ["A\nAm I blue?\nDo Re Mi\nG\nBe", "[Chorus]\nA day\n[x2]", "A B C D E F G\nNow I know",
         "{oh}\nDead end", "Be\nA\nFAD\n"],
    )  # fmt: skip
    def test_are_reported_from_words_that_look_like_chords(self, text: str) -> None:
        assert without_chords(text) == text
