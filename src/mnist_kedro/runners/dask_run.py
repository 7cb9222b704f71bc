"""Execute one pipeline on a Dask cluster."""

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
from mnist_kedro.runners.task import Outcome, interrupt, pickle_task, run_task

logger = logging.getLogger(__name__)

_POLL_SECONDS = 2  # between two updates of the list of workers
_INTERRUPT_SECONDS = 10  # for interrupted nodes to end


class DaskRun:
    """Execute one pipeline: each node as soon as its inputs exist and a worker is free."""

    def __init__(
        self,
        client: Any,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: PluginManager | None,
        run_id: str | None,
    ) -> None:
        self._client, self._catalog = client, catalog
        self._id = uuid4().hex  # unlike run_id, unique among the cluster's runs
        self._hooks = NodeHooks(hook_manager, catalog, run_id)
        self._dependencies = pipeline.node_dependencies
        self._outputs = pipeline.outputs()
        self._waiting = [*pipeline.nodes]  # in Kedro's order; the first ready node starts
        self._running: dict[Any, Node] = {}  # by future
        self._in_memory: dict[str, Any] = {}  # futures of data that the catalog does not store
        self._workers: set[str] = set()  # addresses
        self.done: set[Node] = set()

    def execute(self) -> None:
        """Run all nodes; raise the error of the first node that fails."""
        with _scheduler_loss_reported(self._client):
            while self._waiting or self._running:
                self._update_workers()
                free = max(1, len(self._workers)) - len(self._running)
                ready = [node for node in self._waiting if self._dependencies[node] <= self.done]
                for node in ready[: max(0, free)]:
                    self._start(node)
                for future in self._wait(_POLL_SECONDS, "FIRST_COMPLETED"):
                    self._finish(self._running.pop(future), future)

    def _wait(self, seconds: float, until: str) -> list[Any]:
        """Wait for nodes, at most ``seconds``, and return the futures of those that ended."""
        from distributed import wait  # noqa: PLC0415

        with suppress(TimeoutError):
            wait([*self._running], timeout=seconds, return_when=until)
        return [future for future in self._running if future.done()]

    def _update_workers(self) -> None:
        before = self._workers
        with suppress(OSError):  # if the scheduler is lost, waiting for nodes reports it
            self._workers = {*self._client.nthreads()}
        if lost := before - self._workers:
            logger.warning("Lost %s; interrupted nodes run again.", _count_workers(lost))
            if not self._workers:
                address = self._client.scheduler.address
                logger.warning("No worker is left; start one with 'dask worker %s'.", address)
        if self._workers - before:
            logger.info("%s.", _count_workers(self._workers))

    def interrupt(self) -> list[str]:
        """Interrupt the running nodes as Ctrl-C does, and return the notes of their errors."""
        if not self._workers:
            return []
        with suppress(Exception):  # the cluster may be lost, too
            self._client.run(interrupt, self._id, on_error="ignore")
            ended = self._wait(_INTERRUPT_SECONDS, "ALL_COMPLETED")
            errors = [error for future in ended for error in future.result().errors]
            return [note for error in errors for note in getattr(error, "__notes__", [])]
        return []

    def cancel(self) -> None:
        """Cancel the running nodes, and release the data in the workers' memory."""
        self._client.cancel([*self._running])
        for future in self._in_memory.values():  # canceling may fail if a task used the data
            future.release()

    def _start(self, node: Node) -> None:
        self._waiting.remove(node)
        inputs = {name: self._in_memory[name] for name in node.inputs if name in self._in_memory}
        replaced = self._hooks.before(node, inputs)
        future = self._client.submit(
            run_task,
            pickle_task(node, self._catalog),
            {**inputs, **replaced},
            os.getcwd(),  # noqa: PTH109
            self._id,
            key=f"{node.name}-{self._id}",
            pure=False,
        )
        self._running[future] = node

    def _finish(self, node: Node, future: Any) -> None:
        outcome = _outcome_of(node, future)
        if outcome.errors:
            error = outcome.error()
            self._hooks.failed(node, error)
            raise error
        for name in outcome.names_in_memory:
            self._in_memory[name] = self._client.submit(
                Outcome.output, future, name, key=f"{name}-{self._id}", pure=False
            )
            if name in self._outputs:
                self._catalog.save(name, self._in_memory[name].result())
        for name, dataset in outcome.used.items():
            local_dataset: Any = self._catalog.get(name)
            local_dataset.adopt(dataset)
        for name in node.outputs:
            dataset = self._catalog.get(name)
            if isinstance(dataset, AbstractVersionedDataset):
                dataset.release()  # its cached file listing is outdated
        self._hooks.after(node, self._in_memory)
        self.done.add(node)


def _outcome_of(node: Node, future: Any) -> Outcome:
    from distributed import KilledWorker  # noqa: PLC0415

    try:
        return future.result()
    except KilledWorker as error:
        raise InputError(
            f"{node.name}: the worker that ran it was lost {error.allowed_failures + 1} times in a "
            "row; the worker's log has the reason, most often a lack of memory."
        ) from error


@contextmanager
def _scheduler_loss_reported(client: Any) -> Iterator[None]:
    """Raise an InputError instead of Dask's exceptions if the scheduler is lost."""
    from distributed import CancelledError  # noqa: PLC0415
    from distributed.comm import CommClosedError  # noqa: PLC0415

    address = client.scheduler.address
    try:
        yield
    except (CancelledError, CommClosedError) as error:
        raise InputError(
            f"{address}: the Dask scheduler was lost; saved outputs are kept. Restart the cluster, "
            "and start the run again."
        ) from error


def _count_workers(addresses: set[str]) -> str:
    return f"{len(addresses)} Dask {'worker' if len(addresses) == 1 else 'workers'}"
