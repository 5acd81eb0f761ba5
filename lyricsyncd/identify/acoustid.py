"""AcoustID (https://acoustid.org/webservice): a recording by the fingerprint of its sound.

The fingerprint is made here, by libchromaprint from what we decode ourselves or by the program
fpcalc; it, the length and the key are all that is sent. Asked with pyacoustid's reading of the
answer, but over TLS and with our own manners (three questions a second are allowed).
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
"""Seconds of a song that a fingerprint is made of."""
_META = "recordings releasegroups"
_RATE = 11_025
"""Hz; what Chromaprint itself works at."""
_FPCALC_S = 120.0
_APART_S = 180.0
_PROCESSOR_S = 120
_DATA_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What AcoustID knows a sound by."""

    code: str
    duration: float
    """Seconds of the whole song."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that sounds like the song."""

    score: float
    """0-1: how much of the fingerprint agrees."""
    id: str
    """Of the recording in MusicBrainz."""
    title: str
    artist: str
    artists: tuple[str, ...]
    album: str | None = None
    duration: float | None = None


def fingerprint(path: Path) -> Fingerprint:
    """The fingerprint of a song.

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
            "Songs cannot be identified by their sound: pyacoustid is not installed",
            remedy="Install it with: pip install 'lyricsyncd[identify]'",
        ) from None
    if acoustid.have_chromaprint:
        try:
            code = acoustid.fingerprint(_RATE, 1, _samples(path), LONGEST_S)
        except acoustid.FingerprintGenerationError as error:
            raise AudioError(f"{path} has no fingerprint: {error}") from None
    else:
        code = _by_fpcalc(path)
    return Fingerprint(code.decode() if isinstance(code, bytes) else str(code), duration)


def fingerprint_apart(path: Path) -> Fingerprint:
    """`fingerprint` in a process of its own: who asks is the service, which is to stay small, and
    neither hostile audio nor the library of the system may bring it down. Raises the same."""
    command = [sys.executable, "-m", __name__, os.path.abspath(path)]  # noqa: PTH100 - links stay
    try:
        done = subprocess.run(command, capture_output=True, timeout=_APART_S, check=False)
        told = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        raise AudioError(f"{path} has no fingerprint: it could not be made") from None
    if "error" in told:
        kind = ModelError if told["error"] == "ModelError" else AudioError
        raise kind(told["message"], remedy=told["remedy"])
    return Fingerprint(told["code"], told["duration"])


def _samples(path: Path) -> Iterator[bytes]:
    """Mono 16-bit PCM at `_RATE`, as long as Chromaprint wants it."""
    import numpy as np

    from lyricsyncd import audio

    left = _RATE * LONGEST_S
    for block in audio.blocks(path, _RATE):
        mono = block.mean(axis=1)[:left]
        yield (np.clip(mono, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
        left -= len(mono)
        if left <= 0:
            return


def _by_fpcalc(path: Path) -> str:
    program = os.environ.get("FPCALC", "fpcalc")
    command = [program, "-plain", "-length", str(LONGEST_S), os.path.abspath(path)]  # noqa: PTH100 - links stay
    try:
        done = subprocess.run(command, capture_output=True, timeout=_FPCALC_S, check=False)
    except FileNotFoundError:
        raise ModelError(
            "Songs cannot be identified by their sound: neither libchromaprint nor fpcalc is there",
            remedy="Install your system's package, such as Debian's libchromaprint-tools",
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AudioError(f"{path} has no fingerprint: {program} failed ({error})") from None
    code = done.stdout.decode("ascii", "replace").strip()
    # It complains of a cut file with a bad status, and gives the fingerprint all the same.
    if not code:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise AudioError(f"{path} has no fingerprint: {said[-1] if said else program + ' failed'}")
    return code


@dataclass(frozen=True, slots=True)
class Acoustid:
    """The web service.

    Parameters
    ----------
    key
        Of an application of one's own.
    url
        Its address.
    web
        How it is asked.
    """

    key: str
    url: str = URL
    web: Web = field(default_factory=lambda: Web(interval=INTERVAL_S))

    def recordings(self, sound: Fingerprint) -> list[Recording]:
        """Recordings that sound so, the surest first; none where it is not known.

        Raises
        ------
        Refused
            The key is not valid, or the fingerprint.
        Unreachable, SourceError
            The service could not be asked.
        """
        form = {
            "format": "json",
            "client": self.key,
            "duration": str(round(sound.duration)),
            "fingerprint": sound.code,
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
        # The library's reading, for artists with their joining phrases.
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
    """What the library leaves out: artists one by one, an album, the length."""
    details: dict[str, tuple[tuple[str, ...], str | None, float | None]] = {}
    for result in _mappings(answer.get("results")):
        for recording in _mappings(result.get("recordings")):
            artists = tuple(_titles(recording.get("artists"), "name"))
            groups = [
                group
                for group in _mappings(recording.get("releasegroups"))
                if group.get("type") == "Album"
            ]
            # A collection of hits names the song no better than its own album.
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
    """Print the fingerprint of a song, or why there is none, as JSON."""
    told: dict[str, Any]
    try:
        made = fingerprint(path)
        told = {"code": made.code, "duration": made.duration}
    except LyricsyncError as error:
        told = {
            "error": type(error).__name__,
            "message": error.message,
            "remedy": error.remedy,
        }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    # fpcalc inherits both.
    limit_data(_DATA_BYTES)
    resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_S, _PROCESSOR_S))
    _main(Path(sys.argv[1]))
