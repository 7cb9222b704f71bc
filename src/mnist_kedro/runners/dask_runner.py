"""Nodes as tasks of a Dask cluster."""

import logging
import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from typing import Any

from kedro.io import CatalogProtocol
from kedro.io.core import AbstractVersionedDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner.runner import AbstractRunner
from pluggy import PluginManager

from mnist_kedro.errors import InputError
from mnist_kedro.runners.replay import NodeHooks
from mnist_kedro.runners.task import Outcome, interrupt, packed, perform, prepare_workers

logger = logging.getLogger(__name__)

_REACH_SECONDS = 10
_WORKER_SECONDS = 60  # for the first to come
_LOOK_SECONDS = 2  # between two looks at which workers there are
_END_SECONDS = 10  # for interrupted nodes to end


class DaskRunner(AbstractRunner):
    """Runs each node on a worker of a ``dask.distributed`` cluster as soon as its inputs are there.

    A worker has one node at a time, and as many threads for it as Dask gives the worker. Data go
    through the catalog, so all machines have to see the same files; only what the catalog keeps in
    memory stays on the worker that made it, and goes to where it is needed. When a worker is lost,
    the nodes that it had at work run again on another. When the run is interrupted, so are they.

    Hooks are called here, where the run was started, in Kedro's order. Those that ask for data
    that are elsewhere have them loaded by the catalog.
    """

    def __init__(
        self, address: str | None = None, workers: int | None = None, is_async: bool = False
    ) -> None:
        """Reaches for nothing yet.

        Args:
            address: of a scheduler, as ``tcp://10.0.0.1:8786``; None: a cluster of processes on
                this machine, for this run.
            workers: how many processes there are without an address; None: one for each core.
            is_async: must be false; nodes run side by side anyway.

        Raises:
            InputError: when an option is not as it should be, or Dask is not installed.
        """
        if is_async:
            raise InputError("DaskRunner has no --async: nodes run side by side anyway.")
        if address is not None and workers is not None:
            raise InputError("DaskRunner: 'workers' is not for a cluster with an 'address'.")
        if workers is not None and (not isinstance(workers, int) or workers < 1):
            raise InputError(f"DaskRunner: 'workers' should be a whole number ≥ 1, is {workers!r}.")
        try:
            import distributed  # noqa: F401, PLC0415  (for those alone who use it)
        except ModuleNotFoundError as error:
            raise InputError(
                f"{error.name} is needed for DaskRunner; pip install 'mnist_kedro[dask]'."
            ) from error
        super().__init__(is_async=False)
        self._address, self._workers = address, workers

    def __str__(self) -> str:
        """As it is named on the command line."""
        return "mnist_kedro.runners.DaskRunner"

    def _get_executor(self, max_workers: int) -> Executor | None:  # noqa: ARG002
        return None

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        with self._client() as client:
            run = _Run(client, pipeline, catalog, hook_manager, run_id)
            try:
                with _scheduler_told(client):
                    run.to_the_end()
            except KeyboardInterrupt as error:
                for note in run.interrupt():
                    error.add_note(note)
                raise
            except Exception:
                self._suggest_resume_scenario(pipeline, run.done, catalog)
                raise
            finally:
                run.cancel()

    @contextmanager
    def _client(self) -> Iterator[Any]:
        from distributed import Client, LocalCluster  # noqa: PLC0415

        for name in ("distributed", "distributed.client"):  # what they tell is told here
            logging.getLogger(name).setLevel(logging.CRITICAL)
        if self._address is None:
            with (
                LocalCluster(
                    n_workers=self._workers,
                    threads_per_worker=1,
                    memory_limit=0,  # TensorFlow reserves more than it uses
                    dashboard_address=":0",  # any port: there may be another cluster
                    silence_logs=logging.CRITICAL,
                ) as cluster,
                Client(cluster) as client,
            ):
                yield _ready(client)
            return
        try:
            client = Client(self._address, timeout=_REACH_SECONDS)
        except (OSError, ValueError) as error:
            raise InputError(
                f"{self._address}: no Dask scheduler answers there (address; {error})."
            ) from error
        with client:
            yield _ready(client)


def _ready(client: Any) -> Any:
    from distributed import LocalCluster  # noqa: PLC0415

    try:
        client.wait_for_workers(1, timeout=_WORKER_SECONDS)
    except TimeoutError as error:
        raise InputError(
            f"{client.scheduler.address}: the scheduler has no workers; "
            f"'dask worker {client.scheduler.address}' starts one."
        ) from error
    prepare_workers(client)
    if not isinstance(client.cluster, LocalCluster):  # whose workers write here themselves
        client.forward_logging("mnist_kedro", level="INFO")
    logger.info("%s.", _workers(len(client.nthreads())))
    return client


def _workers(count: int) -> str:
    return f"{count} Dask {'worker' if count == 1 else 'workers'}"


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


class _Run:
    """One pipeline on its way."""

    def __init__(
        self,
        client: Any,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: PluginManager | None,
        run_id: str | None,
    ) -> None:
        self._client, self._catalog, self._run_id = client, catalog, run_id
        self._hooks = NodeHooks(hook_manager, catalog, run_id)
        self._dependencies = pipeline.node_dependencies
        self._outputs = pipeline.outputs()
        self._waiting = [*pipeline.nodes]  # in Kedro's order; the first that can is started
        self._running: dict[Any, Node] = {}  # by their futures
        self._in_memory: dict[str, Any] = {}  # futures of what the catalog does not keep
        self._workers = {*client.nthreads()}  # addresses
        self.done: set[Node] = set()

    def to_the_end(self) -> None:
        """Run all nodes; raise what the first raises that fails."""
        while self._waiting or self._running:
            self._look_at_workers()
            free = max(1, len(self._workers)) - len(self._running)
            for node in [node for node in self._waiting if self._dependencies[node] <= self.done]:
                if free > 0:
                    self._start(node)
                    free -= 1
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
            logger.warning("Lost %s; what ran there runs again.", _workers(len(lost)))
            if not self._workers:
                address = self._client.scheduler.address
                logger.warning("None is left. Waiting for 'dask worker %s'.", address)
        if self._workers - before:
            logger.info("%s.", _workers(len(self._workers)))

    def interrupt(self) -> list[str]:
        """End what runs as after Ctrl-C, and give what its nodes have to say of that."""
        with suppress(Exception):  # the cluster may be gone as well
            self._client.run(interrupt, on_error="ignore")
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
            key=f"{node.name}-{self._run_id}",
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
                Outcome.output, future, name, key=f"{name}-{self._run_id}", pure=False
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
