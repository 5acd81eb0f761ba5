"""Libraries that report their use to their makers do not do so here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import lyricsyncd
import onnxruntime
import huggingface_hub.constants as hub
assert hub.HF_HUB_DISABLE_TELEMETRY
"""


class TestTelemetry:
    def test_leaves_no_number_of_this_computer_and_no_events(self, tmp_path: Path) -> None:
        environment = {name: text for name, text in os.environ.items() if "TELEMETRY" not in name}
        environment["HOME"] = environment["XDG_CACHE_HOME"] = str(tmp_path)
        subprocess.run([sys.executable, "-c", PROGRAM], check=True, env=environment, timeout=60)
        assert list(tmp_path.rglob("*")) == []
