"""Run a CTC network: on torch, or exported to ONNX, on onnxruntime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from lyricsyncd.align.emissions import SAMPLE_RATE
from lyricsyncd.align.emissions.ctc.alphabet import Alphabet
from lyricsyncd.align.emissions.ctc.model import CtcModel, FloatArray
from lyricsyncd.errors import ModelError
from lyricsyncd.registry import aligners

_BLANK = "<blank>"
_METADATA = "lyricsyncd.ctc"


class TorchNetwork:
    """A transformers CTC model on torch; out of memory it continues in smaller batches, then on
    the CPU."""

    def __init__(self, model: Any, device: str = "auto") -> None:
        import torch

        from lyricsyncd.models import torch_device

        wanted = torch_device.resolve(device)
        name = torch_device.precision(
            sum(weights.numel() for weights in model.parameters()),
            torch_device.free_bytes(wanted),
            ("float32", "float16"),
        )
        self._model = model.to(getattr(torch, name)).eval()
        self._device = torch_device.placed(model, wanted)

    def __call__(self, windows: FloatArray, *, last: bool = False) -> FloatArray:  # noqa: ARG002
        """Run as `Network` says."""
        from lyricsyncd.models.torch_device import in_batches

        logs: FloatArray = np.stack(in_batches(list(windows), len(windows), self._run, self._leave))
        return logs

    def _run(self, windows: Any) -> list[FloatArray]:
        import torch

        with torch.inference_mode():
            batch = torch.from_numpy(np.stack(windows)).to(self._device, self._model.dtype)
            logits = self._model(batch).logits
            return list(logits.float().log_softmax(-1).cpu().numpy())

    def _leave(self) -> bool:
        import torch

        if self._device.type == "cpu":
            return False
        self._device = torch.device("cpu")
        self._model = self._model.to(self._device).float()
        return True


def open_ctc(model: str, device: str = "auto", models_dir: Path | None = None) -> CtcModel:
    """Open a CTC model of the hub, or of a folder, on torch.

    Parameters
    ----------
    model : str
        A folder; or the model's name on the hub, looked for in ``models_dir`` first (with ``--``
        for the slash).

    Raises
    ------
    ModelError
        transformers is not installed, or the model cannot be had, or it is no CTC model.
    """
    from lyricsyncd.models.hub import loading, resolve_reachable

    with loading(model, models_dir, extra=aligners.entry("ctc").extra):
        import torch
        from transformers import AutoFeatureExtractor, AutoModelForCTC, AutoTokenizer

        where = resolve_reachable(model, models_dir)
        network = AutoModelForCTC.from_pretrained(where, dtype=torch.float32)
        # Not as one processor: that of a model with a language model beside it needs its decoder.
        tokenizer = AutoTokenizer.from_pretrained(where)
        extractor = AutoFeatureExtractor.from_pretrained(where)
    config = network.config
    # Tokenizers add signs of their own that the network does not write.
    vocabulary = {sign: n for sign, n in tokenizer.get_vocab().items() if n < config.vocab_size}
    hop = int(np.prod(config.conv_stride))
    reach = 1
    for kernel, stride in zip(
        reversed(config.conv_kernel), reversed(config.conv_stride), strict=True
    ):
        reach = (reach - 1) * stride + kernel
    return CtcModel(
        network=TorchNetwork(network, device),
        alphabet=Alphabet.of(
            vocabulary,
            # wav2vec2 uses its padding as the blank; MMS' aligner has a blank of its own.
            _BLANK if _BLANK in vocabulary else tokenizer.pad_token,
            getattr(tokenizer, "word_delimiter_token", None),
        ),
        name=f"ctc:{Path(model).name}",
        hop=hop / SAMPLE_RATE,
        reach=reach / SAMPLE_RATE,
        normalise=bool(getattr(extractor, "do_normalize", True)),
        batch=1 if network.device.type == "cpu" else 8,
    )


def export(acoustic_model: CtcModel, path: Path) -> None:
    """Write a model that runs on torch as one ONNX file, which `open_onnx` reads without torch.

    The file is complete or absent.

    Raises
    ------
    ModelError
        The model does not run on torch, ``onnx`` is not installed, or the file cannot be written.
    """
    if not isinstance(acoustic_model.network, TorchNetwork):
        raise ModelError("only a model that runs on torch can be exported")
    try:
        import onnx
        import torch
    except ImportError as error:
        raise ModelError(
            f"a model cannot be exported here: {error}",
            remedy='Install what it needs with: pip install "lyricsyncd[models]"',
        ) from error

    class Logs(torch.nn.Module):
        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model = model

        def forward(self, windows: Any) -> Any:
            return self.model(windows).logits.log_softmax(-1)

    model = acoustic_model.network._model.to("cpu").float()
    length = round(
        (acoustic_model.window / acoustic_model.hop - 1) * acoustic_model.hop * SAMPLE_RATE
        + acoustic_model.reach * SAMPLE_RATE
    )
    unfinished = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.onnx.export(
            Logs(model).eval(),
            (torch.zeros(1, length),),
            str(unfinished),
            input_names=["windows"],
            output_names=["logs"],
            dynamic_axes={"windows": {0: "batch", 1: "samples"}, "logs": {0: "batch", 1: "frames"}},
            opset_version=17,
            dynamo=False,
        )
        written = onnx.load(str(unfinished))
        entry = written.metadata_props.add()
        entry.key, entry.value = _METADATA, json.dumps(_metadata(acoustic_model))
        onnx.save(written, str(unfinished))
        unfinished.replace(path)
    except OSError as error:
        raise ModelError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _metadata(acoustic_model: CtcModel) -> dict[str, Any]:
    """Return what `open_onnx` needs besides the network."""
    alphabet = acoustic_model.alphabet
    return {
        "numbers": dict(alphabet.numbers),
        "blank": alphabet.blank,
        "delimiter": alphabet.delimiter,
        "upper": alphabet.upper,
        "name": acoustic_model.name,
        "hop": acoustic_model.hop,
        "reach": acoustic_model.reach,
        "normalise": acoustic_model.normalise,
        "lag": acoustic_model.lag,
    }


class OnnxNetwork:
    """An exported CTC network on onnxruntime, which comes with the base install."""

    def __init__(self, path: Path, device: str = "auto") -> None:
        from lyricsyncd.models.onnx_session import open_session

        self._session = open_session(path, device=device)

    def metadata(self) -> dict[str, Any]:
        """Read what `export` wrote besides the network.

        Raises
        ------
        ModelError
            The file is not from `export`.
        """
        entries = self._session.get_modelmeta().custom_metadata_map
        try:
            metadata: dict[str, Any] = json.loads(entries[_METADATA])
        except (KeyError, ValueError) as error:
            raise ModelError(
                "the ONNX file is not one that lyricsyncd exported",
                remedy="Write it with `lyricsyncd models export`",
            ) from error
        return metadata

    def __call__(self, windows: FloatArray, *, last: bool = False) -> FloatArray:
        """Run as `Network` says."""
        from lyricsyncd.models.onnx_session import run

        return run(self._session, {"windows": windows}, "logs", last=last)


def open_onnx(path: Path, device: str = "auto") -> CtcModel:
    """Open the model that `export` wrote; needs no torch.

    Raises
    ------
    ModelError
        The file is missing, broken or not from `export`.
    """
    network = OnnxNetwork(path, device)
    metadata = network.metadata()
    try:
        numbers, blank = metadata["numbers"], metadata["blank"]
        alphabet = Alphabet(numbers, blank, metadata["delimiter"], bool(metadata["upper"]))
        name, normalise = str(metadata["name"]), bool(metadata["normalise"])
        hop, reach, lag = (float(metadata[key]) for key in ("hop", "reach", "lag"))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model {path} is of another version: {error}") from error
    return CtcModel(
        network=network,
        alphabet=alphabet,
        name=name,
        hop=hop,
        reach=reach,
        normalise=normalise,
        lag=lag,
    )
