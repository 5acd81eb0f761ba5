"""``lyricsyncd doctor``: check that all is there that is needed, and say what to do if not."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click

from lyricsyncd.cli.console import say


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--offline", is_flag=True, help="Do not check whether hosts can be reached.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(config: Path | None, offline: bool, as_json: bool) -> None:
    """Check that all is there that is needed: music, models, rights, room, network.

    What is done to songs is done to small sounds: decode, separate, pronounce, place, write and
    undo. Each problem comes with its remedy. The exit status is 1 if something will not work.
    """
    from lyricsyncd.config.reader import load
    from lyricsyncd.doctor import examine
    from lyricsyncd.findings import Verdict

    marks = {Verdict.OK: "ok", Verdict.WARNING: "!", Verdict.FAILED: "FAILED"}
    found, begin = [], time.monotonic()
    for finding in examine(load(config), network=not offline, file=config):
        found.append(finding)
        if not as_json:
            say(f"{marks[finding.verdict]:<7}{finding.topic}: {finding.text}")
            if finding.remedy:
                say(f"       → {finding.remedy}")
    well = not any(finding.verdict is Verdict.FAILED for finding in found)
    if as_json:
        findings = [
            {"topic": x.topic, "verdict": x.verdict.value, "text": x.text, "remedy": x.remedy}
            for x in found
        ]
        click.echo(json.dumps({"well": well, "findings": findings}, indent=2))
    else:
        click.echo(f"Checked everything in {time.monotonic() - begin:.0f} s.")
    if not well:
        sys.exit(1)
