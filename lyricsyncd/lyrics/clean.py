"""From what websites and databases hold to what is sung.

Dropped: section headers, credits, page furniture, markup, music notes. Repeats ("(x2)", an empty
"[Chorus]") are written out, since every sung word needs a place. Words and their spelling stay.
For texts that a person keeps beside a song this is not used: there every word counts.
"""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lyricsyncd.model import Line, Lyrics, Word
from lyricsyncd.text.words import split

_MOST_REPEATS = 8
"""A higher count is a joke, or means until fade-out."""

# Directional marks, zero-width space and joiners of words, soft hyphen, controls. The zero-width
# joiners stay: Persian, Indic scripts and emoji need them.
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufffe\uffff"
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]"
)
_NOTES = re.compile(
    "[\u2669-\u266c\u266f\U0001d100-\U0001d1ff\U0001f3b5\U0001f3b6\U0001f3bc]\ufe0f?"
)
_BREAK = re.compile(r"<br\s*/?>|</(?:p|div|li)>", re.IGNORECASE)
_MARKUP = re.compile(
    r"</?(?:a|b|br|center|div|em|font|h[1-6]|i|li|p|s|small|span|strong|sub|sup|u|ul)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)

_SECTION_WORDS = (
    r"(?:pre|post)?[\s-]*(?:chorus|refr[aä]in|estribillo|refr[aã]o|coro|ritornello|kehrreim|hook)"
    r"|(?:final|last|first|second|third|\d(?:st|nd|rd|th))\s+(?:chorus|verse|hook)"
    r"|verse|couplet|strophe|estrofa|verso|strofa|vers|part|parte|partie|teil"
    r"|bridge|pont|puente|ponte|br[uü]cke|middle\s*(?:8|eight)|interlude|interlud(?:io|e)"
    r"|intro|outro|introduction|introducci[oó]n|breakdown|break|drop|build(?:[\s-]?up)?|skit|coda"
    r"|spoken(?:\s+word)?|rap|ad[\s-]?libs?|solo|instrumental(?:\s+\w+)?|\w+\s+solo|fade[\s-]?out"
    r"|主歌|副歌|间奏|間奏|前奏|尾奏|サビ|Aメロ|Bメロ|후렴|간주|припев|куплет|проигрыш"
)
_SECTION = rf"(?:{_SECTION_WORDS})"
_TIMES = r"(?:[x×*]\s*(?P<a>\d{1,3})|(?P<b>\d{1,3})\s*(?:[x×]|times|fois|veces|mal))"
_COUNT = rf"[\[(（]?\s*{_TIMES}\s*[\])）]?"
_HEADER_NAME = re.compile(
    rf"(?P<name>{_SECTION})\s*(?:[\d]+|[ivx]+|[a-d])?\s*(?:{_COUNT})?\s*(?:[:：].*)?", re.IGNORECASE
)
_BARE_HEADER = re.compile(rf"(?P<name>{_SECTION})\s*\d*\s*(?:{_COUNT})?\s*[:：]?", re.IGNORECASE)
_BRACKETED = re.compile(r"[\[【［](?P<inner>[^\[\]]{0,120})[\]】］]")
_ROUND = re.compile(r"[(（](?P<inner>[^()（）]{0,60})[)）]")
_TWICE = r"[\[(（]\s*(?:bis|repeat|twice)\s*[\])）]"
_TRAILING_COUNT = re.compile(
    rf"\s*(?:[\[(（]\s*{_TIMES}\s*[\])）]|(?P<twice>{_TWICE})"
    r"|\s(?:[x×](?P<c>\d{1,2})|(?P<d>\d{1,2})[x×]))\s*$",
    re.IGNORECASE,
)
_LONE_COUNT = re.compile(rf"\s*(?:{_COUNT}|(?P<twice>{_TWICE}))\s*", re.IGNORECASE)

_FURNITURE = re.compile(
    r"you might also like|see .{1,60} live|get tickets as low as .*|see .{1,60} liveget tickets.*"
    r"|submit corrections|\d+ contributors?|translations?|.{0,4}read more|lyrics powered by .*"
    r"|lyrics licensed .*|.*all rights reserved\.?|\*+ this lyrics is not for commercial use \*+",
    re.IGNORECASE,
)
_URL = re.compile(r"(?:https?://\S+|www\.\S+|\S+\.(?:com|net|org|info)(?:/\S*)?)", re.IGNORECASE)
_EMBED = re.compile(r"(?<=\S)\d{0,6}Embed$|^\d{0,6}Embed$")
_GLUED_LIKE = re.compile(r"You might also like(?=[\[A-Z\u00c0-\u00de]|$)")
_PAGE_HEAD = re.compile(
    r"^\d+\s*Contributors?.{0,400}?Lyrics(?=\S|\s|$)", re.IGNORECASE | re.DOTALL
)

_ROLES = (
    r"written|composed|produced|lyrics?|words|music|arranged|arrangement|performed|mixed|mastered"
    r"|recorded|vocals?|song|sung|text|paroles|musique|letra|m[uú]sica|musik|testo|publishe[dr]"
    r"|songwriters?|writers?|composers?|producers?|lyricists?|authors?|artist|title|album|compositeurs?"
    r"|auteurs?|interpr[eè]te|synced|lrc|source"
)
_CREDIT = re.compile(
    rf"(?:(?:{_ROLES})(?:\s*(?:,|&|and|et|y|und|/)\s*(?:{_ROLES}))*)\s*(?:\(s\))?\s*(?:[:：]|\b(?:by|par|von|por|di)\b[:：]?)\s*\S.*"
    r"|(?:作?\s*[词詞曲]|作词作曲|[编編]曲|演唱|原唱|歌手|制作人?|製作人?|监制|監製|混音|录音|錄音|和[声聲]"
    r"|母[带帶]|吉他|贝斯|貝斯|鼓|弦乐|出品|发行|發行|歌名|专辑|專輯|作詞|作曲|編曲|歌|唄|작사|작곡|편곡)"
    r"\s*(?:[/、&]\s*\S{1,3}\s*)?[:：]\s*.*"
    r"|(?:©|\(c\)\s|copyright\b).*",
    re.IGNORECASE,
)
_INSTRUMENTAL = re.compile(
    r"[\[(（*\s]*(?:(?:this (?:song|track) is )?(?:an? )?instrumental(?: (?:song|track|music))?"
    r"|(?:此歌曲为)?没有填词的?纯音乐.*|纯音乐.*|純音樂.*|インストゥルメンタル|インスト)[\])）*.\s]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A cleaned line: sung words, or the mark of a section (``words`` empty then)."""

    text: str = ""
    section: str | None = None
    times: int = 1
    blank: bool = False


def clean_text(
    text: str, *, title: str | None = None, artist: str | None = None
) -> tuple[tuple[str, ...], bool]:
    """The sung lines of plain lyrics, and whether the text says that nothing is sung.

    Parameters
    ----------
    title, artist
        The song's, to know a heading that repeats them.
    """
    text = _PAGE_HEAD.sub("", _BREAK.sub("\n", html.unescape(text)).strip())
    raw = [_tidied(line) for line in _GLUED_LIKE.sub("\n", text).splitlines()]
    while raw and not raw[-1]:
        raw.pop()
    if raw:
        raw[-1] = _EMBED.sub("", raw[-1]).rstrip()
    instrumental = any(_INSTRUMENTAL.fullmatch(line) for line in raw if line)
    instrumental = instrumental or _only_notes(text)
    raw = _without_edges(raw, title, artist)
    sung = _written_out(list(_rows(raw)))
    return tuple(sung), instrumental and not sung


def clean(lyrics: Lyrics, *, title: str | None = None, artist: str | None = None) -> Lyrics:
    """Timed lyrics with only what is sung. A repeat is written out within its line: where its
    second time begins, only the audio knows."""
    texts = [_tidied(html.unescape(line.text)) for line in lyrics]
    edges = _edges(texts, title, artist)
    lines = []
    for at, (line, text) in enumerate(zip(lyrics, texts, strict=True)):
        if not edges[0] <= at < edges[1] or _is_no_line(text):
            continue
        text, times = _without_count(text)
        if text:
            lines.append(_with_text(line, text, times))
    instrumental = lyrics.instrumental or (
        not lines and any(_INSTRUMENTAL.fullmatch(text) or not text for text in texts)
    )
    return dataclasses.replace(lyrics, lines=tuple(lines), instrumental=instrumental and not lines)


def _tidied(line: str) -> str:
    """The line without markup, notes and what cannot be seen."""
    line = _NOTES.sub(" ", _INVISIBLE.sub("", _MARKUP.sub("", line)))
    return " ".join(line.split())


def _only_notes(text: str) -> bool:
    left = "".join(_NOTES.sub("", text).split())
    return not left and _NOTES.search(text) is not None


def _is_no_line(text: str) -> bool:
    return bool(
        _is_furniture(text)
        or _INSTRUMENTAL.fullmatch(text)
        or _LONE_COUNT.fullmatch(text)
        or _header(text) is not None
    )


def _is_furniture(line: str) -> bool:
    return bool(_FURNITURE.fullmatch(line) or _URL.fullmatch(line))


def _edges(lines: Sequence[str], title: str | None, artist: str | None) -> tuple[int, int]:
    """Where the song begins and ends within headings and credits."""

    def outside(line: str) -> bool:
        return (
            not line
            or _is_furniture(line)
            or _CREDIT.fullmatch(line) is not None
            or _is_heading(line, title, artist)
        )

    begin, end = 0, len(lines)
    while begin < end and outside(lines[begin]):
        begin += 1
    while end > begin and outside(lines[end - 1]):
        end -= 1
    return begin, end


def _without_edges(lines: list[str], title: str | None, artist: str | None) -> list[str]:
    begin, end = _edges(lines, title, artist)
    return lines[begin:end]


def _is_heading(line: str, title: str | None, artist: str | None) -> bool:
    """Whether a line is the song's name with "Lyrics" or the artist, and no line of the song."""
    plain = _letters(line)
    if not title or not plain:
        return False
    names = {f"{_letters(title)}lyrics", f"{_letters(title)}songlyrics"}
    if artist:
        both = (_letters(artist), _letters(title))
        names |= {"".join(both), "".join(reversed(both)), f"{both[1]}by{both[0]}"}
        names |= {f"{name}lyrics" for name in names}
    return plain in names


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _count(match: re.Match[str]) -> int:
    """How often a mark such as "(x2)" says; 1 for none, and for what cannot be meant."""
    groups = match.groupdict()
    if groups.get("twice"):
        return 2
    number = next((int(groups[name]) for name in "abcd" if groups.get(name)), 1)
    return number if 1 <= number <= _MOST_REPEATS else 1


def _without_count(line: str) -> tuple[str, int]:
    """A line without its mark of repetition, and how often it is sung."""
    match = _TRAILING_COUNT.search(line)
    return (line, 1) if match is None else (line[: match.start()].rstrip(), _count(match))


def _header(line: str) -> tuple[str, int] | None:
    """The section that a line announces and how often it is sung; ``None`` for a sung line."""
    match = _BRACKETED.fullmatch(line)
    if match is not None:
        # Square brackets round a whole line are an editor's.
        inner = match.group("inner").strip()
        name = _HEADER_NAME.fullmatch(inner)
        if name is not None:
            return _section_name(inner, name), _count(name)
        return ("", 1) if not _LONE_COUNT.fullmatch(line) else None
    match = _ROUND.fullmatch(line)
    if match is not None:
        name = _BARE_HEADER.fullmatch(match.group("inner").strip())
        return None if name is None else (_section_name(name.group(), name), _count(name))
    head, tail = _BRACKETED.match(line), ""
    if head is not None:
        # "[Chorus] (x2)"
        tail = line[head.end() :].strip()
        name = _HEADER_NAME.fullmatch(head.group("inner").strip())
        count = _LONE_COUNT.fullmatch(tail)
        if name is not None and count is not None:
            return _section_name(name.group(), name), _count(count)
        return None
    name = _BARE_HEADER.fullmatch(line)
    if name is not None and (line.endswith((":", "：")) or _is_certain(line, name)):
        return _section_name(line, name), _count(name)
    return None


_CERTAIN = re.compile(
    r"(?:(?:pre|post)[\s-]*chorus|chorus|verse|refrain|couplet|estribillo|strophe|outro|intro"
    r"|instrumental|\w+ solo)\b.*",
    re.IGNORECASE,
)


def _is_certain(line: str, name: re.Match[str]) -> bool:
    """Whether a bare word without colon is a header: "Verse 1", hardly "Bridge" or "Break"."""
    return _CERTAIN.fullmatch(line) is not None and (
        line[:1].isupper() or name.group("a") is not None or name.group("b") is not None
    )


def _section_name(inner: str, match: re.Match[str]) -> str:
    """What sections of the same words are called alike: "Chorus", "Verse 2"."""
    name = match.group("name")
    number = re.match(r"\s*(\d+)", inner[match.end("name") - match.start() :])
    return _letters(name + (number.group(1) if number else ""))


def _rows(lines: Iterable[str]) -> Iterable[_Row]:
    for line in lines:
        if not line:
            yield _Row(blank=True)
        elif _is_furniture(line) or _INSTRUMENTAL.fullmatch(line):
            continue
        elif (header := _header(line)) is not None:
            yield _Row(section=header[0], times=header[1])
        elif count := _LONE_COUNT.fullmatch(line):
            yield _Row(times=_count(count))
        else:
            text, times = _without_count(_without_asides(line))
            if text:
                yield _Row(text, times=times)


_ASIDE = re.compile(
    rf"\s*\[(?:\?+|{_SECTION}[^\[\]]*|laughs?|laughter|applause|repeat[^\[\]]*)\]", re.IGNORECASE
)


def _without_asides(line: str) -> str:
    """The line without an editor's bracketed remarks; "[Chorus] Oh yeah" is sung but for one."""
    return " ".join(_ASIDE.sub(" ", line).split())


def _written_out(rows: Sequence[_Row]) -> list[str]:
    """The sung lines, with every repeat in full."""
    sung: list[str] = []
    sections: dict[str, list[str]] = {}
    block: list[str] = []
    name, times = "", 1

    def close() -> None:
        nonlocal block, times
        if not block and name in sections and name:
            block = sections[name]
        elif block and name:
            sections.setdefault(name, list(block))
        sung.extend(block * times)
        block, times = [], 1

    for row in rows:
        if row.text:
            block += [row.text] * row.times
        elif row.section is not None:
            close()
            name, times = row.section, row.times
        elif row.blank:
            if block:
                close()
                name = ""
        elif block:
            # "(x2)" below a stanza means all of it.
            times = row.times
            close()
            name = ""
    close()
    return sung


def _with_text(line: Line, text: str, times: int) -> Line:
    if times == 1 and text == " ".join(line.text.split()):
        return line
    if times == 1 and any(word.start is not None for word in line.words):
        kept = _kept(line.words, text)
        if kept is not None:
            return dataclasses.replace(line, words=kept)
    return Line(split(" ".join([text] * times)), line.start, line.end, line.voice)


def _kept(words: Sequence[Word], text: str) -> tuple[Word, ...] | None:
    """The timed words with their own cleaned text, if together they are the line's."""
    kept = []
    for word in words:
        cleaned = _tidied(html.unescape(word.text))
        if cleaned:
            kept.append(dataclasses.replace(word, text=cleaned))
    return tuple(kept) if Line(tuple(kept)).text == text else None
