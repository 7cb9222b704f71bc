"""A Dask cluster of separate processes on this machine, as people start it by hand."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import environment


class Cluster:
    def __init__(self, project: Path) -> None:
        self._project = project
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self.scheduler = self._start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"
        )
        self.workers: list[subprocess.Popen[bytes]] = []

    def add_worker(self, folder: Path | None = None) -> None:
        """One with one thread, in the project's folder or another.

        Nothing starts it again when it is killed.
        """
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        arguments = (self.address, *options)
        self.workers.append(self._start("dask_worker", *arguments, folder=folder))

    def wait_for(self, workers: int) -> None:
        from distributed import Client

        for _ in range(60):
            try:
                with Client(self.address, timeout=10) as client:
                    client.wait_for_workers(workers, timeout=30)
                    return
            except OSError:
                time.sleep(0.5)
        raise TimeoutError(self.address)

    def end(self) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()

    def _start(
        self, program: str, *arguments: str, folder: Path | None = None
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *arguments],
            cwd=folder or self._project,
            env=environment(self._project),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def cluster(project: Path, workers: int) -> Iterator[Cluster]:
    made = Cluster(project)
    try:
        for _ in range(workers):
            made.add_worker()
        if workers:
            made.wait_for(workers)
        yield made
    finally:
        made.end()
