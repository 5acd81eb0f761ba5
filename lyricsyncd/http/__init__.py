"""Asking web services, politely: one connection pool, a pace for each host, few retries, a memory.

What can come of a question: an answer, *not found* (`None`), `Unreachable` (later it may work) or
`Refused` (the host said no). The HTTP library is loaded on the first question.
"""

from __future__ import annotations

import email.utils
import json
import math
import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from lyricsyncd import __version__
from lyricsyncd.errors import ConfigError, Refused, SourceError, Unreachable
from lyricsyncd.http import answers, deadlines, pace

if TYPE_CHECKING:
    import httpx2

USER_AGENT = f"lyricsyncd/{__version__} (+https://github.com/lyricsyncd/lyricsyncd)"
MAX_BYTES = 8 * 1024 * 1024
"""Largest answer taken."""
_REDIRECTS = 3
_SECRETS = ("authorization", "x-publish-token", "cookie")


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
    cache
        Where answers are kept; nowhere by default.
    user_agent
        What we call ourselves.
    """

    timeout: float = 10.0
    attempts: int = 3
    interval: float = 0.2
    backoff: float = 0.5
    patience: float = 5.0
    cache: answers.Answers | None = None
    user_agent: str = USER_AGENT

    def get_json(
        self, url: str, parameters: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Any:
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
        body = self.ask("GET", url, parameters=parameters, headers=headers, json_only=True)
        return _read_json(body) if body else None

    def post_json(
        self,
        url: str,
        content: Any = None,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """What ``url`` answers to a form or to JSON; `None` for 404 and for an empty answer.
        Raises as `get_json`."""
        body: bytes | None = None
        headers = dict(headers or {})
        if form is not None:
            body = urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif content is not None:
            body = json.dumps(content).encode()
            headers["Content-Type"] = "application/json"
        answer = self.ask("POST", url, headers=headers, body=body, json_only=True)
        return _read_json(answer) if answer else None

    def ask(
        self,
        method: str,
        url: str,
        *,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        json_only: bool = False,
    ) -> bytes | None:
        """What ``url`` answers, from the cache where it is kept there; ``None`` for 404.

        Parameters
        ----------
        json_only
            Take nothing else for an answer: a login page of the network is none.

        Raises
        ------
        Unreachable, Refused, SourceError, ConfigError
            As `get_json`.
        """
        question = _Question(
            method, url, dict(parameters or {}), dict(headers or {}), body, json_only
        )
        if self.cache is None:
            return self._asked_often(question)
        key = question.key()
        kept = self.cache.get(key)
        if kept is not None:
            return kept.body
        try:
            answer = self._asked_often(question)
        except Refused as error:
            # "Not now" says nothing about the question.
            if not error.transient:
                self.cache.put_refused(key, error)
            raise
        self.cache.put(key, answer)
        return answer

    def _asked_often(self, question: _Question) -> bytes | None:
        """The answer, after as many attempts as it takes and are allowed."""
        host = question.host
        failure: SourceError = Unreachable(f"{host} was not asked", host=host)
        # One attempt is enough to see whether a host is back.
        for attempt in range(1 if pace.failing(host) else self.attempts):
            if attempt:
                wait = self.backoff * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
                if failure.retry_after is not None:
                    wait = max(wait, failure.retry_after)
                time.sleep(wait)
            try:
                answer = self._get(question)
            except pace.Held as held:
                raise held.error from None
            except SourceError as error:
                failure = error
                if not error.transient or (error.retry_after or 0.0) > self.patience:
                    break
                continue
            pace.answered(host)
            return answer
        failure.host = host
        pace.failed(host, failure, away=isinstance(failure, Unreachable) and failure.away)
        raise failure

    def _get(self, question: _Question) -> bytes | None:
        import httpx2

        host, url = question.host, question.url
        not_an_address = ConfigError(
            f"'{url}' is not an address", remedy="Use one such as https://lrclib.net"
        )
        try:
            request = _client().build_request(
                question.method,
                url,
                params=question.parameters or None,
                headers={"User-Agent": self.user_agent, **question.headers},
                content=question.body,
                timeout=self.timeout,
            )
        except httpx2.InvalidURL:
            raise not_an_address from None
        try:
            for _ in range(_REDIRECTS + 1):
                with self._asked(request) as response:
                    if response.next_request is None:
                        return self._body(response, host, json_only=question.json_only)
                    _check_redirect(request.url, response.next_request.url)
                    request = response.next_request
            raise Unreachable(f"{host} sends us round in a circle")
        except httpx2.InvalidURL:
            # Our own address was taken: this is one that the host sends us to.
            raise Unreachable(f"{host} sends us to what is not an address") from None
        except httpx2.UnsupportedProtocol:
            raise not_an_address from None
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise Unreachable(f"{host} cannot be reached ({_brief(error)})", away=True) from None
        except httpx2.TimeoutException:
            if _deadline.passed:
                raise Unreachable(f"{host} answers too slowly") from None
            raise Unreachable(f"{host} did not answer within {self.timeout:g} seconds") from None
        except httpx2.HTTPError as error:
            raise Unreachable(f"{host} cannot be reached ({_brief(error)})") from None

    @contextmanager
    def _asked(self, request: httpx2.Request) -> Iterator[httpx2.Response]:
        with pace.turn(
            request.url.host,
            interval=self.interval,
            patience=self.patience,
            folder=self._folder,
        ):
            # The time-out of the library starts anew with every byte: a trickle would never end.
            _deadline.at = time.monotonic() + 3 * self.timeout
            response = _client().send(request, stream=True, follow_redirects=False)
            try:
                yield response
            finally:
                response.close()

    @property
    def _folder(self) -> Path | None:
        return None if self.cache is None else self.cache.folder

    def _body(self, response: httpx2.Response, host: str, *, json_only: bool) -> bytes | None:
        """The body of a good answer, ``None`` for "not found", else the error it stands for."""
        status = response.status_code
        if status == 404:
            return None
        if status == 429 or (status == 503 and "retry-after" in response.headers):
            wait = _retry_after(response.headers.get("retry-after", ""))
            if wait is not None:
                pace.hold(host, wait, self._folder)
            if status == 429:
                raise pace.too_many(host, wait)
            raise Unreachable(f"{host} is out of service for now", retry_after=wait)
        if status >= 500 or status == 408:
            raise Unreachable(f"{host} has trouble of its own (HTTP {status})")
        if not 200 <= status < 300:
            raise Refused(f"{host} refused the question (HTTP {status})")
        body = bytearray()
        for piece in response.iter_bytes(65536):
            body += piece
            if len(body) > MAX_BYTES:
                raise SourceError(f"{host} answered with more than {MAX_BYTES >> 20} MiB")
            if _deadline.passed:
                raise Unreachable(f"{host} answers too slowly")
        if json_only and body:
            _check_json(bytes(body), host)
        return bytes(body)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked."""

    method: str
    url: str
    parameters: dict[str, str]
    headers: dict[str, str]
    body: bytes | None
    json_only: bool

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or self.url

    def key(self) -> bytes:
        """What it is filed under in the cache."""
        secret = [value for name, value in self.headers.items() if name.lower() in _SECRETS]
        url = f"{self.url}?{urlencode(sorted(self.parameters.items()))}"
        return answers.key(self.method, url, "\0".join(secret), self.body or b"")


def _retry_after(value: str) -> float | None:
    """Seconds that a ``Retry-After`` header asks for: a number, or a date (RFC 9110, 10.2.3)."""
    if re.fullmatch(r"\s*\d{1,9}\s*", value):
        return min(float(value), pace.HOLD_MAX_S)
    try:
        moment = email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(0.0, moment - time.time()), pace.HOLD_MAX_S)


def _check_redirect(here: httpx2.URL, there: httpx2.URL) -> None:
    """Refuse a redirect that leaves the site: the request is meant for this one only, and a server
    on the Internet must not reach into the local network."""
    host = here.host
    if (here.scheme, there.scheme) == ("https", "http"):
        raise Refused(f"{host} sends us on to an address without encryption")
    same_name = host.removeprefix("www.") == there.host.removeprefix("www.")
    same_port = _port(here) == _port(there) or (_port(here), _port(there)) == (80, 443)
    if not same_name or not same_port:
        raise Unreachable(
            f"{host} sends us on to another address, {str(there)[:100]!r}",
            remedy="A login page of the network may stand between",
        )


def _port(url: httpx2.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def _read_json(body: bytes) -> Any:
    """What JSON says, with replacements for lone surrogates: neither databases nor addresses can
    hold those.

    Raises
    ------
    ValueError, RecursionError
        It is no JSON, or holds a number that JSON has not (``NaN``) or that is beyond all that a
        service counts: each would break sums later on.
    """
    found = json.loads(body, parse_constant=_number, parse_float=_number, parse_int=_whole)
    if rb"\ud" not in body.lower():
        return found
    return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no number of JSON")
    return number


def _whole(text: str) -> int:
    if len(text) > 20:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _check_json(body: bytes, host: str) -> None:
    try:
        _read_json(body)
    except (ValueError, RecursionError):
        raise Unreachable(
            f"{host} answered with something that is not JSON",
            remedy="A login page of the network may stand between",
        ) from None


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


_deadline = deadlines.Deadline()
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
                "Accept": "application/json, */*;q=0.5",
                "Accept-Encoding": "identity",
            }
            limits = httpx2.Limits(max_connections=8, max_keepalive_connections=4)
            # A cookie would let a website follow which songs are here.
            cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
            client = httpx2.Client(headers=headers, limits=limits, cookies=cookies)
            deadlines.install(client, _deadline)
            _shared.append(client)
        return _shared[0]
