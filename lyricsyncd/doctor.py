"""Looks whether all that the service needs is here; each finding says what to do about it.

What the service does to a song is done to small sounds (`lyricsyncd.self_test`), in a process of
its own: what crashes or hangs there costs one finding.

Nothing of the user's is changed, and nothing is fetched: of the hosts that are asked for lyrics,
only whether they can be reached is tried.
"""

from __future__ import annotations

import enum
import os
import platform
import shlex
import shutil
import socket
import sqlite3
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lyricsyncd import __version__, registry
from lyricsyncd.config import paths, private
from lyricsyncd.errors import AudioError, LyricsyncError, NotFetched, WorkerLost

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

LOW_DISK = 500 * 1024**2
"""Free bytes below which there is too little room for the catalog and the models."""
LOW_MEMORY = 1024**3
"""Free bytes of memory that placing the words of a song wants (about)."""
_COUNT_S = 5.0
"""How long folders are counted for the watches that they need."""
_TRIAL_S = 60.0
"""How long one trial may take."""
_NO_FETCHING = {
    "HF_HUB_OFFLINE": "1",
    # A port on which nothing listens: whatever would fetch a model fails at once.
    **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9"),
    "no_proxy": "",
}
_AGAIN = "Install lyricsyncd once more with pip"
_REMEDIES = {
    "codecs": "Install PyAV from PyPI: pip install --force-reinstall av",
    "write": "See that the folder for temporary files can be written to and has room",
}
"""What to do where the error of a trial does not say."""
_PROC = Path("/proc")


class Verdict(str, enum.Enum):
    """How a finding is to be taken."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found. ``remedy`` is empty where all is well."""

    topic: str
    verdict: Verdict
    text: str
    remedy: str = ""


def _ok(topic: str, text: str) -> Finding:
    return Finding(topic, Verdict.OK, text)


def _warning(topic: str, text: str, remedy: str) -> Finding:
    return Finding(topic, Verdict.WARNING, text, remedy)


def _failed(topic: str, text: str, remedy: str) -> Finding:
    return Finding(topic, Verdict.FAILED, text, remedy)


def examine(config: Config, *, network: bool = True, file: Path | None = None) -> Iterator[Finding]:
    """Every finding, in the order that a person should mend things.

    Parameters
    ----------
    network : bool
        Whether the hosts of lyrics are tried.
    file : Path, optional
        Where the configuration was said to be.
    """
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("versions", versions),
        ("library", lambda: libraries(config)),
        ("inotify", lambda: watches(config)),
        ("secrets", lambda: secrets(file)),
        ("catalog", lambda: state(paths.state_dir())),
        ("journal", lambda: journal(paths.state_dir())),
        ("disk", lambda: disk([paths.state_dir(), paths.cache_dir()])),
        ("memory", memory),
        ("models", lambda: models(config)),
        ("models", lambda: extras(config)),
        ("plugins", plugins),
        ("trials", lambda: trials(config)),
        ("gpu", lambda: gpu(config)),
        ("network", lambda: hosts(config) if network else iter(())),
        ("control", lambda: control(config)),
    ]
    for topic, check in checks:
        yield from guarded(topic, check)


def guarded(topic: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of a check; where it fails itself, that is the finding, whatever it raised.

    A check that cannot be made has not been passed, and does not keep others from being made.
    """
    try:
        yield from check()
    except NotFetched as error:
        yield _warning(topic, f"not tried: {error.message}", error.remedy)
    except AudioError as error:
        # The sounds of the trials are whole: it is the library that fails.
        yield _failed(topic, error.message, _REMEDIES["codecs"])
    except LyricsyncError as error:
        yield _failed(topic, error.message, error.remedy or _REMEDIES.get(topic, _AGAIN))
    except ImportError as error:
        yield _failed(topic, f"{_reason(error)} ({_place(error)})", _AGAIN)
    except Exception as error:  # noqa: BLE001 - told as a failure, with its name and place
        yield _failed(
            topic,
            f"{type(error).__name__}: {_reason(error)} ({_place(error)})",
            f"{_REMEDIES.get(topic, _AGAIN)}; where it stays so, report it: it is a bug",
        )


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or "no reason is given"


def _place(error: BaseException) -> str:
    """The innermost place of an error that is in our own files, else the innermost of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(Path(__file__).parent)]
    frame = (own or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def trials(config: Config) -> Iterator[Finding]:
    """Whether what is done to songs works, by doing it."""
    from lyricsyncd.self_test import TRIALS
    from lyricsyncd.work.executor import ResourceLimits, WorkerExecutor

    executor = WorkerExecutor(manners=ResourceLimits(nice=0, ionice=""), environment=_NO_FETCHING)
    try:
        for topic in TRIALS:
            try:
                yield executor.submit_within(_TRIAL_S, None, attempt, topic, config).result()
            except WorkerLost as error:
                yield _failed(topic, error.message, _REMEDIES.get(topic, _AGAIN))
    finally:
        executor.shutdown(cancel_futures=True)


def attempt(topic: str, config: Config) -> Finding:
    """Make one trial; runs in a process of its own."""

    def trial() -> Iterator[Finding]:
        # Imported here, so that a library that cannot be loaded is a finding, too.
        from lyricsyncd.self_test import TRIALS

        begin = time.perf_counter()
        text = TRIALS[topic](config)
        yield _ok(topic, f"{text} ({time.perf_counter() - begin:.1f} s)")

    (finding,) = guarded(topic, trial)
    return finding


def versions() -> Iterator[Finding]:
    """Of us, Python and what listens."""
    wanted = ("av", "numpy", "onnxruntime", "pocketsphinx", "mutagen", "watchdog")
    found, missing = [], []
    for name in wanted:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    text = f"lyricsyncd {__version__}, Python {platform.python_version()}, {', '.join(found)}"
    if missing:
        yield _failed("versions", f"{', '.join(missing)} is missing", _AGAIN)
    else:
        yield _ok("versions", text)


def libraries(config: Config) -> Iterator[Finding]:
    """Whether the music is there, and may be read and written beside."""
    from lyricsyncd.catalog import mounts
    from lyricsyncd.library import scan
    from lyricsyncd.work.policy import writes_sidecars

    if not config.libraries:
        yield _failed(
            "library", "no music folder is configured", "Run `lyricsyncd init --library DIR`"
        )
    beside = writes_sidecars(config)
    for library in config.libraries:
        path = library.path
        if not path.is_dir():
            yield _failed("library", f"{path} is not there", "Check the path, or plug the disk in")
        elif not os.access(path, os.R_OK | os.X_OK):
            yield _failed("library", f"{path} cannot be read", f"Check the rights: ls -ld {path}")
        elif scan.offline(path):
            yield _warning("library", f"{path} is empty", "Is its disk plugged in?")
        elif (beside and not os.access(path, os.W_OK)) or _read_only(path):
            yield _failed(
                "library",
                f"{path} cannot be written to, so no lyrics can be put there",
                f"Let the user {_me()} write there",
            )
        else:
            kind = mounts.filesystem(path)
            how = "looked through from time to time" if mounts.silent(kind) else "watched"
            yield _ok("library", f"{path} can be read and written ({kind or 'unknown'}, {how})")


def watches(config: Config) -> Iterator[Finding]:
    """Whether inotify's limits suffice for the folders."""
    from lyricsyncd.catalog import mounts

    roots = [
        library.path
        for library in config.libraries
        if library.path.is_dir() and not mounts.silent(mounts.filesystem(library.path))
    ]
    limits = _PROC / "sys/fs/inotify"
    try:
        limit = int((limits / "max_user_watches").read_text(encoding="ascii"))
        instances = int((limits / "max_user_instances").read_text(encoding="ascii"))
    except (OSError, ValueError):
        yield _warning("inotify", "the limits cannot be read", "Rely on the scheduled scans")
        return
    counted, whole = _folders(roots)
    text = f"{counted}{'' if whole else ' or more'} folders, {limit} watches allowed"
    if counted > limit:
        yield _warning(
            "inotify",
            f"{text}: the libraries are looked through from time to time instead",
            f"Raise it: sysctl fs.inotify.max_user_watches={max(524288, 2 * counted)}",
        )
    elif instances < 2 * len(roots) + 2:
        yield _warning(
            "inotify",
            f"only {instances} watchers are allowed to a user",
            "Raise it: sysctl fs.inotify.max_user_instances=1024",
        )
    else:
        yield _ok("inotify", text)


def _folders(roots: list[Path]) -> tuple[int, bool]:
    """How many folders there are, and whether all were counted."""
    end, count = time.monotonic() + _COUNT_S, 0
    for root in roots:
        for _folder in os.walk(root):
            count += 1
            if time.monotonic() > end:
                return count, False
    return count, True


def secrets(file: Path | None) -> Iterator[Finding]:
    """Whether keys and passwords are kept from other users."""
    from lyricsyncd.config.reader import exposed_secrets

    exposed = exposed_secrets(file, os.environ)
    for holder in exposed:
        yield _warning(
            "secrets",
            f"every user of this computer can read the secrets in {holder}",
            f"chmod o-r {shlex.quote(str(holder))} (the service's own user must still read it)",
        )
    if not exposed:
        yield _ok("secrets", "no other user can read them")


def state(folder: Path) -> Iterator[Finding]:
    """Whether the catalog can be kept, and is whole."""
    from lyricsyncd.catalog import mounts
    from lyricsyncd.catalog.catalog import FILE_NAME
    from lyricsyncd.service.lock import running

    existing = next(each for each in (folder, *folder.parents) if each.exists())
    kind = mounts.filesystem(folder)
    if mounts.on_network(kind):
        yield _failed(
            "catalog",
            f"{folder} is on a network mount ({kind}), where the catalog breaks",
            "Set STATE_DIRECTORY or XDG_STATE_HOME to a folder on a local disk",
        )
        return
    if not os.access(existing, os.W_OK | os.X_OK) or _read_only(existing):
        yield _failed("catalog", f"{existing} cannot be written to", f"Give it to user {_me()}")
        return
    file = folder / FILE_NAME
    if not file.exists():
        yield _ok("catalog", f"there is none yet; it comes to lie in {folder}")
        return
    trouble = _checked(file)
    if trouble:
        yield _failed(
            "catalog",
            f"{file} is broken: {trouble}",
            "Start the service again: it goes back to its last copy",
        )
        return
    if opened := private.open_files(folder):
        yield _warning(
            "catalog",
            f"other users may read {', '.join(path.name for path in opened)} in {folder}",
            "Start the service again: it closes what belongs to its user",
        )
    service = "a service is at work on it" if running(folder) else "no service is at work on it"
    yield _ok("catalog", f"{file} is whole; {service}")


def journal(folder: Path) -> Iterator[Finding]:
    """Check the journal of what was written, and report the files that were repaired."""
    from lyricsyncd import sqlite_files
    from lyricsyncd.tags.journal import NAME

    file = folder / NAME
    if not file.exists():
        yield _ok("journal", "nothing was written yet")
    elif trouble := _checked(file) if file.stat().st_size else "the file is empty":
        yield _failed(
            "journal",
            f"{file} is broken: {trouble}",
            "Nothing: it is repaired when the service starts, or writes",
        )
    else:
        yield _ok("journal", f"{file} is whole: what was written can be undone")
    for repair in sqlite_files.last_repairs(folder):
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(repair.at))
        yield _warning(
            "repairs",
            f"{at}: {repair.text}",
            f"Delete {repair.report} when you have seen this, and {repair.kept} with it",
        )


def _checked(file: Path) -> str:
    """What SQLite finds wrong with a catalog; empty where nothing is."""
    try:
        db = sqlite3.connect(file.as_uri() + "?mode=ro", uri=True, timeout=5.0)
        try:
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            db.close()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return str(error)
    return "" if verdict == "ok" else str(verdict)


def disk(folders: list[Path]) -> Iterator[Finding]:
    """Whether there is room."""
    devices: dict[int, Path] = {}
    for folder in folders:
        existing = next(each for each in (folder, *folder.parents) if each.exists())
        devices.setdefault(existing.stat().st_dev, existing)
    for folder in devices.values():
        free = shutil.disk_usage(folder).free
        text = f"{_size(free)} free at {folder}"
        if free < LOW_DISK:
            yield _warning("disk", text, "Make room: the catalog and the models need it")
        else:
            yield _ok("disk", text)


def memory() -> Iterator[Finding]:
    """Whether a song's models have room."""
    try:
        lines = (_PROC / "meminfo").read_text(encoding="ascii").splitlines()
        values = {name: int(rest.split()[0]) for name, _, rest in (x.partition(":") for x in lines)}
        free = values["MemAvailable"] * 1024
    except (OSError, ValueError, KeyError):
        return
    text = f"{_size(free)} of memory to be had"
    if free < LOW_MEMORY:
        yield _warning("memory", text, "Set `models: {separator: none}`, which needs less")
    else:
        yield _ok("memory", text)


def models(config: Config) -> Iterator[Finding]:
    """Whether what listens is here and whole."""
    from lyricsyncd.models.install import MODELS, State, install_remedy
    from lyricsyncd.models.install import state as state_of

    folder = paths.models_dir(config.models.dir)
    for model in MODELS.values():
        here = state_of(model, folder)
        if here is State.INSTALLED:
            yield _ok("models", f"{model.name} is installed: {model.purpose}")
        elif here is State.DAMAGED or config.models.separator == model.name:
            yield _failed("models", f"{model.name} is {here.value}", install_remedy(model))
        elif config.models.separator == "auto":
            yield _warning(
                "models",
                f"{model.name} is missing: words are placed on the mix, which is less exact",
                install_remedy(model),
            )


def extras(config: Config) -> Iterator[Finding]:
    """Whether what the models that were asked for need is installed."""
    wanted: list[tuple[registry.Registry[Any], str]] = [
        (registry.separators, config.models.separator),
        *((registry.aligners, name) for name in config.models.aligner.split("+")),
        (registry.recognisers, config.models.transcriber),
    ]
    if config.profile == "full":
        wanted += [(registry.separators, "htdemucs_ft"), (registry.aligners, "ctc")]
    for kind, name in dict.fromkeys(wanted):
        if (entry := kind.entries().get(name)) is None:
            continue
        entry = registry.described(entry)
        if missing := entry.missing():
            yield _failed(
                "models",
                f"{name} is configured, and {' and '.join(missing)} not installed",
                f"pip install 'lyricsyncd[{entry.extra}]'",
            )
        elif entry.modules:
            yield _ok("models", f"what {name} needs is installed")


def plugins() -> Iterator[Finding]:
    """List the back ends of other packages, and check that each can be loaded."""
    for kind in registry.ALL:
        for entry in kind.entries().values():
            if not entry.origin:
                continue
            try:
                entry.load()
            except LyricsyncError as error:
                yield _failed("plugins", error.message, error.remedy)
            else:
                summary = registry.described(entry).summary
                yield _ok("plugins", f"{kind.kind} {entry.name} ({entry.origin}): {summary}")


def gpu(config: Config) -> Iterator[Finding]:
    """Whether the device that is configured is there."""
    from lyricsyncd.work import gpu as card

    try:
        cards = card.cards()
    except card.NoAnswerError as error:
        cards = []
        if config.models.device.startswith("cuda"):
            yield _failed("gpu", str(error), "Install NVIDIA's driver, or set `device: auto`")
            return
    if not cards:
        yield _ok("gpu", "no NVIDIA card; the processor does it")
        return
    providers = _onnx_providers()
    text = ", ".join(cards)
    if "CUDAExecutionProvider" in providers:
        yield _ok("gpu", text)
    else:
        wants = config.models.device.startswith("cuda")
        kind = _failed if wants else _warning
        yield kind(
            "gpu",
            f"{text}, which the installed onnxruntime cannot use",
            "pip uninstall onnxruntime, then pip install onnxruntime-gpu",
        )


def _onnx_providers() -> list[str]:
    try:
        import onnxruntime

        return list(onnxruntime.get_available_providers())
    except ImportError:
        return []


def hosts(config: Config) -> Iterator[Finding]:
    """Whether the sources of lyrics can be reached. Nothing is asked of them."""
    if "lrclib" not in config.lyrics.order:
        yield _ok("network", "no source of lyrics is asked: nothing leaves the house")
        return
    url = urlsplit(config.lyrics.lrclib.url)
    host = url.hostname or ""
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=5.0).close()
    except OSError as error:
        why = error.strerror or str(error)
        yield _warning(
            "network",
            f"{host} cannot be reached: {why}",
            "Check the network; songs wait meanwhile. Or set `lyrics: {order: [local]}`",
        )
    else:
        yield _ok("network", f"{host} can be reached")


def control(config: Config) -> Iterator[Finding]:
    """Whether the control interface can listen, or does."""
    from lyricsyncd.config.schema import host_and_port

    if config.web.listen is None:
        yield _ok("control", "the control interface is switched off")
        return
    try:
        config.web.shown_token()
    except LyricsyncError as error:
        yield _failed("control", error.message, error.remedy)
        return
    from lyricsyncd.service.lock import running

    host, port = host_and_port(config.web.listen)
    if running(paths.state_dir()):
        yield _ok("control", f"the service listens on {config.web.listen}")
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            yield _failed(
                "control",
                f"{config.web.listen} cannot be listened on: {error.strerror}",
                "Set `web: {listen: 127.0.0.1:PORT}` to a free port, or to null",
            )
        else:
            yield _ok("control", f"{config.web.listen} is free to listen on")


def _read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _me() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _size(count: int) -> str:
    return f"{count / 1024**3:.1f} GiB" if count >= 1024**3 else f"{count / 1024**2:.0f} MiB"
