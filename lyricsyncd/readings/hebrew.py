"""Read Hebrew: pointed words by their points, others by a list of frequent words, or else by their
consonants with a vowel allowed between each two.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from lyricsyncd.readings.base import Reading, pairs

READER = "rules"
VOWEL = "ə"
"""Sound of a place that may have a vowel, which the spelling does not show."""
_MOST = 3
_CONSONANTS = {
    "א": "",
    "ב": "v",
    "ג": "ɡ",
    "ד": "d",
    "ה": "h",
    "ו": "v",
    "ז": "z",
    "ח": "χ",
    "ט": "t",
    "י": "j",
    "כ": "χ",
    "ך": "χ",
    "ל": "l",
    "מ": "m",
    "ם": "m",
    "נ": "n",
    "ן": "n",
    "ס": "s",
    "ע": "",
    "פ": "f",
    "ף": "f",
    "צ": "ts",
    "ץ": "ts",
    "ק": "k",
    "ר": "ʁ",
    "ש": "ʃ",
    "ת": "t",
}
_HARD = {"ב": "b", "כ": "k", "ך": "k", "פ": "p", "ף": "p"}
_FOREIGN = {"ג": "dʒ", "ז": "ʒ", "צ": "tʃ", "ץ": "tʃ", "ת": "t", "ח": "χ", "ו": "w"}
_DAGESH, _SIN = "\u05bc", "\u05c2"
_POINTS = {
    "\u05b0": "",
    "\u05b1": "e",
    "\u05b2": "a",
    "\u05b3": "o",
    "\u05b4": "i",
    "\u05b5": "e",
    "\u05b6": "e",
    "\u05b7": "a",
    "\u05b8": "a",
    "\u05b9": "o",
    "\u05ba": "o",
    "\u05bb": "u",
    "\u05c7": "o",
}
_LETTER = re.compile("(?P<letter>[א-ת])(?P<marks>[\u05b0-\u05c7]*)(?P<foreign>['׳]?)")
_LATIN = {
    "χ": "ch",
    "ʃ": "sh",
    "ʁ": "r",
    "ɡ": "g",
    "j": "y",
    "ə": "",
    "dʒ": "j",
    "ʒ": "zh",
    "tʃ": "ch",
}

_WORDS = pairs("""
    אהבה ahava       אהבת ahavat     אוהב ohev       אוהבת ohevet    אהוב ahuv       לב lev
    לבי libi         ליבי libi       לבד levad       לילה laila      הלילה halaila   יום jom
    ים jam           שמש ʃemeʃ       ירח jaʁeaχ      כוכב koχav      כוכבים koχavim  שמים ʃamaim
    שמיים ʃamaim     זהב zahav       כסף kesef       חלום χalom      חלומות χalomot  שיר ʃiʁ
    שירים ʃiʁim      מנגינה manɡina  קול kol         מילה mila       מילים milim     דרך deʁeχ
    עולם olam        העולם haolam    ארץ eʁets       בית bait        הבית habait     אור oʁ
    חושך χoʃeχ       רוח ʁuaχ        גשם ɡeʃem       אש eʃ           מים maim        אדמה adama
    אדם adam         איש iʃ          אישה iʃa        אשה iʃa         ילד jeled       ילדה jalda
    אמא ima          אבא aba         אח aχ           אחות aχot       חבר χaveʁ       חברים χaveʁim
    אני ani          אתה ata         את at           הוא hu          היא hi          אנחנו anaχnu
    הם hem           שלי ʃeli        שלך ʃelaχ       שלנו ʃelanu     לי li           לך leχa
    לו lo            לה la           לנו lanu        לא lo           כן ken          כל kol
    זה ze            זאת zot         זו zo           מה ma           מי mi           איך eχ
    איפה eifo        למה lama        מתי matai       כמו kmo         רק ʁak          עוד od
    גם ɡam           עם im           על al           אל el           אם im           או o
    של ʃel           כי ki           אבל aval        תמיד tamid      לעולם leolam    עכשיו aχʃav
    היום hajom       מחר maχaʁ       אתמול etmol     בוקר bokeʁ      ערב eʁev        שלום ʃalom
    תודה toda        טוב tov         טובה tova       יפה jafa        קטן katan       גדול ɡadol
    חדש χadaʃ        אחד eχad        אחת aχat        שתי ʃtei        שני ʃnei        חיים χaim
    החיים haχaim     חיי χajai       נשמה neʃama     נפש nefeʃ       עיניים einaim   עיני einai
    ידיים jadaim     יד jad          פנים panim      ראש ʁoʃ         דמעה dima       דמעות dmaot
    כאב keev         שמחה simχa      עצב etsev       תקווה tikva     תקוה tikva      פרח peʁaχ
    פרחים pʁaχim     עץ ets          ציפור tsipoʁ    כנפיים knafaim  חורף χoʁef      קיץ kaits
    אביב aviv        סתיו stav       זמן zman        רגע ʁeɡa        שנה ʃana        שקט ʃeket
    געגוע ɡaaɡua     געגועים ɡaaɡuim בוא bo          בואי boi        תן ten          לך leχ
    רוצה ʁotse       יודע jodea      הולך holeχ      בא ba           היה haja        יהיה ihie
    שר ʃaʁ           רוקד ʁoked      נשיקה neʃika    חופש χofeʃ      מלך meleχ       מלכה malka
    אלוהים elohim    ירושלים jeʁuʃalaim              ישראל jisʁael   שבת ʃabat       הר haʁ
    חול χol          גל ɡal          גלים ɡalim      סוף sof         התחלה hatχala   לחם leχem
    יין jain         דבש dvaʃ        חלב χalav       ורד veʁed       לבן lavan       שחור ʃaχoʁ
    כחול kaχol       אדום adom       ירוק jaʁok      צל tsel         צבע tseva       קשת keʃet
    אהובה ahuva       אהובי ahuvi       אהבתי ahavti      אוהבים ohavim     אוהבות ohavot
    לאהוב leehov      נאהב nohav        תאהב tohav        רכבת ʁakevet      שדה sade
    שדות sadot        שמח sameaχ        שמחים smeχim      שרה ʃaʁa          שרים ʃaʁim
    לשיר laʃiʁ        שירה ʃiʁa         שפה safa          שפתיים sfataim    שיער seaʁ
    שם ʃam            שמה ʃama          שמו ʃmo           שמי ʃmi           שבע ʃeva
    שלוש ʃaloʃ        עשר eseʁ          עשה asa           עושה ose          עשיתי asiti
    לעשות laasot      נעשה naase        שיחק siχek        משחק misχak       שחקן saχkan
    סבתא savta        סבא saba          בשר basaʁ         בן ben            בת bat
    בנים banim        בנות banot        אבן even          אבנים avanim      דבר davaʁ
    דברים dvaʁim      לדבר ledabeʁ      מדבר midbaʁ       מדברת medabeʁet   מדברים medabʁim
    דיבר dibeʁ        דיברתי dibaʁti    חיבוק χibuk       לחבק leχabek      מחבק meχabek
    מבט mabat         בלבד bilvad       טבע teva          זיכרונות ziχʁonot  זוכר zoχeʁ
    זוכרת zoχeʁet     לזכור lizkoʁ      זכור zaχoʁ        אזכור ezkoʁ       זכרתי zaχaʁti
    שכח ʃaχaχ         שוכח ʃoχeaχ       לשכוח liʃkoaχ     אשכח eʃkaχ        תשכח tiʃkaχ
    שכחתי ʃaχaχti     כותב kotev        כתבתי katavti     לכתוב liχtov      מכתב miχtav
    הולכת holeχet     הולכים holχim     הלכתי halaχti     הלך halaχ         ללכת laleχet
    אלך eleχ          תלך teleχ         לכי leχi          באה baa           באתי bati
    לבוא lavo         יבוא javo         תבוא tavo         אבוא avo          באים baim
    חוזר χozeʁ        חזרתי χazaʁti     לחזור laχzoʁ      תחזור taχazoʁ     יחזור jaχazoʁ
    אחזור eχezoʁ      נשאר niʃaʁ        נשארת niʃeʁet     נשארים niʃaʁim    להישאר lehiʃaʁ
    נשארתי niʃaʁti    עומד omed         עומדת omedet      יושב joʃev        יושבת joʃevet
    ישן jaʃen         ישנה jeʃena       לישון liʃon       חולם χolem        חולמת χolemet
    חלמתי χalamti     לחלום laχalom     בוכה boχe         בוכים boχim       בכיתי baχiti
    לבכות livkot      צוחק tsoχek       צוחקת tsoχeket    לצחוק litsχok     צחוק tsχok
    חיוך χijuχ        מחייך meχajeχ     רואה ʁoe          רואים ʁoim        ראיתי ʁaiti
    לראות liʁot       ראה ʁaa           שומע ʃomea        שומעת ʃomaat      שמעתי ʃamati
    לשמוע liʃmoa      יודעת jodaat      ידעתי jadati      לדעת ladaat       אדע eda
    תדע teda          אומר omeʁ         אומרת omeʁet      אמרתי amaʁti      אמר amaʁ
    אמרת amaʁta       לומר lomaʁ        תגיד taɡid        להגיד lehaɡid     אגיד aɡid
    רציתי ʁatsiti     רוצים ʁotsim      רצה ʁatsa         מחכה meχake       חיכיתי χikiti
    לחכות leχakot     צריך tsaʁiχ       צריכה tsʁiχa      יכול jaχol        יכולה jeχola
    יכולים jeχolim    אפשר efʃaʁ        אולי ulai         בטח betaχ         פתאום pitom
    לפעמים lifamim    לפני lifnei       אחרי aχaʁei       בתוך betoχ        מתוך mitoχ
    מול mul           ליד lejad         בין bein          מעל meal          תחת taχat
    מתחת mitaχat      למעלה lemala      למטה lemata       בחוץ baχuts       בפנים bifnim
    כאן kan           פה po             לכאן lekan        הנה hine          עדיין adain
    כבר kvaʁ          שוב ʃuv           יותר joteʁ        פחות paχot        מאוד meod
    קצת ktsat         הכל hakol         הכול hakol        כלום klum         מישהו miʃehu
    משהו maʃehu       אחר aχeʁ          אחרת aχeʁet       עצמי atsmi        עצמך atsmeχa
    ביחד bejaχad      יחד jaχad         לאט leat          מהר maheʁ         קרוב kaʁov
    רחוק ʁaχok        קרובים kʁovim     אחריך aχaʁeχa     אליך eleχa        אליי elai
    אלי elai          עליך aleχa        עליי alai         איתך itχa         איתי iti
    אתך itχa          אותך otχa         אותי oti          אותו oto          אותה ota
    אותנו otanu       ממך mimχa         ממני mimeni       בי bi             בך beχa
    בו bo             בה ba             שלה ʃela          שלו ʃelo          שלכם ʃelaχem
    שלהם ʃelahem      הזה haze          הזאת hazot        ההוא hahu         ההיא hahi
    כזה kaze          כולם kulam        כולנו kulanu      אלה ele           אלו elu
    אתם atem          אתן aten          הן hen            אף af             אין ein
    אינני eineni      יש jeʃ            היו haju          הייתי haiti       היית haita
    הייתה haita       היתה haita        אהיה ehie         תהיה tihie        להיות lihiot
    נהיה nihie        חי χai            חיה χaja          לחיות liχiot      למות lamut
    מת met            מוות mavet        נולד nolad        נולדתי noladti    עף af
    לעוף lauf         עפים afim         רץ ʁats           לרוץ laʁuts       שט ʃat
    נופל nofel        נופלת nofelet     נפלתי nafalti     קם kam            לקום lakum
    רוקדת ʁokedet     לרקוד liʁkod      נושם noʃem        נשימה neʃima      מרגיש maʁɡiʃ
    מרגישה maʁɡiʃa    להרגיש lehaʁɡiʃ   מאמין maamin      מאמינה maamina    אמונה emuna
    אמת emet          שקר ʃekeʁ         סוד sod           סודות sodot       תפילה tfila
    ברכה bʁaχa        נר neʁ            נרות neʁot        להבה lehava       שלג ʃeleɡ
    קור koʁ           חם χam            חום χom           חמה χama          לבנה levana
    שחר ʃaχaʁ         לילות lelot       ימים jamim        שעה ʃaa           שעות ʃaot
    דקה daka          רגעים ʁeɡaim      שנים ʃanim        שבוע ʃavua        חודש χodeʃ
    ענן anan          עננים ananim      רוחות ʁuχot       סערה seaʁa        נהר nahaʁ
    מעיין maajan      חוף χof           חופים χofim       ספינה sfina       סירה siʁa
    מדינה medina      ארצי aʁtsi        מולדת moledet     עיר iʁ            רחוב ʁeχov
    רחובות ʁeχovot    כביש kviʃ         דרכים dʁaχim      דלת delet         חלון χalon
    חלונות χalonot    קיר kiʁ           חדר χedeʁ         מיטה mita         שולחן ʃulχan
    ספר sefeʁ         ספרים sfaʁim      תמונה tmuna       תמונות tmunot     מנורה menoʁa
    גבר ɡeveʁ         נער naaʁ          נערה naaʁa        ילדים jeladim     ילדות jaldut
    חיילים χajalim    חייל χajal        גיבור ɡiboʁ       מלחמה milχama     מלאך malaχ
    מלאכים malaχim    שטן satan         גן ɡan            עדן eden          תפוח tapuaχ
    ענבים anavim      עלה ale           עלים alim         שושנה ʃoʃana      יונה jona
    נשר neʃeʁ         אריה aʁie         סוס sus           כלב kelev         חתול χatul
    דג daɡ            פרפר paʁpaʁ       כנף kanaf         צעד tsaad         צעדים tseadim
    רגל ʁeɡel         רגליים ʁaɡlaim    אצבע etsba        כתף katef         עור oʁ
    דם dam            לבבות levavot     לבך libeχ         לבו libo          נפשי nafʃi
    נשמתי niʃmati     גוף ɡuf           בדידות bdidut     עצוב atsuv        עצובה atsuva
    מאושר meuʃaʁ      אושר oʃeʁ         פחד paχad         מפחד mefaχed      כאבים keevim
    יפים jafim        יפות jafot        טובים tovim       טובות tovot       גדולה ɡdola
    קטנה ktana        חדשה χadaʃa       ישנים jeʃanim     זר zaʁ            זרים zaʁim
    חזק χazak         חזקה χazaka       חלש χalaʃ         רך ʁaχ            מתוק matok
    מתוקה metuka      מר maʁ            שקטה ʃketa        שלם ʃalem         ריק ʁek
    מלא male          מלאה mlea         לבנים levanim     צהוב tsahov       ורוד vaʁod
    אפור afoʁ         סגול saɡol        צבעים tsvaim      כינור kinoʁ       גיטרה ɡitaʁa
    פסנתר psanteʁ     תוף tof           ריקוד ʁikud       לחן laχan         צליל tslil
    ניגון niɡun       קולך koleχ
""")
_PREFIXES = {"ו": "ve", "ה": "ha", "ב": "be", "ל": "le", "מ": "mi", "ש": "ʃe", "כ": "ke"}
_PLURALS = {"ים": "im", "ות": "ot"}


def read(words: Sequence[str]) -> list[tuple[Reading, ...]]:
    """Read the words of a line (`lyricsyncd.readings.base.Reader`)."""
    return [_word(unicodedata.normalize("NFC", unicodedata.normalize("NFKD", w))) for w in words]


def _word(word: str) -> tuple[Reading, ...]:
    letters = [
        (m["letter"], m["marks"], m["foreign"]) for m in _LETTER.finditer(word.replace("־", ""))
    ]
    if not letters:
        return ()
    if any(mark in _POINTS for _, marks, _ in letters for mark in marks):
        found = [_pointed(letters)]
    else:
        plain = "".join(letter for letter, _, _ in letters)
        found = [*_listed(plain), *_by_consonants(letters)]
    unique = dict.fromkeys(ipa for ipa in found if ipa)
    return tuple(Reading(ipa, _latin(ipa), READER) for ipa in unique)[:_MOST]


def _listed(plain: str) -> Iterator[str]:
    """Yield the reading of a frequent word, with or without prefixes."""
    if plain in _WORDS:
        yield _WORDS[plain]
    elif len(plain) > 3 and plain[-2:] in _PLURALS and plain[:-2] in _WORDS:
        yield _WORDS[plain[:-2]] + _PLURALS[plain[-2:]]
    elif len(plain) > 2 and plain[0] in _PREFIXES:
        yield from (_PREFIXES[plain[0]] + rest for rest in _listed(plain[1:]))


def _pointed(letters: Sequence[tuple[str, str, str]]) -> str:
    ipa = ""
    for at, (letter, marks, foreign) in enumerate(letters):
        vowel = "".join(_POINTS[mark] for mark in marks if mark in _POINTS)
        sheva = "\u05b0" in marks
        last = at == len(letters) - 1
        if letter == "ו" and _DAGESH in marks and not vowel and not sheva:
            ipa += "u"
            continue
        if letter == "ו" and vowel == "o" and ipa[-1:] not in ("", *"aeiou"):
            ipa += "o"
            continue
        if letter == "י" and not vowel and not sheva and ipa[-1:] in ("i", "e"):
            continue
        if letter == "ה" and last and not vowel and _DAGESH not in marks:
            continue
        sound = _CONSONANTS[letter]
        if foreign and letter in _FOREIGN:
            sound = _FOREIGN[letter]
        elif _DAGESH in marks and letter in _HARD:
            sound = _HARD[letter]
        elif letter == "ש" and _SIN in marks:
            sound = "s"
        if letter in "חע" and last and vowel == "a" and ipa[-1:] not in ("", "a"):
            ipa += "a" + sound  # a furtive patah is read before its letter
            continue
        ipa += sound + (vowel or ("e" if sheva and at == 0 else ""))
    return ipa


def _by_consonants(letters: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Yield readings of unpointed letters: which stops are hard, which "ש" is "s", and what "ו"
    is, may differ."""
    yield _unpointed(letters, "o", _SOFT)
    yield _unpointed(letters, "o", _HARD_WITHIN)
    if any(letter == "ש" for letter, _, _ in letters):
        yield _unpointed(letters, "o", _SOFT).replace("ʃ", "s")
    yield _unpointed(letters, "u", _SOFT)
    yield _unpointed(letters, "o", _HARD_FIRST)
    yield _unpointed(letters, "v", _SOFT)


_SOFT, _HARD_FIRST, _HARD_WITHIN = 0, 1, 9
"""How many stops that may be soft are hard, besides that at the start."""


def _unpointed(letters: Sequence[tuple[str, str, str]], vav: str, hard: int) -> str:
    ipa = ""
    for at, (letter, _, foreign) in enumerate(letters):
        first, last = at == 0, at == len(letters) - 1
        after = "" if last else letters[at + 1][0]
        is_vowel = ipa[-1:] in ("a", "e", "i", "o", "u", VOWEL)
        if letter == "ו" and not first and vav != "v" and after not in ("ו", "ה"):
            ipa = (ipa.removesuffix(VOWEL) if letters[at - 1][0] != "ו" else ipa[:-1] + "v") + vav
            continue
        if letter == "י" and not first and after not in ("ו", "ה", "י"):
            ipa = ipa.removesuffix(VOWEL) + ("j" if ipa.endswith(("o", "u")) else "i")
            continue
        if letter == "י" and not first and not is_vowel:
            ipa += VOWEL
        if letter == "ה" and last and not first:
            ipa = ipa.removesuffix(VOWEL) + ("" if ipa[-1:] in ("a", "e", "o") else "a")
            continue
        if letter in "אע":
            ipa += "" if is_vowel and not first else VOWEL
            continue
        sound = _FOREIGN[letter] if foreign and letter in _FOREIGN else _CONSONANTS[letter]
        if letter in _HARD and not foreign and (first or (hard and not last)):
            sound = _HARD[letter]
            hard -= not first
        ipa += sound
        if not last and not (after == "ו" and vav != "v") and after != "י":
            ipa += VOWEL
    return ipa


def _latin(ipa: str) -> str:
    return "".join(_LATIN.get(c, c) for c in re.findall("dʒ|tʃ|.", ipa))
