"""A source of lyrics: a folder of plain text files that are named ``ARTIST - TITLE.txt``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lyricsyncd.errors import FormatError, SourceError
from lyricsyncd.formats.text import decode
from lyricsyncd.lyrics.base import Candidate
from lyricsyncd.model import Lyrics, Track
from lyricsyncd.registry import SourceContext, describe


@dataclass(frozen=True)
class FolderSource:
    """Look up lyrics by the name of a file, upper and lower case alike."""

    path: Path | None
    name: str = "folder"
    offline: bool = True
    """It needs no network, so it is asked when there is none, too."""

    @property
    def idle(self) -> str | None:
        """Why it is not asked."""
        return None if self.path is not None else "plugins.folder.path is not set"

    def find(self, track: Track) -> list[Candidate]:
        """Return the lyrics of a song, or nothing.

        Raises
        ------
        SourceError
            The folder or file cannot be read.
        """
        if self.path is None or not track.artist or not track.title:
            return []
        wanted = f"{track.artist} - {track.title}.txt".casefold()
        try:
            files = [file for file in self.path.iterdir() if file.name.casefold() == wanted]
            texts = [(file, decode(file.read_bytes())) for file in sorted(files)]
        except (OSError, FormatError) as error:
            raise SourceError(
                f"the folder {self.path} cannot be read: {error}",
                remedy="Check plugins.folder.path",
            ) from error
        return [
            Candidate(
                lyrics=Lyrics.from_text(text, source=self.name, source_id=str(file)),
                source=self.name,
                id=str(file),
                score=1.0,
                why="named after artist and title",
            )
            for file, text in texts
        ]


@describe("a folder of text files")
def open_folder(context: SourceContext) -> FolderSource:
    """Open the source with the settings ``plugins: {folder: {path: FOLDER}}``."""
    path = context.settings.get("path")
    return FolderSource(Path(path).expanduser() if path else None)
