"""Keep `beet write` and `beet modify` from overwriting new lyrics with old ones.

beets has its own copy of a song's lyrics in its database, and puts it into the file with every
write. When the service has written better ones since, that copy is old, mostly empty, and would
wipe them out. What a person changes in beets on purpose still goes into the file.
"""

from __future__ import annotations

import enum
import re

NO_WORDS = "e3b0c44298fc"
"""The `fingerprint` of none."""
_MARK = re.compile(r"lyricsyncd [0-9A-Za-z.+!-]{1,40} sha=[0-9a-f]{16}")


class Keep(enum.Enum):
    """The treatment of lyrics in a file that beets is about to write."""

    NO = "no"
    """beets' words go in."""
    YES = "yes"
    """The file's stay, and beets has them from now on."""
    BESIDE = "beside"
    """The file's stay, and beets keeps its own: either may be intended."""


def decide(database: str, file: str, *, changed_now: bool, seen: str | None) -> Keep:
    """Decide whether the lyrics in the file or those of beets stay.

    Parameters
    ----------
    database
        The lyrics as beets has them and is about to write; empty for none.
    file
        The lyrics in the file; empty for none.
    changed_now
        Whether they are changed in beets by the very command that writes.
    seen
        The `fingerprint` of beets' lyrics when this plugin saw them last, if it ever did.
    """
    if changed_now or not file or file == database:
        return Keep.NO
    if is_ours(database):
        return Keep.YES
    if seen is not None:
        return Keep.YES if seen == fingerprint(database) else Keep.NO
    if not database:
        return Keep.YES
    return Keep.BESIDE if is_ours(file) else Keep.NO


def is_ours(lyrics: str) -> bool:
    """Return whether lyrics have the provenance stamp of lyricsyncd."""
    return _MARK.search(lyrics) is not None


def fingerprint(lyrics: str) -> str:
    """Return a short hash of lyrics."""
    import hashlib

    return hashlib.sha256(lyrics.encode("utf-8", "replace")).hexdigest()[:12]
