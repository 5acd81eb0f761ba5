"""List the files and folders that a configuration names, by the access that the service needs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from lyricsyncd.config.schema import Config, Output
from lyricsyncd.config.secret import Secret


@dataclass(frozen=True, slots=True)
class NamedPaths:
    """Full paths of a configuration; a link stays a link.

    Attributes
    ----------
    libraries : tuple of Path
        Folders of music.
    outputs : tuple of Path
        Folders outside the libraries that are written to: that of stems for karaoke.
    read : tuple of Path
        All others: models, secrets, certificates, and what the settings of plug-ins name.
    """

    libraries: tuple[Path, ...]
    outputs: tuple[Path, ...]
    read: tuple[Path, ...]

    @classmethod
    def of(cls, config: Config) -> NamedPaths:
        """List them. What is in no list of folders to write to is read, so that the path of a new
        key is never forgotten."""
        libraries = tuple(_full(each.path) for each in config.libraries)
        outputs = tuple(_outputs(config.output, libraries))
        written = {*libraries, *outputs}
        rest = config.model_copy(update={"libraries": (), "output": Output()})
        read = dict.fromkeys(_full(path) for path in _paths(rest))
        return cls(libraries, outputs, tuple(path for path in read if path not in written))


def _outputs(output: object, libraries: tuple[Path, ...]) -> Iterator[Path]:
    if not isinstance(output, Output) or not output.karaoke or output.karaoke_folder is None:
        return
    folder = _full(output.karaoke_folder)
    if not any(folder.is_relative_to(each) for each in libraries):
        yield folder


def _paths(section: BaseModel) -> Iterator[Path]:
    """Yield the paths among the values of a section; those of a path map are compared, and never
    opened."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if name == "plugins":
            yield from _absolute(value)
        elif name == "aligner":
            yield from _absolute(value.split("+"))
        else:
            yield from _of(value)


def _of(value: object) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Secret) and value.file is not None:
        yield value.file
    elif isinstance(value, BaseModel):
        yield from _paths(value)
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _of(each)


def _absolute(value: object) -> Iterator[Path]:
    """Yield the texts among values that are absolute paths."""
    if isinstance(value, str) and value.startswith("/") and "\0" not in value:
        yield Path(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _absolute(each)
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _absolute(each)


def _full(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - a link stays a link
