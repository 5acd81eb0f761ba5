"""The verses of ``verses.yaml``: words in their script, and how each is sung."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

_FILE = Path(__file__).parent / "verses.yaml"


@dataclass(frozen=True)
class SungWord:
    """A word as written, and its sounds in the International Phonetic Alphabet."""

    text: str
    ipa: str


@dataclass(frozen=True)
class Verse:
    """A verse in one language.

    Attributes
    ----------
    voice : str
        The voice of espeak-ng that sings it.
    spaced : bool
        Whether spaces part its words where it is written.
    sounds : dict
        Sound → the voice's mnemonic, where it is not the usual one.
    """

    language: str
    name: str
    voice: str
    spaced: bool
    sounds: dict[str, str]
    lines: tuple[tuple[SungWord, ...], ...]

    @property
    def words(self) -> tuple[SungWord, ...]:
        """All words in their order."""
        return tuple(word for line in self.lines for word in line)

    @property
    def text(self) -> str:
        """The verse as readers expect it."""
        between = " " if self.spaced else ""
        return "\n".join(between.join(word.text for word in line) for line in self.lines)


@cache
def verses() -> dict[str, Verse]:
    """Return the verses by their languages' codes."""
    read = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {
        language: Verse(
            language=language,
            name=entry["name"],
            voice=entry["voice"],
            spaced=entry.get("spaced", True),
            sounds=entry.get("sounds", {}),
            lines=tuple(map(_line, entry["verse"].splitlines())),
        )
        for language, entry in read.items()
    }


def _line(line: str) -> tuple[SungWord, ...]:
    pairs = (item.rpartition("/") for item in line.split())
    return tuple(SungWord(text, ipa) for text, _, ipa in pairs)
