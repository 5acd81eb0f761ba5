"""Check the models of the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lyricsyncd import readings, registry
from lyricsyncd.config import paths
from lyricsyncd.findings import Finding, failed, ok, warning
from lyricsyncd.models.installable import MODELS, State, install_remedy, state

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config


def models(config: Config) -> Iterator[Finding]:
    """Check that the models of the configuration are installed, and undamaged."""
    folder = paths.models_dir(config.models.dir)
    for model in MODELS.values():
        here = state(model, folder)
        if here is State.INSTALLED:
            yield ok("models", f"{model.name} is installed: {model.purpose}")
            continue
        setting = config.models.separator if model.key == "separator" else config.models.aligner
        if here is State.DAMAGED or model.name in setting.split("+"):
            yield failed("models", f"{model.name} is {here.value}", install_remedy(model))
        elif setting == "auto" and config.profile != "full":
            yield warning(
                "models",
                f"{model.name} is missing: {model.effect_of_absence}",
                install_remedy(model),
            )


def languages(spoken: Iterable[str]) -> Iterator[Finding]:
    """Check that the libraries are installed which the words of these languages are read by."""
    for language in sorted(spoken):
        if (extra := readings.missing(language)) is not None:
            yield warning(
                "languages",
                f"{extra.language} is read without its libraries: {extra.instead}",
                f"pip install 'lyricsyncd[{extra.name}]'",
            )


def extras(config: Config) -> Iterator[Finding]:
    """Check that the packages are installed that the configured models need."""
    wanted: list[tuple[registry.Registry[Any], str]] = [
        (registry.separators, config.models.separator),
        *((registry.aligners, name) for name in config.models.aligner.split("+")),
        (registry.recognisers, config.models.transcriber),
    ]
    if config.profile == "full":
        wanted += [(registry.separators, "htdemucs_ft"), (registry.aligners, "ctc")]
    for kind, name in dict.fromkeys(wanted):
        if (entry := kind.entries().get(name)) is None:
            continue
        entry = registry.described(entry)
        if missing := entry.missing():
            yield failed(
                "models",
                f"{name} is configured, and {' and '.join(missing)} not installed",
                f"pip install 'lyricsyncd[{entry.extra}]'",
            )
        elif entry.modules:
            yield ok("models", f"what {name} needs is installed")
