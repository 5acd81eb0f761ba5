"""Encode the messages between a `WorkerExecutor` and its process.

A message to the process is a task, or an out-of-band call, which runs while a task does. The
process sends any number of ``progress`` and ``logged`` messages, and ends each task with one of the
other kinds.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

_OUT_OF_BAND = b"out of band "
"""Prefix of a message that is no task; a pickle never begins so."""

PROGRESS, LOGGED, RESULT, ERROR, LOST = "progress", "logged", "result", "error", "lost"
"""Kinds of answers: stage and share; a record of the log; the result; what was raised; why the
process cannot go on."""


def task(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], progress: bool
) -> bytes:
    """Encode a call; with ``progress`` the process sends the progress of it, too."""
    return pickle.dumps((function, args, kwargs, progress))


def read_task(
    message: bytes,
) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], bool]:
    """Decode what `task` encoded."""
    function, args, kwargs, progress = pickle.loads(message)
    return function, args, kwargs, progress


def out_of_band(function: Callable[..., None], args: tuple[Any, ...]) -> bytes:
    """Encode a brief call to be made while a task runs."""
    return _OUT_OF_BAND + pickle.dumps((function, args))


def read_out_of_band(message: bytes) -> tuple[Callable[..., None], tuple[Any, ...]] | None:
    """Decode an out-of-band call; ``None`` for a task.

    Raises
    ------
    Exception
        Whatever importing the function's module raises.
    """
    if not message.startswith(_OUT_OF_BAND):
        return None
    function, args = pickle.loads(message[len(_OUT_OF_BAND) :])
    return function, args


def answer(kind: str, *values: object) -> bytes:
    """Encode an answer of the process."""
    return pickle.dumps((kind, *values))


def read_answer(message: bytes) -> tuple[str, list[Any]]:
    """Decode an answer of the process: its kind, and the values."""
    kind, *values = pickle.loads(message)
    return kind, values
