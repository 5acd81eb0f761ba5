"""Demucs (extra ``models``): the vocals of a bag of models, for the cost of those that make them.

A bag averages the outputs of several networks with weights per source. In ``htdemucs_ft`` each
network makes one source and the others' weights for it are zero: loading and running the one for
the vocals gives what the whole bag gives, for a quarter of the work. Which networks count is read
from the bag's weights. Of a network that makes four sources at once, only the output layer of the
vocals is computed.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lyricsyncd.config.paths import models_dir
from lyricsyncd.errors import ModelError, NotFetched
from lyricsyncd.models import torch_device
from lyricsyncd.processes import memory
from lyricsyncd.registry import ModelContext
from lyricsyncd.separate.base import AtOnce, Separator

if TYPE_CHECKING:
    from lyricsyncd.separate.base import Samples

log = logging.getLogger(__name__)

VOCALS = "vocals"
FOLDER = "demucs"
"""Within the folder of models: a local repository in the layout of Demucs."""
OVERLAP = 0.25
_BYTES_A_SEGMENT = 800_000_000
"""Memory of one segment of eight seconds on a graphics card while it runs."""
_CPU_BATCH = 1
"""On a CPU one segment already keeps all cores busy."""
_MOST_AT_ONCE = 16


@dataclass(frozen=True)
class Member:
    """A network of a bag that contributes to the vocals.

    Attributes
    ----------
    network
        A Demucs model, in evaluation mode.
    weight : float
        Its share of the vocals; the shares of all members add up to 1.
    """

    network: Any
    weight: float


class Demucs(AtOnce):
    """Separate the vocals of stereo mixes. The networks stay loaded for the next song.

    Deterministic: no random shifts. The whole song is held in memory, about 80 MB in four minutes.

    Parameters
    ----------
    members
        From `load`.
    name : str
        The name in reports.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    batch : int, optional
        Segments per run; by default what fits into the free memory of the graphics card.

    Raises
    ------
    ModelError
        The device is not there.
    """

    def __init__(
        self, members: list[Member], name: str, device: str = "auto", batch: int | None = None
    ) -> None:
        self.name = name
        self._members = members
        self._device = torch_device.resolve(device)
        self._batch = batch
        self.sample_rates: tuple[int, ...] = (int(members[0].network.samplerate),)
        self._place()

    def vocals(self, mix: Samples) -> Samples:
        """Separate a whole song; both of shape (n, 2), float32, at the model's rate."""
        import torch

        wave = torch.from_numpy(np.ascontiguousarray(mix.T, dtype=np.float32))
        # As upstream: a song is normalised first, and scaled back afterwards.
        mono = wave.mean(0)
        mean, deviation = mono.mean(), mono.std(correction=0) + 1e-8
        wave = (wave - mean) / deviation
        with _attention_in_blocks() if self._device.type == "cpu" else contextlib.nullcontext():
            runs = (member.weight * self._run(member.network, wave) for member in self._members)
            vocals: Any = sum(runs)
        result: Samples = np.ascontiguousarray((vocals * deviation + mean).numpy().T)
        # The next stages need the memory.
        memory.trim()
        return result

    def _run(self, network: Any, wave: Any) -> Any:
        """Run one network over a song in overlapping, cross-faded segments."""
        import torch

        vocals = list(network.sources).index(VOCALS)
        length = wave.shape[-1]
        segment = int(network.samplerate * network.segment)
        stride = int((1 - OVERLAP) * segment)
        offsets = range(0, length, stride)
        up = torch.arange(1, segment // 2 + 1)
        down = torch.arange(segment - segment // 2, 0, -1)
        weight = torch.cat([up, down]) / max(up[-1], down[0])
        total, weights = torch.zeros_like(wave), torch.zeros(length)
        whole = [offset for offset in offsets if offset + segment <= length]
        short = [offset for offset in offsets if offset + segment > length]

        def run(batch: Any) -> list[Any]:
            chunks = torch.stack([_padded(network, wave, o, segment)[0] for o in batch])
            with torch.inference_mode():
                return list(network(chunks.to(self._device))[:, vocals].float().cpu())

        # Networks that adapt to the length of their input get the last segments one by one.
        for group, size in ((whole, self._size()), (short, 1)):
            for start in range(0, len(group), 2 * _MOST_AT_ONCE):
                some = group[start : start + 2 * _MOST_AT_ONCE]
                for offset, out in zip(
                    some, torch_device.in_batches(some, size, run, self._leave), strict=True
                ):
                    n = min(segment, length - offset)
                    trim = (out.shape[-1] - n) // 2
                    total[:, offset : offset + n] += weight[:n] * out[:, trim : trim + n]
                    weights[offset : offset + n] += weight[:n]
        return total / weights

    def _size(self) -> int:
        if self._batch is not None:
            return self._batch
        free = torch_device.free_bytes(self._device)
        if free is None:
            return _CPU_BATCH
        return max(1, min(_MOST_AT_ONCE, int(0.8 * free) // _BYTES_A_SEGMENT))

    def _place(self) -> None:
        for member in self._members:
            member.network.to(self._device)
            member.network.eval()

    def _leave(self) -> bool:
        """Move to the CPU; return false where the networks are on it already."""
        import torch

        if self._device.type == "cpu":
            return False
        log.warning("%s does not fit on %s: it runs on the CPU", self.name, self._device)
        self._device = torch.device("cpu")
        self._place()
        return True


def _padded(network: Any, wave: Any, offset: int, segment: int) -> tuple[Any, int]:
    """Return a segment of the network's own length, with the real context on both sides."""
    from torch.nn import functional

    length = wave.shape[-1]
    known = min(segment, length - offset)
    wanted = network.valid_length(known) if hasattr(network, "valid_length") else known
    start = offset - (wanted - known) // 2
    end = start + wanted
    chunk = wave[:, max(0, start) : min(length, end)]
    return functional.pad(chunk, (max(0, -start), max(0, end - length))), known


@contextlib.contextmanager
def _attention_in_blocks() -> Iterator[None]:
    """Compute attention as `scaled_dot_product_attention` does on a CPU: block by block.

    The fast path that `torch.nn.MultiheadAttention` otherwise takes in evaluation mode stores all
    scores at once, 230 MB of them per segment, and takes longer; the results differ by rounding.
    The switch is global, so other threads may be slower during the block, and nothing else.
    """
    from torch.backends import mha

    before = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        mha.set_fastpath_enabled(before)


def load(name: str, models_dir: Path) -> list[Member]:
    """Load the networks of a bag that make its vocals, and no others.

    Looked for in ``models_dir/demucs`` (``SIGNATURE-CHECKSUM.th`` or ``SIGNATURE.safetensors``,
    with ``NAME.yaml`` for bags that Demucs does not have), else fetched as Demucs fetches them.

    Raises
    ------
    ModelError
        There is no such bag, or a network is neither in the folder nor can be fetched.
    """
    folder = models_dir / FOLDER
    bag = _bag(name, folder)
    signatures: list[str] = bag["models"]
    weights: list[list[float]] = bag.get("weights") or []
    if not weights:
        shares = [1.0 / len(signatures)] * len(signatures)
    else:
        # The vocals come last among Demucs' four sources; the networks say so once loaded.
        at = _vocals_at(bag, weights)
        total = sum(row[at] for row in weights)
        shares = [row[at] / total for row in weights]
    members = [
        Member(_network(name, signature, folder), share)
        for signature, share in zip(signatures, shares, strict=True)
        if share > 0.0
    ]
    segment = bag.get("segment")
    for member in members:
        if VOCALS not in member.network.sources:
            raise ModelError(f"the model {name!r} makes no vocals")
        if segment is not None:
            member.network.segment = min(segment, member.network.segment)
        narrow(member.network)
    return members


def narrow(network: Any) -> None:
    """Reduce a network to the vocals, which stay the same as among all its sources.

    The sources of an `HTDemucs` are groups of channels of the last layer of its two decoders: those
    of the other sources are removed, and with them their inverse transforms. Networks of other
    kinds, and those with a Wiener filter over the sources (``cac`` is off), are not changed.
    """
    from demucs.hdemucs import HDecLayer
    from demucs.htdemucs import HTDemucs
    from torch import nn

    if not isinstance(network, HTDemucs) or not network.cac:
        return
    last = (network.decoder[-1], network.tdecoder[-1])
    if not all(isinstance(x, HDecLayer) and isinstance(x.norm2, nn.Identity) for x in last):
        return
    sources = list(network.sources)
    for layer in last:
        convolution = layer.conv_tr
        size = convolution.out_channels // len(sources)
        channels = slice(sources.index(VOCALS) * size, (sources.index(VOCALS) + 1) * size)
        # Copies, so that the weights of the others are released.
        weight = convolution.weight.detach()[:, channels].clone()
        convolution.weight = nn.Parameter(weight, requires_grad=False)
        bias = convolution.bias.detach()[channels].clone()
        convolution.bias = nn.Parameter(bias, requires_grad=False)
        convolution.out_channels = size
    network.sources = [VOCALS]


def _vocals_at(bag: dict[str, Any], weights: list[list[float]]) -> int:
    sources = bag.get("sources") or ["drums", "bass", "other", VOCALS]
    if len(sources) < len(weights[0]):
        sources = [*sources, *["?"] * (len(weights[0]) - len(sources))]
    return int(sources.index(VOCALS))


def _bag(name: str, folder: Path) -> dict[str, Any]:
    """Read the description of a bag, from the folder or from Demucs; a single network is a bag of
    one."""
    import yaml
    from demucs.pretrained import REMOTE_ROOT

    if not name.replace("_", "").replace("-", "").isalnum():
        raise ModelError(f"{name!r} is not the name of a Demucs model")
    for path in (folder / f"{name}.yaml", Path(REMOTE_ROOT) / f"{name}.yaml"):
        try:
            bag = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, yaml.YAMLError) as error:
            raise ModelError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
        if not isinstance(bag, dict) or not isinstance(bag.get("models"), list):
            raise ModelError(f"{path} does not describe a bag of models")
        return bag
    return {"models": [name]}


def _network(name: str, signature: str, folder: Path) -> Any:
    """Load one network: from the folder, else from where Demucs has its own."""
    from demucs.hf import load_safetensors_model
    from demucs.repo import LocalRepo, ModelLoadingError

    try:
        safe = folder / f"{signature}.safetensors"
        if safe.is_file():
            return load_safetensors_model(safe)
        if folder.is_dir():
            local = LocalRepo(folder)
            if local.has_model(signature):
                return local.get_model(signature)
    except (ModelLoadingError, OSError, RuntimeError, ValueError, EOFError) as error:
        raise ModelError(
            f"the network {signature} of {name!r} in {folder} is damaged: "
            f"{str(error).splitlines()[0][:160]}",
            remedy="Fetch it again",
        ) from error
    return _fetched(name, signature, folder)


def _fetched(name: str, signature: str, folder: Path) -> Any:
    from demucs.hf import DEFAULT_NAMESPACE, hf_repo_name, load_safetensors_model
    from demucs.pretrained import REMOTE_ROOT, _parse_remote_files
    from demucs.repo import RemoteRepo
    from huggingface_hub import hf_hub_download

    from lyricsyncd.models.hub import check_reachable, loading_errors

    files = _parse_remote_files(Path(REMOTE_ROOT) / "files.txt")
    if signature not in files:
        raise ModelError(
            f"there is no Demucs model {name!r} in {folder}, and Demucs has none",
            remedy="Use htdemucs_ft or htdemucs, or put the model there",
        )
    causes = loading_errors()
    try:
        with contextlib.suppress(*causes):
            repo = f"{DEFAULT_NAMESPACE}/{hf_repo_name(name)}"
            check_reachable(repo, None)
            return load_safetensors_model(hf_hub_download(repo, f"{signature}.safetensors"))
        return RemoteRepo(files).get_model(signature)
    except causes as error:
        file_name = files[signature].rsplit("/", 1)[-1]
        raise NotFetched(
            f"the model {name!r} is not installed and cannot be fetched",
            remedy=f"Put {file_name} (or {signature}.safetensors) into {folder}",
            transient=True,
        ) from error


def open_demucs(context: ModelContext, name: str = "htdemucs_ft") -> Separator:
    """Open Demucs by the name of its bag.

    Raises
    ------
    ModelError
        Demucs is not installed, its networks cannot be had, or the device is not there.
    """
    try:
        import demucs  # noqa: F401
        import torch
    except ImportError as error:
        raise ModelError(
            f"the separator {name!r} is not installed: {error}",
            remedy='Install it with: pip install "lyricsyncd[models]"',
        ) from error
    torch_device.reuse_memory()
    if context.threads:
        torch.set_num_threads(context.threads)
    return Demucs(load(name, models_dir(context.models_dir)), name, context.device)


def open_htdemucs(context: ModelContext) -> Separator:
    """Open the lighter ``htdemucs``, one network for all sources."""
    return open_demucs(context, "htdemucs")
