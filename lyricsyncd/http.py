"""Asking web services, politely: one connection pool, a pace for each host, few retries.

What can come of a question: an answer, *not found* (`None`), `Unreachable` (later it may work) or
`Refused` (the host said no). The HTTP library is loaded on the first question.
"""

from __future__ import annotations

import email.utils
import json
import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lyricsyncd import __version__
from lyricsyncd.errors import ConfigError, Refused, SourceError, Unreachable

if TYPE_CHECKING:
    import httpx2

USER_AGENT = f"lyricsyncd/{__version__} (+https://github.com/lyricsyncd/lyricsyncd)"
MAX_BYTES = 8 * 1024 * 1024
"""Largest answer taken."""
_REDIRECTS = 3
_HOLD_MAX = 3600.0
"""A host that asks for longer than this is asked again after it, all the same."""


@dataclass
class _Host:
    """When a host may be asked next; monotonic seconds."""

    next: float = 0.0
    held_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


_hosts: dict[str, _Host] = {}
_hosts_lock = threading.Lock()


@dataclass(frozen=True)
class Web:
    """A way to ask one kind of service. Safe to share between threads.

    Parameters
    ----------
    timeout
        Seconds to wait for a connection, and for each next piece of an answer.
    attempts
        How often to ask before giving up on a host that fails.
    interval
        Seconds between two questions to the same host, whoever asks.
    backoff
        Seconds before the second attempt; doubled for each further one, with jitter.
    patience
        Longest ``Retry-After``, in seconds, that is waited for rather than reported.
    user_agent
        What we call ourselves.
    """

    timeout: float = 10.0
    attempts: int = 3
    interval: float = 0.2
    backoff: float = 0.5
    patience: float = 5.0
    user_agent: str = USER_AGENT

    def get_json(self, url: str, parameters: Mapping[str, str]) -> Any:
        """What ``url`` answers, parsed; ``None`` where there is no such thing (404).

        Raises
        ------
        Unreachable
            No network, a time-out, a server error, or an answer that is not JSON.
        Refused
            The host answered and said no; ``transient`` where it said "not now".
        SourceError
            The answer is larger than `MAX_BYTES`.
        ConfigError
            ``url`` is not an address.
        """
        host = urlsplit(url).hostname or url
        failure: SourceError = Unreachable(f"{host} was not asked")
        for attempt in range(self.attempts):
            if attempt:
                wait = self.backoff * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
                if failure.retry_after is not None:
                    wait = max(wait, failure.retry_after)
                time.sleep(wait)
            try:
                body = self._get(url, parameters)
            except SourceError as error:
                failure = error
                if not error.transient or (error.retry_after or 0.0) > self.patience:
                    raise
                continue
            return None if body is None else _parsed(body, host)
        raise failure

    def _get(self, url: str, parameters: Mapping[str, str]) -> bytes | None:
        import httpx2

        host = urlsplit(url).hostname or url
        try:
            request = _client().build_request(
                "GET",
                url,
                params=dict(parameters),
                headers={"User-Agent": self.user_agent},
                timeout=self.timeout,
            )
            for _ in range(_REDIRECTS + 1):
                with self._asked(request, host) as response:
                    if response.next_request is None:
                        return self._body(response, host)
                    if (request.url.scheme, response.next_request.url.scheme) == ("https", "http"):
                        raise Refused(f"{host} sends us on to an address without encryption")
                    request = response.next_request
            raise Unreachable(f"{host} sends us round in a circle")
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol):
            raise ConfigError(
                f"'{url}' is not an address", remedy="Use one such as https://lrclib.net"
            ) from None
        except httpx2.TimeoutException:
            raise Unreachable(f"{host} did not answer within {self.timeout:g} seconds") from None
        except httpx2.HTTPError as error:
            raise Unreachable(f"{host} cannot be reached ({_brief(error)})") from None

    @contextmanager
    def _asked(self, request: httpx2.Request, host: str) -> Iterator[httpx2.Response]:
        self._take_turn(host)
        response = _client().send(request, stream=True, follow_redirects=False)
        try:
            yield response
        finally:
            response.close()

    def _take_turn(self, host: str) -> None:
        """Wait until the host may be asked; it is another's turn after that."""
        with _hosts_lock:
            pace = _hosts.setdefault(host, _Host())
        with pace.lock:
            now = time.monotonic()
            if pace.held_until - now > self.patience:
                raise _too_many(host, pace.held_until - now)
            turn = max(now, pace.next, pace.held_until)
            pace.next = turn + self.interval
        time.sleep(turn - now)

    def _body(self, response: httpx2.Response, host: str) -> bytes | None:
        """The body of a good answer, ``None`` for "not found", else the error it stands for."""
        status = response.status_code
        if status == 404:
            return None
        if status == 429 or (status == 503 and "retry-after" in response.headers):
            wait = _retry_after(response.headers.get("retry-after", ""))
            if wait is not None:
                _hold(host, wait)
            if status == 429:
                raise _too_many(host, wait)
            raise Unreachable(f"{host} is out of service for now", retry_after=wait)
        if status >= 500 or status == 408:
            raise Unreachable(f"{host} has trouble of its own (HTTP {status})")
        if status != 200:
            raise Refused(f"{host} refused the question (HTTP {status})")
        # The time-out of the library starts anew with every byte: a trickle would never end.
        deadline = time.monotonic() + 3 * self.timeout
        body = bytearray()
        for piece in response.iter_bytes(65536):
            body += piece
            if len(body) > MAX_BYTES:
                raise SourceError(f"{host} answered with more than {MAX_BYTES >> 20} MiB")
            if time.monotonic() > deadline:
                raise Unreachable(f"{host} answers too slowly")
        return bytes(body)


def _hold(host: str, seconds: float) -> None:
    with _hosts_lock:
        pace = _hosts.setdefault(host, _Host())
    with pace.lock:
        pace.held_until = max(pace.held_until, time.monotonic() + seconds)


def _too_many(host: str, wait: float | None) -> Refused:
    when = f" for {wait:.0f} seconds" if wait else ""
    return Refused(f"{host} wants no more questions{when}", transient=True, retry_after=wait)


def _retry_after(value: str) -> float | None:
    """Seconds that a ``Retry-After`` header asks for: a number, or a date (RFC 9110, 10.2.3)."""
    if re.fullmatch(r"\s*\d{1,9}\s*", value):
        return min(float(value), _HOLD_MAX)
    try:
        moment = email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(0.0, moment - time.time()), _HOLD_MAX)


def _parsed(body: bytes, host: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Unreachable(
            f"{host} answered with something that is not JSON",
            remedy="A login page of the network may stand between",
        ) from None


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


_shared: list[httpx2.Client] = []
_shared_lock = threading.Lock()


def _client() -> httpx2.Client:
    """The one connection pool of the process, made when it is first needed."""
    with _shared_lock:
        if not _shared:
            import httpx2

            # Uncompressed: the size cap then holds for what is read, too.
            headers = {
                "User-Agent": USER_AGENT,
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            }
            limits = httpx2.Limits(max_connections=8, max_keepalive_connections=4)
            _shared.append(httpx2.Client(headers=headers, limits=limits))
        return _shared[0]
