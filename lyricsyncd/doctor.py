"""Check that all that the service needs is there; each finding says what to do about it.

The checks are those of the packages (their modules ``checks``). What the service does to a song is
done to small sounds (`lyricsyncd.self_test`) in a process of its own, so that a crash or a hang
costs one finding.

No file of the user is changed, and nothing is downloaded: of the hosts of lyrics, only whether they
can be reached is tried.
"""

from __future__ import annotations

import platform
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd import __version__, registry
from lyricsyncd.config import paths
from lyricsyncd.errors import AudioError, LyricsyncError, NotFetched, WorkerLost
from lyricsyncd.findings import Finding, failed, ok, warning

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

LOW_DISK = 500 * 1024**2
"""Free bytes below which there is too little room for the catalog and the models."""
LOW_MEMORY = 1024**3
"""Free bytes of memory that placing the words of a song wants (about)."""
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
"""Remedies of trials whose error names none."""
_PROC = Path("/proc")


def examine(config: Config, *, network: bool = True, file: Path | None = None) -> Iterator[Finding]:
    """Run all checks, in the order in which a person should act on their findings.

    Parameters
    ----------
    network : bool
        Whether to try the hosts of lyrics.
    file : Path, optional
        The configuration file that was named.
    """
    for topic, check in _checks(config, file, paths.state_dir()):
        if network or topic != "network":
            yield from guarded(topic, check)


Check = Callable[[], Iterator[Finding]]


def _checks(config: Config, file: Path | None, folder: Path) -> list[tuple[str, Check]]:
    """List the checks with their topics; each imports what it needs, so that a module that cannot
    be imported is a finding."""

    def in_use() -> bool:
        from lyricsyncd.service.lock import running

        return running(folder)

    def libraries() -> Iterator[Finding]:
        from lyricsyncd.library import checks
        from lyricsyncd.work.policy import writes_sidecars

        yield from checks.libraries(config, sidecars=writes_sidecars(config))

    def watches() -> Iterator[Finding]:
        from lyricsyncd.library import checks

        yield from checks.watches(config)

    def secrets() -> Iterator[Finding]:
        from lyricsyncd.config import checks

        yield from checks.secrets(file)

    def catalog() -> Iterator[Finding]:
        from lyricsyncd.catalog import checks

        yield from checks.state(folder, in_use=in_use())
        yield from checks.settings(folder, in_use=in_use())

    def journal() -> Iterator[Finding]:
        from lyricsyncd.tags import checks

        yield from checks.journal(folder)

    def repairs() -> Iterator[Finding]:
        from lyricsyncd.catalog import checks

        yield from checks.repairs(folder)

    def models() -> Iterator[Finding]:
        from lyricsyncd.models import checks

        yield from checks.models(config)
        yield from checks.extras(config)

    def languages() -> Iterator[Finding]:
        from lyricsyncd.catalog import checks as catalog_checks
        from lyricsyncd.models import checks

        overridden = {each.language for library in config.libraries for each in library.overrides}
        named = {language for language in (config.language, *overridden) if language}
        yield from checks.languages(named | catalog_checks.languages(folder))

    def gpu() -> Iterator[Finding]:
        from lyricsyncd.work import checks

        yield from checks.gpu(config)

    def hosts() -> Iterator[Finding]:
        from lyricsyncd.lyrics import checks

        yield from checks.hosts(config)

    def control() -> Iterator[Finding]:
        from lyricsyncd.web import checks

        yield from checks.control(config, in_use=in_use())

    return [
        ("versions", versions),
        ("search", search),
        ("library", libraries),
        ("inotify", watches),
        ("secrets", secrets),
        ("catalog", catalog),
        ("journal", journal),
        ("repairs", repairs),
        ("disk", lambda: disk([paths.state_dir(), paths.cache_dir()])),
        ("memory", memory),
        ("models", models),
        ("languages", languages),
        ("plugins", plugins),
        ("trials", lambda: trials(config)),
        ("gpu", gpu),
        ("network", hosts),
        ("control", control),
    ]


def guarded(topic: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Run a check; where it raises an error of whatever kind, report that as its last finding.

    A check that cannot be run has not been passed, and does not keep the others from being run.
    """
    try:
        yield from check()
    except NotFetched as error:
        yield warning(topic, f"not tried: {error.message}", error.remedy)
    except AudioError as error:
        # The sounds of the trials are whole: it is the library that fails.
        yield failed(topic, error.message, _REMEDIES["codecs"])
    except LyricsyncError as error:
        yield failed(topic, error.message, error.remedy or _REMEDIES.get(topic, _AGAIN))
    except ImportError as error:
        yield failed(topic, f"{_reason(error)} ({_place(error)})", _AGAIN)
    except Exception as error:  # noqa: BLE001 - reported, with its name and place
        yield failed(
            topic,
            f"{type(error).__name__}: {_reason(error)} ({_place(error)})",
            f"{_REMEDIES.get(topic, _AGAIN)}; where it stays so, report it: it is a bug",
        )


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or "no reason is given"


def _place(error: BaseException) -> str:
    """Return the innermost line of our own files in a traceback, else the innermost of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(Path(__file__).parent)]
    frame = (own or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def trials(config: Config) -> Iterator[Finding]:
    """Do what is done to songs, each step in a process that may crash."""
    from lyricsyncd.processes.executor import WorkerExecutor
    from lyricsyncd.processes.limits import ResourceLimits
    from lyricsyncd.self_test import TRIALS

    executor = WorkerExecutor(limits=ResourceLimits(nice=0, ionice=""), environment=_NO_FETCHING)
    try:
        for topic in TRIALS:
            try:
                yield executor.submit_within(_TRIAL_S, None, attempt, topic, config).result()
            except WorkerLost as error:
                yield failed(topic, error.message, _REMEDIES.get(topic, _AGAIN))
    finally:
        executor.shutdown(cancel_futures=True)


def attempt(topic: str, config: Config) -> Finding:
    """Run one trial, in the process that was started for it."""

    def trial() -> Iterator[Finding]:
        # Imported here, so that a library that cannot be loaded is a finding, too.
        from lyricsyncd.self_test import TRIALS

        begin = time.perf_counter()
        text = TRIALS[topic](config)
        yield ok(topic, f"{text} ({time.perf_counter() - begin:.1f} s)")

    (finding,) = guarded(topic, trial)
    return finding


def versions() -> Iterator[Finding]:
    """Report the versions of lyricsyncd, Python and the libraries."""
    wanted = ("av", "numpy", "onnxruntime", "pocketsphinx", "mutagen", "watchdog")
    found, missing = [], []
    for name in wanted:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    text = f"lyricsyncd {__version__}, Python {platform.python_version()}, {', '.join(found)}"
    if missing:
        yield failed("versions", f"{', '.join(missing)} is missing", _AGAIN)
    else:
        yield ok("versions", text)


def search() -> Iterator[Finding]:
    """Report how the recursions of the search run."""
    from lyricsyncd.align import compiled

    if compiled.LIBRARY is not None:
        yield ok("search", "compiled")
    else:
        compiler = "with a C compiler (gcc, say), installing again makes it twice as fast"
        yield ok("search", f"in Python: {compiler}")


def disk(folders: list[Path]) -> Iterator[Finding]:
    """Check that the disks have room."""
    devices: dict[int, Path] = {}
    for folder in folders:
        existing = next(each for each in (folder, *folder.parents) if each.exists())
        devices.setdefault(existing.stat().st_dev, existing)
    for folder in devices.values():
        free = shutil.disk_usage(folder).free
        text = f"{_size(free)} free at {folder}"
        if free < LOW_DISK:
            yield warning("disk", text, "Make room: the catalog and the models need it")
        else:
            yield ok("disk", text)


def memory() -> Iterator[Finding]:
    """Check that there is enough memory for the models."""
    try:
        lines = (_PROC / "meminfo").read_text(encoding="ascii").splitlines()
        values = {name: int(rest.split()[0]) for name, _, rest in (x.partition(":") for x in lines)}
        free = values["MemAvailable"] * 1024
    except (OSError, ValueError, KeyError):
        return
    text = f"{_size(free)} of memory available"
    if free < LOW_MEMORY:
        yield warning("memory", text, "Set `models: {separator: none}`, which needs less")
    else:
        yield ok("memory", text)


def plugins() -> Iterator[Finding]:
    """List the back ends of other packages, and check that each can be loaded."""
    for kind in registry.ALL:
        for entry in kind.entries().values():
            if not entry.origin:
                continue
            try:
                entry.load()
            except LyricsyncError as error:
                yield failed("plugins", error.message, error.remedy)
            else:
                summary = registry.described(entry).summary
                yield ok("plugins", f"{kind.kind} {entry.name} ({entry.origin}): {summary}")


def _size(count: int) -> str:
    return f"{count / 1024**3:.1f} GiB" if count >= 1024**3 else f"{count / 1024**2:.0f} MiB"
