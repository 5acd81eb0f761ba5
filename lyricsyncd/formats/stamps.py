"""Times at the beginning of rows in other forms than LRC's, as people and players' exports have
them::

    [00.01.25]tea      【00:01.25】tea      (0:01) tea      0:01 tea      [0:01 - 0:03] tea
    0:01               0:00:01.000,0:00:03.000
    tea                tea

They are taken for times only where nearly every row has one, and in order: one alone may be words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SHARE = 0.8
"""Least share of rows that have a time, or follow one that stands alone."""
_FEWEST, _FEWEST_BARE = 2, 3
"""Least number of times, with brackets and without."""
_BARE = r"\d{1,2}(?:\s?[:：]\s?\d{1,2}){1,2}(?:[.,]\d{1,3})?"
_PARTS = r"\d{1,2}(?:\s?[:：.]\s?\d{1,2}){1,2}(?:[.,]\d{1,3})?"
_ROW = re.compile(
    rf"\s*(?:(?P<open>[\[【［(（])\s*(?P<one>{_PARTS})(?:\s*(?:-{{1,3}}>?|[–—~,])\s*(?P<end>{_PARTS}))?"
    rf"\s*[\]】］)）]|(?P<bare>{_BARE})(?:\s*[-–—~,]\s*(?P<bare_end>{_BARE}))?(?=\s|$))[\s:]*"
)
_LONGEST = 80
"""Characters of a row within which a time is looked for."""


@dataclass(frozen=True, slots=True)
class _Row:
    start: int
    end: int | None
    text: str
    bare: bool


def with_lrc_stamps(rows: Sequence[str]) -> list[str] | None:
    """Return rows with the times as LRC has them; ``None`` where they have none in other forms."""
    written = [row for row in rows if row.strip()]
    found = [_parse(row) for row in written]
    if not any(found):
        return None
    timed: list[_Row] = []
    others = 0
    for row, parsed in zip(written, found, strict=True):
        if parsed is not None:
            timed.append(parsed)
        elif timed and not timed[-1].text:
            last = timed[-1]
            timed[-1] = _Row(last.start, last.end, row.strip(), last.bare)
        elif not row.lstrip().startswith("["):
            others += 1
    bare = any(each.bare for each in timed)
    starts = [each.start for each in timed]
    if (
        len(timed) < (_FEWEST_BARE if bare else _FEWEST)
        or others > (1 - _SHARE) * (len(timed) + others)
        or starts != sorted(starts)
        or starts[0] == starts[-1]
        or not any(each.text for each in timed)
    ):
        return None
    kept = [row for row in written if row.lstrip().startswith("[") and _parse(row) is None]
    for at, each in enumerate(timed):
        kept.append(f"[{_stamp(each.start)}]{each.text}")
        following = timed[at + 1].start if at + 1 < len(timed) else None
        if each.end is not None and (following is None or each.start < each.end < following):
            kept.append(f"[{_stamp(each.end)}]")
    return kept


def _parse(row: str) -> _Row | None:
    found = _ROW.match(row[:_LONGEST])
    if found is None:
        return None
    bare = found["bare"] is not None
    start = _milliseconds(found["bare"] or found["one"], bare=bare)
    end = found["bare_end"] or found["end"]
    text = row[found.end() :].strip()
    return _Row(start, None if end is None else _milliseconds(end, bare=bare), text, bare)


def _milliseconds(text: str, *, bare: bool) -> int:
    """Return a time; of three numbers without brackets the first are hours, else minutes."""
    *parts, last = re.split(r"\s?[:：.]\s?|,", text)
    numbers = [int(part) for part in parts]
    separator = text[: -len(last)].rstrip()[-1:]
    fraction = 0
    if len(numbers) > 1 and (separator in ".," or not bare or len(numbers) == 3):
        fraction = int(last.ljust(3, "0")[:3])
    else:
        numbers.append(int(last))
    seconds = 0
    for number in numbers:
        seconds = 60 * seconds + number
    return 1000 * seconds + fraction


def _stamp(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"
