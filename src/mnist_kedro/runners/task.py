"""Run a node on a worker."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import chdir, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from kedro.framework import project
from kedro.framework.hooks.manager import _NullPluginManager
from kedro.framework.project import configure_project
from kedro.io import CatalogProtocol, MemoryDataset
from kedro.io.core import AbstractVersionedDataset
from kedro.pipeline.node import Node
from kedro.runner.task import Task
from pluggy import PluginManager

import mnist_kedro

# A worker with several threads may get several nodes. It runs one at a time, because TensorFlow,
# Keras's seeds and the current folder are global in the process.
_one_node = threading.Lock()
_run_by_thread: dict[int, str] = {}  # the thread that runs a node, and the run of the node


@dataclass
class Outcome:
    """Hold the result of a node on the worker that ran it."""

    data: dict[str, Any] = field(default_factory=dict, repr=False)  # outputs kept in memory
    used: dict[str, Any] = field(default_factory=dict)  # inputs that record how they were used
    errors: list[BaseException] = field(default_factory=list)  # the error, then its causes

    @property
    def names_in_memory(self) -> list[str]:
        """Return the names of the outputs kept in memory."""
        return [*self.data]

    def output(self, name: str) -> Any:
        """Return an output kept in memory."""
        return self.data[name]

    def error(self) -> BaseException:
        """Return the error with its causes, which pickling removed."""
        for error, cause in zip(self.errors, self.errors[1:], strict=False):
            error.__cause__ = cause
        return self.errors[0]


def pickle_task(node: Node, catalog: CatalogProtocol) -> bytes:
    """Pickle a node and the catalog for a worker.

    Dask's scheduler unpickles the arguments of a task except bytes. Unpickling nodes and catalogs
    imports TensorFlow, which the scheduler should not need.
    """
    from distributed.protocol.pickle import dumps  # noqa: PLC0415

    return dumps((node, catalog))


def run_task(task: bytes, inputs: Mapping[str, Any], folder: str, run: str) -> Outcome:
    """Load a node's inputs, run the node, and save its outputs.

    Args:
        task: the result of :func:`pickle_task`.
        inputs: inputs that the catalog does not store.
        folder: where the run was started; relative paths in parameters start there.
        run: identifies the run among all runs on the cluster.
    """
    from distributed.protocol.pickle import loads  # noqa: PLC0415

    node, catalog = loads(task)
    for name, data in inputs.items():
        _set_input(catalog, name, data)
    _allow_overwriting(node, catalog)
    no_hooks = cast("PluginManager", _NullPluginManager())
    with _one_node, chdir(folder) if Path(folder).is_dir() else nullcontext():
        _run_by_thread[threading.get_ident()] = run
        try:
            Task(node, catalog, is_async=False, hook_manager=no_hooks).execute()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001
            return Outcome(errors=_with_causes(error))
        finally:
            _run_by_thread.clear()
    outcome = Outcome()
    for name in node.outputs:
        if isinstance(catalog.get(name), MemoryDataset):
            outcome.data[name] = catalog.load(name)
    outcome.used = {
        name: catalog.get(name) for name in node.inputs if hasattr(catalog.get(name), "adopt")
    }
    return outcome


def interrupt(run: str) -> None:
    """Interrupt the node that this process executes for a run, if any, as Ctrl-C does."""
    for thread in [thread for thread, its_run in _run_by_thread.items() if its_run == run]:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt)
        )


def _set_input(catalog: CatalogProtocol, name: str, data: Any) -> None:
    dataset = catalog.get(name)
    if isinstance(dataset, MemoryDataset):
        dataset.save(data)
    else:  # a hook replaced the stored input
        catalog[name] = MemoryDataset(data)


def _allow_overwriting(node: Node, catalog: CatalogProtocol) -> None:
    """Let a node that runs again after the loss of its worker overwrite its own outputs.

    No other run has the same version, so nothing else can be overwritten.
    """
    for name in node.outputs:
        dataset: Any = catalog.get(name)
        if isinstance(dataset, AbstractVersionedDataset) and dataset.resolve_save_version():
            path = dataset._get_versioned_path(str(dataset.resolve_save_version()))  # noqa: SLF001
            dataset.__dict__["_get_save_path"] = lambda path=path: path


def _with_causes(error: BaseException) -> list[BaseException]:
    errors = [error]
    while (cause := errors[-1].__cause__) is not None:
        errors.append(cause)
    return errors


def prepare_workers(client: Any) -> None:
    """Configure the project and limit TensorFlow's threads on all present and future workers."""
    from distributed import LocalCluster, WorkerPlugin  # noqa: PLC0415

    class Preparation(WorkerPlugin):
        """Prepare a worker before its first node."""

        name = "mnist_kedro"

        def __init__(self, source: str, package: str | None, is_local: bool) -> None:
            self._source, self._package, self._is_local = source, package, is_local

        def setup(self, worker: Any) -> None:
            """Prepare the worker; Dask calls this."""
            # Ctrl-C reaches all processes of a terminal, but the run decides what it interrupts.
            if self._is_local:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            if self._source not in sys.path and Path(self._source).is_dir():
                sys.path.insert(0, self._source)
            os.environ["TQDM_DISABLE"] = "1"  # progress bars of several processes would mix
            # By default TensorFlow uses all cores of the machine in each worker.
            for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
                os.environ.setdefault(variable, str(worker.state.nthreads))
            if self._package:
                configure_project(self._package)  # its logging, and settings such as atomic saves

    source = Path(mnist_kedro.__file__).parents[1]
    is_local = isinstance(client.cluster, LocalCluster)
    client.register_plugin(Preparation(str(source), project.PACKAGE_NAME, is_local))
