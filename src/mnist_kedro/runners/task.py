"""What a worker does for a node."""

import os
import sys
from collections.abc import Mapping
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


def perform(node: Node, catalog: CatalogProtocol, given: Mapping[str, Any]) -> Outcome:
    """Load a node's inputs, run it, and save its outputs.

    Args:
        node: as in the pipeline.
        catalog: a copy of the run's.
        given: inputs that the catalog does not have.
    """
    for name, data in given.items():
        _put(catalog, name, data)
    _allow_again(node, catalog)
    outcome, no_hooks = Outcome(), cast("PluginManager", _NullPluginManager())
    try:
        Task(node, catalog, is_async=False, hook_manager=no_hooks).execute()
    except Exception as error:  # noqa: BLE001
        outcome.errors = [*_chain(error)]
        return outcome
    for name in node.outputs:
        if isinstance(catalog.get(name), MemoryDataset):
            outcome.data[name] = catalog.load(name)
    outcome.used = {
        name: catalog.get(name) for name in node.inputs if hasattr(catalog.get(name), "adopt")
    }
    return outcome


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
    from distributed import WorkerPlugin  # noqa: PLC0415

    class Preparation(WorkerPlugin):
        """Of each worker, before its first node."""

        name = "mnist_kedro"

        def __init__(self, source: str, package: str | None) -> None:
            self._source, self._package = source, package

        def setup(self, worker: Any) -> None:
            """Called by Dask."""
            if self._source not in sys.path and Path(self._source).is_dir():
                sys.path.insert(0, self._source)
            os.environ["TQDM_DISABLE"] = "1"  # bars of several processes make no picture
            # TensorFlow would take all cores of the machine in each worker.
            for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
                os.environ.setdefault(variable, str(worker.state.nthreads))
            if self._package:
                configure_project(self._package)  # its log and settings: the atomic file system

    source = Path(mnist_kedro.__file__).parents[1]
    client.register_plugin(Preparation(str(source), project.PACKAGE_NAME))
