"""Hold keys and passwords so that no log, error or dump of the settings shows them."""

from __future__ import annotations

from pathlib import Path

from lyricsyncd.errors import ConfigError


class Secret:
    """A key or a password, given as text or as the file that holds it; never shown.

    Not a dataclass: pydantic would dump its text with the rest of the settings.
    """

    __slots__ = ("_text", "file")

    def __init__(self, text: str = "", file: Path | None = None) -> None:
        self._text = text
        self.file = file

    def __repr__(self) -> str:
        return "Secret(...)" if self.file is None else f"Secret(file={str(self.file)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return (self._text, self.file) == (other._text, other.file)

    def __hash__(self) -> int:
        return hash((self._text, self.file))

    def reveal(self) -> str:
        """Return the secret; a file is read now, so that it may be written after the start.

        Raises
        ------
        ConfigError
            The file cannot be read, or is empty.
        """
        if self.file is None:
            return self._text
        try:
            text = self.file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ConfigError(
                f"the secret in {self.file} cannot be read: {why}",
                remedy="Check the path and its permissions",
            ) from None
        if not text:
            raise ConfigError(f"the secret in {self.file} is empty", remedy="Put it there")
        return text
