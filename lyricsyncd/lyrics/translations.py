"""Move translations and romanisations of lines beside the lines that are sung.

They come as lines at the same time, as lines after each line, as further blocks of the same length,
or after a heading. The sung ones are those in the song's language, else in their own script, else
the first: `alternatives` has the others, to be tried where the sound does not bear that out.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lyricsyncd.formats.legacy_languages import LANGUAGES
from lyricsyncd.model import Line, Lyrics, ParallelKind, ParallelText
from lyricsyncd.text import words
from lyricsyncd.text.language import code, detect

_SHARE = 0.7
"""Least share of lines in groups: single ones are duets, or borrowed words."""
_OF_SCRIPT = 0.8
"""Least share of lines in one script for a text to be in it."""
_FEWEST = 3
"""Least number of groups; twice as many lines make a block."""
_FEWEST_WORDS = 12
"""Fewer words than these do not show a language."""
_LONGEST_ROW = 500
"""Characters of a row that may hold two texts."""
_FREQUENT, _CLEARLY = 0.25, 0.05
"""Least share of frequent words in a text of a language, and more of them than of the next one."""
_EAST_ASIAN = {"CJK": "han", "HIRAGANA": "han", "KATAKANA": "han", "HANGUL": "hangul"}
_SHARED_SCRIPTS = frozenset(("LATIN", "CYRILLIC", "ARABIC", "DEVANAGARI", "BENGALI", "ETHIOPIC"))
_WRITTEN_ALIKE: Mapping[str | None, str] = {"yue": "zh"}
"""Languages whose lines cannot be told from another one's: few lines of Cantonese have its own
characters, and they are not translations of the others."""
_SYLLABLES = re.compile(
    r"(?:(?:kk|ss|tt|pp)?(?:[kgnhbpmr]y?|[szdtfwjvy]|ch|sh|ts)?[aeiouāēīōū]|n'?)+", re.IGNORECASE
)
_HEADING = re.compile(
    r"(?:\w{1,20}\s+)?(?:translations?|traduction|traducci[oó]n|tradu[cç][aã]o|traduzione"
    r"|übersetzung|vertaling|tłumaczenie|перевод|翻訳|和訳|翻译|翻譯|번역|해석"
    r"|(?P<roman>romaji|romani[sz](?:ation|ed)|transliteration|pinyin|ローマ字|로마자))",
    re.IGNORECASE,
)

_NAME_OF_LANGUAGE = re.compile(
    r"(?:original|english|ingl[eé]s|deutsch|german|espa[nñ]ol|spanish|fran[cç]ais|french|italiano"
    r"|italian|portugu[eê]se?|polski|polish|russian|русский|japanese|日本語|原文|歌詞|kanji|hiragana"
    r"|korean|한국어|hangul|chinese|中文|arabic|hebrew|greek|turkish|hindi|dutch|swedish|latin)"
    r"(?: (?:lyrics|version|text|script))?",
    re.IGNORECASE,
)

Groups = list[tuple[int, ...]]
"""Numbers of lines that say the same, the same number in each group."""


@dataclass(frozen=True, slots=True)
class Block:
    """A text after the heading of a translation."""

    kind: ParallelKind
    text: str


def beside_lines(lyrics: Lyrics, language: str | None = None) -> Lyrics:
    """Move lines that are not sung beside those that say the same.

    Parameters
    ----------
    language
        ISO 639-1 of what is sung, where it is known.
    """
    lyrics = _parted_rows(lyrics)
    for find in (_at_the_same_time, _in_turn, _of_two_scripts, _in_blocks):
        if groups := find(lyrics.lines):
            return lyrics.with_lines(_grouped(lyrics.lines, groups, language or lyrics.language))
    return lyrics


def parted(text: str) -> tuple[str, tuple[Block, ...]]:
    """Part a plain text at headings like "[English translation]", "Tłumaczenie:" or "Original:"."""
    if (named := _parted_by_name(text)) is not None:
        return named
    sung: list[str] = []
    blocks: list[tuple[ParallelKind, list[str]]] = []
    for row in text.splitlines():
        kind = _heading(row)
        if kind is not None and any(map(str.strip, sung)):
            blocks.append((kind, []))
        else:
            (blocks[-1][1] if blocks else sung).append(row)
    return "\n".join(sung), tuple(Block(kind, "\n".join(rows)) for kind, rows in blocks)


def _parted_by_name(text: str) -> tuple[str, tuple[Block, ...]] | None:
    """Part a text whose parts all have headings and as many lines; the first is sung that is no
    romanisation. ``None`` for other texts: a song may be sung in two languages."""
    parts: list[tuple[ParallelKind | None, list[str]]] = []
    for row in text.strip().splitlines():
        kind, is_name = _heading(row), _is_name_of_language(row)
        if kind is not None or is_name:
            parts.append((kind, []))
        elif not parts:
            return None
        else:
            parts[-1][1].append(row)
    counts = {sum(bool(row.strip()) for row in rows) for _, rows in parts}
    if len(parts) < 2 or len(counts) != 1:
        return None
    sung = next((at for at, (kind, _) in enumerate(parts) if kind is None), 0)
    blocks = tuple(
        Block(kind or ParallelKind.TRANSLATION, "\n".join(rows))
        for at, (kind, rows) in enumerate(parts)
        if at != sung
    )
    return "\n".join(parts[sung][1]), blocks


def _is_name_of_language(row: str) -> bool:
    """Return whether a row, in brackets or with a colon, says which language follows."""
    bare = row.strip()
    inner = bare.strip("[]()【】（）").rstrip(":： ").strip()
    return inner != bare and _NAME_OF_LANGUAGE.fullmatch(inner) is not None


def with_texts(
    lyrics: Lyrics, texts: Sequence[str], kind: ParallelKind, language: str | None = None
) -> Lyrics:
    """Set a text beside each line; nothing where their numbers differ."""
    if len(texts) != len(lyrics.lines):
        return lyrics
    language = language or _code(_language("\n".join(texts), _script("\n".join(texts))))
    return lyrics.with_lines(
        dataclasses.replace(line, parallel=(*line.parallel, ParallelText(text, kind, language)))
        for line, text in zip(lyrics, texts, strict=True)
    )


def alternatives(lyrics: Lyrics) -> tuple[Lyrics, ...]:
    """Return the lyrics with each translation in the place of the lines taken to be sung."""
    with_words = [line for line in lyrics if line.words]
    found = []
    for at in range(max((len(line.parallel) for line in with_words), default=0)):
        paired = [line.parallel[at] for line in with_words if len(line.parallel) > at]
        kinds = {text.kind for text in paired}
        if kinds == {ParallelKind.TRANSLATION} and len(paired) >= _SHARE * len(with_words):
            languages = {text.language for text in paired}
            language = languages.pop() if len(languages) == 1 else None
            lines = tuple(_exchanged(line, at, lyrics.language) for line in lyrics)
            found.append(dataclasses.replace(lyrics, lines=lines, language=language))
    return tuple(found)


def _exchanged(line: Line, at: int, language: str | None) -> Line:
    """Exchange the sung text of a line with the text beside it."""
    if len(line.parallel) <= at:
        return line
    sung = ParallelText(line.text, ParallelKind.TRANSLATION, language)
    others = (*line.parallel[:at], sung, *line.parallel[at + 1 :])
    return dataclasses.replace(line, words=words.split(line.parallel[at].text), parallel=others)


def _heading(row: str) -> ParallelKind | None:
    """Return the kind of text that a row announces: in brackets, or with a colon."""
    bare = row.strip()
    inner = bare.strip("[]()【】（）").rstrip(":： ").strip()
    if inner == bare:
        return None
    found = _HEADING.fullmatch(inner)
    if found is None:
        return None
    return ParallelKind.ROMANISATION if found["roman"] else ParallelKind.TRANSLATION


_ROW_PARTS = (
    re.compile(r"(?P<one>[^/|／｜]+?)\s*(?:\s/\s|\s\|\s|／|｜)\s*(?P<two>[^/|／｜]+)"),
    re.compile(r"(?P<one>.+?)\s+[-–—=]\s+(?P<two>.+)"),
    re.compile(r"(?P<one>[^()（）]+?)\s*[(（](?P<two>[^()（）]+)[)）]"),
)
"""A line and its translation in one row."""


def _parted_rows(lyrics: Lyrics) -> Lyrics:
    """Part rows that hold a line and its translation, if most do."""
    written = sum(bool(line.words) for line in lyrics)
    for parts in _ROW_PARTS:
        found = {
            at: match.groups()
            for at, line in enumerate(lyrics)
            if not line.timed_words
            and len(line.text) <= _LONGEST_ROW
            and (match := parts.fullmatch(line.text))
        }
        if len(found) < max(_FEWEST, _SHARE * written) or not _are_languages(list(found.values())):
            continue
        lines: list[Line] = []
        for at, line in enumerate(lyrics):
            beside = (
                dataclasses.replace(line, words=words.split(text)) for text in found.get(at, ())
            )
            lines += list(beside) or [line]
        return lyrics.with_lines(lines)
    return lyrics


def _are_languages(rows: Sequence[tuple[str, ...]]) -> bool:
    """Return whether the texts at each place of rows are in a script or language of their own."""
    return _are_apart([_looks(column) for column in zip(*rows, strict=True)])


# Groups of lines that say the same


def _at_the_same_time(lines: Sequence[Line]) -> Groups:
    """Group lines that begin at the same time, if most do."""
    at_start: dict[float, list[int]] = {}
    for at, line in enumerate(lines):
        if line.start is not None and line.words and line.voice is None:
            at_start.setdefault(line.start, []).append(at)
    groups = [tuple(group) for group in at_start.values() if 2 <= len(group) <= 3]
    if len(groups) < _FEWEST or sum(map(len, groups)) < _SHARE * sum(map(len, at_start.values())):
        return []
    # A translation has other words; two voices of one text, or of one language, are none.
    groups = [g for g in groups if len({lines[at].text.casefold() for at in g}) == len(g)]
    size = max(map(len, groups), default=0)
    columns = [[lines[g[at]].text for g in groups if len(g) > at] for at in range(size)]
    known = [(s, n) for s, n in map(_looks, columns) if n not in (None, "?")]
    return groups if len(set(known)) == len(known) else []


def _in_turn(lines: Sequence[Line]) -> Groups:
    """Group lines that follow each other in two or three scripts or languages, all of them."""
    for size in (3, 2):
        count, rest = divmod(len(lines), size)
        groups = [tuple(range(at * size, at * size + size)) for at in range(count)]
        if not rest and count >= _FEWEST and _differ(lines, groups):
            return groups
    return []


def _in_blocks(lines: Sequence[Line]) -> Groups:
    """Group the lines of blocks of the same length in two or three scripts or languages."""
    if any(line.start is not None for line in lines):
        return []
    for size in (3, 2):
        count, rest = divmod(len(lines), size)
        groups = [tuple(at + count * block for block in range(size)) for at in range(count)]
        if not rest and count >= 2 * _FEWEST and _differ(lines, groups):
            return groups
    return []


def _of_two_scripts(lines: Sequence[Line]) -> Groups:
    """Group lines with the next one in another script, if most lines are in such pairs."""
    scripts = [_script(line.text) for line in lines]
    groups: Groups = []
    at = 0
    while at + 1 < len(lines):
        one, two = scripts[at], scripts[at + 1]
        paired = one is not None and two is not None and one != two
        if paired:
            groups.append((at, at + 1))
        at += 2 if paired else 1
    kinds = Counter((scripts[one], scripts[two]) for one, two in groups)
    if not kinds:
        return []
    pair, count = kinds.most_common(1)[0]
    known = sum(script is not None for script in scripts)
    if count < _FEWEST or 2 * count < _SHARE * known:
        return []
    return [(one, two) for one, two in groups if (scripts[one], scripts[two]) == pair]


def _differ(lines: Sequence[Line], groups: Groups) -> bool:
    """Return whether the lines at each place of the groups are in a language of their own."""
    return _are_apart(
        [_looks([lines[at].text for at in column]) for column in zip(*groups, strict=True)]
    )


def _are_apart(looks: Sequence[_Looks]) -> bool:
    scripts = {script for script, _ in looks}
    if None in scripts or len(set(looks)) < len(looks):
        return False
    return len(scripts) > 1 or all(language not in (None, "?") for _, language in looks)


def _grouped(lines: Sequence[Line], groups: Groups, language: str | None) -> list[Line]:
    """Return the lines with the others of their group beside the sung one."""
    size = max(map(len, groups))
    columns = [[lines[g[at]].text for g in groups if len(g) > at] for at in range(size)]
    looks = [_looks(column) for column in columns]
    sung = _sung(looks, columns, language)
    of_line = {at: group for group in groups for at in group}
    kept = []
    for at, line in enumerate(lines):
        group = of_line.get(at, (at,))
        if at != group[0]:
            continue
        place = sung if len(group) > sung else 0
        parallel = tuple(
            ParallelText(lines[other].text, _kind(looks, columns, sung, i), _code(looks[i][1]))
            for i, other in enumerate(group)
            if i != place
        )
        line = lines[group[place]]
        start = line.start if line.start is not None else lines[at].start
        kept.append(dataclasses.replace(line, start=start, parallel=parallel))
    return kept


_Looks = tuple[str | None, str | None]
"""The script and the language of a text; "?" for one that is long enough and in none known."""


def _sung(looks: Sequence[_Looks], columns: Sequence[list[str]], language: str | None) -> int:
    """Return the place of the sung lines within the groups."""
    named = [at for at, (_, known) in enumerate(looks) if language and _code(known) == language]
    if len(named) == 1:
        return named[0]
    if looks[0][0] == "LATIN" and _is_romanised(columns[0], looks[0][1]):
        return next((at for at, (s, _) in enumerate(looks) if s not in ("LATIN", None)), 0)
    return 0


def _kind(
    looks: Sequence[_Looks], columns: Sequence[list[str]], sung: int, at: int
) -> ParallelKind:
    """Return the kind of the lines at a place of the groups."""
    from_another = looks[sung][0] not in ("LATIN", None) and looks[at][0] == "LATIN"
    if from_another and _is_romanised(columns[at], looks[at][1]):
        return ParallelKind.ROMANISATION
    return ParallelKind.TRANSLATION


def _is_romanised(rows: Sequence[str], language: str | None) -> bool:
    """Return whether Latin letters spell another script: in no language, or in syllables."""
    tokens = _tokens("\n".join(rows))
    syllables = sum(_SYLLABLES.fullmatch(token) is not None for token in tokens)
    return language == "?" or (bool(tokens) and syllables >= 0.85 * len(tokens))


# Scripts and languages


def _looks(rows: Sequence[str]) -> _Looks:
    scripts = Counter(map(_script, rows))
    script, count = scripts.most_common(1)[0] if scripts else (None, 0)
    if script is None or count < _OF_SCRIPT * len(rows):
        return None, None
    return script, _language("\n".join(rows), script)


def _language(text: str, script: str | None) -> str | None:
    """Return a language by its script or its frequent words, without the weight of a classifier."""
    if script is None:
        return None
    if script not in _SHARED_SCRIPTS:
        return _WRITTEN_ALIKE.get(found := detect(text), found)
    if script != "LATIN":
        return {"CYRILLIC": "russian", "ARABIC": "arabic"}.get(script)
    tokens = _tokens(text)
    if len(tokens) < _FEWEST_WORDS:
        return None
    shares = sorted(
        (sum(token in each.words for token in tokens) / len(tokens), each.name)
        for each in LANGUAGES
        if not each.scripts
    )
    (second, _), (best, name) = shares[-2:]
    return name.lower() if best >= _FREQUENT and best - second >= _CLEARLY else "?"


def _code(language: str | None) -> str | None:
    return code(language) if language else None


def _tokens(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text.casefold())


def _script(text: str) -> str | None:
    """Return the script of a text's letters; ``None`` for a mixture or no letters."""
    found: set[str] = set()
    for character in set(re.sub(r"[^\w]|[\d_]", "", text)):
        name = unicodedata.name(character, "?").split()[0]
        found.add(_EAST_ASIAN.get(name, name))
    return found.pop() if len(found) == 1 else None
