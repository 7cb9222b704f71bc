"""One pipeline on its way over a Dask cluster."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

from kedro.io import CatalogProtocol
from kedro.io.core import AbstractVersionedDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from pluggy import PluginManager

from mnist_kedro.errors import InputError
from mnist_kedro.runners.replay import NodeHooks
from mnist_kedro.runners.task import Outcome, interrupt, packed, perform

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 2  # between two looks at which workers there are
_END_SECONDS = 10  # for interrupted nodes to end


class DaskRun:
    """One pipeline on its way."""

    def __init__(
        self,
        client: Any,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: PluginManager | None,
        run_id: str | None,
    ) -> None:
        self._client, self._catalog = client, catalog
        self._id = uuid4().hex  # a cluster may have other runs, also with the same run_id
        self._hooks = NodeHooks(hook_manager, catalog, run_id)
        self._dependencies = pipeline.node_dependencies
        self._outputs = pipeline.outputs()
        self._waiting = [*pipeline.nodes]  # in Kedro's order; the first that can is started
        self._running: dict[Any, Node] = {}  # by their futures
        self._in_memory: dict[str, Any] = {}  # futures of what the catalog does not keep
        self._workers: set[str] = set()  # addresses
        self.done: set[Node] = set()

    def to_the_end(self) -> None:
        """Run all nodes; raise what the first raises that fails."""
        with _scheduler_told(self._client):
            while self._waiting or self._running:
                self._look_at_workers()
                free = max(1, len(self._workers)) - len(self._running)
                ready = [node for node in self._waiting if self._dependencies[node] <= self.done]
                for node in ready[: max(0, free)]:
                    self._start(node)
                for future in self._wait(_LOOK_SECONDS, "FIRST_COMPLETED"):
                    self._finish(self._running.pop(future), future)

    def _wait(self, seconds: float, until: str) -> list[Any]:
        """The nodes' futures that are done, at the latest after so many seconds."""
        from distributed import wait  # noqa: PLC0415

        with suppress(TimeoutError):
            wait([*self._running], timeout=seconds, return_when=until)
        return [future for future in self._running if future.done()]

    def _look_at_workers(self) -> None:
        before = self._workers
        with suppress(OSError):  # where the scheduler went away, waiting for nodes tells it
            self._workers = {*self._client.nthreads()}
        if lost := before - self._workers:
            logger.warning("Lost %s; what ran there runs again.", _workers(lost))
            if not self._workers:
                address = self._client.scheduler.address
                logger.warning("None is left. Waiting for 'dask worker %s'.", address)
        if self._workers - before:
            logger.info("%s.", _workers(self._workers))

    def interrupt(self) -> list[str]:
        """End what runs as after Ctrl-C, and give what its nodes have to say of that."""
        if not self._workers:
            return []
        with suppress(Exception):  # the cluster may be gone as well
            self._client.run(interrupt, self._id, on_error="ignore")
            outcomes = [future.result() for future in self._wait(_END_SECONDS, "ALL_COMPLETED")]
            errors = [error for outcome in outcomes for error in outcome.errors]
            return [note for error in errors for note in getattr(error, "__notes__", [])]
        return []

    def cancel(self) -> None:
        """What still runs is not waited for, and what is in memory is let go."""
        self._client.cancel([*self._running])
        for future in self._in_memory.values():  # to cancel it may fail when a task took it
            future.release()

    def _start(self, node: Node) -> None:
        self._waiting.remove(node)
        given = {name: self._in_memory[name] for name in node.inputs if name in self._in_memory}
        changed = self._hooks.before(node, given)
        future = self._client.submit(
            perform,
            packed(node, self._catalog),
            {**given, **changed},
            os.getcwd(),  # noqa: PTH109
            self._id,
            key=f"{node.name}-{self._id}",
            pure=False,
        )
        self._running[future] = node

    def _finish(self, node: Node, future: Any) -> None:
        outcome = _outcome(node, future)
        if outcome.errors:
            error = outcome.error()
            self._hooks.failed(node, error)
            raise error
        for name in outcome.kept:
            self._in_memory[name] = self._client.submit(
                Outcome.output, future, name, key=f"{name}-{self._id}", pure=False
            )
            if name in self._outputs:
                self._catalog.save(name, self._in_memory[name].result())
        for name, dataset in outcome.used.items():
            known: Any = self._catalog.get(name)
            known.adopt(dataset)
        for name in node.outputs:
            dataset = self._catalog.get(name)
            if isinstance(dataset, AbstractVersionedDataset):
                dataset.release()  # what it remembers of the file system is of before
        self._hooks.after(node, self._in_memory)
        self.done.add(node)


def _outcome(node: Node, future: Any) -> Outcome:
    from distributed import KilledWorker  # noqa: PLC0415

    try:
        return future.result()
    except KilledWorker as error:
        raise InputError(
            f"{node.name}: the worker that ran it was lost, {error.allowed_failures + 1} times in "
            "turn; its log tells why, most often memory."
        ) from error


@contextmanager
def _scheduler_told(client: Any) -> Iterator[None]:
    """Say in one line that the scheduler went away."""
    from distributed import CancelledError  # noqa: PLC0415
    from distributed.comm import CommClosedError  # noqa: PLC0415

    address = client.scheduler.address
    try:
        yield
    except (CancelledError, CommClosedError) as error:
        raise InputError(
            f"{address}: the Dask scheduler went away; what was saved is there. Start the cluster "
            "anew, and the run."
        ) from error


def _workers(addresses: set[str]) -> str:
    return f"{len(addresses)} Dask {'worker' if len(addresses) == 1 else 'workers'}"
