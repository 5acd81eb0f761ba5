"""Settings: one model, read from YAML, with environment variables over it.

The descriptions below are the comments of ``config.example.yaml`` and of the file that
``lyricsyncd init`` writes; a test holds model and example together.
"""

from __future__ import annotations

import datetime
import ipaddress
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    InstanceOf,
    Tag,
    ValidationInfo,
    model_validator,
)

from lyricsyncd.errors import ConfigError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Secret:
    """A key or a password, given as text or as the file that holds it; shown nowhere.

    No dataclass: pydantic would dump its text with the rest of the settings.
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
        """The secret itself; a file is read now, so that it may come after the start.

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


def seconds(value: object) -> float:
    """A length of time: ``5s``, ``10m``, ``1h30m``, ``250ms``, ``2d``, or a number of seconds.

    Raises
    ------
    ValueError
        It is none.
    """
    length = math.nan
    if isinstance(value, str):
        parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|[smhd])\s*", value)
        if re.fullmatch(r"(?:[0-9]+(?:\.[0-9]+)?\s*(?:ms|[smhd])\s*)+", value):
            length = sum(float(number) * _UNITS[unit] for number, unit in parts)
        elif re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", value):
            length = float(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        length = float(value)
    if not math.isfinite(length) or length < 0:
        raise ValueError("expected a length of time such as 5s, 10m or 1h")
    return length


_SIZES = {"M": 1024**2, "G": 1024**3}


def size(value: object) -> int:
    """An amount of memory: ``800M``, ``4G``, or a number of bytes.

    Raises
    ------
    ValueError
        It is none.
    """
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([MG])i?B?", value)):
        return int(float(match[1]) * _SIZES[match[2]])
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise ValueError("expected an amount of memory such as 800M or 4G")


def hours(text: str) -> tuple[datetime.time, datetime.time]:
    """Begin and end of a part of the day, ``22:00-07:00``; it may go over midnight.

    Raises
    ------
    ValueError
        It is none.
    """
    match = re.fullmatch(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*", text)
    if match is None:
        raise ValueError("expected two times of the day such as '22:00-07:00'")
    h1, m1, h2, m2 = map(int, match.groups())
    try:
        begin, end = datetime.time(h1, m1), datetime.time(h2, m2)
    except ValueError:
        raise ValueError("expected times from 00:00 to 23:59") from None
    if begin == end:
        raise ValueError("expected an end other than the begin")
    return begin, end


def _checked_hours(text: str) -> str:
    hours(text)
    return text


_WEEKDAY = r"(\*|[0-7]|sun|mon|tue|wed|thu|fri|sat)"
_WEEKDAYS = rf"{_WEEKDAY}(-{_WEEKDAY})?(/\d+)?(,{_WEEKDAY}(-{_WEEKDAY})?(/\d+)?)*"


def _cron(text: str) -> str:
    from apscheduler.triggers.cron import CronTrigger

    try:
        *fields, weekdays = text.split()
        if not re.fullmatch(_WEEKDAYS, weekdays):
            raise ValueError(weekdays)
        # APScheduler counts weekdays otherwise than a crontab, so those it is not asked about.
        CronTrigger.from_crontab(" ".join([*fields, "*"]), timezone=datetime.timezone.utc)
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


def _format_name(name: str) -> str:
    from lyricsyncd import formats

    if name not in formats.names():
        raise ValueError(f"expected one of {', '.join(formats.names())}")
    return name


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or re.search(r"\s", text):
        raise ValueError("expected an address such as https://lrclib.net")
    return text.rstrip("/")


def language_code(code: str) -> str:
    """``auto`` or an ISO 639 code, as it is.

    Raises
    ------
    ValueError
        It is neither.
    """
    if not re.fullmatch(r"auto|[a-z]{2,3}", code):
        raise ValueError("expected auto or the code of a language, such as en or fr")
    return code


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


Seconds = Annotated[float, BeforeValidator(seconds)]
Share = Annotated[float, BeforeValidator(_number), Field(ge=0, le=1)]
LocatedPath = Annotated[Path, BeforeValidator(_path_text), AfterValidator(_located)]
SecretValue = Annotated[InstanceOf[Secret], BeforeValidator(_secret)]
PathMap = Annotated[dict[str, str], BeforeValidator(_mapped_folders)]
"""Folders as somebody else calls them → as they are called here."""
SourceName = Literal["local", "lrclib"]
PresetName = Literal["navidrome", "jellyfin", "plex", "kodi", "generic", "embed"]
PRESETS: tuple[str, ...] = get_args(PresetName)


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values never change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Library(Section):
    """A music folder to watch."""

    path: LocatedPath = Field(
        description="The folder. A relative path starts from the folder of this file."
    )
    include: tuple[str, ...] = Field(
        default=(), description="Take only files that match one of these patterns, as `Jazz/**`."
    )
    exclude: tuple[str, ...] = Field(
        default=(), description="Leave out files that match one of these patterns."
    )


class OutputFile(Section):
    """One file or tag to write for a song."""

    format: Annotated[str, AfterValidator(_format_name)] = Field(
        description="The format: lrc (with word times), lrc_standard, json, srt, ass, ttml …"
    )
    to: Literal["sidecar", "tag"] = Field(
        default="sidecar", description="sidecar: a file beside the song. tag: in the song's tags."
    )
    name: Annotated[str, AfterValidator(_file_name)] | None = Field(
        default=None,
        description="The sidecar's name, such as '{stem}.words.lrc'; {stem} is the song's.",
    )


class Output(Section):
    """What is written beside (or into) each song."""

    preset: PresetName = Field(
        default="generic",
        description=(
            "What your player reads: navidrome, jellyfin, plex, kodi, generic (NAME.lrc with line "
            "times and NAME.elrc with word times) or embed (in the song's tags, and only there)."
        ),
    )


class Quality(Section):
    """Thresholds of the quality score."""

    words: Share = Field(
        default=0.7, description="At or above this score, every word is written with its time."
    )
    lines: Share = Field(
        default=0.4,
        description="At or above this one, every line is. Below it nothing is written.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Quality:
        if self.lines > self.words:
            raise ValueError(f"lines ({self.lines}) must not be above words ({self.words})")
        return self


class Lrclib(Section):
    """LRCLIB, an open database of lyrics."""

    url: Annotated[str, AfterValidator(_url)] = Field(
        default="https://lrclib.net", description="Its address, or that of your own copy."
    )
    timeout: Annotated[Seconds, Field(gt=0)] = Field(
        default=10.0, description="How long to wait for an answer."
    )


class LyricsSources(Section):
    """Where words are looked for."""

    order: tuple[SourceName, ...] = Field(
        default=("local", "lrclib"),
        description=(
            "The sources, first to last: local (files beside the song, and its tags) and lrclib "
            "(on the internet, by artist, title, album and length). With [local] nothing leaves "
            "the house."
        ),
    )
    lrclib: Lrclib = Field(default=Lrclib(), description="LRCLIB, an open database of lyrics.")


class Identify(Section):
    """Finding out what a song is."""

    acoustid_secret: SecretValue | None = Field(
        default=None,
        alias="acoustid_key",
        description=(
            "A key of AcoustID, or {file: PATH}, for songs without names in their tags. This "
            "version does not yet identify songs by their sound: the key has no effect."
        ),
    )

    @property
    def acoustid_key(self) -> str | None:
        """The key itself; see `Secret.reveal` for what is raised."""
        return None if self.acoustid_secret is None else self.acoustid_secret.reveal()


class Models(Section):
    """The models that listen."""

    dir: LocatedPath | None = Field(
        default=None,
        description=(
            "Where `lyricsyncd models install` puts them; by default the folder `models` in the "
            "cache, which `lyricsyncd models path` prints."
        ),
    )
    separator: str = Field(
        default="auto",
        min_length=1,
        description=(
            "What parts the voice from the band: spleeter, none, or auto (spleeter where it is "
            "installed)."
        ),
    )
    aligner: Literal["auto", "sphinx"] = Field(
        default="auto", description="What hears the words: auto or sphinx."
    )
    transcriber: Literal["auto", "none", "faster-whisper"] = Field(
        default="auto",
        description=(
            "A second ear for songs whose placement is doubtful: faster-whisper (fetches its "
            "model from the hub), none, or auto (only where its model already lies in the folder "
            "of models as faster-whisper-base)."
        ),
    )
    device: Annotated[str, AfterValidator(_device)] = Field(
        default="auto", description="What the models run on: auto, cpu, cuda or cuda:N."
    )
    keep_alive: Seconds = Field(
        default=600.0,
        description="How long the models stay in memory after the last song.",
    )
    memory: Annotated[int, BeforeValidator(size)] | None = Field(
        default=None,
        description=(
            "How much memory the models may take, such as 4G; null: three quarters of what there "
            "is. A song that needs more is tried again with less."
        ),
    )


class Gpu(Section):
    """The graphics card."""

    share: Literal["always", "polite"] = Field(
        default="always",
        description=(
            "polite: the models rest while another program computes on the card (NVIDIA's only). "
            "Songs that a person asks for are done all the same."
        ),
    )


def _dask_address(text: str) -> str:
    if not re.fullmatch(r"(tcp|tls)://[^\s/]+:\d{1,5}", text):
        raise ValueError("expected an address such as tcp://nas:8786")
    return text


class DaskTls(Section):
    """Files of keys."""

    ca: LocatedPath = Field(description="The certificate of who signs them.")
    cert: LocatedPath = Field(description="Our certificate.")
    key: LocatedPath = Field(description="Its key.")


class Daemon(Section):
    """The service."""

    settle: Seconds = Field(
        default=5.0,
        description="How long a file must stay as it is before it is taken up: it may be copied.",
    )
    rescan: Annotated[str, AfterValidator(_cron)] | None = Field(
        default="0 4 * * *",
        description="When to go through all libraries, as in a crontab; null: only at the start.",
    )
    quiet_hours: Annotated[str, AfterValidator(_checked_hours)] | None = Field(
        default=None, description="When to let the models rest, such as '22:00-07:00'."
    )
    active_hours: Annotated[str, AfterValidator(_checked_hours)] | None = Field(
        default=None, description="When alone the models may work, such as '01:00-06:00'."
    )
    nice: Annotated[int, BeforeValidator(_number), Field(ge=0, le=19)] = Field(
        default=10,
        description="How far the models stand back for other programs: 0, not at all, to 19.",
    )
    gpu: Gpu = Field(default=Gpu(), description="The graphics card, and who else wants it.")
    executor: Literal["process", "dask"] = Field(
        default="process",
        description=(
            "Where the models run: process, one of their own; dask, a cluster of other computers "
            "(`lyricsyncd worker`; needs the extra dask)."
        ),
    )
    dask_address: Annotated[str, AfterValidator(_dask_address)] | None = Field(
        default=None, description="The scheduler of that cluster, such as tcp://nas:8786."
    )
    dask_songs: Annotated[int, BeforeValidator(_number), Field(ge=1, le=64)] = Field(
        default=4, description="How many songs at once are sent to the cluster."
    )
    dask_tls: DaskTls | None = Field(
        default=None,
        description="Keys of the cluster, where its address is tls://: {ca: F, cert: F, key: F}.",
    )

    @model_validator(mode="after")
    def _reachable(self) -> Daemon:
        if self.executor == "dask" and self.dask_address is None:
            raise ValueError("executor dask needs the cluster's address: set dask_address")
        return self


def _listen_address(text: str) -> str:
    host, port = host_and_port(text)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def host_and_port(text: str) -> tuple[str, int]:
    """The two parts of an address to listen on: ``127.0.0.1:8786``, ``[::1]:8786``.

    Raises
    ------
    ValueError
        It is none.
    """
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+)):(\d{1,5})", text)
    if match is None or int(match.group(3)) > 65535:
        raise ValueError("expected an address and a port such as '127.0.0.1:8786'")
    return match.group(1) or match.group(2), int(match.group(3))


def is_loopback(host: str) -> bool:
    """Whether only programs on the same computer can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Web(Section):
    """The control interface, for plugins of players and for scripts."""

    listen: Annotated[str, AfterValidator(_listen_address)] | None = Field(
        default="127.0.0.1:8786",
        description="Where it listens; null: nowhere. Beyond this computer it needs a token.",
    )
    token: SecretValue | None = Field(
        default=None,
        description=(
            "What others must show as `Authorization: Bearer TOKEN`: any long text, or "
            "{file: PATH}."
        ),
    )
    path_map: PathMap = Field(
        default_factory=dict,
        description=(
            "Folders as others call them, and as they are called here, such as {/data/music: "
            "/srv/music}: for players and tools that run in containers."
        ),
    )

    @model_validator(mode="after")
    def _guarded(self) -> Web:
        if self.listen is None or self.token is not None:
            return self
        host, _ = host_and_port(self.listen)
        if not is_loopback(host):
            raise ValueError(f"listening on {host} needs a token: set web.token")
        return self


def _not_empty(value: object) -> object:
    # Field(min_length=1) would count the good items only, and complain of a wrong one twice.
    if value in ([], ()):
        raise ValueError("expected at least one item")
    return value


def _output_kind(value: object) -> str | None:
    if isinstance(value, (dict, Output)):
        return "<preset>"
    return "<files>" if isinstance(value, (list, tuple)) else None


OutputChoice = Annotated[
    Annotated[Output, Tag("<preset>")]
    | Annotated[tuple[OutputFile, ...], BeforeValidator(_not_empty), Tag("<files>")],
    Discriminator(_output_kind),
]


class Config(Section):
    """Everything that can be set."""

    libraries: tuple[Library, ...] = Field(
        default=(),
        description=(
            "The music folders, such as [{path: /music, exclude: ['Audiobooks/**']}]. `include` "
            "and `exclude` are lists of patterns."
        ),
    )
    profile: Literal["auto", "lite", "full"] = Field(
        default="auto",
        description="auto or lite: runs anywhere. full: with large models (not in this version).",
    )
    language: Annotated[str, AfterValidator(language_code)] = Field(
        default="auto",
        description="The language of all lyrics, such as en or fr; auto: told from the words.",
    )
    output: OutputChoice = Field(
        default=Output(),
        description=(
            "What is written for each song: a preset, or in its place a list of {format, to, "
            "name}, such as [{format: lrc}, {format: ttml, to: sidecar}]."
        ),
    )
    quality: Quality = Field(
        default=Quality(),
        description=(
            "What a result must reach. Its score, 0 to 1, is the share of words that are expected "
            "within 0.3 seconds of the truth."
        ),
    )
    lyrics: LyricsSources = Field(
        default=LyricsSources(), description="Where words are looked for."
    )
    identify: Identify = Field(default=Identify(), description="Finding out what a song is.")
    models: Models = Field(default=Models(), description="The models that listen.")
    daemon: Daemon = Field(
        default=Daemon(), description="The service. Lengths of time are written 5s, 10m or 1h."
    )
    web: Web = Field(
        default=Web(), description="The control interface, for plugins of players and for scripts."
    )


def load(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """The settings: those of the file, with those of the environment over them.

    Parameters
    ----------
    path
        The file; by default it is looked for where `paths.config_path` says, and where there is
        none the defaults hold.

    Raises
    ------
    ConfigError
        With the file and line, or the environment variable, that is wrong.
    """
    from lyricsyncd.config_reader import read

    return read(path, environment)
