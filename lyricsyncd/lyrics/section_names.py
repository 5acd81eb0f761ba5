"""Names of the sections of songs in many languages, as headers have them: "2. Strophe", "Ref. x2".

Names of choruses and of verses mean one thing each, whatever the language, so that "R:" repeats
what "Refrén" was. Others, such as "Bridge" or "Most", are words that may be sung. A name is taken
apart from both its ends, step by step: one expression for all of it would backtrack without end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lyricsyncd.text.words import letters

_LONGEST = 60
"""Characters of a name with all that stands around it."""
_MOST_REPEATS = 8
"""A higher count is a joke, or means until fade-out."""
CHORUS, VERSE = "chorus", "verse"


def _names(*lines: str) -> str:
    return "|".join(sorted((word for line in lines for word in line.split()), key=len)[::-1])


_CHORUS = _names(
    "chorus refrain refrein refreyn refrén refren refrenas refrän refrään refräng refreng refrão",
    "refrao refrán estribillo coro ritornello tornada kehrreim kehrvers omkvæd omkväd omkväde",
    "kertosäe nakarat reff reffrain pripjev pripev viðlag piedziedājums припев приспів прыпеў",
    "рефрен ρεφρέν ρεφρεν επωδός פזמון اللازمة لازمة الكورس كورس サビ 副歌 후렴 후렴구 ท่อนฮุก कोरस",
)
_VERSE = _names(
    "verse verses stanza couplet strophe strofe estrofa estrofe strofă strofa vers verso copla",
    "zwrotka sloka sloha versszak säkeistö kıta dörtlük kitica lời куплет строфа στροφή",
    " κουπλέ בית مقطع المقطع aメロ bメロ cメロ 主歌 절 벌스",
)
_OTHER = _names(
    "bridge pont puente ponte brücke mostek köprü бридж 브릿지 ブリッジ hook interlude",
    " interludio intermezzo interlúdio zwischenspiel mellanspel mellomspill mellemspil",
    "intro outro introduction introducción introdução einleitung wstęp вступление вступ концовка",
    "кода проигрыш програш breakdown break drop build skit coda finale turnaround prelude riff",
    "postlude spoken rap solo instrumental part parte partie teil część часть section",
    "间奏 間奏 前奏 尾奏 간주 전주 인트로 아웃트로 イントロ アウトロ",
)
_WORDS = _names("tag ending end vamp bait most bro brug stick")
"""Names that are usual words of other languages, so that signs around them do not suffice."""
_INSTRUMENT = (
    r"(?:(?:acoustic |electric |lead |steel )?(?:guitar|piano|sax(?:ophone)?|drums?|bass|keyboard"
    r"|synth|organ|harmonica|violin|fiddle|flute|trumpet|horn|accordion|banjo|cello|whistle)"
    r"|gitarren?|guitarra|chitarra|guitare|klavier)"
)
_PHRASES = (
    r"điệp kh[uú]c|middle\s?(?:8|eight)|spoken word|ad[\s-]?libs?|fade[\s-]?out|build[\s-]?up"
    rf"|instrumental (?:break|interlude|solo|intro|outro|bridge|section)|{_INSTRUMENT}[\s-]?solo"
    rf"|solo (?:de )?{_INSTRUMENT}"
)
_STANDS_ALONE = re.compile(
    rf"outro|intro|instrumental(?: \w+)?|{_INSTRUMENT}[\s-]?solo|solo (?:de )?{_INSTRUMENT}",
    re.IGNORECASE,
)
"""Names that are hardly sung, besides those of choruses and verses."""
_SHORT = {
    CHORUS: _names("refr ref rf rit ch cho chor omkv kv прип пр ρεφ r c п ®"),
    VERSE: _names("vrs vs v zwr str sl куп v st к"),
    "": _names("pre pc br b int outr inst instr"),
}
_NAME = re.compile(
    r"(?P<before>(?:pre|post|pré|pós|przed|vor|пред|före)[\s-]*)?"
    rf"(?:(?P<chorus>{_CHORUS})|(?P<verse>{_VERSE})|(?P<other>{_PHRASES}|{_OTHER}|{_WORDS}))",
    re.IGNORECASE,
)
_ABBREVIATION = re.compile(
    rf"(?:(?P<chorus>{_SHORT[CHORUS]})|(?P<verse>{_SHORT[VERSE]})|(?P<other>{_SHORT['']}))"
    r"(?=[\W\d]|$)",
    re.IGNORECASE,
)
_USUAL = re.compile(_WORDS, re.IGNORECASE)
_NUMBER = re.compile(
    r"[\s.\-–]*(?:no\.?|nr\.?|№|#)?\s*(?:(?P<digits>\d{1,2})(?:\s?[-–&+/,]\s?\d{1,2})?"
    r"|(?P<roman>[IVX]{1,4})|(?P<letter>[A-D])|(?i:one|two|three|four|five))"
)
_ROMAN = {name: str(at) for at, name in enumerate("I II III IV V VI VII VIII IX X".split(), 1)}
_ORDINAL = re.compile(
    r"(?:(?P<digits>\d{1,2})\s?(?:[.)]|st|nd|rd|th|ª|º|er|[eè]re|ème|de|ste|:a|-[йя])?"
    r"|第?(?P<han>[一二三四五六七八九十])|(?:"
    + _names(
        "final last first second third fourth next erste zweite dritte letzte premier première",
        "deuxième troisième dernier primer primera primeiro primeira segundo segunda tercer",
        "tercera terceiro terceira último última prima seconda terza pierwsza druga trzecia",
        "ostatnia ostatni первый второй третий последний double",
    )
    + r")(?=\s))\s*",
    re.IGNORECASE,
)
_FIRST = {
    word: str(at)
    for at, words in enumerate(
        (
            "first erste premier première primer primera primeiro primeira prima pierwsza первый",
            "second zweite deuxième segundo segunda seconda druga второй",
            "third dritte troisième tercer tercera terceiro terceira terza trzecia третий",
        ),
        1,
    )
    for word in words.split()
}
_HAN = {name: str(at) for at, name in enumerate("一二三四五六七八九十", 1)}
_COUNTED = re.compile(
    r"(?:第?[一二三四五六七八九十]|第?\d{1,2}\s?)(?:段|番|節|절|节)", re.IGNORECASE
)

_AGAIN_WORDS = (
    r"repeat(?:ed|s|ing)?|rep\.?|rpt\.?|reprise|again|once more|noch ?(?:ein)?mal|wdh\.?"
    r"|wiederholung|wiederholen|herhaal|herhalen|encore|ripet(?:ere|izione|e|i)|repet(?:ir|e|ição)"
    r"|repi(?:te|ta)|repetición|powt(?:órz|órka|\.)|opak(?:ovat|\.)|tekrar|повтор(?:яется)?\.?"
)
_AGAIN = re.compile(
    rf"(?:sing )?(?:{_AGAIN_WORDS})\s*:?\s*(?:(?:the|le|la|el|do|da|o|il|den|das|die)\s+)?",
    re.IGNORECASE,
)
_BACK = re.compile(r"(?:(?:back |return |go )?to|same|al|au|zum) (?:the |le |la )?", re.IGNORECASE)
_TIMES = (
    r"(?:[x×*]\s*(?P<a>\d{1,3})|(?P<b>\d{1,3})\s*"
    r"(?:[x×*]|times|fois|veces|mal|vezes|volte|keer|kertaa|gånger|ganger|gange|razy|krát|kez|kali"
    r"|lần|раза?|рази|φορές|פעמים|مرات|回|번|遍))"
)
_TWICE = (
    r"bis|twice|two times|zweimal|deux fois|dos veces|duas vezes|due volte|dwa razy|dvakrát"
    r"|kétszer|två gånger|to ganger|to gange|iki kez|dua kali|дважды|двічі|два раза|δύο φορές"
    r"|פעמיים|مرتين"
)
_THRICE = (
    r"thrice|three times|dreimal|trois fois|tres veces|três vezes|tre volte|trzy razy|три раза"
)
_IN_WORDS = rf"(?:(?P<twice>{_TWICE})|(?P<thrice>{_THRICE}))"
_BRACKETED_WORDS = (
    rf"[\[(（]\s*(?:(?P<twice>{_TWICE}|repeat(?: all)?)|(?P<thrice>{_THRICE}))\s*[\])）]"
)
_REPEAT = r"(?:repeat(?:ed)?\s*:?\s*)?"
_ALL_AGAIN = (
    r"(?:repeat|rpt\.?) (?:all|(?:the )?(?:whole )?song|everything|once(?: more)?|twice"
    r"|from (?:the )?(?:beginning|start|top))|da capo(?: al fine)?|d\. ?c\."
)
_AGAIN_ALONE = rf"[\[(（]\s*(?P<again>{_AGAIN_WORDS})\s*[\])）]"
LONE_COUNT = re.compile(
    rf"\W{{0,3}}(?:[\[(（]?\s*{_REPEAT}{_TIMES}\s*[\])）]?|{_BRACKETED_WORDS}|{_AGAIN_ALONE}"
    rf"|[\[(（]?(?P<all>{_ALL_AGAIN})[\])）]?)\s*\.?\s*",
    re.IGNORECASE,
)
REPEAT_ALONE = re.compile(r"(?:repeat|rpt|wiederholung|powtórz)[.:!]?", re.IGNORECASE)
"""What stands alone in place of a stanza, and may be sung elsewhere."""
TRAILING_COUNT = re.compile(
    rf"\s*(?:[\[(（]\s*{_REPEAT}{_TIMES}\s*[\])）]|{_BRACKETED_WORDS}"
    rf"|\s[-–—/|]{{1,2}}\s?(?P<dashed>{_TWICE})"
    r"|(?:\s[-–—/|]{1,2})?\s(?:[x×](?P<c>\d{1,2})|(?P<d>\d{1,2})[x×]))\s*$",
    re.IGNORECASE,
)
LEADING_COUNT = re.compile(rf"[\[(（]\s*{_TIMES}\s*[\])）]\s*(?=\w)", re.IGNORECASE)
_CLOCK = r"[\[(（]?\d{1,2}:\d\d(?:\s?[-–]\s?\d{1,2}:\d\d)?[\])）]?"
_TAILS = tuple(
    re.compile(rf"[\s\-–—,.:…]*[\[(（]?\s?(?:{what})\s?[\])）]?[\s.…]*$", re.IGNORECASE)
    for what in (
        _TIMES,
        rf"(?<!\w){_IN_WORDS}",
        rf"(?<!\w)(?:{_AGAIN_WORDS})",
        r"(?<!\w)(?:same(?: as (?:above|before|first))?|as above|jak wyżej|jw|wie oben|etc)",
        r"(?<!\w)(?:(?:to|till|until|and) fade|fade(?:[\s-]?out)?|all|both|tutti|alle|tous|todos)",
        _CLOCK,
    )
)


@dataclass(frozen=True, slots=True)
class SectionName:
    """The name of a section, as a header has it.

    Attributes
    ----------
    key : str
        What sections of the same words are known by: ``chorus``, ``verse2``.
    times : int
        How often it is sung.
    certain : bool
        Whether the words alone, without brackets or signs around them, are a header.
    marked : bool
        Whether a number, a count, a colon or the like says that it is one, whatever the name.
    word : bool
        Whether it is a usual word, so that even brackets around it do not suffice.
    then : tuple of SectionName
        The sections that are sung after it, of a header that has several sung again.
    """

    key: str
    times: int = 1
    certain: bool = False
    marked: bool = False
    word: bool = False
    then: tuple[SectionName, ...] = ()


def named(text: str) -> SectionName | None:
    """Return the section that a text without brackets around it names; ``None`` for other words."""
    text = " ".join(text.split())
    if not text or len(text) > _LONGEST:
        return None
    if _COUNTED.fullmatch(text.rstrip(":：")):
        return SectionName(VERSE + letters(text), certain=True, marked=True)
    rest, times, said = _without_tail(text)
    colon = rest.endswith((":", "："))
    rest = rest.rstrip(":： ")
    if again := _AGAIN.match(rest):
        rest = rest[again.end() :]
    elif (back := _BACK.match(rest)) and _is_chorus_or_verse(rest[back.end() :]):
        rest, again = rest[back.end() :], back
    if (again or _AGAIN_SAID.search(text, len(rest))) and (several := _several(rest, times)):
        return several
    ordinal = _ORDINAL.match(rest)
    marked = bool(colon or said or again)
    for at in dict.fromkeys((0, ordinal.end() if ordinal else 0)):
        number = _digits(ordinal) if at and ordinal else ""
        found = _full(rest[at:], number, times, marked=marked or at > 0)
        found = found or _abbreviated(rest[at:], number, times, marked=marked)
        if found is not None:
            return found
    return None


_AGAIN_SAID = re.compile(rf"(?<!\w)(?:{_AGAIN_WORDS})", re.IGNORECASE)
_AND = re.compile(
    r"\s*(?:[,&+/;]|(?<!\w)(?:and|then|und|et|puis|y|e|og|och|en|i|и|и затем)(?!\w))\s*",
    re.IGNORECASE,
)
_MOST_NAMED = 6
"""Sections that one header has sung again."""


def _several(text: str, times: int) -> SectionName | None:
    """Return the sections that are sung again one after another: "Verse 1 and Chorus"."""
    parts = [part for part in _AND.split(text) if part]
    if not 1 < len(parts) <= _MOST_NAMED:
        return None
    found: list[SectionName] = []
    for part in parts:
        is_number = part.isdecimal() and found and found[-1].key.startswith(VERSE)
        name = named(f"{VERSE} {part}") if is_number else named(part)
        if name is None or (name.word and not name.marked):
            return None
        found.append(name)
    found = (found * times)[: _MOST_NAMED * _MOST_REPEATS]
    return replace(found[0], certain=True, marked=True, word=False, then=tuple(found[1:]))


def _full(rest: str, number: str, times: int, *, marked: bool) -> SectionName | None:
    name = _NAME.match(rest)
    if name is None:
        return None
    after = rest[name.end() :]
    counted = _NUMBER.fullmatch(after)
    if after.strip(" .") and counted is None:
        return None
    number = number or _digits(counted)
    kind = next((kind for kind in (CHORUS, VERSE) if name[kind]), letters(name["other"] or ""))
    alone = name["other"] is None or _STANDS_ALONE.fullmatch(name["other"]) is not None
    marked = marked or counted is not None
    key = letters(name["before"] or "") + kind + number
    word = name["other"] is not None and _USUAL.fullmatch(name["other"]) is not None
    return SectionName(key, times, alone or marked, marked, word)


def _abbreviated(rest: str, number: str, times: int, *, marked: bool) -> SectionName | None:
    name = _ABBREVIATION.match(rest)
    if name is None or not (rest[:1].isupper() or not rest[:1].isalpha() or len(name[0]) > 1):
        return None
    after = rest[name.end() :]
    digits = re.fullmatch(r"[\s.\-]{0,2}(?P<digits>\d{1,2})[.)]?", after)
    if after.strip(" .:/)") and digits is None:
        return None
    kind = next((kind for kind in (CHORUS, VERSE) if name[kind]), letters(name[0]))
    marked = marked or digits is not None or name[0] == "®" or after.strip() != ""
    return SectionName(kind + (number or _digits(digits)), times, marked, marked, word=True)


def _is_chorus_or_verse(text: str) -> bool:
    name = _NAME.match(text)
    return name is not None and name["other"] is None


def _digits(found: re.Match[str] | None) -> str:
    """Return the number of a section in digits; none for the first, last and so on."""
    if found is None:
        return ""
    groups = found.groupdict()
    for group, digits in (("roman", _ROMAN), ("han", _HAN)):
        if groups.get(group):
            return digits.get(groups[group], "")
    if groups.get("digits"):
        return str(int(groups["digits"]))
    return (groups.get("letter") or "").lower() or _FIRST.get(found[0].strip().lower(), "")


def _without_tail(text: str) -> tuple[str, int, bool]:
    """Return a name without what says how it is sung, the times, and whether there was any."""
    times, said = 1, False
    while True:
        for tail in _TAILS:
            found = tail.search(text)
            if found is not None and found.start() > 0:
                times, said = max(times, count(found)), True
                text = text[: found.start()] + (":" if ":" in found[0][:3] else "")
                break
        else:
            return text.rstrip(" .…-–—,"), times, said


def count(found: re.Match[str]) -> int:
    """Return the number in a count such as "(x2)"; 1 for none, and for an implausible one."""
    groups = found.groupdict()
    if any(groups.get(name) for name in ("twice", "dashed", "again", "all")):
        return 2
    if groups.get("thrice"):
        return 3
    number = next((int(groups[name]) for name in "abcd" if groups.get(name)), 1)
    return number if 1 <= number <= _MOST_REPEATS else 1
