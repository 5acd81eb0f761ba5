"""Is this the same recording? Names and lengths compared, with reasons.

Wrong words are worse than none: another version (live, remix, karaoke …) is another recording,
and what is merely similar is refused.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from lyricsyncd.model import Track

ACCEPTED = 0.75
"""Score from which words are believed to belong to a song."""
SURE = 0.9
"""Score from which there is no better match: what is better then is the better timing."""
SAME_LENGTH = 3.0
"""Seconds that lengths of one recording differ by: leading silence, rounding, encoders."""
_SAME_SONG = 10.0
"""Seconds beyond which it is a cut, a live take or another song."""

_VERSIONS = {
    "live": r"live|unplugged|en vivo|ao vivo|en directo|en public|concert|mtv",
    "remix": r"remix(?:es|ed)?|rmx|re-?work|bootleg|club|mash-?up|dance mix|vip",
    "acoustic": r"acoustic|ac[uú]stic[ao]|acoustique|akustik|piano|stripped|orchestral|symphonic",
    "instrumental": r"instrumental|inst",
    "karaoke": r"karaoke|backing track|sing[- ]?along|playback|off vocal|minus one",
    "a cappella": r"a ?cc?app?ella|vocals? only",
    "demo": r"demo|rehearsal|outtake|work tape",
    "cover": r"cover|tribute|in the style of|made famous by|originally performed",
    "tempo": r"sped[- ]?up|speed up|slowed|nightcore|reverb|8d|daycore",
    "extended": r"extended|12''|12\"|12 inch|long version|maxi",
    "translation": r"(?:english|spanish|french|german|japanese|korean|italian|chinese|portuguese)"
    r" (?:version|ver)|versi[oó]n en \w+|version fran[cç]aise",
}
"""Kinds of recordings whose words or times differ, and how titles name them."""
_OTHER_WORDS = frozenset({"cover", "instrumental", "karaoke", "translation"})
"""Those whose words are others, or that have none."""
_KIND = {
    kind: re.compile(rf"(?<!\w)(?:{names})(?!\w)", re.IGNORECASE)
    for kind, names in _VERSIONS.items()
}
_IGNORED = re.compile(
    r"""(?: \d{4}\s+)? (?:digital(?:ly)?\s+)? re-?master(?:ed|izado|is[ée])? .* | \d{4} | explicit
      | clean | bonus(?:\s+track)? | deluxe .* | album\s+(?:version|mix) | single(?:\s+version)?
      | original(?:\s+(?:mix|version|recording))? | (?:radio\s+)?(?:edit|mix|version)
      | (?:\d{4}\s+)?(?:mono|stereo|mix|version)(?:\s+(?:mix|version))?
      | hd | hq | official .* | lyrics? | audio | video
      | version\s+revisited | from\s+.* | ost | soundtrack .* | anniversary .*
      | (?:the\s+)?\d+(?:st|nd|rd|th)\s+.*""",
    re.IGNORECASE | re.VERBOSE,
)
"""What titles add that says nothing of the words."""
_FEATURING = re.compile(r"\s*\b(?:feat\.?|ft\.?|featuring|with)\s+.+", re.IGNORECASE)
_FEATURING_ARTIST = re.compile(
    r"\s*[(\[]?\b(?:feat\.?|ft\.?|featuring)\s+(?P<guests>[^)\]]+)[)\]]?", re.I
)
_BRACKETS = re.compile(r"\s*(?:\(([^()]*)\)|\[([^\[\]]*)\]|（([^（）]*)）|【([^【】]*)】)")
_DASHED = re.compile(r"\s+[-–—~]\s+(?P<tail>[^-–—~]+)$")
_ARTIST_JOINTS = re.compile(
    r"\s*(?:,|;|/|&|\+|、|，|\bx\b|\bvs\.?|\band\b|\bund\b|\bet\b|\by\b|\be\b|\bwith\b)\s*",
    re.IGNORECASE,
)
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i"}
)


_SIGNS = {"!": "i", "$": "s"}
_SPELT = re.compile(r"(?<=[^\W\d_])[!$](?=[^\W\d_])|(?<!\S)\$(?=[^\W\d_])")
"""Signs that stand for letters: P!nk, Ke$ha."""
_SAME = {"pt": "part", "pts": "part", "parts": "part", "vol": "volume", "nr": "no"}
_COUNTED = frozenset({"part", "act", "volume", "no", "chapter", "akt", "acte", "atto"})
_ROMAN = dict(zip("i ii iii iv v vi vii viii ix x".split(), map(str, range(1, 11)), strict=True))
_LONG_TITLE = 5
"""Words."""
_NO_ARTISTS = frozenset(
    "tribute karaoke cover covers band orchestra players stars sing piano lullaby".split()
)
"""Words in the names of those who play what others sang."""


@dataclass(frozen=True, slots=True)
class Match:
    """Agreement of two namings of a recording."""

    score: float
    """0-1; 0 for what cannot be the same."""
    why: str
    """What agrees or does not, for a person."""
    length_difference: float | None = None
    """Seconds, where both lengths are known."""
    same_words: bool = False
    """Whether it is the same song, if of another version or length: its words may be the same."""

    @property
    def same_times(self) -> bool:
        """Return whether times of the one apply to the other, by their lengths."""
        return self.length_difference is None or self.length_difference <= SAME_LENGTH


@dataclass(frozen=True, slots=True)
class Title:
    """A title taken apart."""

    core: str
    """Normalised, without what stands in brackets."""
    full: str
    """Normalised, with the brackets that are part of the name."""
    versions: frozenset[str]


def normalise(text: str) -> str:
    """Reduce a name to letters and digits: one case, no accents, "and" for "&", no leading "The".

    >>> normalise("The Beyoncé & JAY‐Z Show!")
    'beyonce and jay z show'
    """
    text = _SPELT.sub(lambda found: _SIGNS[found.group()], text.casefold())
    text = unicodedata.normalize("NFKD", text).translate(_LETTERS)
    # Accents of Latin, Greek and Cyrillic; the voicing marks of kana are other letters.
    text = unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", text))
    text = re.sub(r"['’‘ʼ`´]", "", text.replace("&", " and ").replace("+", " and "))
    words = re.findall(r"[^\W_]+", text)
    if len(words) > 1 and "the" in (words[0], words[-1]):
        # "The Beatles", "Beatles, The"
        words = words[1:] if words[0] == "the" else words[:-1]
    words = [_SAME.get(word, word) for word in words]
    for at in range(1, len(words)):
        if words[at - 1] in _COUNTED:
            words[at] = _ROMAN.get(words[at], words[at])
    # A name of signs alone ("!!!", "÷") is compared as it stands.
    return " ".join(words) or " ".join(text.split())


def take_apart(title: str) -> Title:
    """Split a title into the name and the version that it says it is."""
    kept: list[str] = []
    versions: set[str] = set()

    def judge(part: str) -> bool:
        """Return whether an addition is part of the name; record the versions that it names."""
        kinds = _kinds(part)
        versions.update(kinds)
        return not (kinds or _IGNORED.fullmatch(part.strip()) or _FEATURING.fullmatch(" " + part))

    def bracket(match: re.Match[str]) -> str:
        inner = next(group for group in match.groups() if group is not None)
        if not judge(inner):
            return " "
        kept.append(match.group())
        return match.group()

    whole = _BRACKETS.sub(bracket, title)
    while match := _DASHED.search(whole):
        if judge(match.group("tail")):
            break
        whole = whole[: match.start()]
    whole = _FEATURING_ARTIST.sub("", whole)
    core = whole
    for part in kept:
        core = core.replace(part, " ")
    if not whole.strip():
        whole = title
    return Title(normalise(core) or normalise(title), normalise(whole), frozenset(versions))


def _kinds(part: str) -> set[str]:
    return {kind for kind, pattern in _KIND.items() if pattern.search(part)}


def search_title(title: str) -> str:
    """Return a title as one would search for it: without versions, guests and remarks."""
    plain = _BRACKETS.sub(" ", title)
    while match := _DASHED.search(plain):
        tail = match.group("tail").strip()
        if not (_kinds(tail) or _IGNORED.fullmatch(tail) or _FEATURING.fullmatch(" " + tail)):
            break
        plain = plain[: match.start()]
    plain = _FEATURING_ARTIST.sub("", plain)
    return " ".join(plain.split()) or title


def short_title(title: str) -> str:
    """Return the longest piece of a title between colons, commas and the like, which others have
    word for word, most likely."""
    plain = _FEATURING_ARTIST.sub("", title)
    pieces = re.split(r"\s*[:;,()\[\]\"“”/・]\s*|\s+[-–—]\s+", plain)
    named = [p for p in pieces if p and not re.fullmatch(r"(?i)(?:act|part|pt|no)\b.*", p)]
    return max(named, key=len, default=search_title(title))


def search_artists(track: Track) -> list[str]:
    """List the names that may be the artist's, the likeliest first."""
    names = [*track.artists, track.artist or "", track.album_artist or ""]
    found: dict[str, str] = {}
    for name in names:
        plain = _BRACKETS.sub(" ", _FEATURING_ARTIST.sub("", name))
        for part in (plain, *_ARTIST_JOINTS.split(plain)):
            bare = re.sub(r"^the\s+|,\s*the$", "", part.strip(), flags=re.IGNORECASE).strip()
            if len(bare) > 1 and normalise(bare) not in _NOBODY:
                found.setdefault(normalise(bare), bare)
    return list(found.values())


def artists_of(track: Track) -> frozenset[str]:
    """Return all artists that the tags credit, normalised."""
    names = [*track.artists, track.artist or "", track.album_artist or ""]
    return _artists(name for name in names if name)


_NOBODY = frozenset({"", "various artists", "unknown artist", "unknown", "various"})


def _artists(names: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for name in names:
        guests = [match.group("guests") for match in _FEATURING_ARTIST.finditer(name)]
        plain = _FEATURING_ARTIST.sub("", name)
        # "BTS (방탄소년단)" has two names.
        also = [group for found in _BRACKETS.findall(plain) for group in found if group]
        for part in (plain, _BRACKETS.sub(" ", plain), *also, *guests):
            found.add(normalise(part))
            found.update(normalise(piece) for piece in _ARTIST_JOINTS.split(part))
    return frozenset(found - _NOBODY)


def main_artist(track: Track) -> str | None:
    """Return the one artist to search by."""
    if track.artists:
        return _FEATURING_ARTIST.sub("", track.artists[0]).strip() or track.artists[0]
    return None if not track.artist else _FEATURING_ARTIST.sub("", track.artist).strip()


def match(
    track: Track, *, title: str, artist: str, album: str | None, duration: float | None
) -> Match:
    """Rate the probability that names from a source mean the recording of the track."""
    difference = (
        abs(track.duration - duration) if track.duration and duration and duration > 0 else None
    )
    ours, theirs = take_apart(track.title or ""), take_apart(title)
    same_title = _title_likeness(ours, theirs)
    if same_title < 0.85:
        return Match(0.0, f"another title, '{title}'", difference)
    other = _versions(theirs, album) ^ _versions(ours, track.album)
    same_album = likeness(_album(track.album), _album(album))
    same_artist = _artist_likeness(track, artist)
    if same_artist < 0.8 and same_title == 1.0 and _is_same_length(difference):
        same_artist = max(same_artist, _shortened(track, artist))
    of_artist = same_artist >= 0.8 or (
        _other_script(track.artist, artist) and same_album == 1.0 and _is_same_length(difference)
    )
    if other & (ours.versions | theirs.versions):
        why = f"another version ({', '.join(sorted(other))})"
        return Match(0.0, why, difference, of_artist and not other & _OTHER_WORDS)
    if not of_artist:
        return Match(0.0, f"another artist, '{artist}'", difference)
    reasons = ["title" if same_title == 1.0 else "nearly the title"]
    reasons.append("artist" if same_artist >= 0.8 else "artist in another script")
    score = 0.6 * same_title + 0.4 * max(same_artist, 0.8)
    if same_album >= 0.9:
        reasons.append("album")
    elif track.album and album:
        score -= 0.02
    if other:
        score *= 0.9
        reasons.append(f"perhaps another version ({', '.join(sorted(other))}, by its album)")
    factor, length = _length(difference)
    why = f"same {', '.join(reasons)}; {length}"
    return Match(round(score * factor, 3), why, difference, same_words=True)


def _title_likeness(ours: Title, theirs: Title) -> float:
    if not ours.core or not theirs.core:
        return 0.0
    if ours.full == theirs.full:
        return 1.0
    # One names what stands in brackets, the other does not.
    if ours.core == theirs.core and ours.core in (ours.full, theirs.full):
        return 0.97
    return likeness(ours.full, theirs.full)


def likeness(one: str, other: str) -> float:
    """Compare two names, 0-1. Numbers must agree: "Part 1" is not "Part 2"."""
    if not one or not other:
        return 0.0
    if one == other or one.replace(" ", "") == other.replace(" ", ""):
        return 1.0
    if sorted(re.findall(r"\d+", one)) != sorted(re.findall(r"\d+", other)):
        return 0.0
    ratio = difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()
    few, many = set(one.split()), set(other.split())
    if min(len(few), len(many)) >= _LONG_TITLE:
        # Long names are written in any order: "Carmen, Act 1: L'amour … (Habanera)".
        ratio = max(ratio, len(few & many) / len(few | many))
    return min(0.97, ratio)


def _artist_likeness(track: Track, artist: str) -> float:
    ours, theirs = artists_of(track), _artists([artist])
    if ours & theirs:
        return 1.0
    return max((likeness(one, other) for one in ours for other in theirs), default=0.0)


def _shortened(track: Track, artist: str) -> float:
    """Return 0.85 where one has only parts of the other's names: "Hall & Oates", "Dvořák"."""
    ours, theirs = artists_of(track), _artists([artist])
    whole = {normalise(artist)}
    for one in ours:
        for other in theirs:
            few, many = sorted((set(one.split()), set(other.split())), key=len)
            if few < many and len(" ".join(few)) >= 4 and not many & _NO_ARTISTS:
                alone = {one, other} & whole and len(ours) == 1
                # "Queen" is not "Queen Latifah": it takes a family name, or two that fit.
                if not alone or one.split()[-1] == other.split()[-1]:
                    return 0.85
    return 0.0


def _album(name: str | None) -> str:
    return take_apart(name).core if name else ""


def _versions(title: Title, album: str | None) -> frozenset[str]:
    """Return the versions that the title names, or else those that the album names."""
    by_album = _kinds(album or "") & {"live", "acoustic", "karaoke", "instrumental", "remix"}
    if "live" in by_album and not _LIVE_ALBUM.search(album or ""):
        by_album -= {"live"}
    return title.versions | frozenset(by_album)


_LIVE_ALBUM = re.compile(
    r"\blive\s+(?:at|in|from|on|à|au|en|aus|im)\b|[(\[]live|\bunplugged\b"
    r"|\ben vivo\b|\bao vivo\b|\bmtv\b|^live\W*$|[-:]\s*live\b|\blive!?$",
    re.IGNORECASE,
)


def _other_script(one: str | None, other: str) -> bool:
    return bool(one) and _is_latin(one or "") != _is_latin(other)


def _is_latin(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    return all(unicodedata.name(character, "").startswith("LATIN") for character in letters)


def _is_same_length(difference: float | None) -> bool:
    return difference is not None and difference <= SAME_LENGTH


def _length(difference: float | None) -> tuple[float, str]:
    """Return the effect of a difference of lengths on the score, and its reason."""
    if difference is None:
        return 0.93, "length not compared"
    text = f"{difference:.1f} s apart in length"
    if difference <= 1.0:
        return 1.0, "same length"
    if difference <= SAME_LENGTH:
        return 0.98, text
    if difference <= _SAME_SONG:
        return 0.85, text
    return 0.5, text
