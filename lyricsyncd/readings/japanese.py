"""Read Japanese by a morphological analyser (MeCab by `fugashi`, with the IPA dictionary).

The dictionary was chosen by measurement: of 120 words of lyrics it misreads five, UniDic (in its
small edition) and Sudachi's seven, and it is the smallest by far (51 MB).

Lyrics are timed a character at a time, so a reading is divided among its characters: kana stand
for themselves, a character of a compound has the part of the reading that it has alone ("夜空" is
"ヨ" and "ゾラ"), and where no division is right ("今日") each has its share of the morae.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from lyricsyncd.readings import kana
from lyricsyncd.readings.base import Reading, pairs

if TYPE_CHECKING:
    import fugashi

DICTIONARY = "fugashi"
RULES = "rules"
UNKNOWN = "ə"
"""Sound of a character that cannot be read: a vowel of some kind."""
_MOST = 3
_KANA = re.compile(r"[ァ-ヺー]")
_KANJI = re.compile(r"[々〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_FURIGANA = re.compile(
    rf"[｜|]?(?P<written>{_KANJI.pattern}+)"
    r"(?:[(（](?P<round>[ぁ-ゖァ-ヺー・]+)[)）]|《(?P<double>[ぁ-ゖァ-ヺー・]+)》)"
)

# What the dictionary takes apart or reads as in writing, and what singers say instead, the likelier
# first.
_READINGS = {
    written: tuple(readings.split("・"))
    for written, readings in pairs("""
        一人 ヒトリ         二人 フタリ         紅葉 モミジ・コウヨウ    蒲公英 タンポポ
        故郷 フルサト・コキョウ                 明日 アシタ・アス        私 ワタシ・アタシ
        永遠 エイエン・トワ  永久 エイキュウ・トワ                       宇宙 ウチュウ・ソラ
        運命 ウンメイ・サダメ                   瞬間 シュンカン・トキ    理由 リユウ・ワケ
        地球 チキュウ・ホシ  生命 セイメイ・イノチ                       未来 ミライ・アス
        女 オンナ・ヒト     男 オトコ・ヒト      家 イエ・ウチ            側 ソバ・ガワ
        身体 カラダ・シンタイ                   躰 カラダ               後 アト・ウシロ
        行く イク・ユク     行き イキ・ユキ      逝く ユク・イク          良い イイ・ヨイ
        言う イウ・ユウ     何処 ドコ            此処 ココ               其処 ソコ
        何時 イツ・ナンジ   何故 ナゼ            何度 ナンド             貴方 アナタ
        貴女 アナタ         彼方 カナタ・アナタ   娘 ムスメ・コ           本気 ホンキ・マジ
        真実 シンジツ・ホント                   現実 ゲンジツ            季節 キセツ・トキ
        時間 ジカン・トキ   時代 ジダイ・トキ    場所 バショ             日々 ヒビ
        人々 ヒトビト       二十歳 ハタチ        二十 ニジュウ           海月 クラゲ
        向日葵 ヒマワリ     紫陽花 アジサイ      秋桜 コスモス           薔薇 バラ
        陽炎 カゲロウ       蜃気楼 シンキロウ    流星 リュウセイ          天の川 アマノガワ
        微風 ソヨカゼ・ビフウ                   月夜 ツキヨ             闇夜 ヤミヨ
        星屑 ホシクズ       背中 セナカ          路 ミチ                 歌声 ウタゴエ
        春風 ハルカゼ       秋風 アキカゼ        朝焼け アサヤケ          一番星 イチバンボシ
        夜風 ヨカゼ         半月 ハンゲツ        碧い アオイ     百合 ユリ     木々 キギ
        彷徨う サマヨウ      彷徨い サマヨイ      彷徨って サマヨッテ       堕天使 ダテンシ
        此の コノ           昨夜 サクヤ・ユウベ   明後日 アサッテ・ミョウゴニチ
        一日中 イチニチジュウ                   一晩中 ヒトバンジュウ     世界中 セカイジュウ
        二日 フツカ         三日 ミッカ          四日 ヨッカ     五日 イツカ   六日 ムイカ
        七日 ナノカ         八日 ヨウカ          九日 ココノカ   十日 トオカ   二十日 ハツカ
        一人ぼっち ヒトリボッチ                 独り ヒトリ     剣 ケン・ツルギ
        涙色 ナミダイロ      十字架 ジュウジカ    他人 タニン     頬 ホオ・ホホ
        今宵 コヨイ         今更 イマサラ        一時 イットキ・イチジ    一番 イチバン
""").items()
}
_LONGEST = max(map(len, _READINGS))


@dataclass(frozen=True, slots=True)
class Morpheme:
    """A piece of a text that the analyser found.

    Attributes
    ----------
    written : str
    readings : tuple of str
        In katakana with long marks, the likelier first; none for what has no sound.
    independent : bool
        Whether a phrase (bunsetsu) may start with it.
    particle : bool
        Whether it is a particle that romanisation writes as a word.
    reader : str
    """

    written: str
    readings: tuple[str, ...]
    independent: bool
    reader: str
    particle: bool = False


@cache
def _tagger() -> fugashi.GenericTagger | None:
    try:
        import fugashi
        import ipadic
    except ImportError:
        return None
    return fugashi.GenericTagger(ipadic.MECAB_ARGS)


def installed() -> bool:
    """Return whether the dictionary is there."""
    return _tagger() is not None


def read(words: Sequence[str]) -> list[tuple[Reading, ...]]:
    """Read the words of a line (`lyricsyncd.readings.base.Reader`)."""
    text = "".join(words)
    by_character = list(itertools.chain.from_iterable(map(_divided, morphemes(text))))
    assert len(by_character) == len(text)
    ends = list(itertools.accumulate(map(len, words)))
    starts = [0, *ends[:-1]]
    found: list[tuple[Reading, ...]] = []
    before = ""
    for start, end in zip(starts, ends, strict=True):
        found.append(_word(by_character[start:end], before))
        before = found[-1][0].romanised[-1:] if found[-1] else before
    return found


def phrases(text: str) -> list[str]:
    """Divide a text into phrases (bunsetsu): an independent word with its particles and endings."""
    found: list[str] = []
    for morpheme in morphemes(text):
        if morpheme.independent or not found:
            found.append("")
        found[-1] += morpheme.written
    return found


def romanised(text: str) -> str:
    """Romanise a text (Hepburn), particles as words of their own."""
    words: list[str] = []
    for morpheme in morphemes(text):
        if morpheme.independent or morpheme.particle or not words:
            words.append("")
        if morpheme.readings:
            written = morpheme.written
            words[-1] += "".join(map(kana.lengthened, _division(written, morpheme.readings[0])))
        elif any(character.isalnum() for character in morpheme.written):
            words += [morpheme.written, ""]
    return " ".join(filter(None, (_transcribed(word)[1] or word for word in words if word)))


_JOINED = frozenset(("て", "で", "ば", "ちゃ", "じゃ", "ながら", "たり", "だり"))
"""Particles that are written as endings."""

_Parts = tuple[tuple[str, ...], str]
"""The part of each reading that a character has, and the reader."""


def _word(parts: Sequence[_Parts], before: str) -> tuple[Reading, ...]:
    """Join the parts of a word's characters; the n-th readings go together.

    A word that only lengthens the vowel ``before`` it has that vowel.
    """
    found: dict[str, Reading] = {}
    for n in range(max((len(ways) for ways, _ in parts), default=0)):
        sung = "".join(kana.lengthened(ways[min(n, len(ways) - 1)]) for ways, _ in parts if ways)
        if sung.startswith("ー"):
            sung = kana.vowel(before) + sung[1:]
        ipa, latin = _transcribed(sung)
        if ipa:
            reader = DICTIONARY if any(by == DICTIONARY for _, by in parts) else RULES
            found.setdefault(ipa, Reading(ipa, latin, reader))
    return tuple(found.values())[:_MOST]


def _transcribed(sung: str) -> tuple[str, str]:
    if UNKNOWN not in sung:
        return kana.transcribed(sung)
    pieces = [
        (UNKNOWN, "?") if p == UNKNOWN else kana.transcribed(p)
        for p in re.split(rf"({UNKNOWN})", sung)
    ]
    return "".join(ipa for ipa, _ in pieces), "".join(latin for _, latin in pieces)


def morphemes(text: str) -> list[Morpheme]:
    """Analyse a text; joined again, the morphemes are the text."""
    found: list[Morpheme] = []
    at = 0
    for furigana in _FURIGANA.finditer(text):
        found += _analysed(text[at : furigana.start()])
        given = kana.katakana((furigana["round"] or furigana["double"]).replace("・", ""))
        found.append(Morpheme(furigana[0], (given,), True, RULES))
        at = furigana.end()
    return found + _analysed(text[at:])


@lru_cache(maxsize=1024)
def _analysed(text: str) -> list[Morpheme]:
    tagger = _tagger()
    if tagger is None:
        return [
            _by_rules(run)
            for run in re.findall(rf"{_KANJI.pattern}|[^{_KANJI.pattern[1:-1]}]+", text)
        ]
    found: list[Morpheme] = []
    end = 0
    before = ""
    nodes = list(tagger(text))
    skip = 0
    for number, node in enumerate(nodes):
        if skip:
            skip -= 1
            continue
        start = text.index(node.surface, end)
        if start > end:
            found.append(Morpheme(text[end:start], (), False, DICTIONARY))
        taken, readings = _own(nodes[number:])
        written = "".join(each.surface for each in nodes[number : number + taken])
        skip = taken - 1
        end = start + len(written)
        independent = _is_independent(node.feature, before)
        before = f"{nodes[number + skip].feature[0]},{nodes[number + skip].feature[1]}"
        readings = readings or _dictionary(node)
        last = found[-1] if found else None
        if last and last.readings and number:
            if written == "々":
                readings = tuple(_last_half(last.written, way) for way in last.readings)
            elif readings and nodes[number - 1].feature[1] == "数":
                count, counter = _counted(last.readings[0], readings[0])
                found[-1] = replace(last, readings=(count,))
                readings = (counter, *readings[1:])
        particle = node.feature[0] == "助詞" and written not in _JOINED
        found.append(Morpheme(written, readings, independent, DICTIONARY, particle))
    if end < len(text):
        found.append(Morpheme(text[end:], (), False, DICTIONARY))
    return found


def _last_half(written: str, reading: str) -> str:
    """Return the part of a reading that its last character has."""
    return _division(written, reading)[-1]


_SHORT_NUMBERS = {
    "イチ": "イッ",
    "ハチ": "ハッ",
    "ジュー": "ジュッ",
    "ジュウ": "ジュッ",
    "ロク": "ロッ",
}
_VOICING = frozenset(("ホン", "ヒキ", "ビキ", "ハイ", "ビャク", "ヒャク", "フン"))
"""Counters that are voiced after "サン"."""


def _counted(number: str, counter: str) -> tuple[str, str]:
    """Join a number and its counter: "イチ" and "ホ" are "イッ" and "ポ"."""
    head, rest = counter[0], counter[1:]
    for whole, short in _SHORT_NUMBERS.items():
        rows = "カキクケコハヒフヘホ"
        rows += "" if whole == "ロク" else "サシスセソタチツテト"
        if number.endswith(whole) and head in rows:
            return number.removesuffix(whole) + short, _HALF_VOICED.get(head, head) + rest
    if number.endswith("サン") and counter in _VOICING:
        return number, _VOICED.get(head, head) + rest
    return number, counter


def _own(nodes: Sequence[Any]) -> tuple[int, tuple[str, ...]]:
    """Return how many of the first nodes are a word of our own list, and its readings."""
    written = ""
    best: tuple[int, tuple[str, ...]] = (1, ())
    for count, node in enumerate(nodes[:_LONGEST], 1):
        written += node.surface
        if len(written) > _LONGEST:
            break
        if written in _READINGS:
            best = count, _READINGS[written]
    return best


def _is_independent(feature: Sequence[str], before: str) -> bool:
    """Return whether a phrase starts with a morpheme, after one of the kind ``before``."""
    kind, detail = feature[0], feature[1]
    if kind in ("助詞", "助動詞", "記号") or detail in ("接尾", "非自立"):
        return False
    if before.startswith("接頭詞"):
        return False
    if kind == "名詞" and before.startswith("名詞") and "代名詞" not in (detail, before[3:]):
        return detail == "副詞可能" or before.endswith("副詞可能")
    if kind == "動詞":
        return not (
            before == "名詞,サ変接続" and feature[6] in ("する", "できる")
        ) and not before.startswith("動詞")
    return True


def _dictionary(node: Any) -> tuple[str, ...]:
    """Return the reading of a node, with long marks as it is pronounced."""
    feature = node.feature
    if len(feature) > 8 and feature[7] != "*":
        read, pronounced = feature[7], feature[8]
        if feature[0] == "助動詞" and read == "ウ":
            return ("ー",)
        if node.surface == "色" and read == "ショク":
            return ("イロ", "ショク")
        if feature[2] == "人名" and (common := _common(node.surface)):
            return (common,)
        return (_spoken(read, pronounced),)
    written = kana.katakana(node.surface)
    if all(_KANA.match(c) for c in written):
        return (kana.lengthened(written),)
    parts = [
        (_alone(c) or (UNKNOWN,))[0] if _KANJI.match(c) else kana.katakana(c) for c in node.surface
    ]
    sung = "".join(part for part in parts if _KANA.match(part) or part == UNKNOWN)
    return (sung,) if sung else ()


def _spoken(read: str, pronounced: str) -> str:
    """Choose the pronounced form where it can be divided like the reading."""
    return pronounced if len(read) == len(pronounced) else kana.lengthened(read)


def _by_rules(run: str) -> Morpheme:
    """Read without a dictionary: kana for themselves, a character as a vowel of some kind."""
    if _KANJI.match(run):
        return Morpheme(run, (UNKNOWN,), True, RULES)
    sung = "".join(c for c in kana.katakana(run) if _KANA.match(c))
    if run in ("は", "へ"):
        sung = {"は": "ワ", "へ": "エ"}[run]
    return Morpheme(run, (kana.lengthened(sung),) if sung else (), True, RULES)


def _divided(morpheme: Morpheme) -> Iterator[_Parts]:
    """Yield the parts of a morpheme's readings for each of its characters."""
    ways = [_division(morpheme.written, reading) for reading in morpheme.readings]
    for at in range(len(morpheme.written)):
        yield tuple(way[at] for way in ways), morpheme.reader


@lru_cache(maxsize=4096)
def _division(written: str, reading: str) -> tuple[str, ...]:
    """Divide a reading among the characters of a word."""
    if furigana := _FURIGANA.fullmatch(written):
        # The brackets and their content are not sung.
        inner = furigana["written"]
        before = written.index(inner)
        rest = len(written) - before - len(inner)
        return ("",) * before + _division(inner, reading) + ("",) * rest
    best: tuple[float, tuple[str, ...]] = (-1.0, ())
    for score, parts in _divisions(written, tuple(kana.morae(reading))):
        if score > best[0]:
            best = score, parts
    return best[1] or _shared(written, reading)


def _divisions(written: str, units: tuple[str, ...]) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Yield the divisions of morae among characters that agree with how each is read alone."""
    if not written:
        if not units:
            yield 0.0, ()
        return
    character, rest = written[0], written[1:]
    kanji = _KANJI.match(character) is not None
    for length in range(len(units) + 1 if kanji else min(2, len(units)) + 1):
        part = "".join(units[:length])
        score = _fits(character, part) if kanji else _is_kana(character, part)
        if score <= 0.0:
            continue
        for further, parts in _divisions(rest, units[length:]):
            yield score + further, (part, *parts)


def _is_kana(character: str, part: str) -> float:
    """Return 1 where a part is what a kana stands for, and 0 otherwise."""
    sign = kana.katakana(character)
    if (
        sign == part
        or (part == "ー" and sign in "アイウエオー")
        or (sign, part) in (("ハ", "ワ"), ("ヘ", "エ"), ("ヲ", "オ"))
    ):
        return 1.0
    # A small kana is part of the mora before; marks have no sound.
    if not part:
        return 0.5 if sign in "ァィゥェォャュョヮ" or not _KANA.match(sign) else 0.0
    return 1.0 if len(part) > 1 and part[0] == sign else 0.0


def _fits(character: str, part: str) -> float:
    """Return how well a part of a reading fits a character: 1 as it is read alone."""
    if not part or part[0] in "ーッン":
        return 0.0
    if character == "々":
        return 0.6
    alone = _alone(character)
    if part in alone or kana.lengthened(part) in alone:
        return 1.0
    if any(_altered(part, each) for each in alone):
        return 0.9
    # Nothing known: a character has mostly one or two morae.
    return {1: 0.1, 2: 0.2, 3: 0.1}.get(len(kana.morae(part)), 0.02)


_VOICED = dict(
    zip(
        "カキクケコサシスセソタチツテトハヒフヘホ",
        "ガギグゲゴザジズゼゾダヂヅデドバビブベボ",
        strict=True,
    )
)
_HALF_VOICED = dict(zip("ハヒフヘホ", "パピプペポ", strict=True))


def _altered(part: str, alone: str) -> bool:
    """Return whether a part is a reading as it changes in compounds: voiced or shortened."""
    first = alone[0]
    heads = {first, _VOICED.get(first, first), _HALF_VOICED.get(first, first)}
    if first == "チ":
        heads.add("ジ")
    tails = {alone[1:]}
    if len(alone) > 1 and alone[-1] in "ツクチキ":
        tails.add(alone[1:-1] + "ッ")
    return any(part == head + tail for head in heads for tail in tails)


@lru_cache(maxsize=4096)
def _alone(character: str) -> tuple[str, ...]:
    """Return the readings of a single character in the dictionary, the likelier first."""
    tagger = _tagger()
    if tagger is None:
        return ()
    found: dict[str, None] = {}
    for nodes in tagger.nbestToNodeList(character, 16):
        if len(nodes) == 1 and len(nodes[0].feature) > 8 and nodes[0].feature[7] != "*":
            found[_spoken(nodes[0].feature[7], nodes[0].feature[8])] = None
    return tuple(found)


@lru_cache(maxsize=1024)
def _common(written: str) -> str | None:
    """Return the reading of a word that is a person's name and a common word too."""
    tagger = _tagger()
    assert tagger is not None, "only the dictionary knows names"
    for nodes in tagger.nbestToNodeList(written, 8):
        if len(nodes) == 1 and len(nodes[0].feature) > 8 and nodes[0].feature[1] != "固有名詞":
            return _spoken(nodes[0].feature[7], nodes[0].feature[8])
    return None


def _shared(written: str, reading: str) -> tuple[str, ...]:
    """Give each character its share of the morae."""
    units = kana.morae(reading)
    size = len(written)
    cuts = [round(at * len(units) / size) for at in range(size + 1)]
    return tuple("".join(units[a:b]) for a, b in itertools.pairwise(cuts))
