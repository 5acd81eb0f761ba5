"""Write numbers in Chinese characters, as Japanese and Chinese read them."""

from __future__ import annotations

import re

_DIGITS = "〇一二三四五六七八九"
_UNITS = ("", "十", "百", "千")
_MYRIADS = ("", "万", "億")


def in_characters(text: str) -> str:
    """Write the numbers of a text in characters: "100万" is "百万".

    Numbers that start with a zero, or are very long, are read digit by digit.
    """
    return re.sub(r"[0-9]+", lambda found: _number(found[0]), text)


def _number(digits: str) -> str:
    if digits[0] == "0" or len(digits) > 4 * len(_MYRIADS):
        return "".join(_DIGITS[int(digit)] for digit in digits)
    groups = [digits[max(0, end - 4) : end] for end in range(len(digits), 0, -4)]
    return "".join(
        _group(group) + myriad
        for group, myriad in reversed(list(zip(groups, _MYRIADS, strict=False)))
        if int(group)
    )


def _group(digits: str) -> str:
    places = zip(digits, _UNITS[len(digits) - 1 :: -1], strict=False)
    return "".join(
        ("" if digit == "1" and unit else _DIGITS[int(digit)]) + unit
        for digit, unit in places
        if digit != "0"
    )
