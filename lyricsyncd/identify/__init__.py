"""Identify a recording by its tags, and by its acoustic fingerprint where those are doubtful.

>>> from lyricsyncd.identify import identify_song
>>> identify_song("song.mp3").track.name  # doctest: +SKIP
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.errors import AudioError, ModelError, SourceError
from lyricsyncd.identify import doubts
from lyricsyncd.identify.file_name import FileName, parse_file_name
from lyricsyncd.identify.tags import read_tags
from lyricsyncd.model import SongIdentification, Track
from lyricsyncd.unexpected import Once

if TYPE_CHECKING:
    from lyricsyncd.identify.acoustid import Acoustid, Recording

__all__ = ["FileName", "SongIdentification", "identify_song", "parse_file_name", "read_tags"]

_log = logging.getLogger(__name__)

_problems = Once()
"""Those that were logged."""

SURE = 0.8
"""Least score of a fingerprint's match."""
_SAME_LENGTH_S = 10.0


def identify_song(
    path: str | Path,
    acoustid_key: str | None = None,
    *,
    acoustid_url: str | None = None,
) -> SongIdentification:
    """Identify a song.

    Parameters
    ----------
    acoustid_key
        A key of AcoustID; without one only tags and the file's name are used.
    acoustid_url
        Another address of AcoustID's web service.

    Raises
    ------
    AudioError
        There is no such file, or it is not audio.

    Notes
    -----
    A missing network or missing tools are a warning of the result, not an error: doubtful names are
    better than none.
    """
    track = read_tags(Path(path))
    doubt = doubts.about(track)
    if doubt is None:
        return SongIdentification(track, "tags", 1.0, "the tags name it")
    guessed = SongIdentification(
        track, "file name" if track.from_file_name else "tags", 0.5 if track.title else 0.0, doubt
    )
    if not acoustid_key:
        return guessed
    try:
        recording = _recording(Path(path), track, _service(acoustid_key, acoustid_url))
    except (SourceError, ModelError, AudioError) as error:
        # Failures of a host are reported by the service itself; a missing tool affects every song.
        of_host = isinstance(error, SourceError) and error.host is not None
        new = not of_host and _problems.is_new(str(error))
        _log.log(logging.WARNING if new else logging.DEBUG, "%s: %s", path, error)
        return dataclasses.replace(guessed, warnings=(str(error),))
    if recording is None:
        return dataclasses.replace(guessed, why=f"{doubt}; AcoustID does not know its fingerprint")
    return SongIdentification(
        dataclasses.replace(
            track,
            artist=recording.artist,
            artists=recording.artists,
            title=recording.title,
            album=recording.album or (None if track.from_file_name else track.album),
            album_artist=None,
            recording_id=recording.id,
            from_file_name=False,
        ),
        "acoustid",
        recording.score,
        f"{doubt}; AcoustID knows its fingerprint ({recording.score:.0%})",
    )


def _service(key: str, url: str | None) -> Acoustid:
    from lyricsyncd.http import Web, response_cache
    from lyricsyncd.identify import acoustid

    web = Web(interval=acoustid.INTERVAL_S, cache=response_cache.shared())
    return acoustid.Acoustid(key, (url or acoustid.URL).rstrip("/"), web)


def _recording(song: Path, track: Track, service: Acoustid) -> Recording | None:
    from lyricsyncd.identify import acoustid

    found = service.recordings(acoustid.fingerprint_apart(song))
    return _most_likely(track, found)


def _most_likely(track: Track, found: Sequence[Recording]) -> Recording | None:
    """Choose among recordings with similar fingerprints by the file's own names and its length."""
    from lyricsyncd.text.match import artists_of, normalise, take_apart

    title, artists = take_apart(track.title or "").core, artists_of(track)

    def rank(recording: Recording) -> tuple[float, bool, bool, bool, float]:
        apart = abs((recording.duration or 0.0) - (track.duration or 0.0))
        return (
            round(recording.score, 1),
            recording.duration is None or apart <= _SAME_LENGTH_S,
            take_apart(recording.title).core == title,
            normalise(recording.artist) in artists,
            recording.score,
        )

    sure = [recording for recording in found if recording.score >= SURE]
    return max(sure, key=rank, default=None)
