"""Report the state of the service to systemd: sd_notify(3), a datagram a message."""

from __future__ import annotations

import contextlib
import os
import socket
import time

from lyricsyncd.printable import escaped


def sd_notify(*assignments: str) -> None:
    """Send assignments such as ``READY=1``; do nothing where systemd does not supervise us."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return
    target = "\0" + address[1:] if address[0] == "@" else address
    # The service must not fail because its supervisor does not answer.
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out,
    ):
        out.settimeout(1.0)
        # A song's name in a status must not become an assignment of its own.
        out.sendto("\n".join(map(escaped, assignments)).encode("utf-8"), target)


def sd_notify_reloading() -> None:
    """Report that the configuration is being read again; ``READY=1`` must follow."""
    moment = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    sd_notify("RELOADING=1", f"MONOTONIC_USEC={moment}")


def watchdog_interval() -> float | None:
    """Return the seconds within which systemd expects ``WATCHDOG=1``; ``None`` for no watchdog."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    pid = os.environ.get("WATCHDOG_PID", "")
    if not microseconds.isdigit() or (pid and pid != str(os.getpid())):
        return None
    return int(microseconds) / 1e6
