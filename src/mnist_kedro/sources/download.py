"""Download MNIST's four IDX files from the first mirror that has them."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mnist_kedro.errors import InputError
from mnist_kedro.sources.canonical import DIGESTS, Arrays, digest
from mnist_kedro.sources.idx import FILES, read_idx

logger = logging.getLogger(__name__)


def download_idx_files(mirrors: Sequence[str], timeout_seconds: float) -> Arrays:
    """Download MNIST and verify its content.

    The files go to a temporary folder: what is kept is the catalog's ``mnist``.

    Args:
        mirrors: addresses of folders that hold the four ``.gz`` files; tried in turn.
        timeout_seconds: how long to wait for a connection, and for each next piece.

    Raises:
        InputError: with each mirror's reason, when none gave the canonical MNIST.
    """
    reasons = []
    for mirror in mirrors:
        logger.info("MNIST: downloading from %s", mirror)
        try:
            return _download_from(mirror, timeout_seconds)
        except (OSError, InputError) as error:  # requests' exceptions are OSErrors
            reasons.append(f"{mirror}: {_short(error)}")
    raise InputError(f"MNIST could not be downloaded ({'; '.join(reasons) or 'no mirrors'}).")


def _download_from(mirror: str, timeout_seconds: float) -> Arrays:
    import pooch  # noqa: PLC0415  (only a download needs it)

    pooch.get_logger().setLevel(logging.WARNING)
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=timeout_seconds)
    arrays = {}
    with TemporaryDirectory(prefix="mnist-") as folder:
        for key, name in FILES.items():
            address = f"{mirror.rstrip('/')}/{name}.gz"
            # No file digest is given: the content's digest, checked below, holds for every
            # mirror, also for one that compressed the files anew.
            file = pooch.retrieve(
                address, None, fname=f"{name}.gz", path=folder, downloader=downloader
            )
            arrays[key] = read_idx(Path(file))
            if digest(arrays[key]) != DIGESTS[key]:
                raise InputError(f"{name}.gz is not the canonical MNIST")
    return arrays


def _short(error: Exception) -> str:
    """The innermost reason of a network error, without the layers that requests puts around it."""
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    if isinstance(inner, Exception):
        return _short(inner)
    return " ".join(str(error).rpartition("): ")[2].rstrip(".").split())
