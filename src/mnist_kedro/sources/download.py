"""Download MNIST's four IDX files from the first mirror that has them."""

import logging
import sys
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from mnist_kedro.digest import sha256
from mnist_kedro.errors import InputError
from mnist_kedro.parameters import IngestionParameters
from mnist_kedro.sources.canonical import DIGESTS, Arrays
from mnist_kedro.sources.idx import FILES, read_idx

logger = logging.getLogger(__name__)


def download_idx_files(parameters: IngestionParameters) -> Arrays:
    """Download MNIST and verify its content.

    The files go to a temporary folder: what is kept is the catalog's ``mnist``.

    Args:
        parameters: ``mirrors``, addresses of folders that hold the four ``.gz`` files, tried in
            turn, all of them ``attempts`` times; ``timeout_seconds`` to wait for a connection and
            for each next piece, ``mirror_seconds`` for all files of one mirror.

    Raises:
        InputError: with each mirror's last reason, when none gave the canonical MNIST.
    """
    failures: dict[str, _Failure] = {}
    for mirror in parameters.mirrors * parameters.attempts:
        if mirror in failures and failures[mirror].final:
            continue
        logger.info("MNIST: downloading from %s", mirror)
        outcome = _try_in_time(mirror, parameters)
        if not isinstance(outcome, _Failure):
            return outcome
        failures[mirror] = outcome
    reasons = "; ".join(f"{mirror}: {failure.reason}" for mirror, failure in failures.items())
    raise InputError(f"MNIST could not be downloaded ({reasons or 'no mirrors'}).")


@dataclass(frozen=True)
class _Failure:
    reason: str
    final: bool  # what is there is not MNIST, and will not be


def _try_in_time(mirror: str, parameters: IngestionParameters) -> Arrays | _Failure:
    """Give a mirror up that sends, but so slowly that it is never done."""
    outcome: Future[Arrays | _Failure] = Future()

    def download() -> None:
        outcome.set_result(_try(mirror, parameters.timeout_seconds))

    Thread(target=download, daemon=True).start()
    wait([outcome], parameters.mirror_seconds)
    if not outcome.done():
        return _Failure(f"not done after {parameters.mirror_seconds:g} s", final=False)
    return outcome.result()


def _try(mirror: str, timeout_seconds: float) -> Arrays | _Failure:
    try:
        return _download_from(mirror, timeout_seconds)
    except InputError as error:
        return _Failure(str(error), final=True)
    except Exception as error:  # noqa: BLE001  (whatever it is, the next mirror may do better)
        return _Failure(_short(error), final=False)


def _download_from(mirror: str, timeout_seconds: float) -> Arrays:
    import pooch  # noqa: PLC0415  (only a download needs it)

    pooch.get_logger().setLevel(logging.WARNING)
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=timeout_seconds)
    arrays: Arrays = {}
    with TemporaryDirectory(prefix="mnist-") as folder:
        for key, name in FILES.items():
            address = f"{mirror.rstrip('/')}/{name}.gz"
            # No file digest is given: the content's digest, checked below, holds for every
            # mirror, also for one that compressed the files anew.
            file = pooch.retrieve(
                address, None, fname=f"{name}.gz", path=folder, downloader=downloader
            )
            try:
                arrays[key] = read_idx(Path(file))
            except InputError as error:
                raise InputError(str(error).replace(f"{folder}/", "").rstrip(".")) from error
            if sha256(arrays[key]) != DIGESTS[key]:
                raise InputError(f"{name}.gz is not the canonical MNIST")
    return arrays


def _short(error: Exception) -> str:
    """The innermost reason of a network error, without the layers that requests puts around it."""
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    if isinstance(inner, Exception):
        return _short(inner)
    return " ".join(str(error).rpartition("): ")[2].rstrip(".").split())
