"""JSON: an array with an object a word, in the order of the lyrics::

    [{"word": "Row,", "start": 1.2, "end": 1.62, "confidence": 0.93, "line": 0}, …]

Times are seconds, to the millisecond; what is not known is ``null``. On request a word of several
syllables has ``"syllables": [{"text": "Mon", "start": 1.2, "end": 1.4}, …]``.
``line`` counts lines from 0, empty ones included. ``"space": false`` stands where no space parts a
word from the next (Chinese, Japanese), and ``"doubtful": true`` where a line's word times are too
doubtful for players: this format alone has them. Times of lines, voices and names are not said.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

from lyricsyncd.errors import FormatError
from lyricsyncd.formats.text import MAX_WORDS, decode
from lyricsyncd.formats.timing import checked, on_grid, tidy
from lyricsyncd.model import Line, Lyrics, Syllable, Word


@dataclass(frozen=True)
class Json:
    """An array of words. ``syllables``: whether words of several have them."""

    syllables: bool = False

    name: ClassVar[str] = "json"
    suffixes: ClassVar[tuple[str, ...]] = (".json",)

    def looks_like(self, text: str) -> bool:
        start = text.lstrip()[:2000]
        return start.startswith("[") and '"word"' in start and start[1:].lstrip()[:1] == "{"

    def read(self, data: bytes) -> Lyrics:
        import json

        try:
            found = json.loads(decode(data, legacy=False), parse_constant=_refuse)
        except FormatError:
            raise
        except (ValueError, RecursionError) as error:
            raise FormatError(f"this is not valid JSON ({str(error)[:80]})") from None
        if not isinstance(found, list):
            raise FormatError(
                "this JSON is not a list of words",
                remedy='It should look like [{"word": "Row", "start": 1.2, "end": 1.6, "line": 0}]',
            )
        lines: list[list[Word]] = []
        doubtful: set[int] = set()
        for item in found:
            word, number = _word(item)
            if number + 1 < len(lines) or number > MAX_WORDS:
                raise FormatError(f"the word {word.text[:40]!r} has an impossible line, {number}")
            lines += [[] for _ in range(number + 1 - len(lines))]
            lines[number].append(word)
            if item.get("doubtful") is True:
                doubtful.add(number)
        read = (_line(words, doubtful=at in doubtful) for at, words in enumerate(lines))
        return tidy(Lyrics(tuple(read)), doubtful=True)

    def project(self, lyrics: Lyrics) -> Lyrics:
        lines = [
            _line([self._rounded(word) for word in line.words], doubtful=line.doubtful)
            for line in tidy(lyrics, doubtful=True)
        ]
        while lines and not lines[-1].words:
            lines.pop()
        return tidy(Lyrics(tuple(lines)), doubtful=True)

    def _rounded(self, word: Word) -> Word:
        word = word.retimed(lambda time: on_grid(time, 1000))
        return dataclasses.replace(
            word,
            confidence=_confidence(word.confidence),
            syllables=word.syllables if self.syllables else (),
        )

    def write(self, lyrics: Lyrics) -> str:
        import json

        rows = []
        for number, line in enumerate(self.project(lyrics)):
            for word in line.words:
                row: dict[str, Any] = {
                    "word": word.text,
                    "start": word.start,
                    "end": word.end,
                    "confidence": word.confidence,
                    "line": number,
                }
                if not word.space:
                    row["space"] = False
                if line.doubtful:
                    row["doubtful"] = True
                if word.syllables:
                    row["syllables"] = [dataclasses.asdict(part) for part in word.syllables]
                rows.append(json.dumps(row, ensure_ascii=False, allow_nan=False))
        return "[\n" + ",\n".join(rows) + "\n]\n" if rows else "[]\n"


def _line(words: list[Word], *, doubtful: bool) -> Line:
    start = words[0].start if words else None
    end = None if start is None else words[-1].end
    return Line(tuple(words), start, end, doubtful=doubtful and bool(words))


def _confidence(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(min(max(float(value), 0.0), 1.0), 4)


def _word(item: object) -> tuple[Word, int]:
    if not isinstance(item, dict) or not isinstance(item.get("word"), str):
        raise FormatError('an entry of the list is not an object with a "word"')
    number = item.get("line")
    if number is None:
        number = 0
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise FormatError(f'"line" counts lines from 0; it cannot be {str(number)[:40]!r}')
    word = Word(
        item["word"],
        checked(_number(item, "start")),
        checked(_number(item, "end")),
        _confidence(_number(item, "confidence")),
        item.get("space", True) is not False,
        tuple(map(_syllable, _list(item.get("syllables")))),
    )
    return word, number


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise FormatError(f'"syllables" should be a list, not {str(value)[:40]!r}')
    return value


def _syllable(item: object) -> Syllable:
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        raise FormatError('an entry of "syllables" is not an object with a "text"')
    start, end = checked(_number(item, "start")), checked(_number(item, "end"))
    if start is None:
        raise FormatError(f"the syllable {item['text'][:40]!r} has no start")
    return Syllable(item["text"], start, end)


def _number(item: dict[str, Any], key: str) -> float | None:
    value = item.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FormatError(f'"{key}" should be a number, not {str(value)[:40]!r}')
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _refuse(constant: str) -> None:
    raise FormatError(f"{constant} is no time within a song")
