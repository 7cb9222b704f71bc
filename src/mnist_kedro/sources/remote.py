"""Copy MNIST from a remote store to this machine, within limits of size and time."""

import errno
import hashlib
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import fsspec
from tqdm import tqdm

from mnist_kedro.errors import InputError
from mnist_kedro.parameters import RemoteParameters
from mnist_kedro.remote_store import SourceStore, is_web, public_address
from mnist_kedro.sources.download import in_background
from mnist_kedro.sources.idx import FILES

logger = logging.getLogger(__name__)

_PIECE_BYTES = 2**20  # bytes per read
_MAX_DEPTH = 4  # levels of sub-folders, as for local folders
_BLOCK_BYTES = 2**21  # read-ahead; smaller blocks need more requests, larger blocks may time out
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_DENIED = {401, 403}  # HTTP status codes
_CREDENTIALS = "set 'credentials' of the dataset source_store (docs/data.md, Remote sources)"

_Wait = Callable[..., Any]  # calls a function with arguments, and returns its result


@contextmanager
def local_copy(url: str, store: SourceStore, limits: RemoteParameters) -> Iterator[Path]:
    """Copy a file or folder to the temporary folder; remove the copy when the block ends.

    Args:
        url: URL of a file or folder; over HTTP, the URLs of folders end with a slash.
        store: opens the URL.
        limits: limits of size and time, and the expected digest of a file.

    Yields:
        The path of the copied file or folder. Errors in the block name the URL instead of the path.

    Raises:
        InputError: if the source is missing, denied, too large, too slow, changed, or does not fit
            on the disk; the message never shows secrets of the URL or the store.
    """
    shown = public_address(url)
    with ExitStack() as stack:
        with _report_errors(shown, store):
            created = tempfile.TemporaryDirectory(prefix="mnist_kedro_", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(created))
            path = _copy(url, folder, store, limits)
        try:
            yield path
        except InputError as error:
            raise InputError(str(error).replace(str(path), shown.rstrip("/"))) from error


def find_remote_source(folder: str, store: SourceStore, limits: RemoteParameters) -> str | None:
    """Find MNIST in a folder of a remote store.

    Returns:
        The URL of the only file, or of the folder if it has several files; None if it has no files
        or, with a warning, if it cannot be listed.
    """
    try:
        with _report_errors(public_address(folder), store):
            wait = _wait_within(limits)
            fs, path = wait(store.open, folder, limits.timeout_seconds)
            names = wait(_list_files, fs, path)
    except InputError as error:
        logger.warning("MNIST: skipped the search folder %s", error)
        return None
    if len(names) == 1:
        return _join(folder, names[0])
    return f"{folder.rstrip('/')}/" if names else None


def _copy(url: str, folder: Path, store: SourceStore, limits: RemoteParameters) -> Path:
    """Copy a file or folder into a local folder; return the path of the copy."""
    wait = _wait_within(limits)
    logger.info("MNIST: copying %s to a temporary folder.", public_address(url))
    fs, path = wait(store.open, url, limits.timeout_seconds)
    if not _is_folder(fs, path, wait):
        target = folder / Path(public_address(path)).name
        size, digest = _copy_file(fs, path, target, 0, limits.max_bytes, wait)
        logger.info("MNIST: copied %d bytes, SHA-256 %s.", size, digest)
        if limits.sha256 not in (None, digest):
            raise InputError(
                f"expected SHA-256 {limits.sha256} (ingestion.remote.sha256), found {digest}"
            )
        return target
    if limits.sha256:
        raise InputError("a folder; expected a file, because ingestion.remote.sha256 is set")
    names = wait(_find_idx_files if is_web(path) else _list_files, fs, path)
    if not names:
        raise InputError("a folder without files; expected MNIST in it")
    size = 0
    for name in names:
        file, target = _join(path, name), folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with _report_errors(public_address(_join(url, name)), store):
            size, _ = _copy_file(fs, file, target, size, limits.max_bytes, wait)
    logger.info("MNIST: copied %d files, %d bytes.", len(names), size)
    return folder


def _is_folder(fs: fsspec.AbstractFileSystem, path: str, wait: _Wait) -> bool:
    if is_web(path):
        return urlsplit(path).path.endswith("/")
    return wait(fs.info, path)["type"] == "directory"


def _find_idx_files(fs: fsspec.AbstractFileSystem, path: str) -> list[str]:
    """Return the names of the four IDX files in a folder, because HTTP cannot list folders."""
    zipped = {name: f"{name}.gz" for name in FILES.values()}
    return [name if fs.exists(_join(path, name)) else zipped[name] for name in zipped]


def _list_files(fs: fsspec.AbstractFileSystem, path: str) -> list[str]:
    """Return the names of the files in a folder and its sub-folders; none if it is missing."""
    if is_web(path):
        raise InputError("folders cannot be listed over HTTP")
    try:
        found = fs.find(path, maxdepth=_MAX_DEPTH)
    except FileNotFoundError:  # remote stores have no empty folders
        return []
    root = fs._strip_protocol(path)  # noqa: SLF001  (fsspec has no public name for it)
    names = [PurePosixPath(file).relative_to(root) for file in found]
    # Hidden files belong to other programs, and ".." would leave the folder of the copy.
    return sorted(str(name) for name in names if not any(part[0] == "." for part in name.parts))


def _join(folder: str, name: str) -> str:
    """Return the URL of a file in a folder; keep the query of the folder's URL."""
    start, query, end = folder.partition("?")
    return f"{start.rstrip('/')}/{name}{query}{end}"


def _copy_file(
    fs: fsspec.AbstractFileSystem, path: str, target: Path, size: int, max_bytes: int, wait: _Wait
) -> tuple[int, str]:
    """Copy a file in pieces, after ``size`` bytes of other files, to limit memory.

    Returns:
        The number of bytes of all files so far, and the SHA-256 digest of this file.
    """
    declared = wait(fs.info, path).get("size")  # None if the server does not declare it
    end = size + (declared or 0)
    _check_size(end, max_bytes)
    free = shutil.disk_usage(target.parent).free
    if (declared or 0) > free:
        raise _no_space(f"{declared:,} bytes are needed, {free:,} are free")
    # Read HTTP as a stream: some servers do not support ranges, and ranges could mix two versions.
    block_size = 0 if is_web(path) else _BLOCK_BYTES
    digest = hashlib.sha256()
    with ExitStack() as stack:
        file = wait(partial(fs.open, path, "rb", block_size=block_size))
        stack.callback(in_background, file.close)  # because close() waits for a stalled read
        copy = stack.enter_context(target.open("wb"))
        bar = stack.enter_context(
            tqdm(total=declared, unit="B", unit_scale=True, leave=False, disable=None)
        )
        while piece := wait(file.read, _PIECE_BYTES):
            size += len(piece)
            _check_size(size, max_bytes)
            copy.write(piece)
            digest.update(piece)
            bar.update(len(piece))
    if declared is not None and size != end:
        raise InputError(f"its size differs from the declared {declared:,} bytes; try again")
    return size, digest.hexdigest()


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise InputError(
            f"too large: {size:,} bytes or more; at most {max_bytes:,} are copied "
            "(ingestion.remote.max_bytes)"
        )


def _wait_within(limits: RemoteParameters) -> _Wait:
    """Return a function that calls another function in a thread, with time limits.

    Not all libraries have time limits, and some cannot be interrupted with Ctrl-C.
    """
    end = time.monotonic() + limits.total_seconds

    def wait(function: Callable[..., Any], *arguments: Any) -> Any:
        left = end - time.monotonic()
        try:
            if left > 0:
                seconds = min(left, limits.timeout_seconds)
                return in_background(function, *arguments).result(seconds)
        except TimeoutError:
            if left > limits.timeout_seconds:
                raise InputError(
                    f"sent nothing for {limits.timeout_seconds:g} s "
                    "(ingestion.remote.timeout_seconds)"
                ) from None
        raise InputError(
            f"not copied after {limits.total_seconds:g} s (ingestion.remote.total_seconds)"
        )

    return wait


def _no_space(reason: str) -> InputError:
    return InputError(
        f"cannot be copied to {tempfile.tempdir or 'any temporary folder'} ({reason}); set the "
        "environment variable TMPDIR to a folder with more space"
    )


@contextmanager
def _report_errors(shown: str, store: SourceStore) -> Iterator[None]:
    """Report any error of a store in one line, without secrets and traceback."""
    try:
        yield
    except Exception as error:
        if isinstance(error, InputError) and str(error).startswith(shown):  # already reported
            raise
        raise InputError(f"{shown}: {store.hide_secrets(_explain(error))}.") from None


def _explain(error: BaseException) -> str:
    """Return the reason of an error and, if known, the remedy."""
    errors = [error]
    while errors[-1].__cause__:
        errors.append(errors[-1].__cause__)
    last = errors[-1]
    text = " ".join(str(last).rstrip(".").split()) or type(last).__name__
    if hasattr(last, "status") and hasattr(last, "message"):  # the text would repeat the URL
        text = f"{last.status} {last.message}"
    kinds = {type(e).__name__ for e in errors}
    # fsspec raises FileNotFoundError for all HTTP errors.
    web = any(type(e).__module__.startswith("aiohttp") for e in errors)
    statuses = {getattr(e, "status", None) for e in errors}
    if isinstance(last, InputError):
        reason = str(last)
    elif getattr(last, "errno", None) in _NO_SPACE or "usable temporary directory" in text:
        reason = str(_no_space(getattr(last, "strerror", None) or text))
    elif isinstance(error, ImportError):
        reason = f"{error}: pip install {getattr(last, 'name', None) or 'the package'}"
    elif "CERTIFICATE_VERIFY_FAILED" in text:
        reason = (
            f"its certificate is not trusted ({text}); if you trust it, set the environment "
            "variable SSL_CERT_FILE to a file with the certificate of its authority"
        )
    elif "PermissionError" in kinds or statuses & _DENIED or "NoCredentialsError" in kinds:
        reason = f"access denied ({text}); {_CREDENTIALS}"
    elif "NonHttpUrlRedirectClientError" in kinds:
        reason = f"is redirected to {text}; expected https"
    elif 404 in statuses or ("FileNotFoundError" in kinds and not web):
        reason = "no such file or folder"
    else:
        reason = f"cannot be read ({text})"
    return reason
