"""Detect recordings without lyrics to align: podcasts, audiobooks, instrumentals.

They are detected from the tags and the length, before any look-up. The rules prefer to miss a
podcast rather than to exclude a song: a genre or a title counts only where it is unambiguous.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lyricsyncd.audio import MAX_DURATION

if TYPE_CHECKING:
    from lyricsyncd.model import Track


class Kind(str, Enum):
    """The kinds of recordings that are no songs with lyrics."""

    PODCAST = "podcast"
    AUDIOBOOK = "audiobook"
    LONG = "long"
    """A mix, a concert or a broadcast."""
    INSTRUMENTAL = "instrumental"


@dataclass(frozen=True, slots=True)
class Unsung:
    """The kind of a recording without lyrics to align, and the reason."""

    kind: Kind
    reason: str
    """The kind and its sign, to follow "it is": ``a podcast (its genre is "Podcast")``."""

    @property
    def spoken(self) -> bool:
        """Return whether lyrics in its tags are likely show notes or a summary."""
        return self.kind in (Kind.PODCAST, Kind.AUDIOBOOK)


def unsung(track: Track) -> Unsung | None:
    """Detect a recording without lyrics by its tags and its length; ``None`` for a song."""
    if found := _spoken(track) or _instrumental(track):
        return found
    if track.duration is not None and track.duration > MAX_DURATION:
        long, most = track.duration / 60, MAX_DURATION / 60
        return Unsung(
            Kind.LONG, f"longer ({long:.0f} min) than words can be placed on ({most:.0f})"
        )
    return None


def _spoken(track: Track) -> Unsung | None:
    article = {Kind.PODCAST: "a podcast", Kind.AUDIOBOOK: "an audiobook"}
    if track.marked_as in ("podcast", "audiobook"):
        kind = Kind(track.marked_as)
        return Unsung(kind, f"{article[kind]} (its file is marked as one)")
    genres = _genres(track)
    for kind, names in ((Kind.PODCAST, _PODCAST), (Kind.AUDIOBOOK, _AUDIOBOOK)):
        for shown, genre in genres.items():
            if genre in names:
                return Unsung(kind, f'{article[kind]} (its genre is "{shown}")')
    # Rap and musicals may carry "Speech" as one genre among others.
    if genres and all(genre in _SPEECH for genre in genres.values()):
        return Unsung(Kind.AUDIOBOOK, f'spoken (its genre is "{next(iter(genres))}")')
    return None


def _instrumental(track: Track) -> Unsung | None:
    if track.marked_as == "instrumental":
        return Unsung(Kind.INSTRUMENTAL, "an instrumental (its language is given as none)")
    if says_instrumental(track.title or ""):
        return Unsung(Kind.INSTRUMENTAL, f'an instrumental (it is called "{track.title}")')
    if says_instrumental(track.album or ""):
        return Unsung(Kind.INSTRUMENTAL, f'an instrumental (its album is called "{track.album}")')
    genres = _genres(track)
    if genres and all(genre in _WORDLESS for genre in genres.values()):
        return Unsung(Kind.INSTRUMENTAL, f'an instrumental (its genre is "{next(iter(genres))}")')
    return None


def says_instrumental(name: str) -> bool:
    """Check whether a title or an album is marked as instrumental after the name itself.

    >>> says_instrumental("Halo (Instrumental) [2011 Remaster]")
    True
    >>> says_instrumental("Instrumental")
    False
    """
    text = unicodedata.normalize("NFKC", name).casefold().strip()
    while group := _LAST_GROUP.search(text):
        if _NO_VOICE.fullmatch(group.group("inner").strip()):
            return bool(text[: group.start()].strip())
        text = text[: group.start()].rstrip()
    dashed = _AFTER_DASH.fullmatch(text)
    return dashed is not None and _NO_VOICE.fullmatch(dashed.group("after")) is not None


_LAST_GROUP = re.compile(r"[(\[{](?P<inner>[^()\[\]{}]*)[)\]}]$")
_AFTER_DASH = re.compile(r".+?(?:\s+[-–—]\s*|\s*~\s*)(?P<after>[^-–—~]+?)\s*[-–—~]?")
_NO_VOICE = re.compile(
    r"""(?:(?:original|official|full|live|demo|acoustic|orchestral|piano)\s+)?
        (?: instrumentals? | instr\.? | inst\.? | strumentale | instrumentale | instrumentaal
          | instrumentalny | instrumentální | инструментал | インストゥルメンタル | インスト
          | karaoke | カラオケ | off[ -]?vocals? | vocals?\ off | backing\ track | minus\ one )
        (?:\s+(?:version|versión|versione|versie|ver\.?|mix|edit|take|demo|track|remix|remaster
          |cut|fassung|album|バージョン))?
        (?:\s+\d{4})?""",
    re.VERBOSE,
)
"""The text in brackets after a title; not "(with Instrumental)" and "(No Karaoke)"."""


def _genres(track: Track) -> dict[str, str]:
    """Return the genres as the tags have them → normalised for comparison."""
    parts = (part.strip() for genre in track.genres for part in re.split(r"[;/,|]|\s-\s", genre))
    return {part: _plain(part) for part in parts if _plain(part)}


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def _set(text: str) -> frozenset[str]:
    return frozenset(_plain(part) for part in text.split(","))


_PODCAST = _set("podcast, podcasts, подкаст, подкасты, ポッドキャスト, 播客, 팟캐스트, بودكاست")
_AUDIOBOOK = _set(
    "audiobook, audiobooks, audio book, audio books, spoken audiobook, books & spoken,"
    "books & spoken word, audio theatre, audio drama, radio drama, radio play,"
    "Hörbuch, Hörbücher, Hoerbuch, Hörspiel, Hörspiele, Hoerspiel,"
    "livre audio, livres audio, livre-audio, audiolivre, audiolibro, audiolibros, audiolibri,"
    "audiolivro, audiolivros, luisterboek, luisterboeken, hoorspel, ljudbok, ljudböcker, lydbok,"
    "lydbog, lydbøger, äänikirja, audiokniha, hangoskönyv, carte audio, sesli kitap,"
    "аудиокнига, аудиокниги, аудіокнига, オーディオブック, 有声书, 有聲書, 有声小说, 오디오북"
)
_SPEECH = _set(
    "speech, spoken, spoken word, lecture, talk, discours, discurso, Rede, Vortrag, речь"
)
_WORDLESS = _set("instrumental, instrumentals, strumentale, instrumentale, инструментал")
