"""Compile the recursions of the search where there is a C compiler; without one, numpy does them.

The library uses nothing of Python, so one wheel a platform serves every version of it.
``LYRICSYNC_COMPILE=0`` builds the wheel that runs everywhere; ``=1`` fails without a compiler.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path("lyricsyncd/align/compiled")
SOURCE, LIBRARY = PACKAGE / "recursions.c", PACKAGE / "recursions.so"
# Rounding as numpy does it: products are not fused with sums.
FLAGS = "-std=c11 -O3 -ffp-contract=off -fPIC -shared -s".split()


class CompiledRecursions(BuildHookInterface[Any]):
    """Put the compiled library into the wheel, or beside its source for an editable install."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files of the wheel are collected."""
        wanted = os.environ.get("LYRICSYNC_COMPILE", "auto")
        if self.target_name != "wheel" or wanted == "0":
            return
        editable = version == "editable"
        library = Path(self.root, LIBRARY if editable else Path("build", LIBRARY.name))
        problem = _compiled(Path(self.root, SOURCE), library)
        if problem and wanted == "1":
            raise RuntimeError(problem)
        if problem:
            self.app.display_warning(f"{problem}: words are placed at half the speed")
        elif not editable:
            build_data["force_include"][str(library)] = str(LIBRARY)
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{_platform()}"


def _compiled(source: Path, library: Path) -> str:
    """Compile a library; return what went wrong, or nothing."""
    compiler = shlex.split(os.environ.get("CC", "")) or ["cc"]
    if shutil.which(compiler[0]) is None:
        return f"no C compiler ({compiler[0]})"
    library.parent.mkdir(exist_ok=True)
    unfinished = library.with_suffix(".part")
    command = [*compiler, *FLAGS, "-o", str(unfinished), str(source), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        unfinished.unlink(missing_ok=True)
        return f"{compiler[0]} failed: {done.stderr.strip()}"
    unfinished.replace(library)
    return ""


def _platform() -> str:
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")
