"""Define the types of settings: how pydantic checks and converts what was read."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, ValidationInfo

from lyricsyncd import patterns, registry
from lyricsyncd.config import crontab
from lyricsyncd.config.secret import Secret
from lyricsyncd.config.values import host_and_port, hours, language_code, seconds, size
from lyricsyncd.errors import UsageError


def _checked_size(text: str) -> str:
    size(text)
    return text


def _cluster_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("tcp", "tls") and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        good = False
    if not good or parts.path:
        raise ValueError("expected an address such as tcp://nas:8786")
    return text


def _checked_hours(text: str) -> str:
    hours(text)
    return text


def _cron(text: str) -> str:
    try:
        crontab.trigger(text, datetime.timezone.utc)
    except ValueError:
        raise ValueError("expected five fields as in a crontab, such as '0 4 * * *'") from None
    return text


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("expected a number")
    return value


def _path_text(value: object) -> object:
    if isinstance(value, str) and (not value or "\0" in value):
        raise ValueError("expected a path")
    return value


def _located(path: Path, info: ValidationInfo) -> Path:
    try:
        path = path.expanduser()
    except RuntimeError:
        raise ValueError(f"there is no home folder for '{path.parts[0]}'") from None
    base = (info.context or {}).get("folder")
    return path if base is None else base / path


def _secret(value: object, info: ValidationInfo) -> object:
    if isinstance(value, str) and value:
        return Secret(text=value)
    if isinstance(value, dict) and list(value) == ["file"]:
        path = value["file"]
        if isinstance(path, str) and path and "\0" not in path:
            return Secret(file=_located(Path(path), info))
    if isinstance(value, Secret):
        return value
    raise ValueError("expected text in quotes, or {file: PATH}")


def _file_name(name: str) -> str:
    if not name or "/" in name or "\0" in name or name in (".", ".."):
        raise ValueError("expected the name of a file beside the song, without a folder")
    return name


class UnknownName(ValueError):
    """A name that no back end has; ``known`` lists the names there are."""

    def __init__(self, known: tuple[str, ...]) -> None:
        names = (
            f"one of {', '.join(known)}" if known else "the name of a plug-in; none is installed"
        )
        super().__init__(f"expected {names}")
        self.known = known


def _known(names: registry.Registry[Any]) -> Callable[[str], str]:
    """Make a validator that refuses a name which the registry does not have."""

    def checked(name: str) -> str:
        try:
            names.check(name)
        except UsageError as error:
            raise UnknownName((*names.choices, *names.names())) from error
        return name

    return checked


def _aligner(names: str, info: ValidationInfo) -> str:
    """Check one or two aligners, ``FIRST+SECOND``; a path starts from the file's folder."""
    return "+".join(_one_aligner(name, info) for name in names.split("+"))


def _one_aligner(name: str, info: ValidationInfo) -> str:
    if name in registry.aligners.names() or not (os.sep in name or name.endswith(".onnx")):
        return _known(registry.aligners)(name)
    return str(_located(Path(name), info))


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or re.search(r"\s", text):
        raise ValueError("expected an address such as https://lrclib.net")
    return text.rstrip("/")


def _pattern(text: str) -> str:
    try:
        patterns.Glob(text)
    except patterns.PatternError as error:
        raise ValueError(f"expected a pattern as in a .gitignore, but {error}") from None
    return text


def _mapped_folders(value: object) -> object:
    if not isinstance(value, dict) or not all(
        isinstance(text, str) and text.startswith("/") and "\0" not in text
        for pair in value.items()
        for text in pair
    ):
        raise ValueError("expected folders such as {/data/music: /srv/music}")
    return value


def _device(name: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise ValueError("expected auto, cpu, cuda or cuda:N")
    return name


def _origin(text: str) -> str:
    """Normalise what a browser calls the place of a page: scheme, host and port."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("expected scheme, host and port, such as https://music.example")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _listen_address(text: str) -> str:
    host, port = host_and_port(text)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _plugin(name: str) -> str:
    """Check that a name below ``plugins`` is that of a back end from another package."""
    if name not in registry.plugin_names():
        raise UnknownName(registry.plugin_names())
    return name


def _worker_count(value: object) -> object:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if value != "auto" and (type(value) is not int or not 1 <= value <= 64):
        raise ValueError("expected auto, or a number from 1 to 64")
    return value


def _not_empty(value: object) -> object:
    # Field(min_length=1) would count the good items only, and complain of a wrong one twice.
    if value in ([], ()):
        raise ValueError("expected at least one item")
    return value


Seconds = Annotated[float, BeforeValidator(seconds)]
Timeout = Annotated[Seconds, Field(gt=0)]
Share = Annotated[float, BeforeValidator(_number), Field(ge=0, le=1)]
WorkerCount = Annotated[int | Literal["auto"], BeforeValidator(_worker_count)]
Size = Annotated[str, AfterValidator(_checked_size)]
"""Text that `values.size` reads; so are `Hours` of `values.hours`."""
Hours = Annotated[str, AfterValidator(_checked_hours)]
Cron = Annotated[str, AfterValidator(_cron)]
LocatedPath = Annotated[Path, BeforeValidator(_path_text), AfterValidator(_located)]
FileName = Annotated[str, AfterValidator(_file_name)]
SecretValue = Annotated[InstanceOf[Secret], BeforeValidator(_secret)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Url = Annotated[str, AfterValidator(_url)]
Origin = Annotated[str, AfterValidator(_origin)]
ListenAddress = Annotated[str, AfterValidator(_listen_address)]
ClusterAddress = Annotated[str, AfterValidator(_cluster_address)]
Device = Annotated[str, AfterValidator(_device)]
LanguageCode = Annotated[str, AfterValidator(language_code)]
PathMap = Annotated[dict[str, str], BeforeValidator(_mapped_folders)]
"""Folders as another program knows them → as they are known here."""
NotEmpty = BeforeValidator(_not_empty)

SourceName = Annotated[str, AfterValidator(_known(registry.sources))]
ProviderName = Literal["megalobiz", "netease", "musixmatch"]
PresetName = Annotated[str, AfterValidator(_known(registry.presets))]
FormatName = Annotated[str, AfterValidator(_known(registry.formats))]
SeparatorName = Annotated[str, AfterValidator(_known(registry.separators))]
AlignerName = Annotated[str, AfterValidator(_aligner)]
RecogniserName = Annotated[str, AfterValidator(_known(registry.recognisers))]
NotifierName = Annotated[str, AfterValidator(_known(registry.notifiers))]
PluginSettings = dict[Annotated[str, AfterValidator(_plugin)], dict[str, Any]]
"""Settings of back ends from other packages, by their names."""
