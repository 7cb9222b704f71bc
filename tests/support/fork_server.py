"""A process that has imported the libraries, and forks one for each run of a project.

So a run starts in a tenth of a second instead of five, and what happens at a random moment happens
in the run, not in an import. Reads a JSON object a line, and prints ``{"pid": …}`` when a run has
started and ``{"pid": …, "status": …}`` when it has ended.
"""

import json
import os
import select
import signal
import sys
from typing import Any


def serve() -> None:
    """Start runs until standard input is closed."""
    _import_libraries()
    running, is_open = 0, True
    while running or is_open:
        if is_open and select.select([sys.stdin], [], [], 0.01 if running else None)[0]:
            line = sys.stdin.readline()
            is_open = bool(line)
            if line:
                _answer(pid=_start(**json.loads(line)))
                running += 1
        pid, status = os.waitpid(-1, os.WNOHANG) if running else (0, 0)
        if pid:
            _answer(pid=pid, status=os.waitstatus_to_exitcode(status))
            running -= 1


def _answer(**values: int) -> None:
    print(json.dumps(values), flush=True)  # noqa: T201


def _import_libraries() -> None:
    import seaborn as sns  # noqa: F401

    import mnist_kedro.cli
    import mnist_kedro.datasets.keras_model_dataset
    import mnist_kedro.metrics.classification
    import mnist_kedro.models.fitting
    import mnist_kedro.plots.digits  # noqa: F401


def _start(
    arguments: list[str], folder: str, log: str, variables: dict[str, str], kill_in: str | None
) -> int:
    """Fork a process that runs ``kedro`` with arguments; return its identifier."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    # A shell that starts the tests in the background has SIGINT ignored in all children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    os.environ.update(variables)
    sys.argv = ["kedro", *arguments]
    if kill_in:
        _kill_while_writing(kill_in)
    from kedro.framework.cli import main

    main()
    os._exit(0)


def _kill_while_writing(name: str) -> None:
    """Kill this process when half of the first piece of a file of that name is written.

    HDF5 writes to a path: there the process is killed before it writes the second piece.
    """
    from mnist_kedro.datasets.atomic_filesystem import NewFile, _AtomicFile

    write, reserve = _AtomicFile.write, NewFile.reserve

    def write_half(self: _AtomicFile, data: Any) -> int:
        if self._new._target.name != name:
            return write(self, data)
        write(self, bytes(data)[: len(bytes(data)) // 2])
        self._file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    def reserve_first(self: NewFile, size: int, more_bytes: int) -> None:
        if size and self._target.name == name:
            os.kill(os.getpid(), signal.SIGKILL)
        reserve(self, size, more_bytes)

    _AtomicFile.write, NewFile.reserve = write_half, reserve_first
