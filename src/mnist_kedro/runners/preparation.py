"""Prepare workers, and check that they have the same code as the process that started the run."""

import hashlib
import logging
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kedro.framework.project import configure_project

from mnist_kedro.runners.errors import DaskRunnerError

_loaded: dict[str, str] = {}  # digest of each package's code, from when this process loaded it


def prepare_workers(client: Any, packages: list[str]) -> None:
    """Make projects importable and configure them, on all current and future workers."""
    from distributed import LocalCluster, WorkerPlugin  # noqa: PLC0415

    class Preparation(WorkerPlugin):
        """Prepare a worker before its first node."""

        name = "kedro"

        def __init__(self, folders: list[str], is_local: bool) -> None:
            self._folders, self._levels, self._is_local = folders, levels, is_local

        def setup(self, worker: Any) -> None:
            """Prepare the worker; Dask calls this."""
            # Ctrl-C reaches all processes of a terminal, but the run interrupts its nodes itself.
            with suppress(ValueError):  # raised if the worker is a thread of this process
                if self._is_local:
                    signal.signal(signal.SIGINT, signal.SIG_IGN)
            new = [folder for folder in self._folders if folder not in sys.path]
            sys.path[:0] = [folder for folder in new if Path(folder).is_dir()]
            from mnist_kedro.runners.preparation import configure  # noqa: PLC0415

            configure(self._levels, worker.state.nthreads)

    levels = {package: logging.getLogger(package).getEffectiveLevel() for package in packages}
    folders = [str(_folder(package).parent) for package in ("mnist_kedro", *packages)]
    is_local = isinstance(client.cluster, LocalCluster)
    client.register_plugin(Preparation(folders, is_local))
    are_threads = os.getpid() in client.run(os.getpid).values()  # threads of this process
    if not is_local and not are_threads:  # local workers already log to this terminal
        for package, level in levels.items():
            client.forward_logging(package, level=level)


def configure(levels: Mapping[str, int], threads: int) -> None:
    """Configure projects and their log levels in this process, and limit TensorFlow's threads.

    By default TensorFlow uses all cores of the machine in each process. Progress bars are disabled,
    because those of several processes would mix.
    """
    os.environ["TQDM_DISABLE"] = "1"
    for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(variable, str(threads))
    for package, level in levels.items():
        _loaded.setdefault(package, digest_code(package))  # before the import
        configure_project(package)  # sets up logging, and settings such as atomic saves
        logging.getLogger(package).setLevel(level)


def digest_code(package: str) -> str:
    """Return the SHA-256 of the names and contents of a package's Python files."""
    digest = hashlib.sha256()
    folder = _folder(package)
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def check_code(expected: Mapping[str, str], worker: str) -> None:
    """Check that this process has loaded the code of the run.

    Raises:
        DaskRunnerError: if the code differs; the message names the worker and the package.
    """
    for package, digest in expected.items():
        if _loaded.get(package, digest) != digest:
            raise DaskRunnerError(
                f"{worker}: the code of '{package}' on this worker differs from that of the run; "
                "restart the worker with the same files."
            )


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise DaskRunnerError(f"'{package}': package not found.")
    return Path(spec.origin).parent
