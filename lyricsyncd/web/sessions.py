"""Sessions of browsers, which cannot send a token with every request.

`EventSource`, `<audio>` and `<img>` send no headers of a page's choice, but they send cookies. A
session is a random secret in a cookie that scripts cannot read. Only its hash is stored, keyed with
the token that it was begun with: another token ends these sessions, and the key tells the rights.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from enum import IntEnum

from starlette.datastructures import Headers

from lyricsyncd.catalog.catalog import Catalog
from lyricsyncd.config.schema import Tokens

COOKIE = "lyricsyncd"
LASTS_S = 365 * 86400
_MOST = 64
"""Sessions; the oldest ends for a new one."""
_SETTING = "sessions"


class Role(IntEnum):
    """The rights that a token gives; a higher one includes the lower."""

    VIEWER = 1
    """May look and listen."""
    EDITOR = 2
    """May change everything."""


class Sessions:
    """The tokens of a service, and the sessions of browsers that showed one.

    Parameters
    ----------
    tokens : Tokens
        What a person signs in with.
    """

    def __init__(
        self, catalog: Catalog, tokens: Tokens, clock: Callable[[], float] = time.time
    ) -> None:
        self._catalog = catalog
        given = {Role.EDITOR: tokens.token, Role.VIEWER: tokens.viewer}
        self._tokens = {
            role: token.encode("utf-8") for role, token in given.items() if token is not None
        }
        self._clock = clock
        self._lock = threading.Lock()
        self._ends: dict[str, float] = _parsed(catalog.noted(_SETTING))

    @property
    def needed(self) -> bool:
        """Return whether a page has to sign in."""
        return Role.EDITOR in self._tokens

    def role(self, headers: Headers) -> Role | None:
        """Return the rights of a request, by its session or its token; ``None``: it has none."""
        if not self.needed:
            return Role.EDITOR
        found = [
            self.of_secret(self.secret_in(headers) or ""),
            self.of_token(_token_in(headers.get("authorization", ""))),
        ]
        return max((role for role in found if role is not None), default=None)

    def of_token(self, given: str | bytes) -> Role | None:
        """Return the rights that a token gives, in a time that tells nothing of it."""
        if isinstance(given, str):
            given = given.strip().encode("utf-8", "replace")
        found = [role for role, token in self._tokens.items() if hmac.compare_digest(given, token)]
        return found[0] if found else None

    def secret_in(self, headers: Headers) -> str | None:
        """Return the secret of the session that a request belongs to.

        Of several sessions, as a browser has that signed in at several prefixes, it is the one
        with the most rights.
        """
        given = secrets_in(headers.get("cookie", ""))
        return max(
            filter(self.of_secret, given), key=lambda each: self.of_secret(each) or 0, default=None
        )

    def begin(self, role: Role = Role.EDITOR) -> str:
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
            ends = {**{key: lasting[key] for key in newest}, self._key(secret, role): now + LASTS_S}
            self._store(ends)
        return secret

    def of_secret(self, secret: str) -> Role | None:
        """Return the rights of the session of this secret; ``None`` where none lasts."""
        now = self._clock()
        for role in self._tokens:
            if self._ends.get(self._key(secret, role), 0) > now:
                return role
        return None

    def end(self, secret: str) -> None:
        """End a session, if there is one of this secret.

        Raises
        ------
        WriteError
            That cannot be stored.
        """
        with self._lock:
            keys = {self._key(secret, role) for role in self._tokens}
            if not keys.isdisjoint(self._ends):
                self._store({key: end for key, end in self._ends.items() if key not in keys})

    def _store(self, ends: dict[str, float]) -> None:
        self._catalog.note(_SETTING, json.dumps(ends))
        self._ends = ends

    def _key(self, secret: str, role: Role) -> str:
        given = secret.encode("utf-8", "replace")
        return hmac.new(self._tokens[role], given, hashlib.sha256).hexdigest()


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


def _token_in(authorization: str) -> bytes:
    kind, _, shown = authorization.partition(" ")
    given = shown.strip().encode("latin-1", "replace")
    if kind.lower() == "basic":
        # What can only send a user and a password sends the token as the password.
        try:
            return base64.b64decode(given, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return given if kind.lower() == "bearer" else b""


def _parsed(text: str | None) -> dict[str, float]:
    try:
        found = json.loads(text or "{}")
        return {str(key): float(end) for key, end in found.items()}
    except (ValueError, AttributeError, TypeError):
        return {}
