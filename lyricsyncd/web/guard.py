"""Check the host, origin, rate, token and size of every request.

Without a token only programs on this computer reach the service; but one of them is the browser,
with any web page in it. So a request must name the host by an address (names can be made to lead
here, "DNS rebinding"), must not come from another page, and must declare its body as JSON. With a
token, a browser's session is as good as the token itself; its cookie is only sent by our own page.
With the token of a viewer nothing but reading is allowed, by the method of the request: that holds
for every path, those of later operations among them.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from lyricsyncd.web.reply import Problem, problem
from lyricsyncd.web.sessions import Role, Sessions

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

MAX_BODY = 2 * 1024 * 1024
"""Bytes of a request's body."""
_TOO_LARGE = f"The request is larger than {MAX_BODY >> 20} MiB"
RATE, BURST = 50.0, 200.0
"""Requests a second of one address, and how many may come at once."""
DENIED_RATE, DENIED_BURST = 0.5, 10.0
"""The same for requests without a good token, and for those that begin a session."""
SESSION_RATE, SESSION_BURST = 200.0, 800.0
"""The same of one session: behind a reverse proxy a whole house may have one address."""
MOST_ADDRESSES = 256
"""Addresses that are remembered."""
OPEN = frozenset({"/healthz", "/api/v1/healthz"})
"""Paths that need no token, as they show only that the service runs, and that do not count against
the rate: a health check must succeed however busy its address is."""
SESSION = "/api/v1/session"
PAGE = "/ui"


@dataclass(slots=True)
class Bucket:
    """A token bucket: ``rate`` a second, ``burst`` at once."""

    rate: float
    burst: float
    level: float = field(init=False)
    at: float | None = None

    def __post_init__(self) -> None:
        self.level = self.burst

    def take(self, now: float) -> float:
        """Take a token; return 0, or the seconds until there is one."""
        if self.at is not None:
            self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return 0.0
        return (1 - self.level) / self.rate

    def full(self, now: float) -> bool:
        return self.at is None or self.level + (now - self.at) * self.rate >= self.burst


class RateLimiter:
    """A token bucket for each address; full ones are forgotten."""

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._buckets: dict[str, Bucket] = {}

    def __len__(self) -> int:
        """Return the number of addresses that are remembered."""
        return len(self._buckets)

    def take(self, address: str) -> float:
        """Return the seconds that an address has to wait, or 0."""
        now = self._clock()
        if address not in self._buckets and len(self._buckets) >= MOST_ADDRESSES:
            quiet = [key for key, bucket in self._buckets.items() if bucket.full(now)]
            for key in quiet or list(self._buckets)[:1]:
                del self._buckets[key]
        return self._buckets.setdefault(address, Bucket(self._rate, self._burst)).take(now)


class Guard:
    """Refuse requests that are not allowed; an ASGI middleware.

    Parameters
    ----------
    sessions : Sessions
        Know the token that requests must carry, and the cookies in its place.
    host : str
        The name or address that the server listens on.
    origins : iterable of str
        Further places at which browsers reach the page.
    """

    def __init__(
        self, app: ASGIApp, *, sessions: Sessions, host: str, origins: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._origins = frozenset(origins)
        named = {urlsplit(origin).hostname or "" for origin in self._origins}
        self._hosts = {host.lower(), "localhost", *named}
        self._allowed = RateLimiter(RATE, BURST)
        self._allowed_sessions = RateLimiter(SESSION_RATE, SESSION_BURST)
        self._denied = RateLimiter(DENIED_RATE, DENIED_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, send)
            return
        await self._app(scope, _measured(receive), send)

    def _refused(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        client = scope.get("client")
        address = client[0] if client else "?"
        path, safe = scope["path"], scope["method"] in ("GET", "HEAD")
        session = self._sessions.secret_in(headers)
        if path not in OPEN and (wait := self._wait(address, session)):
            return _wait(wait)
        if safe and is_page(path):
            # The page tells nothing, and says itself what is wrong with its address.
            return None
        if not self._sessions.needed and not self._names_us(headers.get("host", "")):
            return problem(
                403,
                "The request names another host",
                remedy="Use the address, set a token, or add the name to web.origins",
            )
        if self._of_another_page(headers):
            return problem(
                403,
                "The request comes from another web page",
                remedy="Behind a reverse proxy, add the page's address to web.origins",
            )
        if path == SESSION:
            # Each try of a token counts; a page may ask whether it needs one.
            if not safe and (wait := self._denied.take(address)):
                return _wait(wait)
        elif path not in OPEN:
            role = self._sessions.role(headers)
            if role is None:
                if wait := self._denied.take(address):
                    return _wait(wait)
                return problem(
                    401,
                    "A token is needed",
                    remedy="Send the header Authorization: Bearer TOKEN",
                    headers={"WWW-Authenticate": 'Bearer realm="lyricsyncd"'},
                )
            if not safe and role < Role.EDITOR:
                return problem(
                    403,
                    "This token may look and listen, and change nothing",
                    remedy="Use web.token of the configuration",
                )
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY:
            return problem(413, _TOO_LARGE)
        return None

    def _names_us(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _wait(self, address: str, session: str | None) -> float:
        if session is not None:
            return self._allowed_sessions.take(session)
        return self._allowed.take(address)

    def _of_another_page(self, headers: Headers) -> bool:
        """Return whether a browser declares the request to come from another page."""
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return True
        origin = headers.get("origin")
        if origin is None or origin.lower() in self._origins:
            return False
        try:
            return urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
        except ValueError:
            return True


def is_page(path: str) -> bool:
    """Return whether a path is that of the page, or leads there."""
    return path in ("/", PAGE) or path.startswith(f"{PAGE}/")


def _measured(receive: Receive) -> Receive:
    """Count the bytes received: a declared length may be missing or wrong."""
    size = 0

    async def measured() -> MutableMapping[str, object]:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            raise Problem(413, _TOO_LARGE)
        return message

    return measured


def _wait(seconds: float) -> ASGIApp:
    headers = {"Retry-After": str(max(1, round(seconds)))}
    return problem(429, "Too many requests", remedy="Send fewer requests", headers=headers)
