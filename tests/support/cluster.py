"""A Dask cluster of separate processes on this machine, as people start it by hand."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.processes import Background, background

_HERE = ("--host", "127.0.0.1", "--no-dashboard")


class Cluster:
    """A scheduler and its workers."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self.scheduler = self._start("dask_scheduler", "--port", "0", folder=folder)
        self.address = self.scheduler.wait_for(r"Scheduler at:\s+(tcp://127\S+)")[1]
        self.workers: list[Background] = []

    def add_worker(self, folder: Path | None = None) -> None:
        """Start a worker with one thread, in the project's folder or another.

        Nothing starts it again when it is killed.
        """
        options = (self.address, "--nthreads", "1", "--no-nanny")
        self.workers.append(self._start("dask_worker", *options, folder=folder or self._folder))

    def wait_for_workers(self) -> None:
        """Wait until all workers have found the scheduler."""
        for worker in self.workers:
            worker.wait_for(r"Registered to:\s+tcp")

    def _start(self, program: str, *options: str, folder: Path) -> Background:
        command = ("-m", f"distributed.cli.{program}", *options, *_HERE)
        sources = str(self._folder / "src")
        return self._stack.enter_context(background(*command, folder=folder, PYTHONPATH=sources))


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """Start a cluster in a project's folder."""
    with ExitStack() as stack:
        made = Cluster(folder, stack)
        for _ in range(workers):
            made.add_worker()
        made.wait_for_workers()
        yield made
