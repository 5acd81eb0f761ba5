"""Requests to web services: one connection pool, a rate limit for each host, few retries, a cache.

A request ends with a response, *not found* (`None`), `Unreachable` (it may work later) or `Refused`
(the host rejects it). The HTTP library is loaded with the first request.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from lyricsyncd.errors import ConfigError, Refused, SourceError, Unreachable
from lyricsyncd.http import rate_limit, response_cache
from lyricsyncd.http.client import USER_AGENT, client, deadline
from lyricsyncd.http.validation import check_json, check_redirect, host_of, read_json, retry_after

if TYPE_CHECKING:
    import httpx2

MAX_BYTES = 8 * 1024 * 1024
"""Largest response accepted."""
_REDIRECTS = 3
_SECRETS = ("authorization", "x-publish-token", "cookie")


@dataclass(frozen=True)
class Web:
    """Send requests to one kind of service. Safe to share between threads.

    Parameters
    ----------
    timeout
        Seconds to wait for a connection, and for each next piece of a response.
    attempts
        Most attempts at a host that fails.
    interval
        Seconds between two requests to the same host, from all threads and processes.
    backoff
        Seconds before the second attempt; doubled for each further one, with jitter.
    max_wait
        Longest ``Retry-After``, in seconds, that is waited for rather than reported.
    cache
        The cache of responses; none by default.
    user_agent
        The ``User-Agent`` header.
    """

    timeout: float = 10.0
    attempts: int = 3
    interval: float = 0.2
    backoff: float = 0.5
    max_wait: float = 5.0
    cache: response_cache.ResponseCache | None = None
    user_agent: str = USER_AGENT

    def get_json(
        self, url: str, parameters: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Any:
        """Send a GET request, and parse the response; ``None`` for "not found" (404).

        Raises
        ------
        Unreachable
            No network, a time-out, a server error, or a response that is not JSON.
        Refused
            The host rejects the request; ``transient`` if only at present.
        SourceError
            The response is larger than `MAX_BYTES`.
        ConfigError
            ``url`` is not an address.
        """
        body = self.ask("GET", url, parameters=parameters, headers=headers, json_only=True)
        return read_json(body) if body else None

    def post_json(
        self,
        url: str,
        content: Any = None,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send a form or JSON by POST; ``None`` for 404 and for an empty response.

        Raises as `get_json`.
        """
        body: bytes | None = None
        headers = dict(headers or {})
        if form is not None:
            body = urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif content is not None:
            body = json.dumps(content).encode()
            headers["Content-Type"] = "application/json"
        answer = self.ask("POST", url, headers=headers, body=body, json_only=True)
        return read_json(answer) if answer else None

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
        """Send a request, or return the cached response; ``None`` for 404.

        Parameters
        ----------
        json_only
            Reject any other response, such as a login page of the network.

        Raises
        ------
        Unreachable, Refused, SourceError, ConfigError
            As `get_json`.
        """
        request = _Request(
            method, url, dict(parameters or {}), dict(headers or {}), body, json_only
        )
        if self.cache is None:
            return self._with_retries(request)
        key = request.key()
        cached = self.cache.get(key)
        if cached is not None:
            return cached.body
        try:
            answer = self._with_retries(request)
        except Refused as error:
            # A transient rejection does not depend on the request.
            if not error.transient:
                self.cache.put_refused(key, error)
            raise
        self.cache.put(key, answer)
        return answer

    def _with_retries(self, request: _Request) -> bytes | None:
        """Send a request, and repeat it after transient failures."""
        host = request.host
        failure: SourceError = Unreachable(f"no request was sent to {host}", host=host)
        # One attempt is enough to find out whether a host has recovered.
        for attempt in range(1 if rate_limit.failing(host) else self.attempts):
            if attempt:
                wait = self.backoff * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
                if failure.retry_after is not None:
                    wait = max(wait, failure.retry_after)
                time.sleep(wait)
            try:
                answer = self._send(request)
            except rate_limit.Held as held:
                raise held.error from None
            except SourceError as error:
                failure = error
                if not error.transient or (error.retry_after or 0.0) > self.max_wait:
                    break
                continue
            rate_limit.answered(host)
            return answer
        failure.host = host
        rate_limit.failed(host, failure, away=isinstance(failure, Unreachable) and failure.away)
        raise failure

    def _send(self, wanted: _Request) -> bytes | None:
        import httpx2

        host, url = wanted.host, wanted.url
        not_an_address = ConfigError(
            f"'{url}' is not an address", remedy="Use one such as https://lrclib.net"
        )
        try:
            request = client().build_request(
                wanted.method,
                url,
                params=wanted.parameters or None,
                headers={"User-Agent": self.user_agent, **wanted.headers},
                content=wanted.body,
                timeout=self.timeout,
            )
        except httpx2.InvalidURL:
            raise not_an_address from None
        try:
            for _ in range(_REDIRECTS + 1):
                with self._response(request) as response:
                    if response.next_request is None:
                        return self._body(response, host, json_only=wanted.json_only)
                    check_redirect(request.url, response.next_request.url)
                    request = response.next_request
            raise Unreachable(f"{host} redirects in a circle")
        except httpx2.InvalidURL:
            # Our own address was valid: this is the target of a redirect.
            raise Unreachable(f"{host} redirects to what is not an address") from None
        except httpx2.UnsupportedProtocol:
            raise not_an_address from None
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise Unreachable(f"{host} cannot be reached ({_brief(error)})", away=True) from None
        except httpx2.TimeoutException:
            if deadline.passed:
                raise Unreachable(f"{host} answers too slowly") from None
            raise Unreachable(f"{host} did not answer within {self.timeout:g} seconds") from None
        except httpx2.HTTPError as error:
            raise Unreachable(f"{host} cannot be reached ({_brief(error)})") from None

    @contextmanager
    def _response(self, request: httpx2.Request) -> Iterator[httpx2.Response]:
        with rate_limit.turn(
            host_of(str(request.url)),
            interval=self.interval,
            max_wait=self.max_wait,
            folder=self._folder,
        ):
            # The library's time-out restarts with every byte: a slow response would never end.
            deadline.at = time.monotonic() + 3 * self.timeout
            response = client().send(request, stream=True, follow_redirects=False)
            try:
                yield response
            finally:
                response.close()

    @property
    def _folder(self) -> Path | None:
        return None if self.cache is None else self.cache.folder

    def _body(self, response: httpx2.Response, host: str, *, json_only: bool) -> bytes | None:
        """Read the body of a response; ``None`` for "not found", an exception for an error."""
        status = response.status_code
        if status == 404:
            return None
        if status == 429 or (status == 503 and "retry-after" in response.headers):
            wait = retry_after(response.headers.get("retry-after", ""))
            if wait is not None:
                rate_limit.hold(host, wait, self._folder)
            if status == 429:
                raise rate_limit.too_many(host, wait)
            raise Unreachable(f"{host} is out of service for now", retry_after=wait)
        if status >= 500 or status == 408:
            raise Unreachable(f"{host} failed (HTTP {status})")
        if not 200 <= status < 300:
            raise Refused(f"{host} refused the request (HTTP {status})")
        body = bytearray()
        for piece in response.iter_bytes(65536):
            body += piece
            if len(body) > MAX_BYTES:
                raise SourceError(f"{host} answered with more than {MAX_BYTES >> 20} MiB")
            if deadline.passed:
                raise Unreachable(f"{host} answers too slowly")
        if json_only and body:
            check_json(bytes(body), host)
        return bytes(body)


@dataclass(frozen=True, slots=True)
class _Request:
    """The content of a request."""

    method: str
    url: str
    parameters: dict[str, str]
    headers: dict[str, str]
    body: bytes | None
    json_only: bool

    @property
    def host(self) -> str:
        return host_of(self.url)

    def key(self) -> bytes:
        """Return the key of the response in the cache."""
        secret = [value for name, value in self.headers.items() if name.lower() in _SECRETS]
        url = f"{self.url}?{urlencode(sorted(self.parameters.items()))}"
        return response_cache.key(self.method, url, "\0".join(secret), self.body or b"")


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
