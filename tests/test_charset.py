"""Text in legacy encodings is read with the right letters, or refused with the guess named."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mutagen.id3 import ID3, SYLT

from lyricsyncd.errors import FormatError
from lyricsyncd.formats import charset
from lyricsyncd.lyrics.local import LocalSource
from lyricsyncd.model import Track

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"

# Language: its encodings, and lines of a song.
SONGS: dict[str, tuple[str, str]] = {
    "pl": (
        "cp1250 iso8859_2",
        "Gdzie jesteś, kiedy noc zapada nad miastem\n"
        "Wciąż szukam cię wśród pustych ulic\n"
        "Nie mów mi, że to już koniec\n"
        "Jeszcze raz chcę usłyszeć twój głos",
    ),
    "cs": (
        "cp1250 iso8859_2",
        "Když slunce zapadá za řekou\n"
        "Já stále čekám na tvůj dopis\n"
        "Říkám si, že všechno bude dobré\n"
        "A že se jednou zase vrátíš domů",
    ),
    "sk": (
        "cp1250",
        "Keď slnko zapadá za riekou\n"
        "Ja stále čakám na tvoj list\n"
        "Hovorím si, že všetko bude dobré\n"
        "A že sa raz zase vrátiš domov",
    ),
    "hu": (
        "cp1250 iso8859_2",
        "Várlak téged minden éjjel\n"
        "Amikor a város már alszik\n"
        "Őszi szél fúj az ablak alatt\n"
        "És én nem tudom, merre jársz",
    ),
    "ro": (
        "cp1250",
        "Unde eşti când vine noaptea\n"
        "Te caut în fiecare stradă\n"
        "Nu-mi spune că s-a terminat\n"
        "Vreau să aud din nou vocea ta",
    ),
    "hr": (
        "cp1250",
        "Gdje si sada kad pada noć\n"
        "Još te tražim po praznim ulicama\n"
        "Nemoj reći da je sve gotovo\n"
        "Želim čuti tvoj glas još jednom",
    ),
    "tr": (
        "cp1254 iso8859_9",
        "Gece çöktü şehrin üstüne\n"
        "Seni arıyorum boş sokaklarda\n"
        "Bana bitti deme ne olur\n"
        "Bir kez daha duymak istiyorum sesini",
    ),
    "lt": (
        "cp1257",
        "Kur tu esi, kai naktis ateina\n"
        "Aš ieškau tavęs tuščiose gatvėse\n"
        "Nesakyk man, kad viskas baigta\n"
        "Noriu dar kartą išgirsti tavo balsą",
    ),
    "el": (
        "cp1253 iso8859_7",
        "Πού είσαι τώρα που νυχτώνει\n"
        "Σε ψάχνω μες στους άδειους δρόμους\n"
        "Μη μου πεις πως όλα τέλειωσαν\n"
        "Θέλω να ακούσω τη φωνή σου",
    ),
    "ru": (
        "cp1251 koi8_r cp866 iso8859_5",
        "Где ты сейчас, когда ночь над городом\n"
        "Я ищу тебя среди пустых улиц\n"
        "Не говори мне, что это конец\n"
        "Хочу ещё раз услышать твой голос",
    ),
    "uk": (
        "cp1251 koi8_u",
        "Де ти зараз, коли ніч над містом\n"
        "Я шукаю тебе серед пустих вулиць\n"
        "Не кажи мені, що це кінець\n"
        "Хочу ще раз почути твій голос",
    ),
    "he": (
        "cp1255",
        "איפה אתה עכשיו כשהלילה יורד\n"
        "אני מחפשת אותך ברחובות ריקים\n"
        "אל תגיד לי שזה הסוף\n"
        "אני רוצה לשמוע שוב את הקול שלך",
    ),
    "ar": (
        "cp1256",
        "أين أنت الآن والليل يأتي\n"
        "أبحث عنك في الشوارع الخالية\n"
        "لا تقل لي إن كل شيء انتهى\n"
        "أريد أن أسمع صوتك من جديد",
    ),
    "zh": (
        "gb18030 gbk gb2312",
        "夜色笼罩着这座城市\n我在空荡的街道寻找你\n不要告诉我一切都结束了\n我想再听一次你的声音",
    ),
    "zh-Hant": (
        "big5",
        "夜色籠罩著這座城市\n我在空蕩的街道尋找你\n不要告訴我一切都結束了\n我想再聽一次你的聲音",
    ),
    "ja": (
        "shift_jis euc_jp",
        "夜が街に降りてくる\n"
        "誰もいない道で君を探してる\n"
        "もう終わりだなんて言わないで\n"
        "もう一度君の声が聞きたい",
    ),
    "ko": (
        "euc_kr",
        "밤이 이 도시에 내려와\n"
        "텅 빈 거리에서 너를 찾고 있어\n"
        "모든 게 끝났다고 말하지 마\n"
        "네 목소리를 다시 듣고 싶어",
    ),
    "fr": (
        "cp1252 latin_1",
        "Où es-tu quand la nuit tombe sur la ville\n"
        "Je te cherche dans les rues désertes\n"
        "Ne me dis pas que c'est fini\n"
        "Je voudrais entendre ta voix à nouveau",
    ),
    "de": (
        "cp1252 latin_1",
        "Wo bist du, wenn die Nacht über die Stadt fällt\n"
        "Ich suche dich in leeren Straßen\n"
        "Sag mir nicht, dass es vorbei ist\n"
        "Ich möchte deine Stimme noch einmal hören",
    ),
    "es": (
        "cp1252 latin_1",
        "¿Dónde estás cuando cae la noche\n"
        "Te busco por las calles vacías\n"
        "No me digas que ya se acabó\n"
        "Quiero oír tu voz una vez más, mi corazón",
    ),
    "pt": (
        "cp1252 latin_1",
        "Onde você está quando a noite cai\n"
        "Eu te procuro pelas ruas vazias\n"
        "Não me diga que já acabou\n"
        "Quero ouvir a tua voz mais uma vez, coração",
    ),
    "it": (
        "cp1252 latin_1",
        "Dove sei quando la notte scende sulla città\n"
        "Ti cerco nelle strade vuote perché\n"
        "Non dirmi che è finita così\n"
        "Vorrei sentire ancora la tua voce",
    ),
    "sv": (
        "cp1252",
        "Var är du när natten faller på\n"
        "Jag söker dig på tomma gator\n"
        "Säg inte att det är över nu\n"
        "Jag vill höra din röst en gång till",
    ),
    "da": (
        "cp1252",
        "Hvor er du når natten falder på\n"
        "Jeg søger dig i tomme gader\n"
        "Sig ikke at det er forbi\n"
        "Jeg vil høre din stemme igen",
    ),
    "fi": (
        "cp1252",
        "Missä olet kun yö saapuu kaupunkiin\n"
        "Minä etsin sinua tyhjiltä kaduilta\n"
        "Älä sano että kaikki on ohi\n"
        "Haluan kuulla äänesi vielä kerran",
    ),
    "is": (
        "cp1252",
        "Hvar ertu þegar nóttin kemur\n"
        "Ég leita að þér á auðum götum\n"
        "Ekki segja mér að þetta sé búið\n"
        "Ég vil heyra röddina þína á ný",
    ),
    "en": (
        "cp1252",
        "She’s sitting in a café by the river\n"
        "I don’t know why I can’t let you go\n"
        "Déjà vu, we’ve been here before\n"
        "Oh my love, say you’ll stay with me",
    ),
    "no": (
        "cp1252",
        "Hvor er du når natten kommer\n"
        "Jeg leter etter deg i tomme gater\n"
        "Ikke si at det er over nå\n"
        "Jeg vil høre stemmen din en gang til",
    ),
    "lv": (
        "cp1257",
        "Kur tu esi, kad nakts nāk pār pilsētu\n"
        "Es meklēju tevi tukšās ielās\n"
        "Nesaki man, ka viss ir beidzies\n"
        "Gribu vēlreiz dzirdēt tavu balsi",
    ),
    "et": (
        "cp1257",
        "Kus sa oled, kui öö on käes\n"
        "Ma otsin sind tühjadel tänavatel\n"
        "Ära ütle mulle, et kõik on läbi\n"
        "Tahan veel kord kuulda su häält",
    ),
    "bg": (
        "cp1251",
        "Къде си ти, когато падне нощта\n"
        "Търся те по празните улици\n"
        "Не ми казвай, че всичко свърши\n"
        "Искам да чуя гласа ти отново",
    ),
}
TABLE = [
    (name, encoding) for name, (encodings, _) in SONGS.items() for encoding in encodings.split()
]


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lyricsyncd", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class TestATextInALegacyEncoding:
    @pytest.mark.parametrize(("language", "encoding"), TABLE)
    def test_is_read_with_the_right_letters(self, language: str, encoding: str) -> None:
        text = SONGS[language][1]
        assert charset.decode(text.encode(encoding)) == text

    @pytest.mark.parametrize(("language", "encoding"), TABLE)
    def test_of_a_line_is_read_so_or_refused(self, language: str, encoding: str) -> None:
        for at, line in enumerate(SONGS[language][1].splitlines()):
            text = f"[00:{at + 10}.00]{line}\n"
            try:
                read = charset.decode(text.encode(encoding))
            except FormatError as error:
                assert "not certain" in error.message  # noqa: PT017 - either is right
            else:
                assert read == text

    @pytest.mark.parametrize(
        ("text", "encoding"),
        [
            ("さくら さくら やよいの空は\n", "shift_jis"),
            ("在那遥远的地方有位好姑娘\n", "gb18030"),
            ("Широка страна моя родная\n", "cp1251"),
        ],
    )
    def test_that_is_long_is_judged_by_its_beginning(self, text: str, encoding: str) -> None:
        # An odd length before the cut: it falls within a character.
        whole = "a" + text * 3000
        assert charset.decode(whole.encode(encoding)) == whole

    def test_has_the_encoding_that_ultrastar_files_name(self) -> None:
        text = "#ENCODING:CP1250\n#TITLE:t\n#BPM:300\n: 0 4 0 Příliš\n: 4 4 0  žluť\nE\n"
        assert charset.decode(text.encode("cp1250")) == text

    def test_keeps_the_marks_of_typesetting(self) -> None:
        text = "It’s you and me – “forever”… oh yeah"
        assert charset.decode(text.encode("cp1252")) == text


class TestATextOfWhichNoGuessIsSure:
    @pytest.mark.parametrize(
        ("text", "encoding"),
        [("Ёлка", "cp1251"), ("Źdźbło", "cp1250"), ("夢", "big5"), ("w ŷ ŵ", "iso8859_14")],
    )
    def test_is_refused_with_the_remedy(self, text: str, encoding: str) -> None:
        with pytest.raises(FormatError, match="encoding is not certain") as caught:
            charset.decode(text.encode(encoding), "song.lrc")
        assert caught.value.message.startswith("song.lrc: ")
        assert "--encoding" in (caught.value.remedy or "")

    def test_names_the_guess(self) -> None:
        with pytest.raises(FormatError, match=r"perhaps \w+ \(\w+"):
            charset.decode("Ёлка".encode("cp1251"))

    def test_is_read_where_the_user_names_the_encoding(self) -> None:
        assert charset.decode("Źdźbło".encode("cp1250"), encoding="cp1250") == "Źdźbło"

    @pytest.mark.parametrize(
        ("encoding", "wrong"),
        [
            ("latin2000", "not an encoding"),
            ("ascii", "not valid ascii"),
            ("zip", "not an encoding"),
        ],
    )
    def test_is_refused_in_an_encoding_that_cannot_be(self, encoding: str, wrong: str) -> None:
        with pytest.raises(FormatError, match=wrong):
            charset.decode("Źdźbło".encode("cp1250"), encoding=encoding)


class TestUnicode:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
    @pytest.mark.parametrize("language", ["pl", "ru", "en"])
    def test_is_read_in_every_form(self, encoding: str, language: str) -> None:
        text = (
            SONGS[language][1] + "\nLa la la la la la la la, oh oh oh oh oh oh oh, la la la la la"
        )
        if encoding == "utf-16-le" and language == "ru":
            pytest.skip("without a mark it is known by the zeros of ASCII")
        assert charset.decode(text.encode(encoding)) == text

    def test_that_is_cut_is_refused(self) -> None:
        with pytest.raises(FormatError, match="not valid utf-16"):
            charset.decode("\ufeffabc".encode("utf-16-le") + b"\xd8")


class TestEveryCommand:
    """The same bytes are the same words to all of them."""

    @pytest.mark.parametrize(
        ("language", "encoding"), [("zh", "gbk"), ("cs", "cp1250"), ("el", "cp1253")]
    )
    def test_reads_them_alike(self, tmp_path: Path, language: str, encoding: str) -> None:
        lines = SONGS[language][1].splitlines()
        text = "".join(f"[00:{10 + 5 * at}.00]{line}\n" for at, line in enumerate(lines))
        file = tmp_path / "The_Star.lrc"
        file.write_bytes(text.encode(encoding))
        song = shutil.copy(SONG, tmp_path)
        (sidecar,) = LocalSource().find(Track(path=Path(song)))
        converted = command("convert", file, "--to", "txt")
        assert converted.returncode == 0, converted.stderr
        assert converted.stdout.splitlines() == lines
        assert [line.text for line in sidecar.lyrics] == lines

    def test_refuses_alike_and_takes_the_encoding_that_is_named(self, tmp_path: Path) -> None:
        file = tmp_path / "a.lrc"
        file.write_bytes("[00:10.00]Źdźbło\n".encode("cp1250"))
        refused = command("convert", file, "--to", "txt")
        assert refused.returncode == 1
        assert "--encoding" in refused.stderr
        named = command("convert", file, "--to", "txt", "--encoding", "cp1250")
        assert named.stdout == "Źdźbło\n"


PIECES = ["\nГде", " ты", " сей", "час", "\nя", " и", "щу", " те", "бя"]


def test_pieces_of_a_tag_are_repaired_together(tmp_path: Path) -> None:
    song = Path(shutil.copy(SONG, tmp_path))
    pieces = [
        (piece.encode("cp1251").decode("latin-1"), 500 * at) for at, piece in enumerate(PIECES)
    ]
    tags = ID3()
    tags.add(SYLT(encoding=0, lang="rus", format=2, type=1, desc="", text=pieces))
    tags.save(song)
    (candidate,) = LocalSource().find(Track(path=song))
    assert candidate.lyrics.text == "Где ты сейчас\nя ищу тебя"
