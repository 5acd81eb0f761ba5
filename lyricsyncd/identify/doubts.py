"""Do these tags name the song? What rippers and sloppy taggers leave in place of names."""

from __future__ import annotations

import re

from lyricsyncd.identify.file_name import parse_file_name
from lyricsyncd.model import Track
from lyricsyncd.text.match import artists_of, likeness, normalise, take_apart

_PLACEHOLDER_TITLE = re.compile(
    r"""(?: (?:audio|cd|disc) \s* )?
        (?: track | piste | titel | pista | traccia | spur | faixa | トラック | title | song
        | recording | new\ recording | untitled | unknown | unbekannt )
        (?: \s* [-_\#.]* \s* \d+ )?
      | (?: unknown | no ) \s+ (?: title | track ) | untitled \s+ track""",
    re.IGNORECASE | re.VERBOSE,
)
"""Numbers alone are titles ("1999"), and "Song 2" is one, too: a doubt does no harm."""
_PLACEHOLDER_ARTIST = re.compile(
    r"""(?: unknown | no | unbekannter? | various | inconnu | sconosciuto | desconocido )
        \s* (?: artists? | interpret | k[uü]nstler )? | artist | va | v\.a\. | n/?a | -+ | \?+
      | artista\ (?:desconocido|sconosciuto) | artiste\ inconnu | 未知(?:艺术家)?
      | verschiedene(?:\ interpreten)?""",
    re.IGNORECASE | re.VERBOSE,
)
_ADDRESS = re.compile(r"https?://|www\.|\.(?:com|net|org|info|ru|vn)\b", re.IGNORECASE)
_UNLIKE = 0.4
"""Likeness of two namings below which they name different things."""


def is_placeholder(track: Track) -> bool:
    """Whether artist or title say nothing."""
    title, artist = (track.title or "").strip(), (track.artist or "").strip()
    return bool(
        _PLACEHOLDER_TITLE.fullmatch(title)
        or _PLACEHOLDER_ARTIST.fullmatch(artist)
        or _ADDRESS.search(artist)
        or (_ADDRESS.search(title) and " " not in title)
    )


def about(track: Track) -> str | None:
    """Why the names of a track are doubted, for a person; ``None`` where they are believed."""
    # A recording that MusicBrainz's own tagger has named has been identified already.
    if track.recording_id and track.title and track.artist and not track.from_file_name:
        return None
    if not track.title or not track.artist:
        return "the file does not name artist and title"
    if track.from_file_name:
        return "artist or title are only guessed from the file's name"
    if is_placeholder(track):
        return f"'{track.artist} - {track.title}' says nothing"
    if _contradicted(track):
        return f"the tags say '{track.name}', and the file's name something else"
    return None


def _contradicted(track: Track) -> bool:
    """Whether the file's name tells both of another artist and of another title."""
    if track.path is None:
        return False
    named = parse_file_name(track.path.stem)
    if not named.artist or not named.title:
        return False
    told = normalise(f"{named.artist} {named.title}")
    title = take_apart(track.title or "").core
    # Either order, and whatever else the name may hold: one name found in it is enough.
    if title and (title in told or likeness(title, take_apart(named.title).core) > _UNLIKE):
        return False
    return not any(
        artist in told or likeness(artist, normalise(named.artist)) > _UNLIKE
        for artist in artists_of(track)
    )
