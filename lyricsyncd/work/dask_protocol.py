"""Define what both ends of a cluster of `dask.distributed` need: the topic, and certificates."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from lyricsyncd.errors import UsageError

if TYPE_CHECKING:
    from distributed import Security

    from lyricsyncd.config.schema import DaskTls

TOPIC = "lyricsyncd-progress"
"""Topic of the events by which a worker reports progress."""


def security(tls: DaskTls) -> Security | None:
    """Return the TLS settings for `distributed`; ``None`` without certificates."""
    if tls.ca is None:
        return None
    from distributed import Security

    paths = {"tls_ca_file": tls.ca, "tls_client_cert": tls.cert, "tls_client_key": tls.key}
    paths |= {"tls_worker_cert": tls.cert, "tls_worker_key": tls.key}
    return Security(require_encryption=True, **{name: str(path) for name, path in paths.items()})


def check_installed() -> None:
    """Check that ``distributed`` is installed.

    Raises
    ------
    UsageError
        It is not.
    """
    if importlib.util.find_spec("distributed") is None:
        raise UsageError(
            "The executor dask needs the package distributed",
            remedy="Install it with `pip install 'lyricsyncd[dask]'`",
        )
