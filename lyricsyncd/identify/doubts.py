"""Detect tags that do not name the song: the placeholders of rippers and careless taggers."""

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
"""Numbers alone are titles ("1999"). "Song 2" is one, too, but a needless doubt does no harm."""
_PLACEHOLDER_ARTIST = re.compile(
    r"""(?: unknown | no | unbekannter? | various | inconnu | sconosciuto | desconocido )
        \s* (?: artists? | interpret | k[uü]nstler )? | artist | va | v\.a\. | n/?a | -+ | \?+
      | artista\ (?:desconocido|sconosciuto) | artiste\ inconnu | 未知(?:艺术家)?
      | verschiedene(?:\ interpreten)?""",
    re.IGNORECASE | re.VERBOSE,
)
_ADDRESS = re.compile(r"https?://|www\.|\.(?:com|net|org|info|ru|vn)\b", re.IGNORECASE)
_UNLIKE = 0.4
"""Similarity of two names up to which they are different."""


def is_placeholder(track: Track) -> bool:
    """Check whether artist or title is a placeholder."""
    title, artist = (track.title or "").strip(), (track.artist or "").strip()
    return bool(
        _PLACEHOLDER_TITLE.fullmatch(title)
        or _PLACEHOLDER_ARTIST.fullmatch(artist)
        or _ADDRESS.search(artist)
        or (_ADDRESS.search(title) and " " not in title)
    )


def about(track: Track) -> str | None:
    """Return the reason to doubt the names of a track; ``None`` where they are trusted."""
    # A recording tagged by MusicBrainz's own tagger has been identified already.
    if track.recording_id and track.title and track.artist and not track.from_file_name:
        return None
    if not track.title or not track.artist:
        return "the file does not name artist and title"
    if track.from_file_name:
        return "artist or title are only guessed from the file's name"
    if is_placeholder(track):
        return f"'{track.artist} - {track.title}' is a placeholder"
    if _contradicted(track):
        return f"the tags name '{track.name}', and the file's name another song"
    return None


def _contradicted(track: Track) -> bool:
    """Check whether the file's name has both another artist and another title."""
    if track.path is None:
        return False
    named = parse_file_name(track.path.stem)
    if not named.artist or not named.title:
        return False
    in_name = normalise(f"{named.artist} {named.title}")
    title = take_apart(track.title or "").core
    # In either order, and with anything else in the name: one match is enough.
    if title and (title in in_name or likeness(title, take_apart(named.title).core) > _UNLIKE):
        return False
    return not any(
        artist in in_name or likeness(artist, normalise(named.artist)) > _UNLIKE
        for artist in artists_of(track)
    )
