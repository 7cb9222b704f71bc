"""Download MNIST's four IDX files, verify their content, and save them for later runs."""

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
_REACHABLE_SECONDS = 0.8  # timeout of the check whether any mirror accepts a connection


def download_mnist(parameters: IngestionParameters, *, only_if_reachable: bool = False) -> Arrays:
    """Read MNIST from ``download_folder``; download it first if it is missing.

    Args:
        parameters: ``download_folder``; ``mirrors``, the URLs of folders with the four ``.gz``
            files, which are tried in turn, ``attempts`` times; ``timeout_seconds``, the timeout of
            a connection and of each read; ``mirror_seconds``, the timeout for all files of a
            mirror.
        only_if_reachable: fail within a second if no mirror accepts a connection.

    Returns:
        The four arrays of the canonical MNIST.

    Raises:
        InputError: if no mirror provides the canonical MNIST; the message has a reason per mirror.
    """
    folder = resolve_path(parameters.download_folder)
    earlier = _read_earlier_download(folder)
    if earlier is not None:
        return earlier
    if only_if_reachable and not _any_reachable(parameters.mirrors):
        raise InputError("MNIST could not be downloaded (no mirror is reachable).")
    reasons: dict[str, str] = {}  # why each mirror failed
    others: set[str] = set()  # mirrors that sent other content
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
            reasons[mirror] = f"not finished after {parameters.mirror_seconds:g} s"
        except Exception as error:  # noqa: BLE001  (the next mirror may work)
            reasons[mirror] = _innermost_reason(error)
    described = "; ".join(f"{mirror}: {reason}" for mirror, reason in reasons.items())
    raise InputError(f"MNIST could not be downloaded ({described or 'no mirrors'}).")


def _read_earlier_download(folder: Path) -> Arrays | None:
    """Read the files of an earlier download; None if they are missing or corrupt."""
    if not folder.is_dir():
        return None
    try:
        arrays: Arrays = {
            key: _read_verified(folder / f"{name}.gz", key) for key, name in FILES.items()
        }
    except InputError as error:
        logger.warning("MNIST: the earlier download is not usable (%s); downloading again.", error)
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
    except TimeoutError:  # without a network, the lookup of a host name may take a minute
        return False


def _connect(mirror: str) -> bool:
    url = urlsplit(mirror)
    if not proxy_bypass(url.hostname or ""):
        url = urlsplit(getproxies().get(url.scheme, mirror))
    port = url.port or {"http": 80, "https": 443}.get(url.scheme, 0)
    try:
        socket.create_connection((url.hostname or "", port), _REACHABLE_SECONDS).close()
    except OSError:
        return False
    return True


def in_background(function: Callable[..., _T], *arguments: Any) -> Future[_T]:
    """Call a function in a daemon thread, which does not block the end of the program.

    The threads of ``ThreadPoolExecutor`` would block it.
    """
    outcome: Future[_T] = Future()

    def run() -> None:
        try:
            outcome.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001  (the result raises it)
            outcome.set_exception(error.with_traceback(None))  # a traceback would keep sockets open

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
            url = f"{mirror.rstrip('/')}/{name}.gz"
            # Pass no digest of the file, because mirrors may compress the files differently;
            # _read_verified checks the digest of the content.
            file = pooch.retrieve(
                url, None, fname=f"{name}.gz", path=temporary, downloader=downloader
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
    """Return the reason of a network error, without the messages that ``requests`` adds."""
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    if isinstance(inner, Exception):
        return _innermost_reason(inner)
    return " ".join(str(error).rpartition("): ")[2].rstrip(".").split())
