"""Check the graphics card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lyricsyncd.findings import Finding, failed, ok, warning
from lyricsyncd.work import gpu as nvidia

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config


def gpu(config: Config) -> Iterator[Finding]:
    """Check that the configured device is there, and can be used."""
    try:
        cards = nvidia.cards()
    except nvidia.NoAnswerError as error:
        cards = []
        if config.models.device.startswith("cuda"):
            yield failed("gpu", str(error), "Install NVIDIA's driver, or set `device: auto`")
            return
    if not cards:
        yield ok("gpu", "no NVIDIA card; the processor does it")
        return
    providers = onnx_providers()
    text = ", ".join(cards)
    if "CUDAExecutionProvider" in providers:
        yield ok("gpu", text)
    else:
        wants = config.models.device.startswith("cuda")
        kind = failed if wants else warning
        yield kind(
            "gpu",
            f"{text}, which the installed onnxruntime cannot use",
            "pip uninstall onnxruntime, then pip install onnxruntime-gpu",
        )


def onnx_providers() -> list[str]:
    """List the devices that the installed onnxruntime can use, by its own names."""
    try:
        import onnxruntime

        return list(onnxruntime.get_available_providers())
    except ImportError:
        return []
