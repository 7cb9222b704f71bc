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

# A worker with several threads may get several nodes. It runs one at a time, because the current
# folder, and the random seeds of most libraries, are global in the process.
_one_node = threading.Lock()
_run_by_thread: dict[int, str] = {}  # the thread that runs a node, and the run of the node


class Settings(NamedTuple):
    """What a worker needs to know of a run."""

    hooks: Mapping[str, Collection[str]]  # names of the implemented hooks, and their arguments
    returned: Collection[str]  # outputs in memory that the pipeline returns
    run_id: str | None
    folder: str  # where the run was started; relative paths in parameters start there
    code: Mapping[str, str]  # digests of packages


class NodeTask(NamedTuple):
    """What a worker needs to run a node."""

    node: Node
    catalog: DataCatalog  # of the node's datasets, without data of memory datasets
    save_validated: Collection[str]  # datasets that a validator has checked when they were saved
    settings: Settings


def run_node(name: str, task: bytes, inputs: Mapping[str, Any], run: str) -> dict[str, Any]:
    """Run a node as Kedro's runners do, with the hooks of the process that started the run.

    Args:
        name: of the node.
        task: a pickled NodeTask. Dask's scheduler unpickles arguments except bytes, which would
            import the project there.
        inputs: inputs in memory.
        run: identifies the run among all runs on the cluster.

    Returns:
        The outputs in memory, which stay on this worker. The process that started the run gets a
        message with the error, or with the changed datasets.
    """
    messenger = Messenger(run, name)
    outputs: dict[str, Any] = {}
    try:
        with _alone(run):
            outputs, ended = _run(task, inputs, messenger)
        pickled = dumps(ended)
    except BaseException as error:  # noqa: BLE001  (such as SystemExit of a node)
        pickled = dumps_anything({"error": error})
    messenger.tell("ended", pickled)
    messenger.close()
    return outputs


@contextmanager
def _alone(run: str) -> Iterator[None]:
    """Wait until this process runs no other node."""
    from distributed import secede  # noqa: PLC0415

    if not _one_node.acquire(blocking=False):
        secede()  # the node that runs may need this thread for what it computes with Dask
        _one_node.acquire()
    _run_by_thread[threading.get_ident()] = run
    try:
        yield
    finally:
        _run_by_thread.clear()
        _one_node.release()


def interrupt(run: str) -> None:
    """Interrupt the node that this process executes for a run, if any, as Ctrl-C does."""
    for thread in [thread for thread, its_run in _run_by_thread.items() if its_run == run]:
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
        _saves_announced(node, datasets, saved_before, messenger),
    ):
        Task(node, catalog, is_async=False, hook_manager=hooks, run_id=settings.run_id).execute()
    made = [name for name in node.outputs if in_memory(datasets[name]) and datasets[name].exists()]
    outputs = {name: datasets[name]._data for name in made}  # noqa: SLF001
    for name, data in outputs.items():
        _check_picklable(name, data)
    return outputs, {
        "changes": changes(before, states_of(datasets, datasets)),
        "made": made,
        "outputs": {name: outputs[name] for name in settings.returned if name in outputs},
        "save_validated": catalog._save_validated,  # noqa: SLF001
    }


class _RemoteHooks:
    """Stand in for a plugin manager: call the hooks of the process that started the run."""

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
        self._messenger.check_wanted()
        if name not in self._taken:
            return []
        taken = {key: arguments[key] for key in arguments if key in self._taken[name]}
        results, changed = self._messenger.ask("hook", name, [*arguments], dumps_anything(taken))
        apply(changed, self._datasets)
        return results


@contextmanager
def _saves_announced(
    node: Node, datasets: Mapping[str, Any], saved_before: Collection[str], messenger: Messenger
) -> Iterator[None]:
    """Announce which new versions the node saves; it may replace those of its own earlier attempt.

    Otherwise the loss of a worker would leave a version that cannot be saved again.

    Args:
        node: that is run.
        datasets: of the node.
        saved_before: paths that the node announced before its worker was lost.
        messenger: to the process that started the run.
    """
    own = {*saved_before}

    def save_path(dataset: Any) -> Any:
        path = dataset._get_versioned_path(dataset.resolve_save_version())  # noqa: SLF001
        if str(path) in own:
            own.remove(str(path))
            return path
        path = type(dataset)._get_save_path(dataset)  # noqa: SLF001
        messenger.tell("saves", str(path))
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
    """Check that other workers can get data in memory.

    Raises:
        DatasetError: if they cannot.
    """
    from distributed.protocol import deserialize, serialize  # noqa: PLC0415

    try:
        deserialize(*serialize(data, on_error="raise"))
    except Exception as error:
        raise DatasetError(
            f"{name}: data of type '{type(data).__name__}' cannot be pickled, so other workers "
            f"cannot get it ({error}); give '{name}' a dataset in the catalog that stores it."
        ) from error
