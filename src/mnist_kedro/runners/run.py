"""Execute one pipeline on a Dask cluster."""

import logging
import operator
import os
import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from copy import copy
from functools import partial
from itertools import chain
from typing import Any
from uuid import uuid4

from kedro.io import DatasetError, MemoryDataset
from kedro.io.catalog_config_resolver import CatalogConfigResolver
from kedro.io.data_catalog import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from mnist_kedro.runners.errors import DaskRunnerError
from mnist_kedro.runners.messages import Inbox, Message
from mnist_kedro.runners.pickling import dumps, loads
from mnist_kedro.runners.states import apply, changes, in_memory, states_of
from mnist_kedro.runners.task import NodeTask, Settings, interrupt, run_node

logger = logging.getLogger(__name__)
kedro_logger = logging.getLogger(
    "kedro.runner.dask_runner"
)  # for the messages of Kedro's own runners

WORKER_SECONDS = 60  # maximum wait for a new worker after the last worker was lost

_POLL_SECONDS = 1  # between two checks for lost workers and failed tasks
_INTERRUPT_SECONDS = 10  # maximum wait for interrupted nodes to end
_SMALL_BYTES = 100_000  # smaller data is sent with each task that needs the data
_LOAD_SECONDS = 60  # maximum wait of a hook that loads data in memory


class DaskRun:
    """Execute one pipeline; start each node as soon as its inputs exist and a worker is free.

    The nodes run on workers and send messages to this process, which calls the hooks.
    """

    def __init__(
        self,
        client: Any,
        pipeline: Pipeline,
        catalog: DataCatalog,
        hook_manager: Any,
        run_id: str | None,
        code: Mapping[str, str],
    ) -> None:
        self._client, self._pipeline, self._catalog = client, pipeline, catalog
        self._id = uuid4().hex  # unlike run_id, unique on the cluster
        self._inbox = Inbox(client, self._id)
        self._hooks, self._run_id = hook_manager, run_id
        self._nodes = {node.name: node for node in pipeline.nodes}
        self._todo = [*pipeline.nodes]  # in Kedro's order
        self._running: dict[str, Any] = {}  # future of each submitted node, by name
        self._started: set[str] = set()  # names of the nodes that a worker has started
        self._saved: dict[str, list[str]] = {name: [] for name in self._nodes}  # paths
        self._hook_errors: dict[str, BaseException] = {}  # raised by or passed to hooks, by node
        self._error: BaseException | None = None  # error of the first node that failed
        self._workers: set[str] = set()  # addresses of the workers
        self._last_check = self._last_worker = time.monotonic()
        self._chosen: dict[str, str] = {}  # address of the worker chosen for each node
        self._data: dict[str, Any] = {}  # future of each dataset in memory
        self._memory: dict[str, Any] = {  # the catalog's datasets in memory
            name: catalog[name] for name in pipeline.datasets() if in_memory(catalog[name])
        }
        self._settings = Settings(
            hooks=_implemented_hooks(hook_manager),
            returned=pipeline.outputs() & self._memory.keys(),
            run_id=run_id,
            folder=os.getcwd(),  # noqa: PTH109
            code=code,
        )
        self._readers = Counter(chain.from_iterable(node.inputs for node in pipeline.nodes))
        self.done: set[Node] = set()

    def execute(
        self, release: Callable[[Node, DataCatalog, dict[str, int], Pipeline], None]
    ) -> None:
        """Run all nodes; if a node fails, wait for the running nodes, and raise the first error.

        Args:
            release: function that releases the datasets that no other node reads.
        """
        from distributed import CancelledError  # noqa: PLC0415
        from distributed.comm import CommClosedError  # noqa: PLC0415

        self._release = release
        dependencies = self._pipeline.node_dependencies
        try:
            self._check_workers()
            while self._running or (self._todo and not self._error):
                for node in [node for node in self._todo if dependencies[node] <= self.done]:
                    if not self._error and len(self._running) < len(self._workers):
                        self._start(node)
                if message := self._inbox.receive(_POLL_SECONDS):
                    self._handle(message)
                if time.monotonic() - self._last_check > _POLL_SECONDS:
                    self._check_workers()
        except (CancelledError, CommClosedError) as error:
            raise DaskRunnerError(
                f"{self._client.scheduler.address}: the connection to the Dask scheduler was lost; "
                "saved outputs are kept. Restart the cluster, and start the run again."
            ) from error
        if self._error:
            raise self._error

    def interrupt(self) -> list[str]:
        """Interrupt the running nodes like Ctrl-C, and return the notes of their exceptions."""
        notes: list[str] = []
        with suppress(Exception):  # the cluster may be lost, too
            self._client.run(interrupt, self._id, on_error="ignore")
            end = time.monotonic() + _INTERRUPT_SECONDS
            while self._started & self._running.keys() and time.monotonic() < end:
                message = self._inbox.receive(_POLL_SECONDS)
                if message and message.kind == "ended":
                    self._running.pop(message.node, None)
                    error = loads(*message.content).get("error")
                    notes += getattr(error, "__notes__", [])
                elif message and message.kind != "saves":
                    self._inbox.answer(message, _raise_run_ended)
        return notes

    def close(self) -> None:
        """Cancel the running nodes, and release the data in the workers' memory."""
        with suppress(Exception):  # the cluster may be lost
            self._client.cancel([*self._running.values()])
            self._inbox.close()
        self._data.clear()
        self._catalog._datasets.update(self._memory)  # noqa: SLF001

    def _start(self, node: Node) -> None:
        datasets = {name: self._memory.get(name) or self._catalog[name] for name in _names(node)}
        try:
            task, inputs = self._pack(node, datasets)
        except Exception as error:
            raise DaskRunnerError(
                f"{node.name}: the node or one of its datasets cannot be pickled, so it cannot be "
                f"sent to a worker ({error})."
            ) from error
        self._running[node.name] = self._client.submit(
            *(run_node, node.name, task, inputs, self._id),
            key=f"{node.name}-{uuid4().hex}",
            pure=False,
            workers=[self._choose_worker(node.name)],
            allow_other_workers=True,
        )
        self._todo.remove(node)

    def _choose_worker(self, node: str) -> str:
        """Choose the worker with the fewest nodes; Dask would prefer one that has the inputs."""
        busy = Counter(self._chosen[name] for name in self._running)
        self._chosen[node] = min(sorted(self._workers), key=busy.__getitem__)
        return self._chosen[node]

    def _pack(self, node: Node, datasets: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
        """Return a pickled NodeTask, and the futures of the inputs in memory."""
        inputs = {}
        for name in [*datasets]:
            if name in self._memory and (future := self._send(name)):
                inputs[name] = future
            if name in inputs or (name in self._memory and name in node.outputs):
                datasets[name] = _empty(datasets[name])
        catalog = copy(self._catalog)
        catalog._datasets, catalog._lazy_datasets = datasets, {}  # noqa: SLF001
        catalog.validation_enabled = catalog._is_validation_enabled()  # noqa: SLF001
        catalog._config_resolver = CatalogConfigResolver(  # noqa: SLF001
            default_runtime_patterns=self._catalog.default_runtime_patterns
        )
        saved = self._catalog._save_validated  # noqa: SLF001
        return dumps(NodeTask(node, catalog, saved, self._settings)), inputs

    def _send(self, name: str) -> Any:
        """Return the future of data in memory; None if the data is small or does not exist yet."""
        if name not in self._data and self._memory[name].exists():
            data = self._memory[name]._data  # noqa: SLF001
            if len(pickled := dumps(data)) <= _SMALL_BYTES:
                return None
            with warnings.catch_warnings(action="ignore"):  # Dask warns of large arguments
                self._data[name] = self._client.submit(loads, pickled, pure=False)
        return self._data.get(name)

    def _handle(self, message: Message) -> None:
        name, content = message.node, message.content
        match message.kind:
            case "start":
                self._started.add(name)
                if future := self._running.get(name):  # let any worker run it if this one is lost
                    set_restrictions = self._client.scheduler.set_restrictions
                    self._client.sync(set_restrictions, worker={future.key: None})
                self._hook_errors.pop(name, None)
                saved = partial(list[str], self._saved[name])
                self._inbox.answer(message, _raise_run_ended if self._error else saved)
            case "saves":
                self._saved[name] += content
            case "hook":
                error = self._inbox.answer(message, partial(self._call_hook, name, *content))
                if error:
                    self._hook_errors[name] = error
            case "ended":
                future, ended = self._running.pop(name, None), loads(*content)
                if error := ended.get("error"):
                    self._fail(self._hook_errors.get(name) or error)
                elif future:  # otherwise, it ran again because its data was lost
                    self._finish(self._nodes[name], future, ended)

    def _call_hook(self, name: str, hook: str, arguments: list[str], pickled: bytes) -> Any:
        node, given = self._nodes[name], loads(pickled)
        if "error" in given:
            self._hook_errors[name] = given["error"]
        given |= {
            "node": node,
            "catalog": self._catalog,
            "is_async": False,
            "run_id": self._run_id,
        }
        datasets, names = self._catalog._datasets, _names(node)  # noqa: SLF001
        before = states_of(datasets, names)
        call = getattr(self._hooks.hook, hook)
        results = call(**{key: given.get(key) for key in arguments})
        changed = changes(before, states_of(datasets, names))
        return (results if hook == "before_node_run" else []), changed

    def _finish(self, node: Node, future: Any, ended: Mapping[str, Any]) -> None:
        apply(ended["changes"], self._catalog._datasets)  # noqa: SLF001
        self._catalog._save_validated |= ended["save_validated"]  # noqa: SLF001
        for name in node.outputs:
            dataset: Any = self._catalog[name]
            if name in ended["outputs"]:
                dataset._data = ended["outputs"][name]  # noqa: SLF001
            elif name in self._memory:
                self._memory[name].release()
            if name in ended["kept"] and self._readers[name]:
                self._data[name] = self._client.submit(operator.getitem, future, name, pure=False)
                remote = _RemoteDataset()
                remote.name, remote.futures, remote.node = name, self._data, future
                self._catalog._datasets[name] = remote  # noqa: SLF001
                self._data[name].add_done_callback(remote.forget_node)
        self.done.add(node)
        kedro_logger.info("Completed node: %s", node.name)
        kedro_logger.info("Completed %d out of %d tasks", len(self.done), len(self._nodes))
        self._release(node, self._catalog, self._readers, self._pipeline)

    def _fail(self, error: BaseException) -> None:
        """Store the first error, and cancel the nodes that have not started."""
        self._error = self._error or error
        for name in self._running.keys() - self._started:
            self._running.pop(name).cancel()

    def _check_workers(self) -> None:
        """Find new and lost workers, and nodes that ended without a message."""
        now, before, address = time.monotonic(), self._workers, self._client.scheduler.address
        with suppress(OSError):  # if the scheduler is lost, the futures report it
            self._workers = {*self._client.nthreads()}
        if lost := before - self._workers:
            logger.warning("Lost %s; interrupted nodes run again.", _count_workers(lost))
        if self._workers - before:
            logger.info("%s.", _count_workers(self._workers))
        if lost and not self._workers:
            logger.warning("No workers are left; start one with 'dask worker %s'.", address)
        if not self._workers and now - self._last_worker > WORKER_SECONDS:
            running = ", ".join(sorted(self._started & self._running.keys())) or "no node"
            raise DaskRunnerError(
                f"{address}: no workers for {WORKER_SECONDS} seconds; the last worker was lost "
                f"while running {running}. Its log has the reason, usually a lack of memory."
            )
        self._last_check, self._last_worker = now, now if self._workers else self._last_worker
        for name in self._running.keys() - self._started:
            if self._chosen[name] in lost:
                self._running.pop(name).cancel()
                self._todo.insert(0, self._nodes[name])
        for name, future in [*self._running.items()]:
            if future.status not in ("pending", "finished"):
                del self._running[name]
                self._fail(_failure(name, future))


class _RemoteDataset(MemoryDataset):
    """Load data in memory from a worker, for hooks that load it from the catalog."""

    name: str
    futures: dict[str, Any]  # not arguments of __init__, which Kedro would store
    node: Any  # future of all outputs of the node, until this output has its own future

    def forget_node(self, _future: Any) -> None:
        """Release the future of the node's other outputs."""
        self.node = None

    def load(self) -> Any:
        """Load the data from the worker."""
        if self.name not in self.futures:
            raise DatasetError("Data for MemoryDataset has not been saved yet.")
        if node := self.node:  # the worker may be busy with a node that waits for this hook
            return node.result(timeout=_LOAD_SECONDS)[self.name]
        return self.futures[self.name].result(timeout=_LOAD_SECONDS)

    def _exists(self) -> bool:
        return self.name in self.futures

    def _release(self) -> None:
        self.futures.pop(self.name, None)


def _implemented_hooks(manager: Any) -> dict[str, set[str]]:
    """Return the arguments of each implemented hook, by the hook's name."""
    taken: dict[str, set[str]] = {}
    for plugin in manager.get_plugins() or ():  # without hooks, Kedro returns None
        for caller in manager.get_hookcallers(plugin) or ():
            arguments = taken.setdefault(caller.name, set())
            for implementation in caller.get_hookimpls():
                arguments |= {*implementation.argnames} - {"node", "catalog"}
    return taken


def _names(node: Node) -> list[str]:
    """Return the names of all datasets that a node uses."""
    return [*dict.fromkeys([*node.inputs, *node.outputs, *node.confirms])]


def _empty(dataset: Any) -> Any:
    """Return a copy of a memory dataset without its data."""
    emptied = copy(dataset)
    emptied.release()
    return emptied


def _raise_run_ended() -> None:
    raise DaskRunnerError("the run has ended.")


def _failure(name: str, future: Any) -> Exception:
    """Return the error of a node that ended without a message."""
    from distributed import KilledWorker  # noqa: PLC0415

    error = future.exception()
    if isinstance(error, KilledWorker):
        return DaskRunnerError(
            f"{name}: the worker of this node was lost {error.allowed_failures + 1} times in a "
            "row; the worker's log has the reason, usually a lack of memory."
        )
    return DaskRunnerError(f"{name}: no worker could run this node ({error}).")


def _count_workers(addresses: Collection[str]) -> str:
    return f"{len(addresses)} Dask {'worker' if len(addresses) == 1 else 'workers'}"
