"""AcoustID (https://acoustid.org/webservice): look up a recording by its acoustic fingerprint.

The fingerprint is computed here, by libchromaprint from audio that we decode or by the program
fpcalc; only it, the length and the key are sent. pyacoustid parses the response, but requests are
sent over TLS and with our own rate limit (three requests a second are allowed).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lyricsyncd.errors import (
    AudioError,
    LyricsyncError,
    ModelError,
    Refused,
    SourceError,
    Unreachable,
    raised_inside,
)
from lyricsyncd.http import Web
from lyricsyncd.processes.limits import limit_data

URL = "https://api.acoustid.org/v2"
INTERVAL_S = 0.34
LONGEST_S = 120
"""Seconds of a song that are fingerprinted."""
_META = "recordings releasegroups"
_RATE = 11_025
"""Sample rate of Chromaprint in Hz."""
_FPCALC_S = 120.0
_NAME_IT = "Name the song in its tags, or with --artist and --title"
_APART_S = 180.0
_PROCESSOR_S = 120
_DATA_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """An acoustic fingerprint, and the length that AcoustID compares with it."""

    code: str
    duration: float
    """Seconds of the whole song."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording with a fingerprint like the song's."""

    score: float
    """0-1: how much of the fingerprint agrees."""
    id: str
    """Its identifier in MusicBrainz."""
    title: str
    artist: str
    artists: tuple[str, ...]
    album: str | None = None
    duration: float | None = None


def fingerprint(path: Path) -> Fingerprint:
    """Compute the fingerprint of a song.

    Raises
    ------
    ModelError
        Neither pyacoustid with libchromaprint nor fpcalc is installed.
    AudioError
        The song cannot be decoded.
    """
    from lyricsyncd import audio

    duration = audio.probe(path).duration
    try:
        import acoustid
    except ImportError:
        raise ModelError(
            "Songs cannot be identified by fingerprint: pyacoustid is not installed",
            remedy="Install it with: pip install 'lyricsyncd[identify]'",
        ) from None
    if acoustid.have_chromaprint:
        try:
            code = acoustid.fingerprint(_RATE, 1, _samples(path), LONGEST_S)
        except acoustid.FingerprintGenerationError as error:
            raise AudioError(f"{path} has no fingerprint: {error}", remedy=_NAME_IT) from None
    else:
        code = by_fpcalc(path)
    return Fingerprint(code.decode() if isinstance(code, bytes) else str(code), duration)


def fingerprint_apart(path: Path) -> Fingerprint:
    """Compute a fingerprint in a process of its own; raises as `fingerprint`.

    The service is to stay small, and neither hostile audio nor the system's library may crash it.
    """
    command = [sys.executable, "-m", __name__, os.path.abspath(path)]  # noqa: PTH100 - links stay
    try:
        done = subprocess.run(command, capture_output=True, timeout=_APART_S, check=False)
        result = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        raise AudioError(
            f"{path} has no fingerprint: it could not be made", remedy=_NAME_IT
        ) from None
    if "error" in result:
        kind = ModelError if result["error"] == "ModelError" else AudioError
        raise kind(result["message"], remedy=result["remedy"])
    return Fingerprint(result["code"], result["duration"])


def _samples(path: Path) -> Iterator[bytes]:
    """Decode mono 16-bit PCM at `_RATE`, as much as Chromaprint uses."""
    import numpy as np

    from lyricsyncd import audio

    remaining = _RATE * LONGEST_S
    for block in audio.blocks(path, _RATE):
        mono = block.mean(axis=1)[:remaining]
        yield (np.clip(mono, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
        remaining -= len(mono)
        if remaining <= 0:
            return


def by_fpcalc(path: Path) -> str:
    """Compute a fingerprint by Chromaprint's program, where its library is not installed."""
    program = os.environ.get("FPCALC", "fpcalc")
    command = [program, "-plain", "-length", str(LONGEST_S), os.path.abspath(path)]  # noqa: PTH100 - links stay
    try:
        done = subprocess.run(command, capture_output=True, timeout=_FPCALC_S, check=False)
    except FileNotFoundError:
        raise ModelError(
            "Songs cannot be identified by fingerprint: neither libchromaprint nor fpcalc is"
            " installed",
            remedy="Install your system's package, such as Debian's libchromaprint-tools",
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AudioError(
            f"{path} has no fingerprint: {program} failed ({error})", remedy=_NAME_IT
        ) from None
    code = done.stdout.decode("ascii", "replace").strip()
    # For a truncated file its status is an error, though it prints the fingerprint.
    if not code:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1] if lines else f"{program} failed"
        raise AudioError(f"{path} has no fingerprint: {reason}", remedy=_NAME_IT)
    return code


@dataclass(frozen=True, slots=True)
class Acoustid:
    """Look up fingerprints at the web service.

    Parameters
    ----------
    key
        The key of the user's own application.
    url
        Its address.
    web
        The client for requests to it.
    """

    key: str
    url: str = URL
    web: Web = field(default_factory=lambda: Web(interval=INTERVAL_S))

    def recordings(self, fingerprint: Fingerprint) -> list[Recording]:
        """Look up the recordings with a fingerprint, the surest first.

        Raises
        ------
        Refused
            The key is not valid, or the fingerprint.
        Unreachable, SourceError
            The service does not answer.
        """
        form = {
            "format": "json",
            "client": self.key,
            "duration": str(round(fingerprint.duration)),
            "fingerprint": fingerprint.code,
            "meta": _META,
        }
        try:
            answer = self.web.post_json(f"{self.url}/lookup", form=form)
        except Refused as error:
            if error.transient or "HTTP 400" not in error.message:
                raise
            raise Refused(
                "AcoustID refused the look-up: its key may not be valid",
                remedy="Get one at https://acoustid.org/new-application",
            ) from None
        return _read(answer)


def _read(answer: Any) -> list[Recording]:
    import acoustid

    if not isinstance(answer, dict):
        raise Unreachable("AcoustID answered with something else than results")
    try:
        # Parsed by the library, for artists with their joining phrases.
        rows = list(acoustid.parse_lookup_result(answer))
    except (acoustid.WebServiceError, LookupError, TypeError, AttributeError) as error:
        if not raised_inside(error, "acoustid"):
            raise
        raise SourceError(f"AcoustID's answer cannot be read ({error})", transient=True) from None
    details = _details(answer)
    found = [
        Recording(float(score), id, title, artist, *details.get(id, ((artist,), None, None)))
        for score, id, title, artist in rows
        if isinstance(score, (int, float))
        and all(isinstance(text, str) and text for text in (id, title, artist))
    ]
    return sorted(found, key=lambda recording: -recording.score)


def _details(answer: dict[str, Any]) -> dict[str, tuple[tuple[str, ...], str | None, float | None]]:
    """Parse the fields that the library ignores: artists one by one, an album, the length."""
    details: dict[str, tuple[tuple[str, ...], str | None, float | None]] = {}
    for result in _mappings(answer.get("results")):
        for recording in _mappings(result.get("recordings")):
            artists = tuple(_titles(recording.get("artists"), "name"))
            groups = [
                group
                for group in _mappings(recording.get("releasegroups"))
                if group.get("type") == "Album"
            ]
            # Its own album identifies the song better than a compilation.
            plain = [group for group in groups if not group.get("secondarytypes")]
            album = next(iter(_titles([*plain, *groups], "title")), None)
            length = recording.get("duration")
            seconds = float(length) if isinstance(length, (int, float)) and length > 0 else None
            if isinstance(recording.get("id"), str):
                details[recording["id"]] = (artists, album, seconds)
    return details


def _mappings(found: Any) -> list[dict[str, Any]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _titles(found: Any, key: str) -> list[str]:
    return [text for item in _mappings(found) if isinstance(text := item.get(key), str) and text]


def _main(path: Path) -> None:
    """Print the fingerprint of a song, or the error, as JSON."""
    result: dict[str, Any]
    try:
        made = fingerprint(path)
        result = {"code": made.code, "duration": made.duration}
    except LyricsyncError as error:
        result = {
            "error": type(error).__name__,
            "message": error.message,
            "remedy": error.remedy,
        }
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    # fpcalc inherits both.
    limit_data(_DATA_BYTES)
    resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_S, _PROCESSOR_S))
    _main(Path(sys.argv[1]))
