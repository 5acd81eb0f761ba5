"""Write numbers in the words of the languages whose readers know words only."""

from __future__ import annotations

import re
from collections.abc import Callable

_DIGITS = "〇一二三四五六七八九"
_UNITS = ("", "十", "百", "千")
_MYRIADS = ("", "万", "億")
_NUMBER = re.compile(r"\d+")
"""Digits of any script."""

_KOREAN = str.maketrans("〇一二三四五六七八九十百千万億", "영일이삼사오육칠팔구십백천만억")
_NATIVE_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_NATIVE = re.compile("(?<![0-9])([1-9][0-9]?)(?=개(?!월)|명|살|시|마리|잔|장|송이|사람)")
"""Numbers before what is counted in Korean's own numerals."""

_THAI_DIGITS = ("ศูนย์", "หนึ่ง", "สอง", "สาม", "สี่", "ห้า", "หก", "เจ็ด", "แปด", "เก้า")
_THAI_UNITS = ("", "สิบ", "ร้อย", "พัน", "หมื่น", "แสน")
_MILLION = "ล้าน"


def in_words(text: str, language: str) -> str:
    """Write the numbers of a text as a language reads them.

    Numbers that start with a zero, or are very long, are read digit by digit.

    >>> in_words("100万", "ja"), in_words("100", "zh"), in_words("2019년", "ko")
    ('百万', '一百', '이천십구년')
    """
    if language == "ko":
        text = _NATIVE.sub(lambda found: _native(int(found[1])), text)
    write = _WRITERS.get(language)
    if write is None:
        return text
    return _NUMBER.sub(lambda found: write("".join(str(int(digit)) for digit in found[0])), text)


def _in_characters(digits: str, *, ones: bool = False) -> str:
    """Write a number in Chinese characters; ``ones``: with "一" before a hundred, and so on."""
    if digits[0] == "0" or len(digits) > 4 * len(_MYRIADS):
        return "".join(_DIGITS[int(digit)] for digit in digits)
    groups = [digits[max(0, end - 4) : end] for end in range(len(digits), 0, -4)]
    found = "".join(
        _group(group, ones=ones) + myriad
        for group, myriad in reversed(list(zip(groups, _MYRIADS, strict=False)))
        if int(group)
    )
    return re.sub("^一(?=十)", "", found)


def _group(digits: str, *, ones: bool) -> str:
    places = zip(digits, _UNITS[len(digits) - 1 :: -1], strict=False)
    return "".join(
        ("" if digit == "1" and unit and not ones else _DIGITS[int(digit)]) + unit
        for digit, unit in places
        if digit != "0"
    )


def _in_korean(digits: str) -> str:
    return re.sub("^일(?=만)", "", _in_characters(digits).translate(_KOREAN))


def _native(number: int) -> str:
    tens, ones = divmod(number, 10)
    return "스무" if number == 20 else _NATIVE_TENS[tens] + _NATIVE_ONES[ones]


def _in_thai(digits: str) -> str:
    if digits[0] == "0" or len(digits) > 12:
        return "".join(_THAI_DIGITS[int(digit)] for digit in digits)
    if len(digits) > 6:
        rest = digits[-6:].lstrip("0")
        return _in_thai(digits[:-6]) + _MILLION + (_in_thai(rest) if rest else "")
    found = ""
    for place, digit in zip(range(len(digits) - 1, -1, -1), map(int, digits), strict=True):
        if digit == 0:
            continue
        word = _THAI_DIGITS[digit]
        if place == 1:
            word = {1: "", 2: "ยี่"}.get(digit, word)
        elif place == 0 and digit == 1 and found:
            word = "เอ็ด"
        found += word + _THAI_UNITS[place]
    return found


_WRITERS: dict[str, Callable[[str], str]] = {
    "ja": _in_characters,
    **dict.fromkeys(("zh", "yue"), lambda digits: _in_characters(digits, ones=True)),
    "ko": _in_korean,
    "th": _in_thai,
}
LANGUAGES = frozenset(_WRITERS)
"""Those whose numbers are written here; voices read the others'."""
