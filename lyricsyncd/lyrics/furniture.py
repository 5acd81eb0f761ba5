"""Lines around the lyrics on websites and in databases: headings, credits, page furniture."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FURNITURE = re.compile(
    r"you might also like|see .{1,60} live|get tickets as low as .*|see .{1,60} liveget tickets.*"
    r"|submit corrections|\d+ contributors?|translations?|.{0,4}read more|lyrics powered by .*"
    r"|lyrics licensed .*|.*all rights reserved\.?|\*+ this lyrics is not for commercial use \*+"
    r"|\d+ ?contributors?.*lyrics(?:\[.*)?|\d{0,6}embed|advertisements?|sponsored links?"
    r"|share on .{1,40}|add your (?:interpretation|meaning).*|download .{1,80}\bmp3\b.*"
    r"|(?:find more |more )?(?:song )?lyrics (?:from|at|on|via|courtesy of|provided by|by)"
    r" \S{1,60}\.\w{2,}\S*"
    r"|(?:dodaj|edytuj) (?:interpretację|swoją wersję|tłumaczenie|tekst|metrykę)\b.*"
    r"|(?:poznaj )?histori[aę] (?:edycji|zmian)(?: tego)? tekstu.*|zobacz tekst .*|brak wideo"
    r"|tekst dodała?\b.*|thanks to .{1,80} for (?:correcting|adding|submitting) .*|\(\d{9,}\)"
    r"|thanks to .{1,80} for (?:these|the|this) lyrics?\W*"
    r"|read more: ?\S+|(?:[-=_~*.…]\s?){3,200}|…|[\[(]\d{1,2}:\d\d(?:\s?[-–]\s?\d{1,2}:\d\d)?[\])]"
    r"|[\[(](?:(?:repeat )?(?:(?:and|to|till|until) )?fades?(?: to end| out)?|(?:the )?end|fine?)"
    r"[\])]"
    r"|have the inside scoop on this song\?|sign up and drop some knowledge.*"
    r"|ask us a question about this song.*|no questions asked yet|lyrics q&a",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"(?:(?:http |error )?[1-5]\d\d[\s:\-–]*)?(?:found|(?:page |lyrics? )?not found|forbidden"
    r"|moved (?:permanently|temporarily)|bad (?:gateway|request)"
    r"|service (?:temporarily )?unavailable|gateway time-?out|internal server error"
    r"|too many requests|unauthorized|access denied"
    r"|temporary redirect|permanent redirect|see other|request time-?out)\W*"
    r"|error(?: code)?:? ?\d{3,4}\b.*|[45]\d\d error.*"
    r"|(?:nginx|openresty|cloudflare|apache)(?:/\S+)?"
    r"|apache\S* server at .*|the document has moved.*|the requested (?:url|page|resource) .*"
    r"|you don't have permission to access .*|you (?:have been|are being) (?:blocked|redirected).*"
    r"|just a moment\W*|please (?:enable|turn on) (?:javascript|cookies).*|enable javascript .*"
    r"|checking your browser.*|checking if the site connection .*|attention required.*|ray id.*"
    r"|(?:sorry, ?|oops\W* ?)?(?:(?:there are )?no|we (?:do not|don't|could not|couldn't)"
    r" (?:have|find)(?: any| the| these)?) lyrics"
    r"(?: (?:were |are )?(?:found|available|yet|for|to)\b.*)?\W*"
    r"|(?:sorry, ?)?(?:the )?lyrics (?:for this song )?(?:are |is |were |was )?(?:currently )?"
    r"(?:not (?:yet )?(?:found|available)|unavailable|missing).*"
    r"|(?:unfortunately,? ?)?we (?:are not|aren't) (?:licensed|authorized|allowed) .*"
    r"|lyrics for this song have yet to be .*|please check back .*|be the first to .*lyrics.*"
    r"|null|none|undefined|nan|n/?a|-+|todo|tba|[45]\d\d"
    r"|you are being rate limited.*|(?:api )?(?:rate|usage) limit (?:reached|exceeded).*"
    r"|unusual (?:activity|traffic) .*|(?:please )?verify (?:that )?you are (?:a )?human.*"
    r"|are you a robot\W*|captcha\W*|we have no lyrics.*|(?:lyrics )?coming soon\W*"
    r"|(?:add|submit) (?:the )?lyrics\W*|restricted lyrics\W*|these lyrics are restricted.*"
    r"|due to licen[sc]ing.*"
    r"|\{\s*\"(?:error|message|status|statuscode|code|name)\"\s*:.{0,400}\}"
    r"|(?:ten )?tekst (?:piosenki )?nie został.*|brak (?:tekstu|słów)\W*"
    r"|keine? (?:songtexte?|lyrics)\b.*|(?:la )?letra no disponible\W*"
    r"|letra n[aã]o dispon[ií]vel\W*|(?:il )?testo non disponibile\W*"
    r"|(?:les )?paroles (?:non |in)disponibles\W*|текст (?:песни )?(?:не найден|отсутствует).*"
    r"|歌詞.{0,2}(?:見つかりません|ありません)\W*|暂无歌词.*|暫無歌詞.*|歌词不存在\W*"
    r"|가사가? ?없습니다\W*",
    re.IGNORECASE,
)
_SORRY = re.compile(r"^(?:(?:sorry|oops|uh-?oh|unfortunately)\b\W*)+", re.IGNORECASE)
_LABEL = re.compile(
    r"(?:(?:song )?lyrics|tekst(?: piosenki)?|słowa|paroles|letra|songtext|liedtext|testo"
    r"|текст(?: песни)?|слова|歌詞|歌词|가사|about)\s*(?:[:：].{0,80})?"
    r"|(?:azlyrics|genius|metrolyrics|musixmatch|lyricfind|songmeanings|tekstowo|letras|lyricwiki)"
    r"(?:\.\w{2,3})?|subtitles by .*|(?:from|source|via)\s*:?\s*\S+\.\w{2,}(?:/\S*)?",
    re.IGNORECASE,
)
"""A heading of the words, at the edges only."""
LABELLED = re.compile(
    r"^(?:(?:the )?lyrics (?:of|to|for)|paroles(?: de la chanson)?|testo(?: della canzone| di)?"
    r"|letra(?: de(?: la canci[oó]n)?)?|songtext(?: zu)?|tekst(?: piosenki)?|текст(?: песни)?)\s+"
    r"|\s+(?:song ?lyrics|lyrics|songtext|chords|tabs?|paroles|letra)(?=\s+by\b|\s*$)",
    re.IGNORECASE,
)
"""What pages put before or after a title."""
_URL = re.compile(r"(?:https?://\S+|www\.\S+|\S+\.(?:com|net|org|info)(?:/\S*)?)", re.IGNORECASE)
_ROLES = (
    r"written|composed|produced|lyrics?|words|music|arranged|arrangement|performed|mixed|mastered"
    r"|recorded|vocals?|song|sung|text|paroles|musique|letra|m[uú]sica|musik|testo|publishe[dr]"
    r"|songwriters?|writers?|composers?|producers?|lyricists?|authors?|artist|title|album|compositeurs?"
    r"|auteurs?|interpr[eè]te|synced|lrc|source|composi[cç][aã]o|compositor(?:es)?|paroliers?"
    r"|quelle|fonte|fuente|tuning|capo|key|bpm"
)
_CREDIT = re.compile(
    rf"(?:(?:{_ROLES})(?:\s*(?:,|&|and|et|y|und|/)\s*(?:{_ROLES}))*)\s*(?:\(s\))?\s*(?:[:：]|\b(?:by|par|von|por|di)\b[:：]?)\s*\S.*"
    r"|(?:作?\s*[词詞曲]|作词作曲|[编編]曲|演唱|原唱|歌手|制作人?|製作人?|监制|監製|混音|录音|錄音|和[声聲]"
    r"|母[带帶]|吉他|贝斯|貝斯|鼓|弦乐|出品|发行|發行|歌名|专辑|專輯|作詞|作曲|編曲|歌|唄|작사|작곡|편곡)"
    r"\s*(?:[/、&]\s*\S{1,3}\s*)?[:：]\s*.*"
    r"|(?:lyrics )?(?:©|\(c\)\s|copyright\b).*",
    re.IGNORECASE,
)
INSTRUMENTAL = re.compile(
    r"[\[(（<{*~\-–—\s]*(?:(?:au|lyrics|words):\s*)?"
    r"(?:(?:this is |(?:this|the) (?:song|track|piece) is )?(?:an? |purely |fully )?instrumental"
    r"(?: (?:song|track|music|piece|version|only))?"
    r"(?:(?:\s*[-–—,:(]\s*|,? and has )no (?:lyrics|vocals|words))?"
    r"|(?:no (?:vocals|words)|this (?:song|track) has no (?:lyrics|words|vocals))"
    r"|instrumentale?|strumentale|instrumentaal|instrumentaali|instrumentalny|instrumentální"
    r"|instrumentál(?:n[aí] skladba)?|instrumental(?:stück|musik)|enstrümantal|ορχηστρικό|器楽曲"
    r"|utwór instrumentalny|pista instrumental|(?:titre|morceau) instrumental|brano strumentale"
    r"|инструментал(?:ьная (?:композиция|музыка))?|연주곡|インストゥルメンタル|インスト(?:曲)?"
    r"|(?:此歌曲为)?没有填词的?纯音乐.*|(?:此歌曲为)?纯音乐.*|(?:此歌曲為)?純音樂.*)[\])）>}*.!~\-–—\s]*",
    re.IGNORECASE,
)
"""Lines that say that nobody sings, as beets, LRCGET, LRCLIB, NetEase and people write them."""


def is_furniture(line: str) -> bool:
    """Check whether a line is part of the web page, and not of the lyrics."""
    return bool(_FURNITURE.fullmatch(line) or _URL.fullmatch(line))


def is_error_page(lines: Sequence[str]) -> bool:
    """Check whether lines are the page of a failed request, or a note that there are no lyrics.

    Any of them alone may be sung: all of them have to be of this kind.
    """
    written = [line for line in lines if line and not is_furniture(line)]
    bare = (_SORRY.sub("", line.strip("[]()（） ")) for line in written)
    return bool(written) and all(map(_ERROR.fullmatch, bare))


def is_outside(line: str) -> bool:
    """Check whether a line at the edge of lyrics is blank, furniture, a label or a credit."""
    return (
        not line
        or is_furniture(line)
        or _LABEL.fullmatch(line) is not None
        or _CREDIT.fullmatch(line) is not None
    )
