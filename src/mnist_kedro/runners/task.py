"""What a worker does for a node."""

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
from mnist_kedro.datasets.interrupts import interrupt_thread

# A worker with several threads could be given several nodes; TensorFlow, Keras's seeds and the
# current folder belong to the process.
_turn = threading.Lock()
_at_work: dict[int, str] = {}  # the thread that has a node, and the run that it is of


@dataclass
class Outcome:
    """What came of a node, on the worker that ran it."""

    data: dict[str, Any] = field(default_factory=dict, repr=False)  # outputs kept in memory
    used: dict[str, Any] = field(default_factory=dict)  # inputs that remember how they were used
    errors: list[BaseException] = field(default_factory=list)  # the error, and what caused it

    @property
    def kept(self) -> list[str]:
        """Names of outputs kept in memory."""
        return [*self.data]

    def output(self, name: str) -> Any:
        """One of them."""
        return self.data[name]

    def error(self) -> BaseException:
        """The error with its causes; on its way it lost them."""
        for error, cause in zip(self.errors, self.errors[1:], strict=False):
            error.__cause__ = cause
        return self.errors[0]


def packed(node: Node, catalog: CatalogProtocol) -> bytes:
    """A node and what it needs of the catalog, as a worker gets them.

    Dask's scheduler, which looks into all that it passes on, would have to import what they are
    made of, TensorFlow too.
    """
    from distributed.protocol.pickle import dumps  # noqa: PLC0415

    return dumps((node, catalog))


def perform(task: bytes, given: Mapping[str, Any], folder: str, run: str) -> Outcome:
    """Load a node's inputs, run it, and save its outputs.

    Args:
        task: of :func:`packed`.
        given: inputs that the catalog does not have.
        folder: where the run was started; relative paths in parameters are meant from there.
        run: what tells this run from others on the cluster.
    """
    from distributed.protocol.pickle import loads  # noqa: PLC0415

    node, catalog = loads(task)
    for name, data in given.items():
        _put(catalog, name, data)
    _allow_again(node, catalog)
    no_hooks = cast("PluginManager", _NullPluginManager())
    with _turn, chdir(folder) if Path(folder).is_dir() else nullcontext():
        _at_work[threading.get_ident()] = run
        try:
            Task(node, catalog, is_async=False, hook_manager=no_hooks).execute()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001
            return Outcome(errors=[*_chain(error)])
        finally:
            _at_work.clear()
    outcome = Outcome()
    for name in node.outputs:
        if isinstance(catalog.get(name), MemoryDataset):
            outcome.data[name] = catalog.load(name)
    outcome.used = {
        name: catalog.get(name) for name in node.inputs if hasattr(catalog.get(name), "adopt")
    }
    return outcome


def interrupt(run: str) -> None:
    """Have the node of a run that this process has at work, if any, end as after Ctrl-C."""
    for thread in [thread for thread, of in _at_work.items() if of == run]:
        interrupt_thread(thread)


def _put(catalog: CatalogProtocol, name: str, data: Any) -> None:
    dataset = catalog.get(name)
    if isinstance(dataset, MemoryDataset):
        dataset.save(data)
    else:  # a hook's, in place of what is stored
        catalog[name] = MemoryDataset(data)


def _allow_again(node: Node, catalog: CatalogProtocol) -> None:
    """Let a node that runs again, after its worker was lost, replace what it saved before.

    The version is this run's alone, so nothing else can be there.
    """
    for name in node.outputs:
        dataset: Any = catalog.get(name)
        if isinstance(dataset, AbstractVersionedDataset) and dataset.resolve_save_version():
            path = dataset._get_versioned_path(str(dataset.resolve_save_version()))  # noqa: SLF001
            dataset.__dict__["_get_save_path"] = lambda path=path: path


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (cause := chain[-1].__cause__) is not None:
        chain.append(cause)
    return chain


def prepare_workers(client: Any) -> None:
    """Have all workers, also those that come later, find the project and keep to their threads."""
    from distributed import LocalCluster, WorkerPlugin  # noqa: PLC0415

    class Preparation(WorkerPlugin):
        """Of each worker, before its first node."""

        name = "mnist_kedro"

        def __init__(self, source: str, package: str | None, own: bool) -> None:
            self._source, self._package, self._own = source, package, own

        def setup(self, worker: Any) -> None:
            """Called by Dask."""
            if self._own:  # Ctrl-C reaches all processes of a terminal; the run's passes it on
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            if self._source not in sys.path and Path(self._source).is_dir():
                sys.path.insert(0, self._source)
            os.environ["TQDM_DISABLE"] = "1"  # bars of several processes make no picture
            # TensorFlow would take all cores of the machine in each worker.
            for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
                os.environ.setdefault(variable, str(worker.state.nthreads))
            if self._package:
                configure_project(self._package)  # its log and settings: the atomic file system

    source = Path(mnist_kedro.__file__).parents[1]
    own = isinstance(client.cluster, LocalCluster)
    client.register_plugin(Preparation(str(source), project.PACKAGE_NAME, own))
