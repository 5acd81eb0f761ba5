"""Name the back ends of every kind, built in or from other packages, and open them by name.

One table for formats, sources of lyrics, separators, recognisers, aligners (acoustic models),
presets of players and notifiers. Nothing here imports a back end before it is opened, so names can
be checked where the configuration is read, and reported by ``doctor``, at no cost.

Another package adds a back end by an entry point in the group of its kind, such as
``lyricsyncd.separators``. The object that the entry point names is called as the built-in ones are
(see ``docs/plugins.md``), and may carry attributes that describe it (`describe` sets them):
``summary``, ``extra``, ``modules``, ``licence``. One policy holds for all kinds:

- a built-in name wins over a plug-in of the same name, and of two plug-ins the first by
  distribution name; the loser is left out with one warning;
- a plug-in that cannot be loaded is known by its name, and an error of the settings when opened.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lyricsyncd.errors import LyricsyncError, ModelError, UsageError

if TYPE_CHECKING:
    # What is opened is of a package above; its names are checked without importing any.
    from lyricsyncd.align.emissions import AcousticModel
    from lyricsyncd.align.second_aligner import SecondAligner
    from lyricsyncd.config.schema import LyricsSources, Notify
    from lyricsyncd.formats.base import Format
    from lyricsyncd.lyrics.base import Source
    from lyricsyncd.notifications import Notifier
    from lyricsyncd.separate.base import Separator
    from lyricsyncd.tags.presets import Preset
    from lyricsyncd.transcribe import Transcriber

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

Settings = Mapping[str, Any]
"""The settings of one plug-in: the section of its name below ``plugins``, as YAML has it."""
PluginSettings = Mapping[str, Settings]
"""The section ``plugins`` of the configuration: the name of a back end → its settings."""
NO_SETTINGS: PluginSettings = MappingProxyType({})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A back end, before it is imported.

    Attributes
    ----------
    target : str
        ``module:attribute`` of what opens it.
    summary : str
        What it does, for a person.
    extra : str
        The extra of ours that installs what it needs.
    modules : tuple of str
        Modules that must be installed beyond the base install.
    licence : str
        Of its model's weights, where it has some.
    section : str
        The part of the configuration that it is opened with, such as ``lyrics``.
    origin : str
        The distribution of a plug-in; empty for what is built in.
    """

    name: str
    target: str
    summary: str = ""
    extra: str = ""
    modules: tuple[str, ...] = ()
    licence: str = ""
    section: str = ""
    origin: str = ""

    def missing(self) -> tuple[str, ...]:
        """List the modules it needs that are not installed."""
        return tuple(name for name in self.modules if importlib.util.find_spec(name) is None)

    def load(self) -> Any:
        """Import what opens it.

        Raises
        ------
        ModelError
            A module that it needs is not installed, or the plug-in is broken.
        """
        module, _, attribute = self.target.partition(":")
        try:
            found: Any = importlib.import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except ImportError as error:
            raise self.not_installed(error) from error
        except Exception as error:
            if not self.origin:
                raise
            raise self.broken(error) from error
        return found

    def not_installed(self, error: ImportError) -> ModelError:
        """Describe a module that is missing, with the extra that brings it."""
        if self.origin:
            return self.broken(error)
        remedy = f'Install it with: pip install "lyricsyncd[{self.extra}]"' if self.extra else ""
        return ModelError(f"{self.name} is not installed: {error}", remedy=remedy)

    def broken(self, error: Exception) -> ModelError:
        """Describe a plug-in that failed in a way of its own."""
        return ModelError(
            f"{self.name} ({self.target}) from the package {self.origin} cannot be loaded: {error}",
            remedy="Update or remove that package",
        )


@dataclass(frozen=True, slots=True)
class ModelContext:
    """Context in which separators, recognisers and aligners are opened.

    Attributes
    ----------
    device : str
        ``auto``, ``cpu`` or ``cuda[:N]``.
    models_dir : Path or None
        Where models are installed; ``None`` for the user's cache.
    language : str or None
        ISO 639-1 of the song, for models of one language.
    threads : int or None
        Threads of a network; ``None`` for as many as the process may use.
    model : str
        Which of its models a back end is to open; empty for its default.
    settings : mapping
        Its own section below ``plugins`` in the configuration.
    """

    device: str = "auto"
    models_dir: Path | None = None
    language: str | None = None
    threads: int | None = None
    model: str = ""
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceContext:
    """Context in which sources of lyrics are opened.

    Attributes
    ----------
    lyrics : LyricsSources
        The section ``lyrics`` of the configuration.
    settings : mapping
        The source's own section below ``plugins``.
    """

    lyrics: LyricsSources
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotifierContext:
    """Context in which notifiers are opened.

    Attributes
    ----------
    notify : Notify
        The section ``notify`` of the configuration.
    settings : mapping
        The notifier's own section below ``plugins``.
    """

    notify: Notify
    settings: Settings = field(default_factory=dict)


class Registry(Generic[T]):
    """The back ends of one kind.

    Parameters
    ----------
    kind : str
        What one is called in messages.
    group : str
        The entry point group of plug-ins.
    built_in : sequence of Entry
        In the order in which they are listed and tried.
    choices : sequence of str
        Names that stand for no back end of their own, such as ``auto``.
    """

    def __init__(
        self, kind: str, group: str, built_in: tuple[Entry, ...], choices: tuple[str, ...] = ()
    ) -> None:
        self.kind, self.group, self.choices = kind, group, choices
        self._built_in = built_in

    def entries(self) -> Mapping[str, Entry]:
        """Map every name to its entry, the built-in ones first."""
        return _entries(self.kind, self.group, self._built_in)

    def names(self) -> tuple[str, ...]:
        """List the back ends that can be asked for, ``choices`` aside."""
        return tuple(self.entries())

    def check(self, name: str) -> None:
        """Refuse a name that nothing has.

        Raises
        ------
        UsageError
            With the nearest name there is.
        """
        if name in self.choices or name in self.entries():
            return
        known = (*self.choices, *self.names())
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean '{near[0]}'? " if near else ""
        raise UsageError(
            f"there is no {self.kind} '{name}'", remedy=f"{hint}There are: {', '.join(known)}"
        )

    def entry(self, name: str) -> Entry:
        """Find a back end by name; raises as `check`."""
        if name not in self.entries():
            self.check(name)
            raise UsageError(
                f"'{name}' is no {self.kind} of its own",
                remedy=f"There are: {', '.join(self.names())}",
            )
        return self.entries()[name]

    def open(self, name: str, *context: Any) -> T:
        """Import a back end and open it with what its kind is given.

        Raises
        ------
        UsageError
            There is none of that name.
        ModelError
            What it needs is not installed, or a plug-in failed in a way of its own.
        """
        entry = self.entry(name)
        opener = entry.load()
        try:
            opened: T = opener(*context)
        except LyricsyncError:
            raise
        except ImportError as error:
            raise entry.not_installed(error) from error
        except Exception as error:
            if not entry.origin:
                raise
            raise entry.broken(error) from error
        return opened


@functools.cache
def _entries(kind: str, group: str, built_in: tuple[Entry, ...]) -> Mapping[str, Entry]:
    entries = {entry.name: entry for entry in built_in}
    for plugin in _plugins(group):
        taken = entries.get(plugin.name)
        if taken is None:
            entries[plugin.name] = plugin
            continue
        _log.warning(
            "the %s '%s' of the package %s is left out: %s has that name",
            *(kind, plugin.name, plugin.origin, taken.origin or "a built-in one"),
        )
    return entries


def forget_plugins() -> None:
    """Look for the entry points of other packages anew when a name is next asked for."""
    _entries.cache_clear()


def _plugins(group: str) -> Iterator[Entry]:
    """List what other packages register, in an order that does not change between runs."""
    found = sorted(entry_points(group=group), key=lambda point: (_origin(point), point.name))
    for point in found:
        yield Entry(point.name, point.value, origin=_origin(point))


def _origin(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"


def described(entry: Entry) -> Entry:
    """Fill in what a plug-in says of itself; loads it, and returns it as it is where that fails."""
    if not entry.origin:
        return entry
    try:
        opener = entry.load()
    except ModelError as error:
        return replace(entry, summary=str(error))
    return replace(
        entry,
        summary=str(getattr(opener, "summary", "") or f"of the package {entry.origin}"),
        extra=str(getattr(opener, "extra", "")),
        modules=tuple(map(str, getattr(opener, "modules", ()))),
        licence=str(getattr(opener, "licence", "")),
    )


def describe(
    summary: str, *, extra: str = "", modules: tuple[str, ...] = (), licence: str = ""
) -> Callable[[F], F]:
    """Describe the function that opens a plug-in, for ``doctor``: a decorator.

    Parameters are those of `Entry`.
    """

    def with_description(opener: F) -> F:
        details = {"summary": summary, "extra": extra, "modules": modules, "licence": licence}
        for name, value in details.items():
            setattr(opener, name, value)
        return opener

    return with_description


def _ours(
    name: str, target: str, summary: str, extra: str = "", modules: str = "", licence: str = ""
) -> Entry:
    return Entry(name, f"lyricsyncd.{target}", summary, extra, tuple(modules.split()), licence)


_TORCH = "torch transformers"

formats: Registry[Format] = Registry(
    "format",
    "lyricsyncd.formats",
    (  # In the order in which they are tried on text of an unknown format.
        _ours("json", "formats.json:Json", "an array of words with their times"),
        _ours("vtt", "formats.vtt:Vtt", "WebVTT subtitles, with word times"),
        _ours("ttml", "formats.ttml:Ttml", "TTML as Apple Music has it"),
        _ours("ass", "formats.ass:Ass", "ASS karaoke subtitles"),
        _ours("ultrastar", "formats.ultrastar:Ultrastar", "UltraStar songs"),
        _ours("lyricsfile", "formats.lyricsfile:Lyricsfile", "Lyricsfile (YAML)"),
        _ours("srt", "formats.srt:Srt", "SubRip subtitles, a cue a line"),
        _ours("lrc", "formats.lrc:Lrc", "enhanced LRC, with word times"),
        _ours("lrc_standard", "formats.lrc:LrcStandard", "LRC, with line times"),
        _ours("txt", "formats.txt:Txt", "plain text"),
    ),
)
sources: Registry[Source] = Registry(
    "source",
    "lyricsyncd.sources",
    (
        _ours("local", "lyrics.local:open_source", "files beside the song, and its tags"),
        _ours("lrclib", "lyrics.lrclib:open_source", "LRCLIB, an open database of lyrics"),
        _ours("syncedlyrics", "lyrics.synced:open_source", "what syncedlyrics knows to ask"),
        _ours("genius", "lyrics.genius:open_source", "Genius, without times"),
    ),
    choices=("transcript",),
)
_DEMUCS = ("models", "torch demucs", "MIT")
separators: Registry[Separator] = Registry(
    "separator",
    "lyricsyncd.separators",
    (
        _ours("spleeter", "separate.spleeter:open_spleeter", "Spleeter, 2 stems", licence="MIT"),
        _ours("mix", "separate.mix:open_mix", "no separation"),
        _ours("none", "separate.mix:open_mix", "no separation"),
        _ours("htdemucs_ft", "separate.demucs:open_demucs", "Demucs, fine-tuned", *_DEMUCS),
        _ours("demucs", "separate.demucs:open_demucs", "Demucs, fine-tuned", *_DEMUCS),
        _ours("htdemucs", "separate.demucs:open_htdemucs", "Demucs", *_DEMUCS),
        _ours(
            *("melband_roformer", "separate.roformer:open_roformer", "Mel-Band RoFormer"),
            *("roformer", "torch mel_band_roformer", "MIT"),
        ),
    ),
    choices=("auto",),
)
recognisers: Registry[Transcriber] = Registry(
    "recogniser",
    "lyricsyncd.transcribers",
    (
        _ours(
            *("faster-whisper", "transcribe.faster_whisper:open_faster_whisper"),
            *("Whisper on CTranslate2", "whisper", "faster_whisper", "MIT"),
        ),
        _ours(
            *("whisperx", "transcribe.whisperx:open_whisperx", "WhisperX"),
            *("whisperx", "whisperx", "MIT"),
        ),
        _ours(
            *("whisper", "transcribe.whisper:open_whisper", "Whisper on torch"),
            *("models", _TORCH, "MIT"),
        ),
        _ours(
            *("granite", "transcribe.granite:open_granite", "Granite Speech"),
            *("granite", _TORCH, "Apache-2.0"),
        ),
    ),
    choices=("auto", "none"),
)
aligners: Registry[AcousticModel | SecondAligner] = Registry(
    "aligner",
    "lyricsyncd.aligners",
    (
        _ours(
            *("sphinx", "align.emissions.sphinx:open_phone_states"),
            *("phone states of PocketSphinx (en-us)", "", "", "BSD-2-Clause"),
        ),
        _ours(
            *("phonemes", "align.emissions.phonemes:open_installed"),
            *("phoneme network for English phones", "", "", "Apache-2.0"),
        ),
        _ours(
            *("ctc", "align.acoustic_models:open_wav2vec2", "wav2vec2 for the language"),
            *("models", _TORCH, "Apache-2.0"),
        ),
        _ours(
            *("mms", "align.acoustic_models:open_mms", "MMS, for over 1,000 languages"),
            *("models", _TORCH, "CC-BY-NC 4.0"),
        ),
        _ours(
            *("qwen3", "align.qwen3:open_qwen3", "Qwen3-ForcedAligner, as a second aligner"),
            *("qwen3", _TORCH, "Apache-2.0"),
        ),
    ),
    choices=("auto",),
)
presets: Registry[Preset] = Registry(
    "preset",
    "lyricsyncd.presets",
    (
        _ours("navidrome", "tags.presets:navidrome", "Navidrome's API, for its clients"),
        _ours("navidrome_web", "tags.presets:navidrome_web", "Navidrome's own web page, too"),
        _ours("jellyfin", "tags.presets:jellyfin", "Jellyfin"),
        _ours("plex", "tags.presets:plex", "Plex and Plexamp"),
        _ours("kodi", "tags.presets:kodi", "Kodi"),
        _ours("generic", "tags.presets:generic", "any player: files beside the songs"),
        _ours("embed", "tags.presets:embed", "players that read tags; no files"),
    ),
)
notifiers: Registry[Notifier] = Registry(
    "notifier",
    "lyricsyncd.notifiers",
    (
        _ours(
            *("apprise", "notifications.apprise:open_apprise", "any address of Apprise"),
            *("notify", "apprise", "BSD-2-Clause"),
        ),
    ),
)

ALL: tuple[Registry[Any], ...] = (
    *(formats, sources, separators, recognisers),
    *(aligners, presets, notifiers),
)
"""Every kind of back end."""


def plugin_names() -> tuple[str, ...]:
    """List the names of back ends from other packages, of all kinds."""
    names = (entry.name for kind in ALL for entry in kind.entries().values() if entry.origin)
    return tuple(dict.fromkeys(names))
