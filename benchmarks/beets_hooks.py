"""`beet`, telling at its end how long it was busy with our plugin: see `benchmarks.beets`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

HOOKS = ("task_imported", "import_ended", "cli_exit")
"""What beets calls in an import."""
MARK = "in the plugin's hands: "


def main() -> None:
    from beets import plugins, ui

    began = time.perf_counter()
    spent = [0.0]

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            at = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                spent[0] += time.perf_counter() - at

        return call

    def load() -> None:
        from beetsplug.lyricsync import LyricsyncPlugin

        for name in HOOKS:
            setattr(LyricsyncPlugin, name, timed(getattr(LyricsyncPlugin, name)))
        load_plugins()

    load_plugins, plugins.load_plugins = plugins.load_plugins, timed(load)
    try:
        ui.main(sys.argv[1:])
    finally:
        print(f"{MARK}{spent[0] / (time.perf_counter() - began):.5f}", file=sys.stderr)


if __name__ == "__main__":
    main()
