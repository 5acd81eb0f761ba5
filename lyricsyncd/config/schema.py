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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
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

from lyricsyncd import patterns, registry
from lyricsyncd.config import crontab
from lyricsyncd.errors import ConfigError, UsageError

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


def size(text: str) -> int | None:
    """A size in bytes: ``4G``, ``512M``; ``None`` for ``auto``.

    Raises
    ------
    ValueError
        It is none.
    """
    if text == "auto":
        return None
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT])(?:i?B)?", text, re.IGNORECASE)
    if match is None or float(match.group(1)) == 0:
        raise ValueError("expected auto, or a size such as 4G or 800M")
    return int(float(match.group(1)) * 1024 ** ("KMGT".index(match.group(2).upper()) + 1))


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
    """A name that no back end has; ``known`` are those there are."""

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


Seconds = Annotated[float, BeforeValidator(seconds)]
Share = Annotated[float, BeforeValidator(_number), Field(ge=0, le=1)]
LocatedPath = Annotated[Path, BeforeValidator(_path_text), AfterValidator(_located)]
SecretValue = Annotated[InstanceOf[Secret], BeforeValidator(_secret)]
Pattern = Annotated[str, AfterValidator(_pattern)]
SourceName = Annotated[str, AfterValidator(_known(registry.sources))]
ProviderName = Literal["megalobiz", "netease", "musixmatch"]
PathMap = Annotated[dict[str, str], BeforeValidator(_mapped_folders)]
"""Folders as another program calls them → as they are called here."""
PresetName = Annotated[str, AfterValidator(_known(registry.presets))]


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values never change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Library(Section):
    """A music folder to watch."""

    path: LocatedPath = Field(
        description="The folder. A relative path starts from the folder of this file."
    )
    include: tuple[Pattern, ...] = Field(
        default=(),
        description="Take only files that match these patterns, as in a .gitignore: `Jazz/**`.",
    )
    exclude: tuple[Pattern, ...] = Field(
        default=(), description="Leave out files that match these patterns."
    )


class OutputFile(Section):
    """One file or tag to write for a song."""

    format: Annotated[str, AfterValidator(_known(registry.formats))] = Field(
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
            "What your player reads: navidrome, navidrome_web (line times in the song's tags, too: "
            "all that Navidrome's own web page shows), jellyfin, plex, kodi, generic (NAME.lrc "
            "with line times and NAME.elrc with word times) or embed (in the song's tags, and "
            "only there)."
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


class Syncedlyrics(Section):
    """Websites that the library syncedlyrics knows."""

    providers: tuple[ProviderName, ...] = Field(
        default=("netease", "megalobiz"),
        description=(
            "Which ones, first to last: netease, megalobiz, musixmatch. The last one relays a paid "
            "service without a licence of yours, so you have to name it yourself."
        ),
    )
    timeout: Annotated[Seconds, Field(gt=0)] = Field(
        default=10.0, description="How long to wait for an answer."
    )


class Genius(Section):
    """Genius, a website with the words of nearly every song, without times."""

    secret: SecretValue | None = Field(
        default=None,
        alias="token",
        description=(
            "A token for its API, or {file: PATH}, from https://genius.com/api-clients. Without "
            "one Genius is not asked."
        ),
    )
    timeout: Annotated[Seconds, Field(gt=0)] = Field(
        default=10.0, description="How long to wait for an answer."
    )

    @property
    def token(self) -> str | None:
        """The token itself; see `Secret.reveal` for what is raised."""
        return None if self.secret is None else self.secret.reveal()


class Transcript(Section):
    """The transcript of a recogniser, for songs whose words no source has."""

    write: bool = Field(
        default=False,
        description=(
            "Write the transcript where no source has the words. It has errors in every line; by "
            "default it serves to look for the song by its words, and is left for review."
        ),
    )


class LyricsSources(Section):
    """Where words are looked for."""

    order: tuple[SourceName, ...] = Field(
        default=("local", "lrclib", "syncedlyrics", "genius", "transcript"),
        description=(
            "The sources, first to last: local (files beside the song, and its tags), lrclib, "
            "syncedlyrics and genius (on the internet, by artist, title, album and length), and "
            "transcript (recognise the words, then search by them). With [local] nothing "
            "leaves the house."
        ),
    )
    lrclib: Lrclib = Field(default=Lrclib(), description="LRCLIB, an open database of lyrics.")
    syncedlyrics: Syncedlyrics = Field(
        default=Syncedlyrics(), description="Websites that the library syncedlyrics knows."
    )
    genius: Genius = Field(
        default=Genius(), description="Genius, a website with the words of nearly every song."
    )
    transcript: Transcript = Field(
        default=Transcript(),
        description=(
            "The transcript of a recogniser, for songs whose words no source has (see "
            "models.transcriber)."
        ),
    )
    publish: bool = Field(
        default=False,
        description=(
            "Let `lyricsyncd publish SONG` give word times that you have reviewed to LRCLIB. "
            "Nothing is ever sent by itself."
        ),
    )


class Identify(Section):
    """Finding out what a song is."""

    acoustid_secret: SecretValue | None = Field(
        default=None,
        alias="acoustid_key",
        description=(
            "A key of AcoustID, or {file: PATH}, from https://acoustid.org/new-application, for "
            "songs whose tags do not name them. A fingerprint of the sound is sent, not the sound. "
            "Needs: pip install 'lyricsyncd[identify]', and libchromaprint or fpcalc."
        ),
    )
    acoustid_url: Annotated[str, AfterValidator(_url)] = Field(
        default="https://api.acoustid.org/v2", description="The address of AcoustID."
    )

    @property
    def acoustid_key(self) -> str | None:
        """The key itself; see `Secret.reveal` for what is raised."""
        return None if self.acoustid_secret is None else self.acoustid_secret.reveal()


class Models(Section):
    """The models that separate, align and recognise."""

    dir: LocatedPath | None = Field(
        default=None,
        description=(
            "Where `lyricsyncd models install` puts them; by default the folder `models` in the "
            "cache, which `lyricsyncd models path` prints."
        ),
    )
    separator: Annotated[str, AfterValidator(_known(registry.separators))] = Field(
        default="auto",
        description=(
            "What separates the vocals: htdemucs_ft or htdemucs (with the extra models), "
            "melband_roformer (the cleanest, and slower still; with the extra roformer), spleeter, "
            "none, or auto (htdemucs_ft on a graphics card, else spleeter where it is installed)."
        ),
    )
    aligner: Annotated[str, AfterValidator(_aligner)] = Field(
        default="auto",
        description=(
            "The acoustic model that places the words: sphinx, ctc (a wav2vec2 model for the "
            "language, with the extra models), mms (one for over 1,000 languages, not for "
            "commercial use), the path of a "
            "CTC model's folder or of an .onnx file from `lyricsyncd models export`; two of them, "
            "such as sphinx+ctc or sphinx+qwen3 (Qwen3-ForcedAligner, 11 languages, with the extra "
            "qwen3), where the first places and judges the words with the second as a prior; or "
            "auto (sphinx, with a CTC model that is on the disk already as its prior)."
        ),
    )
    transcriber: Annotated[str, AfterValidator(_known(registry.recognisers))] = Field(
        default="auto",
        description=(
            "A recogniser for songs whose placement is doubtful: faster-whisper, whisperx, whisper "
            "or granite (each with its extra; fetches its model from the hub), none, or auto (only "
            "where a model already lies in the folder of models as faster-whisper-base)."
        ),
    )
    device: Annotated[str, AfterValidator(_device)] = Field(
        default="auto", description="What the models run on: auto, cpu, cuda or cuda:N."
    )
    keep_alive: Seconds = Field(
        default=600.0,
        description="How long the models stay in memory after the last song.",
    )


class Gpu(Section):
    """The graphics card."""

    share: Literal["always", "polite"] = Field(
        default="always",
        description=(
            "always: the models use it at any time. polite: they take up no songs while another "
            "program uses it (NVIDIA's only)."
        ),
    )


class DaskTls(Section):
    """Certificates for a cluster that speaks TLS."""

    ca: LocatedPath | None = Field(default=None, description="The authority's certificate.")
    cert: LocatedPath | None = Field(default=None, description="Our certificate.")
    key: LocatedPath | None = Field(default=None, description="Our key.")

    @model_validator(mode="after")
    def _all_or_none(self) -> DaskTls:
        if len({self.ca is None, self.cert is None, self.key is None}) > 1:
            raise ValueError("ca, cert and key go together")
        return self


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
        default=None,
        description=(
            "When to let the models work, such as '01:00-06:00'; null: always. What a person asks "
            "for, or is playing, is done at any time."
        ),
    )
    nice: int = Field(
        default=10,
        ge=0,
        le=19,
        description="How far the models stand back from other programs: 0 to 19, as in nice(1).",
    )
    ionice: Literal["idle", "best-effort", "none"] = Field(
        default="idle",
        description="The same for the disk: idle, best-effort or none, as in ionice(1).",
    )
    memory_limit: Annotated[str, AfterValidator(_checked_size)] = Field(
        default="auto",
        description=(
            "How much memory the models may take, such as 4G; auto: four fifths of the computer's, "
            "or of what systemd or a container grants."
        ),
    )
    decode_ahead: Literal["auto", "always", "never"] = Field(
        default="auto",
        description=(
            "Decode the next song while the models are at work on this one: always, never or auto "
            "(where the models may take 2 GiB of memory or more)."
        ),
    )
    gpu: Gpu = Field(default=Gpu(), description="The graphics card.")
    executor: Literal["process", "dask"] = Field(
        default="process",
        description=(
            "Where the models run: process, one of their own on this computer; dask, on the "
            "computers where `lyricsyncd worker` runs."
        ),
    )
    dask_address: Annotated[str, AfterValidator(_cluster_address)] | None = Field(
        default=None, description="Where dask's scheduler listens, such as tcp://nas:8786."
    )
    dask_tls: DaskTls = Field(
        default=DaskTls(), description="Certificates, for an address that begins with tls://."
    )
    path_map: PathMap = Field(
        default_factory=dict,
        description=(
            "Music folders as they are called here, and as the computers with the models call "
            "them, such as {/volume1/music: /mnt/nas/music}."
        ),
    )

    @model_validator(mode="after")
    def _can_reach_the_models(self) -> Daemon:
        if self.executor == "dask" and self.dask_address is None:
            raise ValueError("the executor dask needs dask_address")
        if (self.dask_address or "").startswith("tls:") and self.dask_tls.ca is None:
            raise ValueError("a dask_address with tls:// needs dask_tls")
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


LEAST_TOKEN = 8
"""Characters of a token, where others than programs on this computer can try some."""


class Web(Section):
    """The control interface, for plugins of players and for scripts."""

    listen: Annotated[str, AfterValidator(_listen_address)] | None = Field(
        default="127.0.0.1:8786",
        description="Where it listens; null: nowhere. Beyond this computer it needs a token.",
    )
    token: SecretValue | None = Field(
        default=None,
        description=(
            "What others must show as `Authorization: Bearer TOKEN`: any long text (beyond this "
            f"computer, {LEAST_TOKEN} characters or more), or {{file: PATH}}."
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
        if self.token is not None:
            # A file may come later; it is checked when it is read.
            if self.token.file is None and (weakness := self._weakness(self.token.reveal())):
                raise ValueError(weakness)
        elif self.listen is not None and not is_loopback(host := host_and_port(self.listen)[0]):
            raise ValueError(f"listening on {host} needs a token: set web.token")
        return self

    def shown_token(self) -> str | None:
        """What requests must show; `None` where nothing is asked for.

        Raises
        ------
        ConfigError
            Its file cannot be read, or holds what can be guessed.
        """
        if self.token is None:
            return None
        token = self.token.reveal()
        if weakness := self._weakness(token):
            raise ConfigError(f"web.token: {weakness}", remedy="Correct it")
        return token.strip()

    def _weakness(self, token: str) -> str:
        """What is wrong with a token; empty where it will do."""
        hint = f"use {LEAST_TOKEN} characters or more, as `openssl rand -hex 16` prints them"
        if not token.strip():
            return f"a blank token is none: {hint}"
        if self.listen is None or len(token.strip()) >= LEAST_TOKEN:
            return ""
        host, _ = host_and_port(self.listen)
        return "" if is_loopback(host) else f"a token for {host} must not be guessed: {hint}"


class OpenSubsonic(Section):
    """A music server to learn of new songs from."""

    url: Annotated[str, AfterValidator(_url)] | None = Field(
        default=None, description="Its address, such as http://navidrome:4533; null: none."
    )
    user: str | None = Field(
        default=None,
        description="A user of the server; one that may start scans, where tags are written.",
    )
    password: SecretValue | None = Field(
        default=None, description="The user's password, or {file: PATH}."
    )
    api_key: SecretValue | None = Field(
        default=None, description="An API key in place of user and password."
    )
    auth: Literal["token", "password"] = Field(
        default="token",
        description=(
            "How the password is shown: token (salted and hashed), or password (as it is, for "
            "servers that know nothing else)."
        ),
    )
    poll: Annotated[Seconds, Field(ge=5)] = Field(
        default=60.0, description="How often it is asked what is new and what plays."
    )
    path_map: PathMap = Field(
        default_factory=dict,
        description="Folders as the server calls them, and as they are called here.",
    )
    rescan: bool = Field(
        default=True,
        description="Whether it is asked to look anew when lyrics were written into tags.",
    )

    @model_validator(mode="after")
    def _can_sign_in(self) -> OpenSubsonic:
        if self.url is None or self.api_key is not None:
            return self
        if self.user is None or self.password is None:
            raise ValueError("a server needs user and password, or api_key")
        return self


class Notify(Section):
    """Messages about what was done."""

    by: tuple[Annotated[str, AfterValidator(_known(registry.notifiers))], ...] = Field(
        default=("apprise",), description="What sends them: apprise, or what a plug-in adds."
    )
    urls: tuple[SecretValue, ...] = Field(
        default=(),
        description=(
            "Where they go: addresses of Apprise, such as 'ntfy://topic', each as text or "
            "{file: PATH}. Needs the extra `notify`."
        ),
    )
    of: tuple[Literal["done", "lines", "review", "no_lyrics", "instrumental", "failed"], ...] = (
        Field(
            default=("done", "lines", "review", "failed"),
            description="What they tell of: songs that came to these ends.",
        )
    )
    every: Annotated[Seconds, Field(gt=0)] = Field(
        default=3600.0,
        description="There is one message at most in this time, and none while songs are in work.",
    )


def _plugin(name: str) -> str:
    """Check that a name below ``plugins`` is that of a back end from another package."""
    if name not in registry.plugin_names():
        raise UnknownName(registry.plugin_names())
    return name


PluginSettings = dict[Annotated[str, AfterValidator(_plugin)], dict[str, Any]]


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
            "and `exclude` are lists of patterns, as in a .gitignore. A file .lyricsyncignore in a "
            "folder holds such patterns, a line each; an empty one leaves the folder out."
        ),
    )
    profile: Literal["auto", "lite", "full"] = Field(
        default="auto",
        description=(
            "lite: runs anywhere. full: with large models (needs the extra models). auto: what is "
            "installed and suits the device."
        ),
    )
    language: Annotated[str, AfterValidator(language_code)] = Field(
        default="auto",
        description="The language of all lyrics, such as en or fr; auto: detected from the words.",
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
    models: Models = Field(
        default=Models(), description="The models that separate, align and recognise."
    )
    daemon: Daemon = Field(
        default=Daemon(), description="The service. Lengths of time are written 5s, 10m or 1h."
    )
    web: Web = Field(
        default=Web(), description="The control interface, for plugins of players and for scripts."
    )
    opensubsonic: OpenSubsonic = Field(
        default=OpenSubsonic(),
        description="A music server (Navidrome and its like) to learn of new songs from.",
    )
    notify: Notify = Field(default=Notify(), description="Messages about what was done.")
    plugins: PluginSettings = Field(
        default_factory=dict,
        description=(
            "Settings of back ends from other packages, by their names, such as {acme: {folder: "
            "/srv/words}}; each package documents its own. See docs/plugins.md."
        ),
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
    from lyricsyncd.config.reader import read

    return read(path, environment)
