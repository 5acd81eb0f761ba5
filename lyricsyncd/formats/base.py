"""Define the interface of a format.

A new format is one file with one class and one row in ``formats/__init__.py``; one from another
package registers itself in the entry point group ``lyricsyncd.formats``.
"""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from lyricsyncd.model import Lyrics


@runtime_checkable
class Format(Protocol):
    """A way to write lyrics down. Options, if it has any, are fields of a frozen dataclass."""

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    """File suffixes, dot included, the usual one first."""

    def looks_like(self, text: str) -> bool:
        """Return whether the text seems to be of this format."""

    def read(self, data: bytes) -> Lyrics:
        """Read the lyrics in the bytes; raises FormatError, and nothing else, for bad ones."""

    def project(self, lyrics: Lyrics) -> Lyrics:
        """Return what the format can express of the lyrics: ``read(write(x)) == project(x)``.

        Raises FormatError where the lyrics lack what the format cannot do without.
        """

    def write(self, lyrics: Lyrics) -> str:
        """Write lyrics as text; raises FormatError as ``project`` does."""
