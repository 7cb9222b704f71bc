"""Download MNIST's four IDX files, and keep them once their content is verified."""

import logging
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import numpy as np

from mnist_kedro.digest import sha256
from mnist_kedro.errors import InputError
from mnist_kedro.parameters import IngestionParameters
from mnist_kedro.sources.canonical import DIGESTS, Arrays
from mnist_kedro.sources.files import resolve_path
from mnist_kedro.sources.idx import FILES, read_idx

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
_REACHABLE_SECONDS = 0.8  # in which a mirror accepts a connection, unless there is no network


def download_mnist(parameters: IngestionParameters, *, only_if_reachable: bool = False) -> Arrays:
    """Read MNIST from ``download_folder``; download it to there first if it is missing.

    Args:
        parameters: ``download_folder``; ``mirrors``, addresses of folders that hold the four
            ``.gz`` files, tried in turn, all of them ``attempts`` times; ``timeout_seconds`` to
            wait for a connection and for each next piece, ``mirror_seconds`` for all files of a
            mirror.
        only_if_reachable: give up within a second if no mirror accepts a connection.

    Returns:
        The four arrays of the canonical MNIST.

    Raises:
        InputError: if no mirror has the canonical MNIST; names the reason for each mirror.
    """
    folder = resolve_path(parameters.download_folder)
    kept = _read_kept(folder)
    if kept is not None:
        return kept
    if only_if_reachable and not _any_reachable(parameters.mirrors):
        raise InputError("MNIST could not be downloaded (no mirror is reachable).")
    reasons: dict[str, str] = {}  # why each mirror failed
    others: set[str] = set()  # mirrors that have something else
    for mirror in parameters.mirrors * parameters.attempts:
        if mirror in others:
            continue
        logger.info("MNIST: downloading from %s", mirror)
        try:
            return in_background(_download_from, mirror, parameters.timeout_seconds, folder).result(
                parameters.mirror_seconds
            )
        except InputError as error:
            reasons[mirror] = str(error)
            others.add(mirror)
        except TimeoutError:
            reasons[mirror] = f"not done after {parameters.mirror_seconds:g} s"
        except Exception as error:  # noqa: BLE001  (whatever the reason, the next mirror may work)
            reasons[mirror] = _innermost_reason(error)
    described = "; ".join(f"{mirror}: {reason}" for mirror, reason in reasons.items())
    raise InputError(f"MNIST could not be downloaded ({described or 'no mirrors'}).")


def _read_kept(folder: Path) -> Arrays | None:
    """Read the files of an earlier download; None if they are missing or damaged."""
    if not folder.is_dir():
        return None
    try:
        arrays: Arrays = {
            key: _read_verified(folder / f"{name}.gz", key) for key, name in FILES.items()
        }
    except InputError as error:
        logger.warning("MNIST: downloading it again, because of %s.", error)
        return None
    logger.debug("MNIST: reading the earlier download in %s.", folder)
    return arrays


def _read_verified(path: Path, key: str) -> np.ndarray:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    array = read_idx(path)
    if sha256(array) != DIGESTS[key]:
        raise InputError(f"{path}: not the canonical MNIST")
    return array


def _any_reachable(mirrors: tuple[str, ...]) -> bool:
    """Return whether a mirror, or the proxy on the way to it, accepts a connection in time."""
    attempts = [in_background(_connect, mirror) for mirror in mirrors]
    try:
        return any(done.result() for done in as_completed(attempts, timeout=_REACHABLE_SECONDS))
    except TimeoutError:  # without a network, looking up a host name may take a minute
        return False


def _connect(mirror: str) -> bool:
    address = urlsplit(mirror)
    if not proxy_bypass(address.hostname or ""):
        address = urlsplit(getproxies().get(address.scheme, mirror))
    port = address.port or {"http": 80, "https": 443}.get(address.scheme, 0)
    try:
        socket.create_connection((address.hostname or "", port), _REACHABLE_SECONDS).close()
    except OSError:
        return False
    return True


def in_background(function: Callable[..., _T], *arguments: Any) -> Future[_T]:
    """Call a function in a thread that does not keep the program from ending.

    The threads of ``ThreadPoolExecutor`` do.
    """
    outcome: Future[_T] = Future()

    def run() -> None:
        try:
            outcome.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001  (the result raises it)
            outcome.set_exception(error.with_traceback(None))  # it would keep sockets open

    Thread(target=run, daemon=True).start()
    return outcome


def _download_from(mirror: str, timeout_seconds: float, folder: Path) -> Arrays:
    """Download and verify the four files, then move them to the folder."""
    import pooch  # noqa: PLC0415  (only a download needs it)

    pooch.get_logger().setLevel(logging.WARNING)
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=timeout_seconds)
    arrays: Arrays = {}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".mnist-", dir=folder.parent) as temporary:
        for key, name in FILES.items():
            address = f"{mirror.rstrip('/')}/{name}.gz"
            # Without a digest of the file, because some mirrors compressed the files themselves:
            # the digest of the content is verified instead.
            file = pooch.retrieve(
                address, None, fname=f"{name}.gz", path=temporary, downloader=downloader
            )
            try:
                arrays[key] = _read_verified(Path(file), key)
            except InputError as error:
                raise InputError(str(error).replace(f"{temporary}/", "").rstrip(".")) from error
        folder.mkdir(exist_ok=True)
        for file in Path(temporary).iterdir():
            file.replace(folder / file.name)
    return arrays


def _innermost_reason(error: Exception) -> str:
    """Return the reason of a network error, without the messages that requests puts around it."""
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    if isinstance(inner, Exception):
        return _innermost_reason(inner)
    return " ".join(str(error).rpartition("): ")[2].rstrip(".").split())
