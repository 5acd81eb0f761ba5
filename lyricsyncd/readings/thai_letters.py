"""Read Thai by its letters alone, where neither rules nor a dictionary are installed.

Most syllables are spelled regularly; which consonants are clusters, and where a vowel is not
written, is guessed.
"""

from __future__ import annotations

import re

_INITIALS = dict(
    cell.split(":")
    for cell in """
    ก:k ข:kʰ ฃ:kʰ ค:kʰ ฅ:kʰ ฆ:kʰ ง:ŋ จ:tɕ ฉ:tɕʰ ช:tɕʰ ซ:s ฌ:tɕʰ ญ:j ฎ:d ฏ:t ฐ:tʰ ฑ:tʰ ฒ:tʰ ณ:n
    ด:d ต:t ถ:tʰ ท:tʰ ธ:tʰ น:n บ:b ป:p ผ:pʰ ฝ:f พ:pʰ ฟ:f ภ:pʰ ม:m ย:j ร:r ล:l ว:w ศ:s ษ:s ส:s
    ห:h ฬ:l ฮ:h
    """.split()
) | {"อ": ""}
_FINALS = {
    **dict.fromkeys("กขคฆ", "k"),
    **dict.fromkeys("จชซฌฎฏฐฑฒดตถทธศษส", "t"),
    **dict.fromkeys("บปพฟภ", "p"),
    **dict.fromkeys("นณญรลฬ", "n"),
    "ง": "ŋ",
    "ม": "m",
    "ย": "j",
    "ว": "w",
}
_SILENT = re.compile("[\u0e48-\u0e4b]|ทร\u0e4c|[ก-ฮ][\u0e34-\u0e39]?\u0e4c")
"""Tone marks, and consonants that are marked as silent."""
_WHOLE_SYLLABLES = str.maketrans({"ฤ": "ร\u0e36", "ฦ": "ล\u0e36", "\u0e45": ""})
"""Letters with a vowel of their own, as others write them."""
_ONSET = "(?P<onset>[กขคตปผพ][รลว]|ห[งญนมยรลว]|ทร|อย|จร|[ก-ฮ])"
_CODA = "(?P<coda>[ก-ฮ](?![\u0e30-\u0e3a\u0e45\u0e47]))?"
_SYLLABLES = tuple(
    (re.compile(pattern.replace("O", _ONSET).replace("C", _CODA)), vowel)
    for pattern, vowel in (
        ("เO\u0e35ยC", "iə"),
        ("เO\u0e37อC", "ɯə"),
        ("เOาะ", "ɔ"),
        ("เOา", "aw"),
        ("เOอC", "ɤː"),
        ("เO\u0e34C", "ɤː"),
        ("เOย", "ɤːj"),
        ("เO\u0e47?ะ?C", "eː"),
        ("แO\u0e47?ะ?C", "ɛː"),
        ("โOะ?C", "oː"),
        ("[ใไ]Oย?", "aj"),
        ("O\u0e31ว", "uə"),
        ("O\u0e31C", "a"),
        ("Oรร(?=[ก-ฮ](?![\u0e30-\u0e3a]))C", "a"),
        ("Oรร", "an"),
        ("O\u0e33", "am"),
        ("Oะ", "a"),
        ("OาC", "aː"),
        ("O\u0e34C", "i"),
        ("O\u0e35C", "iː"),
        ("O\u0e36C", "ɯ"),
        ("O\u0e37อ?C", "ɯː"),
        ("O\u0e38C", "u"),
        ("O\u0e39C", "uː"),
        ("Oว(?=[ก-ฮ](?![\u0e30-\u0e3a]))C", "uə"),
        ("OอC", "ɔː"),
        ("O\u0e47อC", "ɔ"),
        ("O\u0e47", "ɔː"),
        ("O(?=[ก-ฮ](?![\u0e30-\u0e3a]))C", "o"),
        ("O", "a"),
    )
)
_CLUSTERS = {"ทร": "s", "อย": "j", "จร": "tɕ"}


def ipa(run: str) -> str:
    """Transcribe a run of Thai letters."""
    text = _SILENT.sub("", run).translate(_WHOLE_SYLLABLES)
    found = ""
    at = 0
    while at < len(text):
        for pattern, vowel in _SYLLABLES:
            if syllable := pattern.match(text, at):
                coda = syllable.groupdict().get("coda") or ""
                found += _onset(syllable["onset"]) + vowel + _FINALS.get(coda, "")
                at = syllable.end()
                break
        else:
            at += 1
    return found


def _onset(letters: str) -> str:
    if letters in _CLUSTERS:
        return _CLUSTERS[letters]
    if letters[0] == "ห" and len(letters) > 1:
        letters = letters[1:]  # it only marks the tone
    return "".join(_INITIALS[letter] for letter in letters)
