"""Lines around the lyrics on websites and in databases: headings, credits, page furniture."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lyricsyncd.text.words import letters

_FURNITURE = re.compile(
    r"you might also like|see .{1,60} live|get tickets as low as .*|see .{1,60} liveget tickets.*"
    r"|submit corrections|\d+ contributors?|translations?|.{0,4}read more|lyrics powered by .*"
    r"|lyrics licensed .*|.*all rights reserved\.?|\*+ this lyrics is not for commercial use \*+",
    re.IGNORECASE,
)
_URL = re.compile(r"(?:https?://\S+|www\.\S+|\S+\.(?:com|net|org|info)(?:/\S*)?)", re.IGNORECASE)
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
INSTRUMENTAL = re.compile(
    r"[\[(（*\s]*(?:(?:this (?:song|track) is )?(?:an? )?instrumental(?: (?:song|track|music))?"
    r"|(?:此歌曲为)?没有填词的?纯音乐.*|纯音乐.*|純音樂.*|インストゥルメンタル|インスト)[\])）*.\s]*",
    re.IGNORECASE,
)


def is_furniture(line: str) -> bool:
    """Check whether a line is part of the web page, and not of the lyrics."""
    return bool(_FURNITURE.fullmatch(line) or _URL.fullmatch(line))


def edges(lines: Sequence[str], title: str | None, artist: str | None) -> tuple[int, int]:
    """Return the range of lines between headings and credits: the first, and one past the last."""

    def outside(line: str) -> bool:
        return (
            not line
            or is_furniture(line)
            or _CREDIT.fullmatch(line) is not None
            or _is_heading(line, title, artist)
        )

    begin, end = 0, len(lines)
    while begin < end and outside(lines[begin]):
        begin += 1
    while end > begin and outside(lines[end - 1]):
        end -= 1
    return begin, end


def _is_heading(line: str, title: str | None, artist: str | None) -> bool:
    """Check whether a line is only the song's title, with "Lyrics" or the artist."""
    plain = letters(line)
    if not title or not plain:
        return False
    names = {f"{letters(title)}lyrics", f"{letters(title)}songlyrics"}
    if artist:
        both = (letters(artist), letters(title))
        names |= {"".join(both), "".join(reversed(both)), f"{both[1]}by{both[0]}"}
        names |= {f"{name}lyrics" for name in names}
    return plain in names
