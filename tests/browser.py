"""A real browser for tests of the page; skipped where no Chromium is installed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DESKTOP, PHONE = (1280, 800), (390, 844)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        # Root has no sandbox; songs start without a click.
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield started
        started.close()


class Visit:
    """A tab: what it shows, what it complains of, and whom it asks."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    contexts = []

    def open_(
        address: str,
        screen: str = "",
        *,
        scheme: Any = "dark",
        size: tuple[int, int] = DESKTOP,
        script: str = "",
        **settings: Any,
    ) -> Visit:
        width, height = size
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": height}, **settings
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        if script:
            page.add_init_script(script)
        made = Visit(page)
        page.goto(f"http://{address}/ui/{screen}")
        return made

    yield open_
    for context in contexts:
        context.close()
