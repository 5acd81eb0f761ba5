"""Send requests to the service over HTTP."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

_API = "/api/v1"
_BATCH = 1000
"""Events in one request; the service takes 5000, and 2 MiB."""
_PAGE = 1000
_TIMEOUT_S = 10.0
"""Seconds that a response may take, once there is a connection."""


class Trouble(Exception):
    """The service rejects a request; the message has the reason in one line."""


class Unreachable(Trouble):
    """The service does not answer."""


class Service:
    """The service at an address.

    Parameters
    ----------
    url : str
        Such as ``http://127.0.0.1:8786``.
    token : str
        The service's token; empty for none.
    timeout : float
        Seconds to wait for a connection.

    Raises
    ------
    Trouble
        The address is none.
    """

    def __init__(self, url: str, token: str = "", timeout: float = 1.5) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if host is None or parts.scheme not in ("http", "https"):
            raise Trouble(f"'{url}' is not an address. Set `lyricsync: {{url: http://HOST:PORT}}`")
        self.url = url
        # Never through a proxy, which urllib and requests would use: the service is local.
        secure = parts.scheme == "https"
        self._connection_class = (
            http.client.HTTPSConnection if secure else http.client.HTTPConnection
        )
        self._host, self._port, self._base = host, port, parts.path.rstrip("/")
        self._timeout = timeout
        self._headers: dict[str, str | bytes] = {"Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}".encode()

    def report(self, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send events, and return the result of each, in their order.

        Raises
        ------
        Trouble
            The service does not answer, or rejects them.
        """
        results: list[dict[str, Any]] = []
        for at in range(0, len(events), _BATCH):
            answer = self._ask("POST", "/events", {"events": list(events[at : at + _BATCH])})
            results += answer["results"]
        return results

    def songs(self, part: str = "") -> Iterator[dict[str, Any]]:
        """Return the songs that the service knows.

        Parameters
        ----------
        part
            Only those with this in their path or names.

        Raises
        ------
        Trouble
            The service does not answer, or rejects the request.
        """
        after: int | None = 0
        while after is not None:
            query = urlencode({"q": part, "after": after, "limit": _PAGE})
            answer = self._ask("GET", f"/tracks?{query}")
            yield from answer["tracks"]
            after = answer["next"]

    def paused(self) -> bool:
        """Return whether the service is paused; raises as `songs`."""
        return bool(self._ask("GET", "/status")["paused"])

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        status, wait, content = self._exchange(method, path, body)
        if status == 429:
            time.sleep(min(wait, _TIMEOUT_S))
            status, _, content = self._exchange(method, path, body)
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Trouble(f"what answers at {self.url} is not lyricsyncd (status {status})")
        if status == 401:
            raise Trouble(f"{self.url} wants a token. Set `lyricsync: {{token: …}}`")
        if status >= 400:
            raise Trouble(f"{self.url} says: {answer.get('error', f'status {status}')}")
        return answer

    def _exchange(self, method: str, path: str, body: Any) -> tuple[int, float, bytes]:
        """Return status, seconds to wait before the next attempt, and body of the response."""
        content = None
        headers = dict(self._headers)
        if body is not None:
            content = json.dumps(body).encode("ascii")
            headers["Content-Type"] = "application/json"
        connection = self._connection_class(self._host, self._port, timeout=self._timeout)
        try:
            connection.connect()
            connection.sock.settimeout(_TIMEOUT_S)
            connection.request(method, f"{self._base}{_API}{path}", content, headers)
            response = connection.getresponse()
            after = response.headers.get("Retry-After", "1")
            return response.status, float(after) if after.isdigit() else 1.0, response.read()
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unreachable(f"no lyricsyncd answers at {self.url} ({why})") from error
        finally:
            connection.close()
