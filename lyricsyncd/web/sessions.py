"""Sessions of browsers, which cannot send a token with every request.

`EventSource`, `<audio>` and `<img>` send no headers of a page's choice, but they send cookies. A
session is a random secret in a cookie that scripts cannot read. Only its hash is stored, keyed with
the token: another token ends all sessions.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable

from lyricsyncd.catalog.catalog import Catalog

COOKIE = "lyricsyncd"
LASTS_S = 365 * 86400
_MOST = 64
"""Sessions; the oldest ends for a new one."""
_SETTING = "sessions"


class Sessions:
    """The sessions of a service.

    Parameters
    ----------
    token : str or None
        What a person signs in with; ``None`` where nothing is needed.
    """

    def __init__(
        self, catalog: Catalog, token: str | None, clock: Callable[[], float] = time.time
    ) -> None:
        self._catalog = catalog
        self._token = None if token is None else token.encode("utf-8")
        self._clock = clock
        self._lock = threading.Lock()
        self._ends: dict[str, float] = _parsed(catalog.noted(_SETTING))

    @property
    def needed(self) -> bool:
        """Return whether a page has to sign in."""
        return self._token is not None

    def is_token(self, given: str | bytes) -> bool:
        """Return whether this is the token, in a time that tells nothing of it."""
        if isinstance(given, str):
            given = given.strip().encode("utf-8", "replace")
        return self._token is not None and hmac.compare_digest(given, self._token)

    def begin(self) -> str:
        """Begin a session, and return the secret for its cookie.

        Raises
        ------
        WriteError
            It cannot be stored.
        """
        secret = secrets.token_urlsafe(32)
        with self._lock:
            now = self._clock()
            lasting = {key: end for key, end in self._ends.items() if end > now}
            newest = sorted(lasting, key=lasting.__getitem__)[-(_MOST - 1) :]
            ends = {**{key: lasting[key] for key in newest}, self._key(secret): now + LASTS_S}
            self._store(ends)
        return secret

    def known(self, secret: str) -> bool:
        """Return whether a session of this secret lasts."""
        return self._token is not None and self._ends.get(self._key(secret), 0) > self._clock()

    def end(self, secret: str) -> None:
        """End a session, if there is one of this secret.

        Raises
        ------
        WriteError
            That cannot be stored.
        """
        with self._lock:
            key = self._key(secret)
            if key in self._ends:
                self._store({other: end for other, end in self._ends.items() if other != key})

    def _store(self, ends: dict[str, float]) -> None:
        self._catalog.note(_SETTING, json.dumps(ends))
        self._ends = ends

    def _key(self, secret: str) -> str:
        given = secret.encode("utf-8", "replace")
        return hmac.new(self._token or b"", given, hashlib.sha256).hexdigest()


def secrets_in(cookies: str) -> list[str]:
    """Return the values of our cookie; a browser may have several, of several paths."""
    pairs = (part.strip().partition("=") for part in cookies.split(";"))
    return [value for name, _, value in pairs if name == COOKIE and value]


def cookie(secret: str, *, secure: bool) -> str:
    """Make the header that gives a browser its session.

    Without a path: the browser then takes the folder of the request, whatever a reverse proxy put
    before it.
    """
    lasts = LASTS_S if secret else 0
    flags = "HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")
    return f"{COOKIE}={secret}; Max-Age={lasts}; {flags}"


def _parsed(text: str | None) -> dict[str, float]:
    try:
        found = json.loads(text or "{}")
        return {str(key): float(end) for key, end in found.items()}
    except (ValueError, AttributeError, TypeError):
        return {}
