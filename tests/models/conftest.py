"""These tests need the extra ``models``; without it they are skipped (`make test-models`)."""

from __future__ import annotations

import importlib.util

collect_ignore_glob: list[str] = []
if importlib.util.find_spec("torch") is None or importlib.util.find_spec("transformers") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    import torch

    # Small networks: threads would only wait for each other.
    torch.set_num_threads(1)
