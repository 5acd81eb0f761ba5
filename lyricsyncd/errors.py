"""Define all errors, as data.

::

    LyricsyncError                exit 1
    ├── UsageError                exit 2   wrong command line or configuration
    │   └── ConfigError
    ├── AudioError                         this file cannot be listened to
    ├── LyricsNotFound            exit 3   no source has the words
    │   └── NotASong                       a podcast, an audiobook: none is asked
    ├── SourceError                        one lyrics or identification source failed
    │   ├── Unreachable                    the network or the host; later it may work
    │   └── Refused                        the host answered and said no (key, quota, ban)
    ├── AlignmentError                     no words could be placed on this audio
    ├── ModelError                         a model is missing, broken or its device is not there
    │   └── NotFetched                     its weights are not on the disk, and could not be fetched
    ├── WorkerLost                         the process with the models died or hung on a song
    ├── WriteError                         the result could not be written; the original is intact
    │   └── JournalError                   it could not be noted in the journal before
    └── FormatError (ValueError)           bytes that are not what their format promises

Every error says what happened and, where we know it, what to do about it. Errors keep their
attributes across a process boundary (the model worker raises them in its own process), and know
whether trying again later can help (``transient``) and whose fault they are (``fault``).
"""

from __future__ import annotations

import errno
import traceback
from enum import Enum
from typing import Any, ClassVar

_PASSING = frozenset(
    (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOSPC, errno.EDQUOT)
)


def raised_inside(error: BaseException, *packages: str) -> bool:
    """Return whether an error was raised by the code of a library, which was given data to read.

    A call that the library does not know (another version of it has another interface) is raised
    where the call stands, and a fault of our own where that is: both are bugs, and must not pass
    for a bad file or a bad answer. Only for libraries in Python: compiled ones leave no such trace.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    origins = [(frame.f_globals.get("__name__") or "").partition(".")[0] for frame in frames]
    ours = __name__.partition(".")[0]
    return bool(origins) and origins[-1] != ours and any(name in packages for name in origins)


class Fault(str, Enum):
    """Whose fault an error is, and so what mends it."""

    SETTINGS = "settings"
    """The configuration or the installation: every song would fail, until a person changes it."""
    PASSING = "passing"
    """Trouble of the network, a disk or a process: the same may succeed later."""
    SONG = "song"
    """This song's own: nothing but another file, other tags or other words mends it."""


class LyricsyncError(Exception):
    """Root of everything we raise on purpose.

    Parameters
    ----------
    message : str
        What happened, in one line, naming the file or host.
    remedy : str, optional
        What the user can do, as an imperative sentence.
    transient : bool, optional
        Whether the same call may succeed later although nothing is changed.
    """

    exit_status = 1
    transient = False
    _fault: ClassVar[Fault] = Fault.SONG

    def __init__(self, message: str, *, remedy: str = "", transient: bool | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        if transient is not None:
            self.transient = transient

    @property
    def fault(self) -> Fault:
        """Whose fault it is."""
        return Fault.PASSING if self.transient else self._fault

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}" if self.remedy else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, dict(self.__dict__)))


def errors_of(fault: Fault) -> frozenset[str]:
    """List the names of the classes of errors that have a fault by default."""
    found: set[str] = set()
    left = [LyricsyncError]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind._fault is fault and not kind.transient:
            found.add(kind.__name__)
    return frozenset(found)


def _rebuild(cls: type[LyricsyncError], message: str, state: dict[str, Any]) -> LyricsyncError:
    error = cls.__new__(cls)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class UsageError(LyricsyncError):
    """The command line asks for something that cannot be."""

    exit_status = 2
    _fault = Fault.SETTINGS


class ConfigError(UsageError):
    """The configuration cannot be used."""


class AudioError(LyricsyncError):
    """The file cannot be decoded, or holds nothing to listen to."""


class LyricsNotFound(LyricsyncError):
    """No source has words for the song."""

    exit_status = 3


class NotASong(LyricsNotFound):
    """The recording is a podcast, an audiobook or the like: its words are not looked up."""


class SourceError(LyricsyncError):
    """A source of lyrics or names failed; other sources may still answer.

    Parameters
    ----------
    retry_after : float, optional
        Seconds after which the host wants to be asked again, where it said so.
    host : str, optional
        The host that failed, where it is known.
    """

    _fault = Fault.PASSING

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        transient: bool | None = None,
        retry_after: float | None = None,
        host: str | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy, transient=transient)
        self.retry_after = retry_after
        self.host = host


class Unreachable(SourceError):
    """The source could not be reached: no network, time-out, server error.

    Attributes
    ----------
    away : bool
        There was no connection at all.
    """

    transient = True

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        transient: bool | None = None,
        retry_after: float | None = None,
        host: str | None = None,
        away: bool = False,
    ) -> None:
        super().__init__(
            message, remedy=remedy, transient=transient, retry_after=retry_after, host=host
        )
        self.away = away


class Refused(SourceError):
    """The source answered and refused: bad key, quota, blocked."""


class AlignmentError(LyricsyncError):
    """The words could not be placed on the audio at all."""


class ModelError(LyricsyncError):
    """A model is missing or broken, or its device is not there."""

    _fault = Fault.SETTINGS


class NotFetched(ModelError):
    """A model of the hub is not on the disk yet, and could not be fetched just now."""

    _fault = Fault.PASSING


class WorkerLost(LyricsyncError):
    """A worker process ended, or had to be ended, before it gave a result.

    Parameters
    ----------
    cause : str, optional
        ``time`` or ``memory`` for a limit that the parent enforces, the name of a signal
        (``SIGSEGV``), or nothing.
    """

    transient = True

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        transient: bool | None = None,
        cause: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy, transient=transient)
        self.cause = cause


class WriteError(LyricsyncError):
    """A result could not be written; what was there before is intact."""

    _fault = Fault.PASSING


class JournalError(WriteError):
    """A write cannot be recorded in the journal, and so was not made."""


class FormatError(LyricsyncError, ValueError):
    """The bytes are not what their format promises, or are hostile."""


def passes(error: Exception) -> bool:
    """Return whether an error is of the computer's present state, and not of the file."""
    if isinstance(error, LyricsyncError):
        return error.transient
    return isinstance(error, OSError) and error.errno in _PASSING
