"""A real service with its control interface open, for plugins to talk to."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service_home import Home


class OpenHome(Home):
    """A home whose service listens."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port: int = taken.getsockname()[1]
        self.token: str | None = None
        self.always: dict[str, Any] = {}
        """Settings that each `configure` has."""
        super().__init__(folder)

    def configure(self, **changes: Any) -> None:
        web = {"listen": f"127.0.0.1:{self.port}", "token": self.token}
        super().configure(**{"web": web, **self.always, **changes})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, **environment: str) -> None:
        super().start(**environment)
        self.until(self._listening, "the service listens")

    def _listening(self) -> bool:
        with socket.socket() as asked:
            return asked.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[OpenHome]:
    with OpenHome(tmp_path / "home") as home:
        yield home
