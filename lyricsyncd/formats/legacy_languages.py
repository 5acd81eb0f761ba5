"""Languages of songs and the legacy encodings of their files, to recognise both by.

A guess compares what each encoding makes of the bytes with the letters and the most frequent words
of its languages. Frequent words are what lyrics of two lines have, where letters alone are too few.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """A language, or several that share their letters, as found in legacy files."""

    name: str
    encodings: tuple[str, ...]
    """Python's names of its legacy encodings, the likeliest first."""
    letters: frozenset[str]
    """Its letters beyond ASCII, in both cases; of East Asian languages the ranges of `scripts`."""
    words: frozenset[str]
    """Its most frequent words in small letters; of languages without spaces, characters."""
    scripts: tuple[tuple[str, str], ...] = ()
    """First and last characters of the ranges of its script."""

    @property
    def has_spaces(self) -> bool:
        """Return whether `words` are words, and not characters."""
        return any(len(word) > 1 for word in self.words)


def _latin(name: str, encodings: str, letters: str, words: str) -> Language:
    both = frozenset(letters + letters.upper().replace("SS", ""))
    return Language(name, tuple(encodings.split()), both, frozenset(words.split()))


def _script(
    name: str,
    encodings: str,
    words: str,
    *scripts: tuple[str, str],
    spaces: bool = True,
) -> Language:
    units = frozenset(words.split()) if spaces else frozenset("".join(words.split()))
    return Language(name, tuple(encodings.split()), frozenset(), units, scripts)


_WEST, _CENTRAL, _TURKISH, _BALTIC = "cp1252", "cp1250 iso8859_2", "cp1254", "cp1257"
_HAN, _KANA = ("一", "龥"), ("ぁ", "ヾ")

LANGUAGES: tuple[Language, ...] = (
    _latin(
        "English",
        _WEST,
        "àáâäçèéêëíîïñóôöùúûü",
        "the you i to and a me my in it of your on that i'm be is we for so this all don't no with"
        " love know can but what when she he her his like just now oh up go let got baby yeah was"
        " are have do they never down if out from at not one get there here by",
    ),
    _latin(
        "French",
        _WEST,
        "àâæçèéêëîïôùûüÿœ",
        "je tu il elle on nous vous de le la les des un une du et est pas que qui dans pour sur mon"
        " ma mes ton ta tes son sa ses ce se ne plus mais comme tout moi toi au en à l' j'ai c'est"
        " où si sans suis as ai y quand bien fait rien",
    ),
    _latin(
        "German",
        _WEST,
        "äöüßé",
        "ich du er sie es wir ihr und der die das den dem ein eine einen nicht ist bin bist mit"
        " in im zu auf für so wie was wenn dass mich dich mir dir mein meine dein deine von noch"
        " nur auch an aber kein keine hab war doch da hier immer wieder mehr sind sich wo um über",
    ),
    _latin(
        "Spanish",
        _WEST,
        "áéíóúüñ¿¡",
        "que de no la el y en a me te se lo un una mi tu yo es por con los las para si sin ya más"
        " como pero al del su nos cuando quiero amor todo esta este está tú mí ti muy solo sólo"
        " corazón fue hay",
    ),
    _latin(
        "Portuguese",
        _WEST,
        "àáâãçéêíóôõúü",
        "que de não o a e eu me te se um uma do da em no na você é por com os as para mais como mas"
        " meu minha teu tua seu sua só já quando amor tudo nos sem pra vai ser tem foi está ao",
    ),
    _latin(
        "Italian",
        _WEST,
        "àèéìíòóùú",
        "che di non la il e è in a mi ti si lo un una io tu per con i le da sei ho ma se come più"
        " mio mia tuo tua amore tutto del della al nel sono cosa quando perché ci gli no poi senza"
        " sulla solo qui già",
    ),
    _latin(
        "Swedish",
        _WEST,
        "åäöéà",
        "jag du det och att en i på är som inte för med den mig dig av har vi så min din om när men"
        " till ett kan han hon var ska vill bara aldrig alla mitt ditt här nu där från de",
    ),
    _latin(
        "Danish or Norwegian",
        _WEST,
        "åæøéòôê",
        "jeg du det og at en i på er som ikke for med den mig meg dig deg av af har vi så min din"
        " om når men til et kan han hun var skal vil bare aldrig alle mit mitt her nu nå der fra",
    ),
    _latin(
        "Finnish",
        _WEST,
        "åäö",
        "minä sinä hän me te on ei ja se että kun niin en olen olet sen mun sun mä sä vain kuin jos"
        " mutta oon tää nyt sinun minun sinua minua taas kaikki ole vielä aina mä oot jo sua mua"
        " kuinka missä yö",
    ),
    _latin(
        "Icelandic",
        _WEST,
        "áéíóúýðþæö",
        "ég þú það og að er í á sem ekki fyrir með þig mig við af hef en þér mér minn mín þinn um"
        " svo þegar til var hann hún vil bara aldrei allt hér nú þar frá ekkert",
    ),
    _latin(
        "Catalan",
        _WEST,
        "àçèéíïòóúü·",
        "que de no la el i en a em et es un una per amb els les als si sense més com però del meu"
        " teva meva quan tot vull és jo tu on qui són",
    ),
    _latin(
        "Polish",
        _CENTRAL,
        "ąćęłńóśźż",
        "się nie to w i na że z jest co mnie ja ty cię jak do mi a o ci tak już jej za po dla tylko"
        " mam gdy bo ten jestem wiem być czy kiedy nic moje bez może ale mój moja twój jeszcze"
        " gdzie chcę tu wciąż są",
    ),
    _latin(
        "Czech",
        _CENTRAL,
        "áčďéěíňóřšťúůýž",
        "se je to a na v že já ty mi tě si jsem co jak ti do za s už mě by tak když jen ale k nám"
        " jsi po ten má pro u o kde z tu mám svět den ví nebo tvůj můj ještě není ať být noc",
    ),
    _latin(
        "Slovak",
        _CENTRAL,
        "áäčďéíĺľňóôŕšťúýž",
        "sa je to a na v že ja ty mi ťa si som čo ako ti do za s už ma by tak keď len ale k nám"
        " sme po ten má pre u o kde z tu mám svet deň vie alebo tvoj môj ešte nie ma",
    ),
    _latin(
        "Hungarian",
        _CENTRAL,
        "áéíóöőúüű",
        "a az és hogy nem egy is van én te ha mert csak már még de meg ez azt mint ki mi nekem"
        " neked minden vagy volt lesz jó most úgy ami amikor hol engem téged el fel szív szerelem"
        " vagyok nélkül ott itt",
    ),
    _latin(
        "Romanian",
        _CENTRAL,
        "ăâîşţ",
        "să nu și şi de la în te mă ce eu tu că e cu pe o un mi ai am este sunt pentru din când tot"
        " mai inima dar îmi îţi doar mea ta cum fără unde iar sau vreau",
    ),
    _latin(
        "Croatian, Serbian or Slovenian",
        _CENTRAL,
        "čćđšž",
        "je i u da se na ja ti ne me te mi sam si za što kad od s to samo bez jer su a li kao još"
        " moj moja tvoj sve nije gdje gde ni ljubav biti bi srce noć tvoje nisam ko po iz bila"
        " pa v in sem ni ki bo",
    ),
    _latin(
        "Turkish",
        _TURKISH,
        "çğıöşüâîİ",
        "bir bu ben sen ve ne de da için gibi seni beni bana sana benim senin çok her o ama yok var"
        " kadar aşk gel ki mi sensiz diye olsun daha gece şimdi hiç ile olur değil içimde sonra"
        " sadece kalp",
    ),
    _latin(
        "Lithuanian",
        _BALTIC,
        "ąčęėįšųūž",
        "ir aš tu kad tai ne į su mano tavo kaip man tau bet jau nes dar čia yra mes kur vėl tik"
        " kai ką be už visada o ar tave mane ant iš po",
    ),
    _latin(
        "Latvian",
        _BALTIC,
        "āčēģīķļņšūž",
        "un es tu ka tas ne ar man tev mans tavs kā bet jau vēl ir mēs kur tik kad ko bez uz visu"
        " vai tevi mani no pie par nav viss šo pār",
    ),
    _latin(
        "Estonian",
        _BALTIC,
        "äõöüšž",
        "ma sa on ja ei see et kui mu su me mind sind siis ka nii veel kõik vaid aga olen oled"
        " minu sinu ära kus või siin nüüd mis üks mul sul",
    ),
    _script(
        "Greek",
        "cp1253 iso8859_7",
        "και να το μου σου της την τα θα με δεν που σε για στο στη στην μη πως τη η ο οι του τους"
        " είναι μα τι σαν κι εγώ εσύ εσένα όλα πια αν ό,τι αγάπη καρδιά μια ένα από στα τώρα",
        ("Ά", "Ώ"),
        ("ΐ", "ώ"),
    ),
    _script(
        "Russian or another Cyrillic language",
        "cp1251 koi8_u cp866 iso8859_5",
        "я ты он она мы и в не на что с как это но мне меня тебя тебе мой моя твой по к а все всё"
        " за так у о только когда где бы ещё еще уже если до нет из от мы вы их его её же ни сердце"
        " любовь це що ти мене тебе і й та як але коли де мій моя є у з до ми ще її лише"
        " се да си ми те ме че ще съм аз за има само без ако къде нощ su сам је што кад",
        ("Ё", "ґ"),
    ),
    _script(
        "Hebrew",
        "cp1255 iso8859_8",
        "אני את אתה לא של על כל לי לך זה הוא היא עם מה כמו רק אין יש שלי שלך או גם אם כי אל אותך"
        " אותי עוד עד איך בי מי אבל אז איפה הלב אהבה",
        ("א", "ת"),
    ),
    _script(
        "Arabic",
        "cp1256 iso8859_6",
        "في من يا ما لا على و أنا انت أنت إلى عن قلبي حبيبي كل اللي بس مش ده لي لك ليه حب الحب"
        " عيني هو هي أن إن كان يوم ليل الليل بعد قبل معاك والله",
        ("ء", "ْ"),
        ("ٮ", "ے"),
    ),
    _script(
        "Japanese",
        "shift_jis euc_jp",
        "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん"
        "がぎぐげござじずぜぞだでどばびぶべぼっゃゅょアイウエオカキクコサシスタテトナニノハマミムメモ"
        "ラリルレロワンッー君私夜心夢愛人今日僕見空",
        _HAN,
        _KANA,
        spaces=False,
    ),
    _script(
        "Korean",
        "cp949",
        "이는을가다고에나도지내너의하어아그사로기해라리네서만한있없은니자마를날수게말오인우면주들대보"
        "시여랑던요왜안더려널눈모든",
        ("가", "힣"),
        spaces=False,
    ),
    _script(
        "Chinese (simplified)",
        "gb18030",
        "的我你是不在了一有人这来到上爱没说那就要会心天想都和她他也能可以过再还为什么只如果让时生去"
        "里子下多给自己看着谁把对得好无风花夜中情梦",
        _HAN,
        spaces=False,
    ),
    _script(
        "Chinese (traditional)",
        "big5 gb18030",
        "的我你是不在了一有人這來到上愛沒說那就要會心天想都和她他也能可以過再還為什麼只如果讓時生去"
        "裡子下多給自己看著誰把對得好無風花夜中情夢",
        _HAN,
        spaces=False,
    ),
)
