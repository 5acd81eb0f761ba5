"""Define the settings: every key with its default, its type and its description.

The descriptions are the comments of ``config.example.yaml`` and of the file that ``lyricsyncd
init`` writes; a test holds model and example together.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from lyricsyncd.config.secret import Secret
from lyricsyncd.config.setting_types import (
    AlignerName,
    ClusterAddress,
    Cron,
    Device,
    FileName,
    FormatName,
    Hours,
    LanguageCode,
    ListenAddress,
    LocatedPath,
    NotEmpty,
    NotifierName,
    Origin,
    PathMap,
    Pattern,
    PluginSettings,
    PresetName,
    ProviderName,
    RecogniserName,
    Seconds,
    SecretValue,
    SeparatorName,
    Share,
    Size,
    SourceName,
    Timeout,
    Url,
    WorkerCount,
)
from lyricsyncd.config.values import LEAST_TOKEN, host_and_port, is_loopback, token_weakness
from lyricsyncd.errors import ConfigError


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values never change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Override(Section):
    """Settings for a part of a library."""

    match: Pattern = Field(
        description="The songs that it is for: a pattern as in a .gitignore, such as `Podcasts/**`."
    )
    skip: bool | None = Field(
        default=None,
        description="true: leave them alone. false: take what an override before this one skips.",
    )
    language: LanguageCode | None = Field(
        default=None, description="The language of their lyrics, such as ja; auto: detected."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Override:
        if self.match.startswith("!"):
            raise ValueError("match is one pattern and takes nothing back: use skip: false")
        if self.skip is None and self.language is None:
            raise ValueError("an override needs skip or language")
        return self


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
    follow_links: bool = Field(
        default=True,
        description=(
            "Links to folders elsewhere are part of the library: lyrics are written there, too. "
            "Changes behind them are found by scans alone. false: they are left alone."
        ),
    )
    overrides: tuple[Override, ...] = Field(
        default=(),
        description=(
            "Settings for parts of it, {match, skip, language}; of several that match a song, the "
            "last one that says something counts."
        ),
    )


_WITH_SYLLABLES = (("sidecar", "lrc"), ("sidecar", "lyricsfile"), ("sidecar", "json"))


class OutputFile(Section):
    """One file or tag to write for a song."""

    format: FormatName = Field(
        description="The format: lrc (with word times), lrc_standard, json, srt, ass, ttml …"
    )
    to: Literal["sidecar", "tag"] = Field(
        default="sidecar", description="sidecar: a file beside the song. tag: in the song's tags."
    )
    name: FileName | None = Field(
        default=None,
        description="The sidecar's name, such as '{stem}.words.lrc'; {stem} is the song's.",
    )
    translations: bool = Field(
        default=False,
        description=(
            "In LRC files: write translations and romanisations as second lines of the same time. "
            "(ttml and lyricsfile always have them.)"
        ),
    )
    syllables: bool = Field(
        default=False,
        description=(
            "In lrc, lyricsfile and json: write a time for every syllable, which not all players "
            "join to words. (ttml, ass and ultrastar always have them.)"
        ),
    )

    notes: bool = Field(
        default=False,
        description=(
            "In LRC files: write ♪ where the singing pauses for long, in place of an empty line."
        ),
    )

    romanise: bool = Field(
        default=False,
        description=(
            "Write Latin letters beside lines in other scripts (Hepburn, pinyin, Revised "
            "Romanisation …), where they have none: in ttml, lyricsfile, and LRC files with "
            "translations."
        ),
    )

    @model_validator(mode="after")
    def _only_where_it_can(self) -> OutputFile:
        if self.translations and (self.to, self.format[:3]) != ("sidecar", "lrc"):
            raise ValueError("translations are second lines of LRC files only")
        if self.notes and (self.to, self.format[:3]) != ("sidecar", "lrc"):
            raise ValueError("notes are an option of LRC files only")
        if self.syllables and (self.to, self.format) not in _WITH_SYLLABLES:
            raise ValueError("syllables are an option of lrc, lyricsfile and json files only")
        has_room = self.translations or self.format in ("ttml", "lyricsfile")
        if self.romanise and (self.to != "sidecar" or not has_room):
            raise ValueError(
                "romanise needs a ttml or lyricsfile sidecar, or one of LRC with translations"
            )
        return self


class Output(Section):
    """Files and tags that are written for each song."""

    preset: PresetName = Field(
        default="generic",
        description=(
            "What your player reads: navidrome, navidrome_web (line times in the song's tags, too: "
            "all that Navidrome's own web page shows), jellyfin, plex, kodi, generic (NAME.lrc "
            "with line times and NAME.elrc with word times) or embed (in the song's tags, and "
            "only there)."
        ),
    )
    karaoke: bool = Field(
        default=False,
        description=(
            "The service also writes every song whose words it places without its vocals, and the "
            "vocals alone: NAME.instrumental.flac and NAME.vocals.flac. It takes half a minute a "
            "song."
        ),
    )
    karaoke_folder: LocatedPath | None = Field(
        default=None,
        description=(
            "Where those go, in folders like the library's; by default a folder `karaoke` beside "
            "the catalog. The path of a library puts them beside its songs."
        ),
    )
    karaoke_format: Literal["flac", "opus"] = Field(
        default="flac", description="flac keeps every sample, opus takes a sixth of the room."
    )


class Quality(Section):
    """Thresholds of the quality score."""

    words: Share = Field(
        default=0.7,
        description=(
            "A line whose words have at least this mean confidence is written with word times, any "
            "other with the time of the line alone: 1.0 for line times only."
        ),
    )
    lines: Share = Field(
        default=0.4,
        description=("A song with at least this score is written, one below it is not."),
    )
    improve: bool = Field(
        default=False,
        description=(
            "Place songs anew, slowly and when nothing else is to be done, once models or "
            "calibrations are newer than those that placed them. Only a clearly higher score takes "
            "the place of a result, and never that of words or files that a person changed."
        ),
    )

    @model_validator(mode="after")
    def _in_order(self) -> Quality:
        if self.lines > self.words:
            raise ValueError(f"lines ({self.lines}) must not be above words ({self.words})")
        return self


class Lrclib(Section):
    """LRCLIB, an open database of lyrics."""

    url: Url = Field(
        default="https://lrclib.net", description="Its address, or that of your own copy."
    )
    timeout: Timeout = Field(default=10.0, description="How long to wait for an answer.")


class Syncedlyrics(Section):
    """Websites that the library syncedlyrics knows."""

    providers: tuple[ProviderName, ...] = Field(
        default=("netease", "megalobiz"),
        description=(
            "Which ones, first to last: netease, megalobiz, musixmatch. The last one relays a paid "
            "service without a licence of yours, so you have to name it yourself."
        ),
    )
    timeout: Timeout = Field(default=10.0, description="How long to wait for an answer.")


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
    timeout: Timeout = Field(default=10.0, description="How long to wait for an answer.")

    @property
    def token(self) -> str | None:
        """Return the token. Raises as `Secret.reveal`."""
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
    """Sources of words."""

    order: tuple[SourceName, ...] = Field(
        default=("local", "lrclib", "syncedlyrics", "genius", "transcript"),
        description=(
            "The sources, first to last: local (files beside the song, and its tags), lrclib, "
            "syncedlyrics and genius (on the internet, by artist, title, album and length), and "
            "transcript (recognise the words, then search by them). With [local] nothing leaves "
            "this computer."
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
    acoustid_url: Url = Field(
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
    separator: SeparatorName = Field(
        default="auto",
        description=(
            "What separates the vocals: htdemucs_ft or htdemucs (with the extra models), "
            "melband_roformer (the cleanest, and slower still; with the extra roformer), spleeter, "
            "none, or auto (htdemucs_ft on a graphics card, else spleeter where it is installed)."
        ),
    )
    aligner: AlignerName = Field(
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
    transcriber: RecogniserName = Field(
        default="auto",
        description=(
            "A recogniser for songs whose placement is doubtful: faster-whisper, whisperx, whisper "
            "or granite (each with its extra; fetches its model from the hub), none, or auto (only "
            "where a model already lies in the folder of models as faster-whisper-base)."
        ),
    )
    device: Device = Field(
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
    rescan: Cron | None = Field(
        default="0 4 * * *",
        description="When to go through all libraries, as in a crontab; null: only at the start.",
    )
    quiet_hours: Hours | None = Field(
        default=None, description="When to let the models rest, such as '22:00-07:00'."
    )
    active_hours: Hours | None = Field(
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
    memory_limit: Size = Field(
        default="auto",
        description=(
            "How much memory the models may take, such as 4G; auto: four fifths of the computer's, "
            "or of what systemd or a container grants."
        ),
    )
    workers: WorkerCount = Field(
        default="auto",
        description=(
            "How many songs are placed at once on this computer, each in a process of its own; "
            "auto: one for each core, as far as the memory goes, and one where large models are "
            "used. They share memory_limit."
        ),
    )
    decode_ahead: Literal["auto", "always", "never"] = Field(
        default="auto",
        description=(
            "Decode the next song while the models are at work on this one: always, never or auto "
            "(where the models may take 2 GiB of memory or more). Not where several are placed at "
            "once."
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
    dask_address: ClusterAddress | None = Field(
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


class Tokens(NamedTuple):
    """Credentials of requests; without a token they need none."""

    token: str | None = None
    viewer: str | None = None
    """Lets look and listen, and change nothing."""


_SAME_TOKENS = "it must be another one than web.token"


class Web(Section):
    """The control interface, for plugins of players and for scripts."""

    listen: ListenAddress | None = Field(
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
    viewer_token: SecretValue | None = Field(
        default=None,
        description=(
            "A second token, for those who may look and listen, and change nothing: also any long "
            "text, or {file: PATH}."
        ),
    )
    page: bool = Field(
        default=True, description="Whether there is a page below /ui/; false: the API alone."
    )
    audio: bool = Field(
        default=True, description="Whether the page plays songs; false: no song leaves this way."
    )
    origins: tuple[Origin, ...] = Field(
        default=(),
        description=(
            "Addresses at which browsers reach the page, such as [https://music.example]: behind a "
            "reverse proxy that changes the Host header, and for names without a token."
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
        for token in (self.token, self.viewer_token):
            # A file may come later; it is checked when it is read.
            if token is None or token.file is not None:
                continue
            if weakness := token_weakness(token.reveal(), self.listen):
                raise ValueError(weakness)
        if self.token is not None:
            if self.token == self.viewer_token:
                raise ValueError(_SAME_TOKENS)
        elif self.viewer_token is not None:
            raise ValueError("viewer_token needs a token: without one all may change everything")
        elif self.listen is not None and not is_loopback(host := host_and_port(self.listen)[0]):
            raise ValueError(f"listening on {host} needs a token: set web.token")
        return self

    def shown_tokens(self) -> Tokens:
        """Return the tokens that open the interface.

        Raises
        ------
        ConfigError
            A file of theirs cannot be read, or holds a token that can be guessed.
        """
        token = self._shown("web.token", self.token)
        viewer = self._shown("web.viewer_token", self.viewer_token)
        if token is not None and token == viewer:
            raise ConfigError(f"web.viewer_token: {_SAME_TOKENS}", remedy="Correct it")
        return Tokens(token, viewer)

    def _shown(self, key: str, secret: Secret | None) -> str | None:
        if secret is None:
            return None
        token = secret.reveal()
        if weakness := token_weakness(token, self.listen):
            raise ConfigError(f"{key}: {weakness}", remedy="Correct it")
        return token.strip()


class OpenSubsonic(Section):
    """A music server to learn of new songs from."""

    url: Url | None = Field(
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

    by: tuple[NotifierName, ...] = Field(
        default=("apprise",), description="What sends them: apprise, or what a plug-in adds."
    )
    urls: tuple[SecretValue, ...] = Field(
        default=(),
        description=(
            "Where they go: addresses of Apprise, such as 'ntfy://topic', each as text or "
            "{file: PATH}. Needs the extra `notify`."
        ),
    )
    of: tuple[
        Literal["done", "mixed", "lines", "review", "no_lyrics", "instrumental", "failed"], ...
    ] = Field(
        default=("done", "mixed", "lines", "review", "failed"),
        description="What they report: songs that reached these states.",
    )
    every: Annotated[Seconds, Field(gt=0)] = Field(
        default=3600.0,
        description="There is one message at most in this time, and none while songs are in work.",
    )


def _output_kind(value: object) -> str | None:
    if isinstance(value, (dict, Output)):
        return "<preset>"
    return "<files>" if isinstance(value, (list, tuple)) else None


OutputChoice = Annotated[
    Annotated[Output, Tag("<preset>")]
    | Annotated[tuple[OutputFile, ...], NotEmpty, Tag("<files>")],
    Discriminator(_output_kind),
]


class Config(Section):
    """Everything that can be set."""

    libraries: tuple[Library, ...] = Field(
        default=(),
        description=(
            "The music folders, such as [{path: /music, exclude: ['Audiobooks/**']}]. `include` "
            "and `exclude` are lists of patterns, as in a .gitignore. A file .lyricsyncignore in a "
            "folder holds such patterns, a line each; an empty one leaves the folder out. Folders "
            "elsewhere that are linked into one are part of it, unless it has `follow_links: "
            "false`. "
            "`overrides` sets what is known better for a part: [{match: 'Podcasts/**', skip: "
            "true}, {match: 'J-Pop/**', language: ja}]. Skipped songs are listed, and left alone "
            "unless you name one to `retry`; words that were placed in another language than "
            "they have now are placed again."
        ),
    )
    profile: Literal["auto", "lite", "full"] = Field(
        default="auto",
        description=(
            "lite: runs anywhere. full: with large models (needs the extra models). auto: what is "
            "installed and suits the device."
        ),
    )
    language: LanguageCode = Field(
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
            "within 0.3 seconds of the truth; a word's confidence is the probability that it is."
        ),
    )
    lyrics: LyricsSources = Field(default=LyricsSources(), description="The sources of words.")
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
