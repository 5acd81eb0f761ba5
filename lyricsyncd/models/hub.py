"""Models of the Hugging Face hub: which are used, under which licence, and where their files are.

A folder of `models.dir` takes precedence over the hub: ``facebook/wav2vec2-base-960h`` is looked
for as the folder ``facebook--wav2vec2-base-960h`` there first.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib
import json
import pickle
import socket
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lyricsyncd.errors import LyricsyncError, ModelError, NotFetched
from lyricsyncd.registry import Registry, aligners, recognisers, separators


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model that a back end can use.

    Attributes
    ----------
    name : str
        Its name on the hub.
    size : int
        Approximate bytes to fetch.
    back_end : tuple
        The registry and the name of the back end that uses it.
    caution : str
        A warning to be logged before it is fetched; empty for none.
    """

    name: str
    purpose: str
    size: int
    licence: str
    back_end: tuple[Registry[Any], str]
    caution: str = ""

    @property
    def extra(self) -> str:
        """The extra that installs what its back end needs."""
        kind, name = self.back_end
        return kind.entry(name).extra

    @property
    def folder_name(self) -> str:
        """Its folder within the folder of models; Demucs' networks share one repository."""
        return "demucs" if "HTDemucs" in self.name else folder_name(self.name)


_TIMEOUT_S = 10.0

_NON_COMMERCIAL = "its weights may not be used commercially (CC-BY-NC 4.0)"

HUB_MODELS = {
    model.name: model
    for model in (
        HubModel(
            "adefossez/HTDemucs-ft",
            "separates the vocals from the music (only the vocals' network is fetched)",
            84_000_000,
            "MIT as tagged on the hub; the authors have also called the weights research only",
            (separators, "demucs"),
        ),
        HubModel(
            "KimberleyJSN/melbandroformer",
            "separates the vocals from the music (Mel-Band RoFormer)",
            913_000_000,
            "MIT as tagged on the hub since April 2026; what it was trained on is unknown",
            (separators, "melband_roformer"),
            "its licence (MIT) was published long after it, and what it was trained on never was",
        ),
        HubModel(
            "facebook/wav2vec2-base-960h",
            "places the words (English)",
            378_000_000,
            "Apache-2.0",
            (aligners, "ctc"),
        ),
        HubModel(
            "MahmoudAshraf/mms-300m-1130-forced-aligner",
            "places the words (over 1,000 languages)",
            1_260_000_000,
            "CC-BY-NC 4.0",
            (aligners, "mms"),
            _NON_COMMERCIAL,
        ),
        HubModel(
            "Qwen/Qwen3-ForcedAligner-0.6B-hf",
            "refines where words start, as a second aligner (11 languages)",
            1_840_000_000,
            "Apache-2.0",
            (aligners, "qwen3"),
        ),
        HubModel(
            "Systran/faster-whisper-base",
            "recognises words (faster-whisper and whisperx)",
            145_000_000,
            "MIT",
            (recognisers, "faster-whisper"),
        ),
        HubModel(
            "openai/whisper-large-v3-turbo",
            "recognises words",
            1_620_000_000,
            "MIT",
            (recognisers, "whisper"),
        ),
        HubModel(
            "ibm-granite/granite-speech-4.1-2b-plus",
            "recognises words (English, French, German, Spanish, Portuguese)",
            4_200_000_000,
            "Apache-2.0",
            (recognisers, "granite"),
        ),
    )
}


CACHE_VARIABLES = ("HF_HOME", "HF_HUB_CACHE", "TORCH_HOME", "XDG_CACHE_HOME")
"""Variables of the environment that say where the clients of hubs keep models."""


def cache_folders(home: Path, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders that the clients of Hugging Face's hub and of torch's keep models in."""
    cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    hub = Path(environment.get("HF_HOME") or cache / "huggingface")
    torch = Path(environment.get("TORCH_HOME") or cache / "torch")
    moved = environment.get("HF_HUB_CACHE")
    folders = (hub, torch) if not moved else (hub, Path(moved), torch)
    return tuple(folder.expanduser() for folder in folders)


def folder_name(name: str) -> str:
    """Return the folder of a hub model within the folder of models; those of faster-whisper are
    named by their size alone."""
    return name.removeprefix("Systran/").replace("/", "--")


def resolve(name: str, models_dir: Path | None) -> str:
    """Return where to load a model from: its folder, else that in the hub's cache, else its name.

    From a folder it is loaded without any request to the hub.
    """
    if Path(name).is_dir():
        return name
    if models_dir is not None and (models_dir / folder_name(name)).is_dir():
        return str(models_dir / folder_name(name))
    cached = _cached(name)
    return name if cached is None else str(cached)


def resolve_reachable(name: str, models_dir: Path | None) -> str:
    """Resolve a model that is about to be loaded, once the hub is known to be reachable.

    Raises
    ------
    OSError
        It would have to be fetched, and the hub cannot be reached.
    """
    check_reachable(name, models_dir)
    return resolve(name, models_dir)


def is_local(name: str, models_dir: Path | None) -> bool:
    """Return whether a model can be loaded without the network: a folder, or the hub's cache."""
    return Path(resolve(name, models_dir)).is_dir()


def _cached(name: str) -> Path | None:
    """Return its folder in the hub's cache, if its weights are complete there."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        return None
    try:
        folder = Path(snapshot_download(name, local_files_only=True))
        for index in folder.glob("*.index.json"):
            content = json.loads(index.read_text(encoding="utf-8"))
            shards = content.get("weight_map") if isinstance(content, dict) else None
            if not isinstance(shards, dict):
                return None
            complete = all((folder / str(shard)).is_file() for shard in shards.values())
            return folder if complete else None
    except (OSError, ValueError):
        return None
    complete = any(any(folder.glob(kind)) for kind in ("*.safetensors", "*.bin", "*.ckpt"))
    return folder if complete else None


def check_reachable(name: str, models_dir: Path | None) -> None:
    """Connect to the hub once before its client does, which would retry for minutes.

    Raises
    ------
    OSError
        It cannot be reached.
    """
    if "/" not in name or is_local(name, models_dir) or urllib.request.getproxies():
        return
    try:
        from huggingface_hub import constants
    except ImportError:
        return
    if constants.HF_HUB_OFFLINE:
        return
    hub = urllib.parse.urlsplit(constants.ENDPOINT)
    host = hub.hostname or "huggingface.co"
    port = hub.port or (80 if hub.scheme == "http" else 443)
    try:
        socket.create_connection((host, port), timeout=_TIMEOUT_S).close()
    except OSError as error:
        raise OSError(f"{host} cannot be reached") from error


def caution(name: str, models_dir: Path | None) -> str:
    """Return what must be logged before a model is fetched; empty where it is local already."""
    known = HUB_MODELS.get(name)
    if known is None or not known.caution or is_local(name, models_dir):
        return ""
    return f"{name} is fetched from the hub: {known.caution}"


def loading_errors() -> tuple[type[Exception], ...]:
    """List what clients of the hub and readers of weights raise for missing or damaged files."""
    kinds: list[type[Exception]] = [OSError, ValueError, LookupError, RuntimeError, MemoryError]
    kinds += [EOFError, pickle.UnpicklingError, zipfile.BadZipFile, http.client.HTTPException]
    # Libraries with error classes of their own, which matter only where they are installed.
    for module, name in (
        ("safetensors", "SafetensorError"),
        ("httpx", "HTTPError"),
        ("requests", "RequestException"),
    ):
        with contextlib.suppress(ImportError, AttributeError):
            kinds.append(getattr(importlib.import_module(module), name))
    return tuple(kinds)


@contextlib.contextmanager
def loading(
    name: str,
    models_dir: Path | None,
    *,
    extra: str,
    files: str = "config.json, model.safetensors and all that is small",
) -> Iterator[None]:
    """Turn the errors of loading a model into one line that says which files go where.

    Parameters
    ----------
    files : str
        Which of the model's files on the hub are needed.

    Raises
    ------
    ModelError
        The extra is not installed; the model is not there and cannot be fetched, or is damaged.
    """
    try:
        yield
    except LyricsyncError:
        raise
    except ImportError as error:
        raise ModelError(
            f"the model {name!r} needs what is not installed: {str(error).splitlines()[0]}",
            remedy=f'Install it with: pip install "lyricsyncd[{extra}]"',
        ) from error
    except loading_errors() as error:
        lines = str(error).strip().splitlines()
        reason = lines[0].split(". ")[0].rstrip(".")[:160] if lines else type(error).__name__
        here = Path(resolve(name, models_dir))
        if here.is_dir():
            raise ModelError(
                f"the model in {here} cannot be loaded: {reason}",
                remedy=f"Put its files there anew: {files}",
            ) from error
        where = models_dir / folder_name(name) if models_dir is not None else "a folder"
        raise NotFetched(
            f"the model {name!r} is not installed and cannot be fetched: {reason}",
            remedy=f"Put its files from the hub ({files}) into {where}",
        ) from error
