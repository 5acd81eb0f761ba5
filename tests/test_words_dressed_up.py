"""The demo song is placed alike whatever stands around and between its words.

Its words lie beside it as programs, websites and people write them down. One set of models places
them all, on vocals that are separated once; words that are found to be the same are placed once.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from demo import make_song
from lyricsyncd.catalog.drafts import lyrics_as_plain
from lyricsyncd.config.schema import Config
from lyricsyncd.model import Lyrics
from lyricsyncd.pipeline.pipeline import LyricSyncPipeline
from lyricsyncd.pipeline.prepared import Prepared
from lyricsyncd.pipeline.result import SyncResult
from lyricsyncd.separate import Stem

pytestmark = pytest.mark.slow

SONG = Path(make_song.SONGS_DIR) / "The_Star.mp3"
TEXT = SONG.with_suffix(".txt").read_text(encoding="utf-8").strip()
LINES = TEXT.splitlines()
FIRST, SECOND = "\n".join(LINES[:4]), "\n".join(LINES[4:])
SPANISH = (
    "Brilla, brilla, estrellita,\ncómo me pregunto qué eres.\nAllá arriba del mundo tan alto,\n"
    "como un diamante en el cielo.\nCuando el sol ardiente se ha ido,\ncuando ya nada alumbra,\n"
    "entonces muestras tu lucecita,\nbrilla, brilla, toda la noche."
).splitlines()
JAPANESE = ["きらきらひかる", "おそらのほしよ", "まばたきしては", "みんなをみてる"] * 2
CYRILLIC = [
    "Твинкл, твинкл, литл стар,",
    "Хау ай уандер уот ю ар.",
    "Ап эбав зе уорлд соу хай,",
    "Лайк э даймонд ин зе скай.",
    "Уэн зе блейзинг сан из гон,",
    "Уэн хи насинг шайнз апон,",
    "Зен ю шоу ёр литл лайт,",
    "Твинкл, твинкл, ол зе найт.",
]
TOLERATED_S, TOLERATED_SCORE = 0.3, 0.03


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


STARTS = [float(row["start_time"]) for row in rows(SONG.with_suffix(".lines.csv"))]
WORDS = [
    (float(row["word_start"]), float(row["word_end"]))
    for row in rows(SONG.with_suffix(".words.csv"))
]


def clock(seconds: float, digits: int = 2) -> str:
    minutes = int(seconds // 60)
    return f"{minutes:02}:{seconds - 60 * minutes:0{digits + 3}.{digits}f}"


def lrc(*texts: list[str], stamp: Callable[[float], str] = clock) -> str:
    """LRC with the true times of lines, and other texts at the same stamps."""
    return "\n".join(
        f"[{stamp(start)}]{text}"
        for start, *group in zip(STARTS, *texts, strict=True)
        for text in group
    )


def timed_words(form: Callable[[str, float], str]) -> list[str]:
    """The lines with each word in a form of its own, as `form` makes it of word and start."""
    starts = iter(start for start, _ in WORDS)
    return ["".join(form(word, next(starts)) for word in line.split()).strip() for line in LINES]


def in_turn(*texts: list[str]) -> str:
    return "\n".join(row for group in zip(*texts, strict=True) for row in group)


def stanzas(*labels: str) -> str:
    return f"{labels[0]}\n{FIRST}\n\n{labels[1]}\n{SECOND}"


def inline(one: str, two: str) -> str:
    return f"{one}{FIRST}\n\n{two}{SECOND}"


def chords(row: str) -> str:
    return "\n".join(f"{row}\n{line}" for line in LINES)


def html_page(text: str) -> str:
    return "<div class='lyrics'>" + text.replace("\n", "<br/>\n") + "</div>"


def srt(text: list[str]) -> str:
    ends = [*STARTS[1:], STARTS[-1] + 4]
    return "\n\n".join(
        f"{at}\n00:00:{start:06.3f} --> 00:00:{end:06.3f}\n{line}".replace(".", ",", 2)
        for at, (start, end, line) in enumerate(zip(STARTS, ends, text, strict=True), 1)
    )


PLAIN = {
    "headers": stanzas("[Verse 1: The Sampled Choir]", "[Chorus]"),
    "headers without brackets": stanzas("Verse 1:", "CHORUS"),
    "headers in round brackets": stanzas("(Verse 1: Jane)", "(Chorus: All)"),
    "headers with times": stanzas("[Verse 1] 0:05", "Chorus (0:25)"),
    "headers in Markdown": stanzas("## Verse 1", "**Chorus**"),
    "headers of letters": stanzas("V1", "R:"),
    "headers in German": stanzas("1. Strophe", "Refrain:"),
    "headers in Polish": stanzas("Zwrotka I", "Ref.:"),
    "headers in Czech": stanzas("1. sloka", "®:"),
    "headers in Spanish": stanzas("Estrofa 1", "Estribillo:"),
    "headers in Portuguese": stanzas("Primeira parte", "Refrão"),
    "headers in Russian": stanzas("1 куплет", "Припев:"),
    "headers in Japanese": stanzas("【Aメロ】", "サビ"),
    "a bridge among headers": stanzas("Verse 1", "Bridge"),
    "numbers of verses": inline("1. ", "2. "),
    "numbers of verses alone": stanzas("I.", "II."),
    "numbers of lines": "\n".join(f"{at}. {line}" for at, line in enumerate(LINES, 1)),
    "names before words": inline("Verse 1: ", "Chorus: "),
    "short names before words": inline("1. ", "R: "),
    "a list": "\n".join(f"- {line}" for line in LINES),
    "Genius": f"3 ContributorsThe Star Lyrics[Verse 1]\n{FIRST}\n\n[Chorus]\n{SECOND}2Embed",
    "Genius with translations": "12 ContributorsTranslationsEspañolThe Star Lyrics[Verse 1]\n"
    f"{FIRST}\nYou might also like\n[Chorus]\n{SECOND}\n12Embed",
    "tekstowo": f"Tekst piosenki:\n{TEXT}\n\nDodaj interpretację do tego tekstu »\n\nHistoria"
    " edycji tekstu",
    "azlyrics": f"The Sampled Choir Lyrics\n\n{TEXT}\n\nSubmit Corrections\nWriter(s): Jane Taylor"
    "\n\nThanks to Ann for adding these lyrics.",
    "Musixmatch": f"{TEXT}\n...\n\n******* This Lyrics is NOT for Commercial use *******\n"
    "(1409618011234)",
    "credits": f"Title: The Star\nArtist: The Sampled Choir\nLyrics by: Jane Taylor\n\n{TEXT}\n\n"
    "Songwriters: Jane Taylor / Trad.\n© 1806 Longman. All rights reserved.",
    "ads": f"{FIRST}\nAdvertisement\nSee The Sampled Choir LiveGet tickets as low as $30\n"
    f"You might also like\n{SECOND}\nhttps://www.example.com/lyrics",
    "rows of an error page": f"{TEXT}\n\nLyrics powered by www.example.com\nShare on Facebook",
    "title above": f"The Star\n\n{TEXT}",
    "title and artist above": f"The Star\nThe Sampled Choir\n{TEXT}",
    "title and artist in one row": f"The Sampled Choir - The Star (Official Video)\n{TEXT}",
    "names and album above": f'The Sampled Choir\n"The Star"\nPublic Domain\n\n{TEXT}',
    "title on the first line": f"The Star\n{TEXT}",
    "artist on the first line": f"The Sampled Choir\n{TEXT}",
    "the end": f"{TEXT}\nTHE END",
    "a chorus that is not sung again": f"{stanzas('Verse', 'Chorus')}\n\nChorus (repeat)",
    "a repeat that is not sung": f"{FIRST}\n\n{SECOND}\n(x2)",
    "translation in turn": in_turn(LINES, JAPANESE),
    "translation in turn, in one script": in_turn(LINES, SPANISH),
    "translation after all": "\n".join([TEXT, "", *SPANISH]),
    "translation after a heading": "\n".join([TEXT, "", "Traducción:", *SPANISH]),
    "another script in turn": in_turn(LINES, CYRILLIC),
    "translation after tabs": "\n".join(
        f"{one}\t{two}" for one, two in zip(LINES, JAPANESE, strict=True)
    ),
    "a part between stars": f"* {FIRST} **\n\n{SECOND}",
    "chords above": f"Capo 2\n\nIntro: C F G C\n\n{chords('C       Am      F/A      G7')}",
    "chords within": "\n".join(f"[C]{line[:8]}[Am7]{line[8:]}" for line in LINES),
    "ChordPro": "{title: The Star}\n{artist: Jane}\n{start_of_verse: Verse 1}\n"
    + "\n".join(f"[C]{line[:8]}[G7]{line[8:]}" for line in LINES)
    + "\n{end_of_verse}",
    "tablature": f"e|--0--2--3-----|\nB|--1--3--------|\nG|--0--2--------|\n\n{TEXT}",
    "a web page": html_page(f"<h1>The Star Lyrics</h1>\n<b>Verse 1</b>\n{TEXT}"),
    "HTML's entities": html_page(TEXT.replace(",", "&#44;").replace(" ", "&nbsp;", 1)),
    "notes": "\n".join(f"♪ {line} ♪" for line in LINES),
    "singers": "\n".join(f"{('All', 'Jo')[at % 2]}: {row}" for at, row in enumerate(LINES)),
    "asides": f"(Guitar solo)\n{FIRST} [laughs]\n[Instrumental]\n{SECOND}\n(fade out)",
    "invisible signs": "\ufeff" + TEXT.replace(" ", "\u200b "),
}
TIMED = {
    "LRC": lrc(LINES),
    "LRC with tags": f"[ti:The Star]\n[ar:The Sampled Choir]\n[by:Ann]\n[offset:0]\n{lrc(LINES)}",
    "LRC with a heading": f"[00:00.00]The Star\n[00:01.00]The Sampled Choir\n{lrc(LINES)}",
    "LRC with credits": f"[00:00.00]作词 : Jane\n[00:00.50]Composed by: Trad.\n{lrc(LINES)}",
    "LRC with headers": f"[00:05.00][Verse 1]\n{lrc(LINES)}\n[00:41.00](Outro)\n[00:42.00]",
    "LRC with a translation": lrc(LINES, SPANISH),
    "LRC with a romanisation and a translation": lrc(LINES, CYRILLIC, SPANISH),
    "LRC with a translation in one row": lrc(
        [f"{one} / {two}" for one, two in zip(LINES, JAPANESE, strict=True)]
    ),
    "LRC with notes in place of breaks": f"{lrc(LINES)}\n[00:21.00]♪\n[00:41.00]♪",
    "LRC with colons": lrc(LINES, stamp=lambda at: clock(at).replace(".", ":")),
    "LRC on one row": lrc(LINES).replace("\n", ""),
    "LRC with entities": lrc([line.replace(",", "&#44;") for line in LINES]),
    "LRC with rows without times": f"Found by Ann\n{lrc(LINES)}\nEnd of the file",
    "LRC with backing vocals": f"[bg: <00:04.00>ooh<00:05.00>]\n{lrc(LINES)}",
    "MicroDVD": "{1}{1}25\n"
    + "\n".join(
        f"{{{25 * start:.0f}}}{{{25 * start + 50:.0f}}}{line}"
        for start, line in zip(STARTS, LINES, strict=True)
    ),
    "enhanced LRC": lrc(timed_words(lambda word, at: f"<{clock(at)}>{word} ")),
    "word marks alone": "\n".join(timed_words(lambda word, at: f"<{clock(at)}>{word} ")),
    "word marks in square brackets": "\n".join(
        timed_words(lambda word, at: f"[{clock(at, 3)}]{word} ")
    ),
}


@pytest.fixture(scope="module")
def pipeline() -> LyricSyncPipeline:
    pipeline = LyricSyncPipeline(config=Config.model_validate({"lyrics": {"order": ["local"]}}))
    stem = pipeline.placer._separator.extract(SONG)
    pipeline.placer.__dict__["_separator"] = Kept(stem)
    return pipeline


class Kept:
    """A separator that has the vocals of the song already."""

    def __init__(self, stem: Stem) -> None:
        self.stem = stem

    def extract(self, _song: Path, **_: object) -> Stem:
        return self.stem


Place = Callable[[str, str], SyncResult]


@pytest.fixture(scope="module")
def place(pipeline: LyricSyncPipeline, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Place the song with a text beside it, in a file of a suffix."""
    song = tmp_path_factory.mktemp("song") / "song.mp3"
    shutil.copy(SONG, song)
    placed: dict[str, SyncResult] = {}

    def place(text: str, suffix: str) -> SyncResult:
        sidecar = song.with_suffix(suffix)
        sidecar.write_text(text, encoding="utf-8")
        try:
            words = what_is_placed(pipeline.finder.find(song))
            if words not in placed:
                placed[words] = pipeline.sync(song)
        finally:
            sidecar.unlink()
        return placed[words]

    return place


def what_is_placed(prepared: Prepared) -> str:
    texts = [lyrics_as_plain(lyrics) for lyrics in (prepared.lyrics, *prepared.others)]
    unnamed = [{**text, "source_id": None, "metadata": None} for text in texts]
    return json.dumps([unnamed, prepared.language])


def first_start(lyrics: Lyrics) -> float:
    return next(word.start for word in lyrics.words if word.start is not None)


def assert_as_plain(found: SyncResult, place: Place) -> None:
    plain = place(TEXT, ".txt")
    sung = [line.text for line in found.lyrics if line.voice != "bg"]
    assert sung == LINES
    assert found.decision is plain.decision
    lead = found.lyrics.with_lines(line for line in found.lyrics if line.voice != "bg")
    assert abs(first_start(lead) - first_start(plain.lyrics)) <= TOLERATED_S
    assert abs(found.quality_score - plain.quality_score) <= TOLERATED_SCORE


@pytest.mark.parametrize("name", PLAIN)
def test_what_stands_around_plain_words_moves_none(name: str, place: Place) -> None:
    assert_as_plain(place(PLAIN[name], ".txt"), place)


@pytest.mark.parametrize("name", TIMED)
def test_what_stands_around_timed_words_moves_none(name: str, place: Place) -> None:
    assert_as_plain(place(TIMED[name], ".lrc"), place)


def test_subtitles_move_none(place: Place) -> None:
    assert_as_plain(place(srt(LINES), ".srt"), place)
