"""Send the requests of other libraries, which use `requests`, through our `Web`.

Rate limit, retries, cache, largest size and the three kinds of failure are those of `Web`; its
exceptions pass through the library to the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from lyricsyncd.http import Web
from lyricsyncd.http.pages import check_page
from lyricsyncd.http.validation import host_of

_OURS = frozenset({"user-agent", "accept-encoding", "connection", "content-length"})
"""Headers that `Web` sets itself."""


class WebAdapter(BaseAdapter):
    """Send the requests of a `requests.Session` through `Web`."""

    def __init__(self, web: Web) -> None:
        super().__init__()
        self._web = web

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - the base class has it so
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,  # noqa: ARG002
        verify: bool | str = True,  # noqa: ARG002
        cert: Any = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> requests.Response:
        """Send a request; raises as `Web.ask`. "Not found" is a response of status 404."""
        headers = {
            name: value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in request.headers.items()
            if name.lower() not in _OURS
        }
        body = request.body
        content = body.encode() if isinstance(body, str) else body
        url = request.url or ""
        answer = self._web.ask(request.method or "GET", url, headers=headers, body=content)
        if answer is not None:
            check_page(answer, host_of(url))
        response = requests.Response()
        response.status_code = 404 if answer is None else 200
        response.reason = "Not Found" if answer is None else "OK"
        response._content = answer or b""
        response.headers = CaseInsensitiveDict()
        response.encoding = "utf-8"
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Do nothing: the connections are shared."""


def session(web: Web) -> requests.Session:
    """Make a session that sends its requests through ``web``."""
    made = requests.Session()
    adopt(made, web)
    return made


def adopt(made: requests.Session, web: Web) -> None:
    """Have the session of a library send its requests through ``web``."""
    made.trust_env = False
    for prefix in ("https://", "http://"):
        made.mount(prefix, WebAdapter(web))
