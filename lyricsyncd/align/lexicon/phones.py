"""Map IPA, as espeak-ng prints it, to the phones of the acoustic model.

The model has the 39 phones of American English. A sound that English lacks becomes the nearest
phones, up to three of them as alternatives in one *slot*, of which the best-scoring counts: French
"y" is ``UW|IY``. On French, Spanish and German songs that placed six percent of the words better
than a single nearest phone.

The tables have cells of a symbol and its slots: ``ɲ N Y`` is two slots, ``β V|B`` one slot with
two alternatives, the likelier first, since it is the context of the sounds beside it. A symbol
alone has no slot: it is silent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType

Slot = tuple[str, ...]
"""One to three phones, scored as the best of them."""

_VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW"
_CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH"
VOWELS = frozenset(_VOWELS.split())
CONSONANTS = frozenset(_CONSONANTS.split())
FRICATIVES = frozenset("CH F JH S SH TH Z ZH".split())
"""Fricatives and affricates: they begin with noise."""
SONORANTS = frozenset("DH L M N NG R V W Y".split())
PHONES = VOWELS | CONSONANTS
"""The phones of PocketSphinx' en-us model: ARPAbet without stress."""


def read_slots(text: str) -> tuple[Slot, ...]:
    """Read slots from their short form: ``"K AE|AH T"``.

    >>> read_slots("AE|AH N")
    (('AE', 'AH'), ('N',))
    """
    return tuple(tuple(slot.split("|")) for slot in text.split())


def _table(text: str) -> Mapping[str, tuple[Slot, ...]]:
    """Read a table from its cells, which two spaces or the end of a line separate."""
    cells = (cell.partition(" ") for cell in re.split(r"\s{2,}", text.strip()))
    table = {unicodedata.normalize("NFD", symbol): read_slots(slots) for symbol, _, slots in cells}
    return MappingProxyType(table)


_ANY_LANGUAGE = _table("""
    i IY         y UW|IY      ɨ IH|IY      ʉ UW|UH      ɯ UW|UH|IH   u UW|UH
    ɪ IH|IY      ʏ UH|IH      ᵻ IH|AH      ʊ UH|UW
    e EY|EH      ø ER|UH|EY   ɘ IH|AH      ɵ UH|AH      ɤ UH|AH|OW   o OW|AO
    ə AH|EH|UH   ɛ EH|AE      œ ER|AH|EH   ɜ ER|AH      ɞ ER|AH      ʌ AH        ɔ AO|OW
    æ AE|EH      ɐ AH|AA      a AA|AH|AE   ɑ AA|AO      ɒ AO|AA      ɚ ER        ɝ ER

    ai AY        aɪ AY        ae AY        ɑɪ AY        ɑi AY        ʌɪ AY       äi AY
    au AW        aʊ AW        ɑu AW        ɑʊ AW        æʊ AW        ɐʊ AW       äu AW
    ei EY        eɪ EY        ɛɪ EY        oi OY        ɔɪ OY        ɔi OY       oɪ OY
    ou OW        oʊ OW        əʊ OW        əu OW        ɔø OY        ɔʏ OY       ɔy OY
    əl AH L      əɹ ER        ər ER        ɜɹ ER

    p P          b B          t T          d D          k K          g G         ɡ G
    c K|T|CH     ɟ JH|D|G     q K|G        ɢ G          ʈ T          ɖ D
    ɓ B          ɗ D          ʄ JH         ɠ G          ʛ G
    kh K         ph P         th T         ʘ P          ǀ T          ǃ T|K       ǂ CH|K      ǁ L|K
    m M          ɱ M          n N          ɳ N          ɲ N Y        ŋ NG        ɴ N|NG
    nɡ NG        ng NG        ʙ B          r R|D        ɾ R|D        ɽ R|D|L     ɹ R         ɻ R
    ʀ R|HH       ʁ R|HH       ɺ R|L        l L          ɫ L          ɭ L         ʟ L
    ɬ L|SH       ɮ L|ZH       ʎ L|Y        r̝ ZH|R|SH
    ɸ F|HH       β V|B        f F          v V          ʋ V|W        θ TH|S      ð DH|D
    s S          z Z          ʃ SH         ʒ ZH         ʂ SH         ʐ ZH|R      ɕ SH        ʑ ZH
    ç HH|SH      ʝ Y|JH       x HH|K       ɣ G|HH       χ HH|K       ħ HH        h HH        ɦ HH
    ɧ SH|HH      sx SH|HH     j Y          ɥ W|Y        w W         ʍ W|HH      ɰ W|G
    tʃ CH        tɕ CH        tʂ CH        ʈʂ CH        tʃh CH       tɕh CH
    dʒ JH        dʑ JH        dʐ JH        ɖʐ JH        ts T S       ʦ T S       tsh T S
    dz D Z       ʣ D Z        pf P F

    n̩ AH N       m̩ AH M       l̩ AH|UH L    r̩ ER|AH R    ɹ̩ ER         ŋ̩ AH NG
""")

_LANGUAGES: Mapping[str, Mapping[str, tuple[Slot, ...]]] = {
    "en": _table("""
        i IY         ɪ IH         ɛ EH         æ AE         ɑ AA         ɔ AO        ʊ UH
        u UW         ʌ AH         ə AH         ɐ AH         ɜ ER         e EY        o OW
        a AE|AA      ɒ AA|AO      ɾ D|T        r R          ʔ T          θ TH        ð DH
        iə IY AH     eə EH AH     ʊə UH AH     x K|HH       aɪə AY AH    aɪɚ AY ER   aʊɚ AW ER
        oɹ AO R      ɔɹ AO R      ɑɹ AA R      ɛɹ EH R      ɪɹ IH|IY R   ʊɹ UH|AO R
    """),
    "fr": _table("""
        i IY         e EY|EH      ɛ EH|AE      a AA|AE      ɑ AA         ɔ AO|AH     o OW|AO
        u UW|UH      y UW|IY      ø ER|UH|AH   œ ER|AH|EH   ə AH|UH|ER   r R|HH
        ɑ̃ AA|AO N|NG              ɔ̃ OW|AO N|NG              ɛ̃ AE|EH N|NG              œ̃ AH|AE N|NG
    """),
    "es": _table("""
        i IY         e EH|EY|IH   a AA|AH|AE   o OW|AO|UW   u UW|UH      θ S|TH      r R
        ʎ Y|L|JH     ɣ G
    """),
    "de": _table("""
        e EY|IY      ɛ EH         a AA|AH      ɔ AO|AH      o OW|AO      u UW        i IY
        y UW|IY      ø ER|UH      œ ER|EH      ə AH|EH      ɐ AH|AA      ɜ AH|AA
        ç SH|HH      r R|HH       ɾ R
    """),
    "pt": _table("""
        ɐ̃ AH|AA N|NG              ɐ̃ʊ̃ AW N|NG   ɐ̃w̃ AW N|NG  w̃ N|NG       ʎ L|Y      ɐ AH|AA
    """),
    "ja": _table("""
        e EH|EY      a AA|AH      ɯ UW|UH      ɽ R|L|D      ɾ R|L|D      ɴ N|NG      ɸ F|HH
        ə AH|IH|UH   ç HH|SH      ɲ N Y        ɕ SH         tɕ CH        dʑ JH       z Z
    """),
    "cmn": _table("""
        p B|P        t D|T        k G|K        ph P         th T         kh K        χ HH
        ts. JH|CH    ts.h CH      tɕ JH|CH     tɕh CH       s. SH        r. R|ZH     i. ER|IH|UH
        ʈʂ JH|CH     ʈʂh CH       ʂ SH         ʐ R|ZH       ɨ ER|IH|UH   x HH        ɤ AH|UH|ER
        ts D|T Z|S   tsh T S      ɥe W|Y EH    jɛ Y EH|AE   aɚ AA R      ə AH
        .            ɜ
    """),
    # A tone that espeak-ng writes as 3, and prints as the IPA vowel that "3" stands for.
    "yue": _table("""
        ɜ            p B|P        t D|T        k G|K        ph P         th T        kh K
        ts JH|CH|S   tsh CH|T     œ ER|AO|EH   ɵ UH|ER|AH   ɐ AH|AA      ɔi OY       y UW|IY
        ʷ W
    """),
    "fa": _table("æ AE|AA|AH"),
    "hu": _table("ɒ AO|AA|AH"),
    "fi": _table("e EH|EY|IH    æ AE|EH|AA"),
    "bn": _table("ph F|P"),
    "ru": _table("ɨ IH|IY"),
    "ko": _table("""
        p P|B        t T|D        k K|G        tɕ CH|JH     tɕh CH       ɾ R|L|D     l L
        ɯ UW|UH|IH   ʌ AH|AO      ɛ EH|AE      e EH|EY      a AA|AH      ɰi IY|UH|EY  ɕ SH|S
    """),
    "th": _table("""
        p B|P        t D|T        k G|K        tɕ JH|CH     ph P         th T        kh K
        tɕh CH       r R|L        ɯ UW|UH|IH   ɤ ER|AH|UH   a AA|AH      ɔ AO        ɛ AE|EH
    """),
    # A vowel that the spelling does not show.
    "he": _table("""
        ə AH|EH|AA   a AA|AH      e EH|EY      o OW|AO      χ HH|K       ʁ R|HH      h HH
    """),
    "ar": _table("""
        ə AH|IH|EH   a AA|AE|EH   i IY|IH|EH   u UW|UH|OW
        q K|G        dʒ JH|ZH|G   θ TH|S|T     ð DH|Z|D     ɣ G|R|HH     ħ HH        x HH|K
    """),
    "hak": _table("ɜ"),
    "vi": _table("ɜ"),
}

# What espeak-ng prints besides the sounds: stress, length, ties, tones, glottal stops, release and
# place marks, and what its rules for less-used languages leave by mistake.
_SILENT = frozenset("ˈˌːˑ͜͡ʔʕʡ?ˀʼʰʱʲʷˠˤᵝ0123456789˥˦˧˨˩-+.^`[]_#\"'!%*=,:;~Ë§©¥\u0001")
# Follows a nasal vowel; in English phones that is the vowel and an "n" after it.
_TILDE = "\u0303"
# Symbols that mean one of the table's: superscripts of prenasalised stops, letters of other
# alphabets and of X-SAMPA.
_SAME_AS = str.maketrans("ᵐⁿᵑεΦASZXNKFEI", "mnŋɛɸɑʃʒxŋkfɛɪ")
_ASPIRATES = frozenset({"bn", "cmn", "hak", "ko", "th", "yue"})
"""Languages in which aspiration tells stops apart."""
_LANGUAGE_MARK = re.compile(r"\([^)]*\)")


def slots(tokens: Iterable[str], language: str) -> tuple[Slot, ...]:
    """Return the slots of phonemes.

    Parameters
    ----------
    tokens : iterable of str
        Phonemes in IPA, as from `espeak.transcribe`; marks of a language switch, like
        ``(en)``, are skipped.
    language : str
        That of the voice: "fr", "pt-br" …
    """
    return tuple(slot for piece in _pieces(tokens, language) for slot in piece or ())


def unknown(tokens: Iterable[str], language: str) -> tuple[str, ...]:
    """Return the phonemes with a symbol that has no slot and is no mark either."""
    return tuple(token for token in tokens if None in _pieces((token,), language))


def _pieces(tokens: Iterable[str], language: str) -> Iterator[tuple[Slot, ...] | None]:
    for token in tokens:
        yield from _pieces_of_token(token, language.partition("-")[0])


@cache
def _pieces_of_token(token: str, language: str) -> tuple[tuple[Slot, ...] | None, ...]:
    """Split a token into symbols, longest first; ``None`` stands for one that no table has."""
    table = _table_of(language)
    left = _plain(token, keep=table, language=language)
    pieces: list[tuple[Slot, ...] | None] = []
    previous = ""
    while left:
        symbol = next((left[:n] for n in range(min(4, len(left)), 0, -1) if left[:n] in table), "")
        left = left[len(symbol) or 1 :]
        if symbol and symbol == previous:
            continue  # "aa", "ss": a long sound, not two
        previous = symbol
        pieces.append(table.get(symbol))
    return tuple(pieces)


def _plain(token: str, keep: Mapping[str, object], language: str) -> str:
    """Remove from a token what does not determine the phone (decomposed, NFD)."""
    text = unicodedata.normalize("NFD", _LANGUAGE_MARK.sub("", token)).translate(_SAME_AS)
    if language in _ASPIRATES:
        text = text.replace("ʰ", "h")
    text = "".join(c for c in text if c not in _SILENT or c in keep)
    letters: list[str] = []
    for c in text:
        if not unicodedata.combining(c) or c == _TILDE:
            letters.append(c)
        elif letters and letters[-1] + c in keep:  # "ç", "n̩"
            letters[-1] += c
    return "".join(letters)


@cache
def _table_of(language: str) -> Mapping[str, tuple[Slot, ...]]:
    return {**_ANY_LANGUAGE, _TILDE: (("N", "NG"),), **_LANGUAGES.get(language, {})}
