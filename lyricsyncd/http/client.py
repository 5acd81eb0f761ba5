"""The connection pool of the process, shared by all its threads."""

from __future__ import annotations

import threading
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

from lyricsyncd import __version__
from lyricsyncd.http import deadlines

if TYPE_CHECKING:
    import httpx2

USER_AGENT = f"lyricsyncd/{__version__} (+https://github.com/lyricsyncd/lyricsyncd)"

deadline = deadlines.Deadline()
_shared: list[httpx2.Client] = []
_shared_lock = threading.Lock()


def client() -> httpx2.Client:
    """Return the connection pool of the process, which is made when it is first needed."""
    with _shared_lock:
        if not _shared:
            import httpx2

            # Uncompressed, so that the largest size holds for the data in memory, too.
            headers = {
                "User-Agent": USER_AGENT,
                "Accept": "application/json, */*;q=0.5",
                "Accept-Encoding": "identity",
            }
            limits = httpx2.Limits(max_connections=8, max_keepalive_connections=4)
            # With cookies a website could track the songs of a library.
            cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
            made = httpx2.Client(headers=headers, limits=limits, cookies=cookies)
            deadlines.install(made, deadline)
            _shared.append(made)
        return _shared[0]
