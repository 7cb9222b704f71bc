"""Run a node on a worker."""

import ctypes
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import chdir, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

from kedro.io import DatasetError
from kedro.io.core import AbstractVersionedDataset
from kedro.io.data_catalog import DataCatalog
from kedro.pipeline.node import Node
from kedro.runner.task import Task
from pluggy import PluginManager

from mnist_kedro.runners.messages import Messenger
from mnist_kedro.runners.pickling import dumps, dumps_anything, loads
from mnist_kedro.runners.preparation import check_code
from mnist_kedro.runners.states import apply, changes, in_memory, states_of

# A worker with several threads may get several nodes. It runs one node at a time, because the
# current folder and the random seeds of most libraries are global in a process.
_node_lock = threading.Lock()
_run_by_thread: dict[int, str] = {}  # id of the run, by the thread that executes one of its nodes


class Settings(NamedTuple):
    """The properties of a run that its workers need."""

    hooks: Mapping[str, Collection[str]]  # arguments of each implemented hook
    returned: Collection[str]  # outputs in memory that the pipeline returns
    run_id: str | None
    folder: str  # current folder of the run, to which paths in parameters are relative
    code: Mapping[str, str]  # digest of each package's code


class NodeTask(NamedTuple):
    """A node, its catalog, and the settings that a worker needs to run the node."""

    node: Node
    catalog: DataCatalog  # the node's datasets; those in memory are empty
    save_validated: Collection[str]  # datasets that a validator has already checked on save
    settings: Settings


def run_node(name: str, task: bytes, inputs: Mapping[str, Any], run: str) -> dict[str, Any]:
    """Run a node like Kedro's runners, but call the hooks in the process that started the run.

    Args:
        name: name of the node.
        task: a pickled NodeTask. Dask's scheduler does not unpickle bytes; other arguments would
            make the scheduler import the project.
        inputs: data of the inputs in memory, by dataset name.
        run: id of the run, unique on the cluster.

    Returns:
        Data of the outputs in memory, which stays on this worker. The process that started the run
        gets a message with the error, or with the changed attributes of datasets.
    """
    messenger = Messenger(run, name)
    outputs: dict[str, Any] = {}
    try:
        with _one_node_at_a_time(run):
            outputs, ended = _run(task, inputs, messenger)
        pickled = dumps(ended)
    except BaseException as error:  # noqa: BLE001  (a node may raise SystemExit)
        pickled = dumps_anything({"error": error})
    messenger.send("ended", pickled)
    messenger.close()
    return outputs


@contextmanager
def _one_node_at_a_time(run: str) -> Iterator[None]:
    """Wait until this process runs no other node, and block other nodes."""
    from distributed import secede  # noqa: PLC0415

    if not _node_lock.acquire(blocking=False):
        secede()  # the running node may itself use Dask, and need this thread
        _node_lock.acquire()
    _run_by_thread[threading.get_ident()] = run
    try:
        yield
    finally:
        _run_by_thread.clear()
        _node_lock.release()


def interrupt(run: str) -> None:
    """Raise KeyboardInterrupt in the node that this process executes for a run, if any."""
    for thread in [thread for thread, other in _run_by_thread.items() if other == run]:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt)
        )


def _run(
    pickled: bytes, inputs: Mapping[str, Any], messenger: Messenger
) -> tuple[dict[str, Any], dict[str, Any]]:
    saved_before = messenger.ask("start")
    node, catalog, save_validated, settings = loads(pickled)
    check_code(settings.code, messenger.worker)
    catalog._save_validated = {*save_validated}  # noqa: SLF001
    datasets: dict[str, Any] = catalog._datasets  # noqa: SLF001
    for name, data in inputs.items():
        datasets[name]._data = data  # noqa: SLF001
    before = states_of(datasets, datasets)
    hooks = cast("PluginManager", _RemoteHooks(messenger, settings.hooks, datasets))
    with (
        chdir(settings.folder) if Path(settings.folder).is_dir() else nullcontext(),
        _announce_saves(node, datasets, saved_before, messenger),
    ):
        Task(node, catalog, is_async=False, hook_manager=hooks, run_id=settings.run_id).execute()
    kept = [name for name in node.outputs if in_memory(datasets[name]) and datasets[name].exists()]
    outputs = {name: datasets[name]._data for name in kept}  # noqa: SLF001
    for name, data in outputs.items():
        _check_picklable(name, data)
    return outputs, {
        "changes": changes(before, states_of(datasets, datasets)),
        "kept": kept,
        "outputs": {name: outputs[name] for name in settings.returned if name in outputs},
        "save_validated": catalog._save_validated,  # noqa: SLF001
    }


class _RemoteHooks:
    """A plugin manager that calls the hooks in the process that started the run."""

    def __init__(
        self,
        messenger: Messenger,
        taken: Mapping[str, Collection[str]],
        datasets: Mapping[str, Any],
    ) -> None:
        self._messenger, self._taken, self._datasets = messenger, taken, datasets

    @property
    def hook(self) -> "_RemoteHooks":
        return self

    def __getattr__(self, name: str) -> Any:
        return partial(self._call, name)

    def _call(self, name: str, **arguments: Any) -> Any:
        self._messenger.check_not_cancelled()
        if name not in self._taken:
            return []
        taken = {key: arguments[key] for key in arguments if key in self._taken[name]}
        results, changed = self._messenger.ask("hook", name, [*arguments], dumps_anything(taken))
        apply(changed, self._datasets)
        return results


@contextmanager
def _announce_saves(
    node: Node, datasets: Mapping[str, Any], saved_before: Collection[str], messenger: Messenger
) -> Iterator[None]:
    """Announce each version before the node saves it, so that a second attempt may replace it.

    Otherwise, if a worker were lost after a save, the node could not save the same version again.

    Args:
        node: the node that is run.
        datasets: datasets of the node, by name.
        saved_before: paths that the node announced before its worker was lost.
        messenger: connection to the process that started the run.
    """
    own = {*saved_before}

    def save_path(dataset: Any) -> Any:
        path = dataset._get_versioned_path(dataset.resolve_save_version())  # noqa: SLF001
        if str(path) in own:
            own.remove(str(path))
            return path
        path = type(dataset)._get_save_path(dataset)  # noqa: SLF001
        messenger.send("saves", str(path))
        return path

    versioned = [
        datasets[name]
        for name in node.outputs
        if isinstance(datasets[name], AbstractVersionedDataset) and datasets[name]._version  # noqa: SLF001
    ]
    for dataset in versioned:
        dataset._get_save_path = partial(save_path, dataset)  # noqa: SLF001
    try:
        yield
    finally:
        for dataset in versioned:
            del dataset._get_save_path  # noqa: SLF001


def _check_picklable(name: str, data: Any) -> None:
    """Check that data in memory can be sent to other workers.

    Raises:
        DatasetError: if the data cannot be pickled.
    """
    from distributed.protocol import deserialize, serialize  # noqa: PLC0415

    try:
        deserialize(*serialize(data, on_error="raise"))
    except Exception as error:
        raise DatasetError(
            f"{name}: data of type '{type(data).__name__}' cannot be pickled, so it cannot be "
            f"sent to other workers ({error}); add '{name}' to the catalog, as a dataset on disk."
        ) from error
