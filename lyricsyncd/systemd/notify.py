"""Tells systemd how we are: the protocol of sd_notify(3), a datagram a message."""

from __future__ import annotations

import contextlib
import os
import socket
import time

from lyricsyncd.printable import escaped


def notify(*assignments: str) -> None:
    """Send ``READY=1`` and the like; nothing happens where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return
    target = "\0" + address[1:] if address[0] == "@" else address
    # The service must not fail because its supervisor does not listen.
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out,
    ):
        out.settimeout(1.0)
        # A song's name in a status must not become an assignment of its own.
        out.sendto("\n".join(map(escaped, assignments)).encode("utf-8"), target)


def reloading() -> None:
    """Say that the configuration is read again; ``READY=1`` must follow."""
    moment = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notify("RELOADING=1", f"MONOTONIC_USEC={moment}")


def watchdog_interval() -> float | None:
    """Seconds between signs of life that systemd asks for; ``None`` if it does not."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    pid = os.environ.get("WATCHDOG_PID", "")
    if not microseconds.isdigit() or (pid and pid != str(os.getpid())):
        return None
    return int(microseconds) / 1e6
