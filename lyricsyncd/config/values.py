"""Read the values that settings write as text: lengths of time, sizes, hours, addresses."""

from __future__ import annotations

import datetime
import ipaddress
import math
import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LEAST_TOKEN = 8
"""Least characters of a token where programs of other computers can try tokens."""


def seconds(value: object) -> float:
    """Read a length of time: ``5s``, ``10m``, ``1h30m``, ``250ms``, ``2d``, or a number of seconds.

    Raises
    ------
    ValueError
        The text is not one.
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
    """Read the begin and end of a part of the day, ``22:00-07:00``; it may go over midnight.

    Raises
    ------
    ValueError
        The text is not one.
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
    """Read a size in bytes: ``4G``, ``512M``; ``None`` for ``auto``.

    Raises
    ------
    ValueError
        The text is not one.
    """
    if text == "auto":
        return None
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT])(?:i?B)?", text, re.IGNORECASE)
    if match is None or float(match.group(1)) == 0:
        raise ValueError("expected auto, or a size such as 4G or 800M")
    return int(float(match.group(1)) * 1024 ** ("KMGT".index(match.group(2).upper()) + 1))


def language_code(code: str) -> str:
    """Check that a text is ``auto`` or an ISO 639 code, and return it.

    Raises
    ------
    ValueError
        It is neither.
    """
    if not re.fullmatch(r"auto|[a-z]{2,3}", code):
        raise ValueError("expected auto or the code of a language, such as en or fr")
    return code


def host_and_port(text: str) -> tuple[str, int]:
    """Split an address to listen on: ``127.0.0.1:8786``, ``[::1]:8786``.

    Raises
    ------
    ValueError
        The text is not one.
    """
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+)):(\d{1,5})", text)
    if match is None or int(match.group(3)) > 65535:
        raise ValueError("expected an address and a port such as '127.0.0.1:8786'")
    return match.group(1) or match.group(2), int(match.group(3))


def is_loopback(host: str) -> bool:
    """Return whether only programs on the same computer can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def token_weakness(token: str, listen: str | None) -> str:
    """Return what is wrong with a token for an address; empty where it is good enough."""
    hint = f"use {LEAST_TOKEN} characters or more, as `openssl rand -hex 16` prints them"
    if not token.strip():
        return f"a blank token is none: {hint}"
    if listen is None or len(token.strip()) >= LEAST_TOKEN:
        return ""
    host, _ = host_and_port(listen)
    return "" if is_loopback(host) else f"a token for {host} must not be guessed: {hint}"
