"""Match names in any Unicode form of their letters: "é" is one character, or "e" and an accent.

macOS, and programs that run there, decompose the names of files (NFD); others compose them (NFC).
To Linux these are two names, to a person one.
"""

from __future__ import annotations

import unicodedata


def composed(name: str) -> str:
    """Return a name in the form in which names are compared (NFC)."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def forms(name: str) -> tuple[str, ...]:
    """Return the forms that a name may be found under, its own first."""
    if name.isascii():
        return (name,)
    decomposed = unicodedata.normalize("NFD", name)
    return tuple(dict.fromkeys((name, composed(name), decomposed)))
