"""Open and run an ONNX network, with errors that have a remedy."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lyricsyncd.errors import ModelError
from lyricsyncd.models.device import check_name, without_cuda
from lyricsyncd.processes import memory
from lyricsyncd.processes.cores import available_cores

if TYPE_CHECKING:
    import onnxruntime

_OPEN_FILES = Path("/proc/self/fd")


def open_session(
    model: Path,
    *,
    device: str = "auto",
    threads: int | None = None,
    edit: Callable[[bytes], bytes] | None = None,
) -> onnxruntime.InferenceSession:
    """Open a session on the requested device.

    Parameters
    ----------
    device
        ``auto`` (CUDA where onnxruntime has it, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.
    threads
        By default as many as the process may use.
    edit
        Applied to the contents of the file before they are opened.

    Raises
    ------
    ModelError
        The file is missing or broken, or the device is not there.
    UsageError
        The device is none of these.
    """
    import onnxruntime

    providers = _providers(device, onnxruntime.get_available_providers())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Memory that is planned for all of a run at once is held for longer: a fifth more of it.
    options.enable_mem_pattern = False
    # A worker that waits for its next song must not keep a core busy.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        with _edited(model, edit) as path:
            session = onnxruntime.InferenceSession(path, options, providers=providers)
    except _failures() as error:
        if not model.is_file():
            raise ModelError(
                f"there is no model at {model}",
                remedy="Install it (`lyricsyncd models list` names all), or correct its path",
            ) from error
        if providers[0] != "CPUExecutionProvider" and device == "auto":
            return open_session(model, device="cpu", threads=threads, edit=edit)
        raise ModelError(
            f"the model {model} cannot be opened on {device!r}: {_first_line(error)}",
            remedy="Install it again, or run it on the processor: --device cpu",
        ) from error
    memory.trim()  # opening takes 70 MB more than the network of 40 MB that it leaves
    if device.startswith("cuda") and "CUDAExecutionProvider" not in session.get_providers():
        raise without_cuda(device)
    return session


def run(
    session: onnxruntime.InferenceSession,
    inputs: Mapping[str, NDArray[np.float32] | NDArray[np.int64]],
    output_name: str,
    *,
    last: bool = False,
) -> NDArray[np.float32]:
    """Run the network once; after the ``last`` run of a song its memory goes back to the system.

    Raises
    ------
    ModelError
        The network failed.
    """
    import onnxruntime

    options = onnxruntime.RunOptions()
    if last:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    try:
        (result,) = session.run([output_name], dict(inputs), options)
    except _failures() as error:
        raise ModelError(
            f"the network failed: {_first_line(error)}",
            remedy="Free some memory, or set `models.device: cpu`",
        ) from error
    if last:
        memory.trim()
    output: NDArray[np.float32] = result
    return output


@contextlib.contextmanager
def _edited(model: Path, edit: Callable[[bytes], bytes] | None) -> Iterator[str]:
    """Yield the path of a network's file, or of an edited copy that is gone afterwards.

    onnxruntime would take the bytes, too, but keeps them as long as the session.
    """
    if edit is None:
        yield str(model)
        return
    content = edit(model.read_bytes())
    if hasattr(os, "memfd_create") and _OPEN_FILES.is_dir():
        with os.fdopen(os.memfd_create(model.name), "wb") as file:
            file.write(content)
            file.flush()
            del content
            yield str(_OPEN_FILES / str(file.fileno()))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, model.name)
        path.write_bytes(content)
        del content
        yield str(path)


def _failures() -> tuple[type[Exception], ...]:
    """List what onnxruntime raises for models and devices; its own errors have no common base."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [kind for kind in vars(state).values() if isinstance(kind, type)]
    errors = [kind for kind in own if issubclass(kind, Exception)]
    return *errors, OSError, RuntimeError, ValueError, MemoryError


def _providers(device: str, available: list[str]) -> list[Any]:
    """Return onnxruntime's providers for a device, best first."""
    cpu, cuda = "CPUExecutionProvider", "CUDAExecutionProvider"
    if device == "cpu":
        return [cpu]
    if device == "auto":
        return [cuda, cpu] if cuda in available else [cpu]
    check_name(device)
    if cuda not in available:
        raise without_cuda(device)
    return [(cuda, {"device_id": device.partition(":")[2] or "0"}), cpu]


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
