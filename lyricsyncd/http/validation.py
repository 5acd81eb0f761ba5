"""Check responses of web services: redirects, ``Retry-After`` and JSON."""

from __future__ import annotations

import email.utils
import json
import math
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lyricsyncd.errors import Refused, Unreachable
from lyricsyncd.http import rate_limit

if TYPE_CHECKING:
    import httpx2

_PORTS = {"http": 80, "https": 443}


def retry_after(value: str) -> float | None:
    """Parse a ``Retry-After`` header, a number or a date (RFC 9110, 10.2.3), to seconds."""
    if re.fullmatch(r"\s*\d{1,9}\s*", value):
        return min(float(value), rate_limit.HOLD_MAX_S)
    try:
        moment = email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(0.0, moment - time.time()), rate_limit.HOLD_MAX_S)


def check_redirect(here: httpx2.URL, there: httpx2.URL) -> None:
    """Reject a redirect to another site.

    The request is meant for this site only, and a server on the Internet must not have us send
    requests into the local network.
    """
    host = here.host
    if (here.scheme, there.scheme) == ("https", "http"):
        raise Refused(f"{host} redirects to an address without encryption")
    same_name = host.removeprefix("www.") == there.host.removeprefix("www.")
    same_port = _port(here) == _port(there) or (_port(here), _port(there)) == (80, 443)
    if not same_name or not same_port:
        raise Unreachable(
            f"{host} redirects to another address, {str(there)[:100]!r}",
            remedy="It may be a login page of the network",
        )


def _port(url: httpx2.URL) -> int | None:
    return url.port or _PORTS.get(url.scheme)


def host_of(url: str) -> str:
    """Return the name of a service: its host, with the port if that is not the usual one.

    >>> host_of("https://lrclib.net:443/api"), host_of("http://[::1]:3300/")
    ('lrclib.net', '[::1]:3300')
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return url
    if not host:
        return url
    if port is None or port == _PORTS.get(parts.scheme):
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def read_json(body: bytes) -> Any:
    """Parse JSON, and replace lone surrogates, which neither databases nor addresses can hold.

    Raises
    ------
    ValueError, RecursionError
        It is not JSON, or has a number that is none in JSON (``NaN``) or is far too large: each
        would break later computations.
    """
    found = json.loads(body, parse_constant=_number, parse_float=_number, parse_int=_whole)
    if rb"\ud" not in body.lower():
        return found
    return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is not a number in JSON")
    return number


def _whole(text: str) -> int:
    if len(text) > 20:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def check_json(body: bytes, host: str) -> None:
    """Check that a response is JSON; raises `Unreachable` if it is not."""
    try:
        read_json(body)
    except (ValueError, RecursionError):
        raise Unreachable(
            f"{host} answered with something that is not JSON",
            remedy="It may be a login page of the network",
        ) from None
