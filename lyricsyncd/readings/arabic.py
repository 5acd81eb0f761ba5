"""Read Arabic: a small network (`dengjen-tashkeel-py`), if it is there, restores short vowels.

A reading by the consonants, with a vowel allowed between each two, is always added: songs are in
dialects, and their short vowels are not those of the written language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from lyricsyncd.readings.base import Reading, pairs

NETWORK = "dengjen-tashkeel-py"
RULES = "rules"
VOWEL = "ə"
"""Sound of a place that may have a vowel, which the spelling does not show."""
_MOST = 3
_CONSONANTS = {
    "ء": "ʔ",
    "أ": "ʔ",
    "إ": "ʔ",
    "ؤ": "ʔ",
    "ئ": "ʔ",
    "ب": "b",
    "ت": "t",
    "ث": "θ",
    "ج": "dʒ",
    "ح": "ħ",
    "خ": "x",
    "د": "d",
    "ذ": "ð",
    "ر": "r",
    "ز": "z",
    "س": "s",
    "ش": "ʃ",
    "ص": "s",
    "ض": "d",
    "ط": "t",
    "ظ": "ð",
    "ع": "ʕ",
    "غ": "ɣ",
    "ف": "f",
    "ق": "q",
    "ك": "k",
    "ل": "l",
    "م": "m",
    "ن": "n",
    "ه": "h",
    "و": "w",
    "ي": "j",
    "پ": "p",
    "چ": "tʃ",
    "ڤ": "v",
    "گ": "ɡ",
    "ک": "k",
    "ی": "j",
    "ژ": "ʒ",
}
_SUN = "تثدذرزسشصضطظلن"
_FATHA, _DAMMA, _KASRA, _SUKUN, _SHADDA = "\u064e", "\u064f", "\u0650", "\u0652", "\u0651"
_SHORT = {_FATHA: "a", _DAMMA: "u", _KASRA: "i", "\u064b": "an", "\u064c": "un", "\u064d": "in"}
_LETTER = re.compile(
    "(?P<letter>[\u0621-\u064a\u0671\u067e-\u06d3])(?P<marks>[\u064b-\u0655\u0670]*)"
)
_LATIN = {
    "ʔ": "'",
    "θ": "th",
    "ħ": "h",
    "x": "kh",
    "ð": "dh",
    "ʃ": "sh",
    "ʕ": "'",
    "ɣ": "gh",
    "ː": "",
    "ə": "",
    "j": "y",
    "dʒ": "j",
    "tʃ": "ch",
    "ʒ": "zh",
    "ɡ": "g",
    "aː": "ā",
    "iː": "ī",
    "uː": "ū",
}

# Frequent words of songs as they are sung; some are too short for a network to decide.
_WORDS = pairs("""
    حب ħubː         حبي ħubːi       حبك ħubːak      الحب alħubː     حبيب ħabiːb     حبيبي ħabiːbi
    قلب qalb        قلبي qalbi      ليل lajl        الليل allajl    ليلة lajla      ليلى lajla
    عين ʕajn        عيني ʕajni      عيون ʕujuːn     روح ruːħ        روحي ruːħi      حلم ħulm
    دمع damʕ        دموع dumuːʕ     دمعة damʕa      فرح faraħ       غرام ɣaraːm     دنيا dunja
    الدنيا addunja  عمر ʕumr        عمري ʕumri      شمس ʃams        قمر qamar       نجم nadʒm
    نجوم nudʒuːm    سماء samaːʔ     بحر baħr        ورد ward        وردة warda      زهرة zahra
    نار naːr        نور nuːr        يا jaː          أنا ʔana        أنت ʔanta       انت inta
    انا ana         هو huwa         هي hija         نحن naħnu       في fiː          من min
    على ʕala        إلى ʔila        عن ʕan          ما maː          لا laː          هذا haːða
    هذه haːðihi     كل kul          كلام kalaːm     كلمة kalima     كلمات kalimaːt  شوق ʃawq
    سلام salaːm     وطن watˤan      بلاد bilaːd     أم ʔumː         أمي ʔumːi       أب ʔab
    يوم jawm        أيام ʔajːaːm    زمان zamaːn     صوت sawt        جمال dʒamaːl    جميل dʒamiːl
    حياة ħajaːt     حياتي ħajaːti   موت mawt        وجع wadʒaʕ      جرح dʒurħ       أمل ʔamal
    صبر sabr        سهر sahar       غياب ɣijaːb     وداع wadaːʕ     طير tajr        مطر matar
    ريح riːħ        هوا hawa        الهوى alhawa    هوى hawa        بيت bajt        طريق tariːq
    خوف xawf        حنين ħaniːn     ذكرى ðikra      بنت bint        ولد walad       الله allaːh
""")


@cache
def _network() -> Callable[[str], str] | None:
    try:
        from dengjen_tashkeel_py import tashkeel
    except (ImportError, RuntimeError):
        # It raises the latter where it finds no library of onnxruntime.
        return None
    restored: Callable[[str], str] = tashkeel
    return restored


def installed() -> bool:
    """Return whether short vowels can be restored."""
    return _network() is not None


def read(words: Sequence[str]) -> list[tuple[Reading, ...]]:
    """Read the words of a line (`lyricsyncd.readings.base.Reader`)."""
    plain = [_normalised(word) for word in words]
    vowelled = _restored(plain)
    return [_word(word, given) for word, given in zip(plain, vowelled, strict=True)]


def _normalised(word: str) -> str:
    return unicodedata.normalize("NFKC", word).replace("\u0640", "")


def _restored(words: Sequence[str]) -> Sequence[str]:
    """Return the words with short vowels; as they are where there is no network."""
    restore = _network()
    if restore is None:
        return words
    line = " ".join(words)[:1000]
    result = unicodedata.normalize("NFC", restore(line)).split(" ")
    return result if len(result) == len(words) else words


def _word(word: str, vowelled: str) -> tuple[Reading, ...]:
    if not _LETTER.search(word):
        return ()
    found: dict[str, str] = {}
    bare = re.sub("[\u064b-\u0655\u0670]", "", word)
    if bare in _WORDS:
        found[_WORDS[bare]] = RULES
    elif bare[:1] in ("و", "ف") and bare[1:] in _WORDS:
        found[{"و": "wa", "ف": "fa"}[bare[0]] + _WORDS[bare[1:]]] = RULES
    if any(mark in vowelled for mark in _SHORT):
        found.setdefault(_vowelled(_letters(vowelled)), RULES if vowelled == word else NETWORK)
    for ipa in _by_consonants(_letters(bare)):
        found.setdefault(ipa, RULES)
    return tuple(Reading(ipa, _latin(ipa), by) for ipa, by in found.items() if ipa)[:_MOST]


def _letters(word: str) -> list[tuple[str, str]]:
    return [(m["letter"], m["marks"]) for m in _LETTER.finditer(word)]


def _vowelled(letters: Sequence[tuple[str, str]]) -> str:
    ipa = ""
    for at, (letter, marks) in enumerate(letters):
        first, last = at == 0, at == len(letters) - 1
        vowel = "".join(_SHORT[mark] for mark in marks if mark in _SHORT)
        if letter in "اىٱ":
            if at == 1 and letters[0][0] in "وفبك" and letters[2:3] and letters[2][0] == "ل":
                continue  # the article after a particle
            if first:
                ipa += vowel or ("a" if letters[1:2] and letters[1][0] == "ل" else "i")
            elif ipa.endswith(("an", "a")):
                ipa = ipa if ipa.endswith("an") else ipa + "ː"
            else:
                ipa += "aː"
            continue
        if letter == "آ":
            ipa += "ʔaː"
            continue
        if letter == "ة":
            ipa += ("" if ipa.endswith("a") else "a") + (f"t{vowel}" if vowel and not last else "")
            continue
        if letter in "وي" and not vowel and _SHADDA not in marks and _SUKUN not in marks:
            long = {"و": "u", "ي": "i"}[letter]
            if ipa.endswith(long):
                ipa += "ː"
                continue
        if letter in "وي" and _SUKUN in marks and ipa.endswith({"و": "u", "ي": "i"}[letter]):
            ipa += "ː"
            continue
        if letter == "ل" and 0 < at < min(3, len(letters) - 1) and _is_article(letters[: at + 1]):
            following, next_marks = letters[at + 1]
            ipa += _CONSONANTS[following] if following in _SUN and _SHADDA not in next_marks else ""
            ipa += "" if following in _SUN else "l"
            continue
        sound = _CONSONANTS.get(letter, "")
        # The endings of cases and moods are not sung.
        ipa += sound * (2 if _SHADDA in marks else 1) + ("" if last and at > 1 else vowel)
    return ipa


def _is_article(letters: Sequence[tuple[str, str]]) -> bool:
    """Return whether letters are the article, alone or after a particle."""
    *particle, (alif, _), (_, marks) = letters
    is_bare = not any(mark in _SHORT for mark in marks)
    return is_bare and alif in "اٱ" and (not particle or particle[0][0] in "وفبك")


def _by_consonants(letters: Sequence[tuple[str, str]]) -> Iterator[str]:
    plain = "".join(letter for letter, _ in letters)
    article = ""
    for head in ("وال", "بال", "فال", "كال", "ال"):
        if plain.startswith(head) and len(plain) > len(head) + 1:
            sun = plain[len(head)] in _SUN
            lead = {"و": "wa", "ب": "bi", "ف": "fa", "ك": "ka"}.get(head[0], "a")
            article = lead + ("" if sun else "l")
            plain = plain[len(head) :]
            break
    yield article + _skeleton(plain, glides=False)
    yield article + _skeleton(plain, glides=True)


def _skeleton(plain: str, *, glides: bool) -> str:
    """Read by consonants: "و" and "ي" between them as long vowels, or as glides."""
    ipa = ""
    for at, letter in enumerate(plain):
        first, last = at == 0, at == len(plain) - 1
        after = "" if last else plain[at + 1]
        if letter in "اىٱ":
            ipa = ipa.removesuffix(VOWEL) + (VOWEL if first else "aː")
        elif letter == "آ":
            ipa += "ʔaː"
        elif letter == "ة":
            ipa = ipa.removesuffix(VOWEL) + "a"
        elif (
            letter in "ويی" and not first and not glides and after not in ("ا", "ى", "ة", "و", "ي")
        ):
            ipa = ipa.removesuffix(VOWEL) + ("uː" if letter == "و" else "iː")
        else:
            ipa += _CONSONANTS.get(letter, "")
            ipa += "" if last or after in ("ا", "ى", "ة") else VOWEL
    return ipa


def _latin(ipa: str) -> str:
    pieces = re.findall("dʒ|tʃ|[aiu]ː|.", ipa)
    return "".join(_LATIN.get(piece, piece) for piece in pieces)
