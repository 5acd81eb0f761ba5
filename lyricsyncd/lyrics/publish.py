"""Publish word times that the user has reviewed at LRCLIB.

LRCLIB needs no account, but a proof of work: a nonce with a small enough hash for each submission.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lyricsyncd import formats
from lyricsyncd.errors import Refused, Unreachable, UsageError
from lyricsyncd.http import Web
from lyricsyncd.model import Lyrics, Timing, Track

_log = logging.getLogger(__name__)

_HARDEST_BITS = 40
"""Most leading zeros of a target: more would take days."""
_REPORT_EVERY = 1 << 18


@dataclass(frozen=True, slots=True)
class Submission:
    """The names and lyrics of a song to be published."""

    title: str
    artist: str
    album: str
    duration: float
    """Seconds."""
    lyrics: Lyrics

    @classmethod
    def of(cls, track: Track, lyrics: Lyrics) -> Submission:
        """Make the submission of a song's lyrics.

        Raises
        ------
        UsageError
            The song lacks a name that LRCLIB needs, or a word lacks its time.
        """
        missing = [
            name
            for name in ("title", "artist", "album", "duration")
            if not getattr(track, name) or (name != "duration" and track.from_file_name)
        ]
        if missing:
            raise UsageError(
                f"{track.name} cannot be published: its tags lack {', '.join(missing)}",
                remedy="Tag it first",
            )
        if lyrics.timing is not Timing.WORD:
            raise UsageError(
                f"{track.name} cannot be published: not every word has a time",
                remedy="Place the words with `lyricsyncd sync` first",
            )
        return cls(
            track.title or "", track.artist or "", track.album or "", track.duration or 0.0, lyrics
        )

    def payload(self) -> dict[str, Any]:
        """Return the JSON of ``/api/publish``: plain, line-synced and word-synced lyrics."""
        named = dataclasses.replace(
            self.lyrics,
            metadata={
                "title": self.title,
                "artist": self.artist,
                "album": self.album,
                "duration": f"{self.duration:.3f}",
            },
        )
        return {
            "trackName": self.title,
            "artistName": self.artist,
            "albumName": self.album,
            "duration": round(self.duration),
            "plainLyrics": "\n".join(line.text for line in named if line.words),
            "syncedLyrics": _headerless_lrc(named),
            "lyricsfile": formats.write(named, "lyricsfile"),
        }


def _headerless_lrc(lyrics: Lyrics) -> str:
    """Format line times without a header, as the entry itself names the song."""
    plain = dataclasses.replace(lyrics, metadata={}, language=None)
    return formats.write(plain, "lrc_standard").strip()


def publish(
    submission: Submission, url: str, web: Web, on_progress: Callable[[int], None] | None = None
) -> None:
    """Submit lyrics to an LRCLIB server.

    Parameters
    ----------
    on_progress : callable, optional
        Called now and then with the number of nonces tried.

    Raises
    ------
    Refused
        The server rejects them, with a reason.
    Unreachable, SourceError
        The server does not answer.
    """
    once = dataclasses.replace(web, cache=None, attempts=1)
    challenge = dataclasses.replace(web, cache=None).post_json(f"{url}/api/request-challenge")
    prefix, target = _challenge(challenge)
    nonce = solve(prefix, target, on_progress)
    headers = {"X-Publish-Token": f"{prefix}:{nonce}"}
    once.post_json(f"{url}/api/publish", submission.payload(), headers=headers)


def _challenge(answer: Any) -> tuple[str, bytes]:
    prefix = answer.get("prefix") if isinstance(answer, dict) else None
    target = answer.get("target") if isinstance(answer, dict) else None
    try:
        limit = bytes.fromhex(target) if isinstance(target, str) else b""
    except ValueError:
        limit = b""
    if not isinstance(prefix, str) or len(limit) != hashlib.sha256().digest_size:
        raise Unreachable("LRCLIB answered without a challenge")
    if int.from_bytes(limit, "big") >> (8 * len(limit) - _HARDEST_BITS) == 0:
        raise Refused("LRCLIB asks for more work than a computer can do", transient=True)
    return prefix, limit


def solve(prefix: str, target: bytes, on_progress: Callable[[int], None] | None = None) -> int:
    """Find the first nonce that, appended to ``prefix``, has a SHA-256 hash up to ``target``.

    Parameters
    ----------
    target : bytes
        32 bytes, big-endian.
    """
    prefix_hash = hashlib.sha256(prefix.encode())
    nonce = 0
    while True:
        attempt = prefix_hash.copy()
        attempt.update(b"%d" % nonce)
        if attempt.digest() <= target:
            return nonce
        nonce += 1
        if on_progress is not None and nonce % _REPORT_EVERY == 0:
            on_progress(nonce)
