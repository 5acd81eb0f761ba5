"""Mel-Band RoFormer (extra ``roformer``): the cleanest vocals, and the slowest.

The network is melband-roformer-infer's, after Wang, Lu and Chen (2024), "Mel-RoFormer for Vocal
Separation and Vocal Melody Transcription"; the weights are Kimberley Jensen's, or any of the same
family in a folder.
"""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from lyricsyncd.config.paths import models_dir
from lyricsyncd.errors import ModelError
from lyricsyncd.models import hub
from lyricsyncd.registry import ModelContext, separators
from lyricsyncd.separate.base import AtOnce, Separator

if TYPE_CHECKING:
    from lyricsyncd.separate.base import Samples

log = logging.getLogger(__name__)

NAME = "melband_roformer"
MODEL = "KimberleyJSN/melbandroformer"
CHECKPOINT = "MelBandRoformer.ckpt"
SETTINGS = "config_vocals_mel_band_roformer.yaml"
"""The architecture, as published with the weights; beside the checkpoint, or packaged."""
_OVERLAP = 0.5
_BYTES_A_SEGMENT = 3_000_000_000
"""Memory of one segment of eight seconds on a graphics card while it runs; an estimate."""
_MOST_AT_ONCE = 8


class Roformer(AtOnce):
    """Separate the vocals of stereo mixes by one network, which stays loaded for the next song.

    Deterministic. The whole song is held in memory, about 80 MB in four minutes.

    Parameters
    ----------
    network
        From `load`: (batch, 2, n) in and out, at 44.1 kHz.
    segment : int
        Samples per run.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises
    ------
    ModelError
        The device is not there.
    """

    name = NAME
    sample_rates: tuple[int, ...] = (44_100,)

    def __init__(self, network: Any, segment: int, device: str = "auto") -> None:
        from lyricsyncd.models import torch_device

        self._network = network.eval()
        self._segment = segment
        self._device = torch_device.placed(network, torch_device.resolve(device))

    def vocals(self, mix: Samples) -> Samples:
        """Separate a whole song; both of shape (n, 2), float32, at 44.1 kHz, in segments that
        overlap by half and are cross-faded."""
        import torch

        from lyricsyncd.models.torch_device import in_batches

        length, segment = len(mix), self._segment
        wave = torch.from_numpy(np.ascontiguousarray(mix.T, dtype=np.float32))
        wave = torch.nn.functional.pad(wave, (0, segment))
        ramp = torch.arange(1, segment + 1)
        weight = torch.minimum(ramp, ramp.flip(0)) / segment
        total, weights = torch.zeros_like(wave), torch.zeros(wave.shape[-1])
        starts = range(0, length, round(segment * (1 - _OVERLAP)))

        def run(batch: Any) -> list[Any]:
            some = torch.stack([wave[:, start : start + segment] for start in batch])
            with torch.inference_mode(), self._precision():
                return list(self._network(some.to(self._device)).float().cpu())

        for first in range(0, len(starts), _MOST_AT_ONCE):
            some = starts[first : first + _MOST_AT_ONCE]
            for start, out in zip(
                some, in_batches(some, self._at_once(), run, self._leave), strict=True
            ):
                n = min(segment, out.shape[-1])
                total[:, start : start + n] += weight[:n] * out[:, :n]
                weights[start : start + n] += weight[:n]
        vocals: Samples = np.ascontiguousarray((total / weights.clamp(min=1e-8))[:, :length].T)
        return vocals

    def _precision(self) -> Any:
        import torch

        from lyricsyncd.models.torch_device import half_precision

        on_card = self._device.type == "cuda"
        return torch.autocast(self._device.type, half_precision(self._device), enabled=on_card)

    def _at_once(self) -> int:
        from lyricsyncd.models.torch_device import free_bytes

        free = free_bytes(self._device)
        return (
            1 if free is None else max(1, min(_MOST_AT_ONCE, int(0.8 * free) // _BYTES_A_SEGMENT))
        )

    def _leave(self) -> bool:
        import torch

        if self._device.type == "cpu":
            return False
        log.warning("%s does not fit on %s: it runs on the CPU", self.name, self._device)
        self._device = torch.device("cpu")
        self._network.to(self._device)
        return True


def load(models_dir: Path) -> tuple[Any, int]:
    """Load the network; return it with the samples of a segment.

    Looked for as ``MelBandRoformer.ckpt`` in the model's folder within ``models_dir``, with the
    settings it was trained with beside it if they are other than Kimberley Jensen's; else fetched
    from the hub.

    Raises
    ------
    ModelError
        The package is not installed, or the weights cannot be had, or do not fit the settings.
    """
    with hub.loading(
        MODEL, models_dir, extra=separators.entry("melband_roformer").extra, files=CHECKPOINT
    ):
        import torch
        from mel_band_roformer import get_model_from_config

        checkpoint = _checkpoint(models_dir)
        settings = _settings(checkpoint.with_name(SETTINGS))
        # The output of a segment is as long as its input.
        settings["model"]["match_input_audio_length"] = True
        if settings["model"].get("num_stems", 1) != 1:
            raise ModelError(f"{checkpoint} separates more than the vocals")
        network = get_model_from_config("mel_band_roformer", SimpleNamespace(**settings))
        weights = torch.load(checkpoint, map_location="cpu", weights_only=True)
        network.load_state_dict(weights.get("state_dict", weights))
    inference = {**settings.get("audio", {}), **settings.get("inference", {})}
    return network, int(inference.get("chunk_size", 352_800))


def _checkpoint(models_dir: Path) -> Path:
    own = Path(hub.resolve_reachable(MODEL, models_dir)) / CHECKPOINT
    if own.is_file():
        return own
    from huggingface_hub import hf_hub_download

    if caution := hub.caution(MODEL, models_dir):
        log.warning("%s", caution)
    return Path(hf_hub_download(MODEL, CHECKPOINT))


def _settings(own: Path) -> dict[str, Any]:
    import yaml

    if own.is_file():
        text = own.read_text(encoding="utf-8")
    else:
        import importlib.resources

        packaged = importlib.resources.files("mel_band_roformer") / "configs" / SETTINGS
        text = packaged.read_text(encoding="utf-8")
    settings: dict[str, Any] = yaml.safe_load(text)
    return settings


def open_roformer(context: ModelContext) -> Separator:
    """Open Mel-Band RoFormer.

    Raises
    ------
    ModelError
        It is not installed, its weights cannot be had, or the device is not there.
    """
    network, segment = load(models_dir(context.models_dir))
    if context.threads:
        import torch

        torch.set_num_threads(context.threads)
    return Roformer(network, segment, context.device)
