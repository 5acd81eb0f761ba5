"""Operations to play a song in a browser, and to draw it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lyricsyncd.catalog.catalog import Entry, Fingerprint
from lyricsyncd.errors import AudioError, ModelError, WorkerLost
from lyricsyncd.playback import peaks
from lyricsyncd.playback.renditions import STEMS
from lyricsyncd.web.operation import SONG, Bytes, Call, File, NotYet, Operation, entry_of
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.shapes import sound as shapes

_FOREVER = "private, max-age=31536000, immutable"


def audio_shape(call: Call, entry: Entry) -> list[dict[str, Any]]:
    """List the renditions; none where the file cannot be read or played."""
    if not call.context.config().web.audio:
        return []
    try:
        found = call.maker.renditions(entry.path, entry.fingerprint.key)
    except AudioError:
        return []
    version = entry.fingerprint.key
    return [
        {
            "as": each.name,
            "url": f"tracks/{entry.id}/audio?as={each.name}&v={version}",
            "type": each.media_type,
            "offset": each.offset,
        }
        for each in found
    ]


def audio(call: Call) -> File | NotYet:
    if not call.context.config().web.audio:
        raise Problem(403, "Songs are not played here", remedy="Set `web: {audio: true}`")
    entry = entry_of(call)
    query: shapes.AudioQuery = call.query
    with _opened_song(call, entry) as (descriptor, stamp, real):
        if query.as_ == STEMS.name:
            return _stems(call, stamp, real)
        try:
            offered = {each.name: each for each in call.maker.renditions(real, stamp.key)}
            chosen = offered.get(query.as_ or "") or next(iter(offered.values()))
            if query.as_ and query.as_ not in offered:
                raise Problem(404, f"The song is not played as {query.as_}", remedy="See its draft")
            headers = {
                "X-Audio-Offset": f"{chosen.offset:.6f}",
                "Cache-Control": _FOREVER if query.v == stamp.key else "private, no-cache",
            }
            version = f"{stamp.key}.{chosen.name}"
            if chosen.name == "raw":
                return File(os.dup(descriptor), chosen.media_type, version, headers)
            made = call.maker.rendition(real, stamp.key, chosen.name)
        except AudioError as error:
            raise Problem(422, error.message, remedy=error.remedy) from None
    if made is None:
        return NotYet()
    return File(_opened(made), chosen.media_type, version, headers)


def _stems(call: Call, stamp: Fingerprint, real: Path) -> File | NotYet:
    with _separating():
        made = call.maker.stems(real, stamp.key)
    if made is None:
        return NotYet()
    headers = {"X-Audio-Offset": f"{STEMS.offset:.6f}", "Cache-Control": "private, no-cache"}
    return File(_opened(made), STEMS.media_type, f"{stamp.key}.{STEMS.name}", headers)


@contextmanager
def _separating() -> Iterator[None]:
    """Answer the failures of a separator as problems of the request."""
    try:
        yield
    except (AudioError, ModelError, WorkerLost) as error:
        raise Problem(422, error.message, remedy=error.remedy) from None


def song_peaks(call: Call) -> Bytes | NotYet:
    entry = entry_of(call)
    query: shapes.PeaksQuery = call.query
    with _opened_song(call, entry) as (_, stamp, real):
        try:
            made = call.maker.peaks(real, stamp.key, query.of)
        except AudioError as error:
            raise Problem(422, error.message, remedy=error.remedy) from None
        if made is None and query.make and query.of == "vocals":
            with _separating():
                made = call.maker.vocal_peaks(real, stamp.key)
    if made is None and (query.of == "mix" or query.make):
        return NotYet()
    if made is None:
        raise Problem(
            404,
            "The peaks of the vocals are not kept any more",
            remedy="Show those of the mix, or ask with make=true",
        )
    return Bytes(made.read_bytes(), {"X-Peaks-Rate": str(peaks.RATE)})


@contextmanager
def _opened_song(call: Call, entry: Entry) -> Iterator[tuple[int, Fingerprint, Path]]:
    """Open the file of a song that lies in a library, wherever links of the library lead.

    Yields
    ------
    int, Fingerprint, Path
        A descriptor, closed afterwards; the stamp of the file; and its real path.

    Raises
    ------
    Problem
        It is not there, no file, or in no library.
    """
    roots = [os.path.realpath(rules.root) for rules in call.context.rules()]
    real = os.path.realpath(entry.path)
    if not any(real.startswith(root.rstrip("/") + "/") for root in roots):
        raise Problem(403, "The song's file lies in no library", state=entry.state.value)
    descriptor = _opened(Path(real))
    try:
        # A folder may have become a link since.
        if str(Path(f"/proc/self/fd/{descriptor}").readlink()) != real:
            raise Problem(404, "The song's file is not there", state=entry.state.value)
        yield descriptor, Fingerprint.from_stat(os.fstat(descriptor)), Path(real)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    """Open a plain file for reading."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise Problem(404, "The song's file is not there", remedy="Scan the library") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Problem(404, "The song's path is no plain file", remedy="Scan the library")
    return descriptor


OPERATIONS: Sequence[Operation] = (
    Operation(
        "GET",
        f"{SONG}/audio",
        "The song for a browser, as a whole or in ranges of bytes",
        audio,
        "audio/*",
        query=shapes.AudioQuery,
        opens_songs=True,
        errors=(400, 404, 416, 422),
        may_come_later=True,
    ),
    Operation(
        "GET",
        f"{SONG}/peaks",
        "What the song looks like: 255 times the square root of the peak of each 10 ms",
        song_peaks,
        "application/octet-stream",
        query=shapes.PeaksQuery,
        opens_songs=True,
        errors=(400, 404, 422),
        may_come_later=True,
    ),
)
