"""Read Chinese in Mandarin, by `pypinyin`: characters with several readings by their phrases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lyricsyncd.readings.base import Reading, importable

READER = "pypinyin"
_INITIALS = {
    "b": "p",
    "p": "pʰ",
    "m": "m",
    "f": "f",
    "d": "t",
    "t": "tʰ",
    "n": "n",
    "l": "l",
    "g": "k",
    "k": "kʰ",
    "h": "x",
    "j": "tɕ",
    "q": "tɕʰ",
    "x": "ɕ",
    "r": "ʐ",
    "zh": "ʈʂ",
    "ch": "ʈʂʰ",
    "sh": "ʂ",
    "z": "ts",
    "c": "tsʰ",
    "s": "s",
}
_FINALS = dict(
    cell.split(":")
    for cell in """
    a:a o:wo e:ɤ ê:ɛ ai:ai ei:ei ao:au ou:ou an:an en:ən ang:aŋ eng:əŋ ong:ʊŋ er:aɚ
    i:i ia:ja io:jo ie:je iao:jau iu:jou ian:jɛn in:in iang:jaŋ ing:iŋ iong:jʊŋ
    u:u ua:wa uo:wo uai:wai ui:wei uan:wan un:wən uang:waŋ ueng:wəŋ
    v:y ve:ɥe van:ɥɛn vn:yn m:m n:n ng:ŋ
    """.split()
)
_SYLLABLE = re.compile(r"(?P<initial>[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?(?P<final>.*)")
_MOST = 3


def installed() -> bool:
    """Return whether pypinyin is there."""
    return importable("pypinyin")


def read(words: Sequence[str]) -> list[tuple[Reading, ...]]:
    """Read the words of a line (`lyricsyncd.readings.base.Reader`)."""
    from pypinyin import Style, pinyin

    characters: Any = list  # what cannot be read is kept, character by character

    text = "".join(words)
    # A row for each character: without `heteronym` only the reading that the phrase decides.
    chosen = _rows(text, pinyin(text, style=Style.TONE, errors=characters))
    found: list[tuple[Reading, ...]] = []
    at = 0
    for word in words:
        rows = [row for row in chosen[at : at + len(word)] if row]
        at += len(word)
        found.append(_word(word, rows))
    return found


def phrases(text: str) -> list[str]:
    """Divide a text into the phrases by which its readings are chosen."""
    from pypinyin.seg.mmseg import seg

    return list(seg.cut(text))


def _rows(text: str, rows: list[list[str]]) -> list[str]:
    """Return the reading of each character; "" for what is no Chinese character."""
    readings = [row[0] for row in rows]
    assert len(readings) == len(text)
    return [reading if reading != c else "" for reading, c in zip(readings, text, strict=True)]


def _word(word: str, rows: Sequence[str]) -> tuple[Reading, ...]:
    if not rows:
        return ()
    spoken = [rows]
    if len(word) == 1:
        spoken += [[other] for other in _others(word) if other != rows[0]]
    found = (
        Reading("".join(map(ipa, syllables)), " ".join(syllables), READER) for syllables in spoken
    )
    unique = {reading.ipa: reading for reading in reversed(list(found)) if reading.ipa}
    return tuple(reversed(unique.values()))[:_MOST]


_SUNG_OTHERWISE = {
    "的": ("dì",),
    "了": ("liǎo",),
    "着": ("zhe", "zhuó", "zháo"),
    "地": ("dì", "de"),
    "得": ("dé", "děi"),
    "都": ("dū",),
    "还": ("huán",),
    "谁": ("shuí", "shéi"),
    "誰": ("shuí", "shéi"),
    "那": ("nèi",),
    "这": ("zhèi",),
    "這": ("zhèi",),
    "哪": ("něi",),
}
"""Characters that singers read otherwise ("的" as "dì"), or whose phrase is unsure."""


def _others(character: str) -> tuple[str, ...]:
    return _SUNG_OTHERWISE.get(character, ())


_PINYIN = re.compile(
    r"(?:[bpmf]|[dtnl]|[gkh]|[jqx]|[zcs]h?|[ryw])?"
    r"(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|ei|ao|ou|an|en|in|ia|ie|iu|ua|uo|ui|un"
    r"|[uv]e|vn|van|a|o|e|i|u|v)(?:r(?![aeiouv]))?"
)


def from_pinyin(word: str) -> str | None:
    """Transcribe a word of pinyin, with tones or without, into IPA; ``None`` if it cannot be that.

    >>> from_pinyin("tiānkōng")
    'tʰjɛnkʰʊŋ'
    """
    plain = _without_tone(word.lower())
    found = _PINYIN.findall(plain)
    return "".join(map(ipa, found)) if found and "".join(found) == plain else None


def ipa(syllable: str) -> str:
    """Transcribe a syllable of pinyin: "yuè" is "ɥe"."""
    plain = _without_tone(syllable)
    if not plain:
        return ""
    if plain in ("m", "n", "ng", "hm", "hng"):
        return plain.replace("ng", "ŋ")
    erised = ""
    if plain.endswith("r") and plain not in ("er", "r"):
        plain, erised = plain[:-1], "ɚ"
    match = _SYLLABLE.fullmatch(plain)
    assert match is not None, "every text has a final, if an empty one"
    initial, final = match["initial"] or "", match["final"]
    if initial == "y":
        initial, final = "", _after_y(final)
    elif initial == "w":
        initial, final = "", "u" if final == "u" else "u" + final
        final = {"uei": "ui", "uen": "un", "ueng": "ueng"}.get(final, final)
    elif initial in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    if (initial in ("zh", "ch", "sh", "r") and final == "i") or (
        initial in ("z", "c", "s") and final == "i"
    ):
        vowel = "ɨ"
    else:
        vowel = _FINALS.get(final, final)
    return _INITIALS.get(initial, initial) + vowel + erised


def _after_y(final: str) -> str:
    if final.startswith("u"):
        return "v" + final[1:]
    if final.startswith("i"):
        return final
    return {"ou": "iu"}.get(final, "i" + final)


_TONES = str.maketrans("āáǎàōóǒòēéěèīíǐìūúǔùǖǘǚǜüńňǹḿ", "aaaaooooeeeeiiiiuuuuvvvvvnnnm")


def _without_tone(syllable: str) -> str:
    return re.sub(r"[^a-zê]", "", syllable.lower().translate(_TONES))
