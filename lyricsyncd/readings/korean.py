"""Read Korean by the rules of standard pronunciation (표준 발음법): sounds change at the joints of
syllables.

Works on jamo: initial, vowel, final of each syllable of a word (eojeol).
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from lyricsyncd.readings.base import Reading, pairs

READER = "rules"
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_PAIRS = {
    "ㄳ": "ㄱㅅ",
    "ㄵ": "ㄴㅈ",
    "ㄶ": "ㄴㅎ",
    "ㄺ": "ㄹㄱ",
    "ㄻ": "ㄹㅁ",
    "ㄼ": "ㄹㅂ",
    "ㄽ": "ㄹㅅ",
    "ㄾ": "ㄹㅌ",
    "ㄿ": "ㄹㅍ",
    "ㅀ": "ㄹㅎ",
    "ㅄ": "ㅂㅅ",
}
_NEUTRAL = {
    **dict.fromkeys("ㄱㄲㅋㄳㄺ", "ㄱ"),
    **dict.fromkeys("ㄷㅅㅆㅈㅊㅌㅎ", "ㄷ"),
    **dict.fromkeys("ㅂㅍㅄㄿ", "ㅂ"),
    "ㄴ": "ㄴ",
    "ㄵ": "ㄴ",
    "ㄶ": "ㄴ",
    "ㄹ": "ㄹ",
    "ㄼ": "ㄹ",
    "ㄽ": "ㄹ",
    "ㄾ": "ㄹ",
    "ㅀ": "ㄹ",
    "ㅁ": "ㅁ",
    "ㄻ": "ㅁ",
    "ㅇ": "ㅇ",
    "": "",
}
_TENSE = dict(zip("ㄱㄷㅂㅅㅈ", "ㄲㄸㅃㅆㅉ", strict=True))
_ASPIRATED = dict(zip("ㄱㄷㅂㅈ", "ㅋㅌㅍㅊ", strict=True))
_NASAL = {"ㄱ": "ㅇ", "ㄷ": "ㄴ", "ㅂ": "ㅁ"}

_INITIAL_IPA = {
    "ㄱ": "k",
    "ㄲ": "k͈",
    "ㄴ": "n",
    "ㄷ": "t",
    "ㄸ": "t͈",
    "ㄹ": "ɾ",
    "ㅁ": "m",
    "ㅂ": "p",
    "ㅃ": "p͈",
    "ㅅ": "s",
    "ㅆ": "s͈",
    "ㅇ": "",
    "ㅈ": "tɕ",
    "ㅉ": "t͈ɕ",
    "ㅊ": "tɕʰ",
    "ㅋ": "kʰ",
    "ㅌ": "tʰ",
    "ㅍ": "pʰ",
    "ㅎ": "h",
}
_BETWEEN_VOICED = {"ㄱ": "ɡ", "ㄷ": "d", "ㅂ": "b", "ㅈ": "dʑ"}
_VOWEL_IPA = dict(
    zip(_VOWELS, "a ɛ ja jɛ ʌ e jʌ je o wa wɛ we jo u wʌ we wi ju ɯ ɰi i".split(), strict=True)
)
_FINAL_IPA = dict(zip(("", *"ㄱㄴㄷㄹㅁㅂㅇ"), ("", *"kntlmpŋ"), strict=True))
_INITIAL_LATIN = dict(
    zip(_INITIALS, "g kk n d tt r m b pp s ss - j jj ch k t p h".split(), strict=True)
) | {"ㅇ": ""}
_VOWEL_LATIN = dict(
    zip(
        _VOWELS,
        "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split(),
        strict=True,
    )
)
_FINAL_LATIN = dict(
    zip(("", *"ㄱㄴㄷㄹㅁㅂㅇ"), ("", "k", "n", "t", "l", "m", "p", "ng"), strict=True)
)
_SYLLABLES = re.compile("[가-힣]+")

# Compounds in which a sound is added or becomes tense, which their spelling does not show.
_COMPOUNDS = pairs("""
        꽃잎 꼰닙    나뭇잎 나문닙  풀잎 풀립    깻잎 깬닙    눈빛 눈삗    별빛 별삗    달빛 달삗
        불빛 불삗    햇빛 핻삗      물빛 물삗    등불 등뿔    손길 손낄    눈길 눈낄    발길 발낄
        밤길 밤낄    꽃길 꼳낄      산길 산낄    들길 들낄    물결 물껼    숨결 숨껼    꿈결 꿈껼
        바람결 바람껼 손등 손뜽     발등 발뜽    눈동자 눈똥자 가슴속 가슴쏙 마음속 마음쏙
        꿈속 꿈쏙    물속 물쏙      품속 품쏙    강가 강까    길가 길까    물가 물까    창가 창까
        술잔 술짠    술집 술찝      봄바람 봄빠람 신바람 신빠람 산바람 산빠람 강바람 강빠람
        비빔밥 비빔빱 글자 글짜     문자 문짜    한여름 한녀름 서울역 서울력 무슨일 무슨닐
        할게 할께    갈게 갈께      줄게 줄께    볼게 볼께    올게 올께    있을게 이쓸께
        보낼게 보낼께
               해줄게 해줄께 지킬게 지킬께 기다릴게 기다릴께 사랑할게 사랑할께 잊을게 이즐께
        발자국 발짜국 물거품 물꺼품 일생 일쌩   결심 결씸    갈등 갈뜽    열정 열쩡    절대 절때
""")
_COMPOUND = re.compile("|".join(sorted(_COMPOUNDS, key=len, reverse=True)))


@dataclass
class _Syllable:
    initial: str
    vowel: str
    final: str
    plain: str = ""
    """The initial before it became tense: romanisation keeps it."""


def read(words: Sequence[str]) -> list[tuple[Reading, ...]]:
    """Read the words of a line (`lyricsyncd.readings.base.Reader`)."""
    return [_word(unicodedata.normalize("NFC", word)) for word in words]


def _word(word: str) -> tuple[Reading, ...]:
    runs = _SYLLABLES.findall(word)
    if not runs:
        return ()
    spoken = [
        _changed(_decomposed(_COMPOUND.sub(lambda found: _COMPOUNDS[found[0]], run)))
        for run in runs
    ]
    latin = "".join(map(_latin, spoken))
    return (Reading("".join(map(_ipa, spoken)), latin, READER),)


def _decomposed(run: str) -> list[_Syllable]:
    syllables: list[_Syllable] = []
    for character in run:
        number = ord(character) - ord("가")
        final = _FINALS[number % 28]
        syllables.append(_Syllable(_INITIALS[number // 588], _VOWELS[number // 28 % 21], final))
    return syllables


def _changed(syllables: list[_Syllable]) -> list[_Syllable]:
    """Apply the changes at each joint, and neutralise the last final."""
    for here, after in itertools.pairwise(syllables):
        _joint(here, after)
    if syllables:
        last = syllables[-1]
        last.final = _NEUTRAL[last.final]
    for at, syllable in enumerate(syllables):
        if syllable.vowel == "ㅢ" and (syllable.initial != "ㅇ" or at):
            syllable.vowel = "ㅣ"
        if syllable.vowel in "ㅕㅒㅖ" and syllable.initial in "ㅈㅉㅊ":
            syllable.vowel = {"ㅕ": "ㅓ", "ㅒ": "ㅐ", "ㅖ": "ㅔ"}[syllable.vowel]
    return syllables


def _joint(here: _Syllable, after: _Syllable) -> None:
    final, initial = here.final, after.initial
    if not final:
        return
    if initial == "ㅇ":
        _liaison(here, after)
        return
    if final[-1] == "ㅎ" or final in ("ㄶ", "ㅀ"):
        here.final = {"ㄶ": "ㄴ", "ㅀ": "ㄹ"}.get(final, "")
        if initial in _ASPIRATED:
            after.initial = _ASPIRATED[initial]
        elif initial == "ㅅ":
            after.initial, after.plain = "ㅆ", initial
        elif initial == "ㄴ" and final == "ㅎ":
            here.final = "ㄴ"
        elif not here.final:
            here.final = "ㄷ"
        if here.final == "ㄹ" and after.initial == "ㄴ":
            after.initial = "ㄹ"
        return
    if initial == "ㅎ":
        plain = {"ㄺ": ("ㄹ", "ㅋ"), "ㄼ": ("ㄹ", "ㅍ"), "ㄵ": ("ㄴ", "ㅊ"), "ㅈ": ("", "ㅊ")}
        if final in plain:
            here.final, after.initial = plain[final]
            return
        neutral = _NEUTRAL[final]
        if neutral in _ASPIRATED:
            here.final, after.initial = "", _ASPIRATED[neutral]
            if neutral == "ㄷ" and final == "ㄷ" and after.vowel in "ㅣㅕ":
                after.initial = "ㅊ"
            return
    neutral = _NEUTRAL[final]
    if final == "ㄺ" and initial == "ㄱ":
        neutral = "ㄹ"
    if final == "ㄼ" and here.initial == "ㅂ" and here.vowel == "ㅏ":
        neutral = "ㅂ"
    here.final = neutral
    obstruent = neutral in "ㄱㄷㅂ" or final in ("ㄵ", "ㄻ", "ㄼ", "ㄾ", "ㄺ")
    if obstruent and initial in _TENSE:
        after.initial, after.plain = _TENSE[initial], initial
    elif neutral in _NASAL and initial in "ㄴㅁ":
        here.final = _NASAL[neutral]
    elif neutral in _NASAL and initial == "ㄹ":
        here.final, after.initial = _NASAL[neutral], "ㄴ"
    elif neutral in "ㅁㅇ" and initial == "ㄹ":
        after.initial = "ㄴ"
    elif neutral == "ㄴ" and initial == "ㄹ":
        here.final = "ㄹ"
    elif neutral == "ㄹ" and initial == "ㄴ":
        after.initial = "ㄹ"


def _liaison(here: _Syllable, after: _Syllable) -> None:
    """Carry a final over to a syllable that starts with a vowel."""
    final = here.final
    if final == "ㅇ":
        return
    if final == "ㅎ":
        here.final = ""
        return
    if final in ("ㄶ", "ㅀ"):
        here.final, after.initial = "", _PAIRS[final][0]
        return
    if final in ("ㄷ", "ㅌ", "ㄾ") and after.vowel == "ㅣ":
        here.final = "ㄹ" if final == "ㄾ" else ""
        after.initial = "ㅈ" if final == "ㄷ" else "ㅊ"
        return
    if final in _PAIRS:
        first, second = tuple(_PAIRS[final])
        here.final = first
        after.initial = _TENSE["ㅅ"] if second == "ㅅ" else second
        after.plain = second
        return
    here.final, after.initial = "", final


def _ipa(syllables: Sequence[_Syllable]) -> str:
    found = ""
    voiced = False
    before = ""
    for syllable in syllables:
        initial = syllable.initial
        sound = _BETWEEN_VOICED.get(initial, "") if voiced else ""
        sound = sound or _INITIAL_IPA[initial]
        if initial == "ㄹ" and before == "ㄹ":
            sound = "l"
        vowel = _VOWEL_IPA[syllable.vowel]
        if initial in "ㅅㅆ" and (vowel[0] in "ij" or vowel == "wi"):
            sound = sound.replace("s", "ɕ")
        if initial in "ㅈㅉㅊ" and vowel.startswith("j"):
            vowel = vowel[1:]
        final = _FINAL_IPA[syllable.final]
        found += sound + vowel + final
        before = syllable.final
        voiced = syllable.final in ("", "ㄴ", "ㄹ", "ㅁ", "ㅇ")
    return found


def _latin(syllables: Sequence[_Syllable]) -> str:
    """Romanise as the Revised Romanisation does: as pronounced, but for tense sounds."""
    found = ""
    before = ""
    for syllable in syllables:
        initial = _INITIAL_LATIN[syllable.plain or syllable.initial]
        if syllable.initial == "ㄹ" and before == "ㄹ":
            initial = "l"
        found += initial + _VOWEL_LATIN[syllable.vowel] + _FINAL_LATIN[syllable.final]
        before = syllable.final
    return found


_FROM_LATIN = pairs("""
    yeo jʌ  yae jɛ  wae wɛ  eo ʌ  eu ɯ  ae ɛ  oe we  ui ɰi  wo wʌ  wi wi  we we  wa wa
    ya ja   yu ju   yo jo   ye je  a a  e e  i i  o o  u u
    kk k͈    tt t͈    pp p͈    ss s͈  jj t͈ɕ  ch tɕʰ  ng ŋ  ll ll  g ɡ  k k  n n  d d  t t
    r ɾ     l l     m m     b b   p p    s s   j dʑ    h h    w w  y j
""")
_LATIN = re.compile("|".join(sorted(_FROM_LATIN, key=len, reverse=True)))


def from_latin(word: str) -> str | None:
    """Transcribe romanised Korean (Revised Romanisation) into IPA; ``None`` if it cannot be that.

    >>> from_latin("saranghae")
    'saɾaŋhɛ'
    """
    found = _LATIN.findall(word.lower())
    return (
        "".join(_FROM_LATIN[piece] for piece in found) if "".join(found) == word.lower() else None
    )
