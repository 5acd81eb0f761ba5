"""Which language words are in.

The script decides where it can; among the languages that share one, py3langid's classifier does
(Lui & Baldwin 2012, "langid.py"). That takes about 100 MB of memory and half a second once: call
`detect` in the model worker, not in the daemon.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

from lyricsyncd import readings
from lyricsyncd.model import Lyrics

_SCRIPTS = {
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "zh",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "GREEK": "el",
    "HEBREW": "he",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "ORIYA": "or",
    "SINHALA": "si",
    "TIBETAN": "bo",
}
"""Scripts that one living language of song is written in, by the first word of their characters'
Unicode names."""

_SYLLABIC = frozenset({"HIRAGANA", "KATAKANA", "HANGUL", "CJK"})

_SHARED = {
    "LATIN": (
        "af az br bs ca cs cy da de en eo es et eu fi fo fr ga gl hr ht hu id is it jv la lb lt lv "
        "mg ms mt nb nl nn no oc pl pt ro rw sk sl sq sv sw tl tr vi wa xh zu"
    ),
    "CYRILLIC": "be bg kk ky mk mn ru sr uk",
    "ARABIC": "ar fa ku ps ug ur",
    "DEVANAGARI": "hi mr ne",
    "BENGALI": "as bn",
    "ETHIOPIC": "am",
}
"""Scripts that several are written in."""

_FREQUENT = frozenset(
    {"ar", "de", "en", "es", "fr", "id", "it", "nl", "pl", "pt", "ru", "sv", "tr"}
)
"""Languages that most recorded songs are in."""
_RARE = 0.1
"""How much likelier one of these is than any other, before a word is read."""
_PRIOR = 20.0
"""How much likelier the language is that the tags name."""
_SURE = 0.75
_FEWEST_LETTERS = 25
"""Fewer letters than these, repeats left out, tell nothing about a language."""


def detect(words: Lyrics | str, *, prior: str | None = None) -> str | None:
    """Detect the language of lyrics, as an ISO 639-1 code, or ``None`` where nothing is sure.

    Parameters
    ----------
    prior
        The language that the tags name, as ISO 639-1: believed where the words do not say
        otherwise.
    """
    text = words if isinstance(words, str) else words.text
    # A refrain says no more the fifth time.
    lines = dict.fromkeys(" ".join(line.split()) for line in text.splitlines())
    text = unicodedata.normalize("NFC", "\n".join(lines))
    scripts = _scripts(text)
    if not scripts:
        return prior
    letters = sum(scripts.values())
    # Japanese and Korean borrow characters and Latin words; their own letters give them away.
    kana = scripts["HIRAGANA"] + scripts["KATAKANA"]
    if kana >= 0.1 * letters:
        return "ja"
    if scripts["HANGUL"] >= 0.3 * letters:
        return "ko"
    script = scripts.most_common(1)[0][0]
    if script == "CJK":
        if len(_CANTONESE & set(text)) >= _SURE_SIGNS:
            return "yue"
        # A few characters may be Japanese as well.
        return "zh" if letters >= _FEWEST_LETTERS else prior
    if script in _SCRIPTS:
        return _SCRIPTS[script]
    if script not in _SHARED:
        return prior
    if scripts[script] < _FEWEST_LETTERS:
        return prior
    if script == "LATIN" and (romanised := _romanised(text)):
        return romanised
    among = _SHARED[script].split()
    if len(among) == 1:
        return among[0]
    likely = _classified(text, among, prior)
    best = max(likely, key=lambda language: likely[language])
    return best if likely[best] >= _SURE else prior


_CANTONESE = frozenset("嘅咗唔佢冇係嚟嗰啲喺咁睇哋瞓攞乜嘢")
"""Characters that only Cantonese is written with."""
_SURE_SIGNS = 2
_ROMANISED = {
    "ja": frozenset(
        "ga wo kimi boku ore watashi anata kokoro desu nai kara dake itsumo itsuka yume sora koto"
        " mono suki namida hitori zutto kitto sekai konna sonna kono sono ano datte shite kudasai"
        " ashita kyou aishiteru".split()
    ),
    "ko": frozenset(
        "saranghae sarang neoreul neoui neon naega niga nae geudae geu uri nal neol haneul maeum"
        " oneul neomu jeongmal hamkke eopseo isseo hajiman geureon nega naneun neoneun".split()
    ),
    "zh": frozenset(
        "wo ni zai shi xin mei meiyou women nimen xiang yiqi shenme zenme zhe zhege xing tian"
        " tiankong guo hui xihuan shijie yongyuan".split()
    ),
}
"""Frequent words of romanised lyrics that no language with Latin letters has."""
_MOST_FOREIGN = 0.2
"""Share of words, English ones, that a romanised song may borrow."""


def _romanised(text: str) -> str | None:
    """Return the language of romanised Japanese, Korean or Chinese, tones or not."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    plain = set(re.findall(r"[^\W\d_]+", _without_marks(text.lower())))
    for language, frequent in _ROMANISED.items():
        if len(frequent & plain) < 3:
            continue
        foreign = sum(readings.from_latin(word, language) is None for word in words)
        if foreign <= _MOST_FOREIGN * len(words):
            return language
    return None


def _without_marks(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def _scripts(text: str) -> Counter[str]:
    """Count the letters of each script; one that stands for a syllable counts as two."""
    counts: Counter[str] = Counter()
    for character, count in Counter(text).items():
        if character.isalpha():
            script = unicodedata.name(character, "?").split()[0]
            counts[script] += 2 * count if script in _SYLLABIC else count
    return counts


def _classified(text: str, among: list[str], prior: str | None) -> Mapping[str, float]:
    """Return the probability of each language; they sum to one."""
    import py3langid

    # The raw scores are sums over the text, far too sure of themselves; the square root of its
    # length tames them, as py3langid itself does when asked for probabilities.
    temper = math.sqrt(len(text.encode()))
    scores: dict[str, float] = {}
    for language, score in py3langid.rank(text):
        if language in among:
            belief = 1.0 if language in _FREQUENT else _RARE
            belief *= _PRIOR if language == prior else 1.0
            name = "no" if language in ("nb", "nn") else language
            value = float(score) / temper + math.log(belief)
            scores[name] = max(value, scores.get(name, -math.inf))
    top = max(scores.values())
    total = sum(math.exp(score - top) for score in scores.values())
    return {language: math.exp(score - top) / total for language, score in scores.items()}


_THREE_LETTERS: dict[str, str] = dict(
    re.findall(
        r"(\w+):(\w+)",
        """
        afr:af alb:sq sqi:sq ara:ar arm:hy hye:hy aze:az baq:eu eus:eu bel:be ben:bn bos:bs
        bre:br bul:bg bur:my mya:my cat:ca ces:cs cze:cs chi:zh zho:zh cmn:zh yue:yue cor:kw
        cym:cy wel:cy dan:da deu:de ger:de ell:el gre:el eng:en epo:eo est:et fao:fo fas:fa
        per:fa fin:fi fra:fr fre:fr fry:fy geo:ka kat:ka gla:gd gle:ga glg:gl guj:gu hat:ht
        heb:he hin:hi hrv:hr hun:hu ice:is isl:is ind:id ita:it jav:jv jpn:ja kan:kn kaz:kk
        khm:km kor:ko kur:ku lao:lo lat:la lav:lv lit:lt ltz:lb mac:mk mkd:mk mal:ml mar:mr
        may:ms msa:ms mlt:mt mon:mn nep:ne dut:nl nld:nl nno:no nob:no nor:no oci:oc pan:pa
        pol:pl por:pt pus:ps ron:ro rum:ro rus:ru sin:si slk:sk slo:sk slv:sl spa:es srp:sr
        swa:sw swe:sv tam:ta tel:te tgl:tl fil:tl tha:th tur:tr ukr:uk urd:ur uzb:uz vie:vi
        wln:wa xho:xh zul:zu
        """,
    )
)
"""ISO 639-2 (both kinds) and the 639-3 codes that tags use → ISO 639-1."""

_NAMES = {
    "english": "en",
    "deutsch": "de",
    "german": "de",
    "french": "fr",
    "français": "fr",
    "spanish": "es",
    "español": "es",
    "italian": "it",
    "italiano": "it",
    "portuguese": "pt",
    "português": "pt",
    "japanese": "ja",
    "korean": "ko",
    "chinese": "zh",
    "mandarin": "zh",
    "cantonese": "yue",
    "thai": "th",
    "hebrew": "he",
    "arabic": "ar",
    "persian": "fa",
    "hindi": "hi",
    "vietnamese": "vi",
    "ukrainian": "uk",
    "greek": "el",
    "russian": "ru",
    "dutch": "nl",
    "swedish": "sv",
    "polish": "pl",
    "turkish": "tr",
}


def code(name: str) -> str | None:
    """Return the ISO 639-1 code of what a tag calls a language: ``eng``, ``en-GB``, ``English``.

    ``None`` for what names none, or several (``mul``, ``zxx``, ``xxx``).
    """
    name = name.strip().lower()
    if name in _NAMES:
        return _NAMES[name]
    if name.replace("_", "-") in ("zh-hk", "zh-mo", "zh-yue"):
        return "yue"
    head = re.split(r"[-_]", name)[0]
    if re.fullmatch(r"[a-z]{2}", head):
        return {"nb": "no", "nn": "no", "iw": "he", "in": "id"}.get(head, head)
    return _THREE_LETTERS.get(head)
