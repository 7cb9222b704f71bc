"""Check that a run can be trusted with its runner, and with other runs of the process."""

import inspect
import threading
from collections.abc import Generator
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io.data_catalog import SharedMemoryDataCatalog
from kedro.pipeline import Pipeline

from mnist_kedro.errors import InputError

# By their names, because importing them takes half a second.
_TRAINING_FUNCTIONS = {"train_model", "search_parameters"}


class RunnerHooks:
    """Reject trainings side by side in one process, and a second run while one is in progress.

    Keras keeps the names and random seeds of layers for the whole process: of networks that
    several threads build at once, some get other initial weights. The hooks keep their records for
    the whole process, too.
    """

    def __init__(self) -> None:
        self._in_progress = threading.RLock()  # a thread whose run was interrupted may start again

    @hook_impl(wrapper=True)  # before the other hooks, and told if one of them rejects the run
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Any
    ) -> Generator[None, Any, Any]:
        """Check the runner, and that this process has no other run.

        Raises:
            InputError: if the run trains with ``ThreadRunner`` or ``ParallelRunner``, or if another
                thread's run is in progress.
        """
        _check_runner(run_params["runner"], pipeline, catalog)
        if not self._in_progress.acquire(blocking=False):
            raise InputError(
                "another run is in progress in this process; wait until it ends, or start this run "
                "in a process of its own ('kedro run')."
            )
        try:
            return (yield)
        except BaseException:
            self._in_progress.release()
            raise

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Let the next run start."""
        self._in_progress.release()

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """Let the next run start."""
        self._in_progress.release()


def _check_runner(runner: str, pipeline: Pipeline, catalog: Any) -> None:
    """Reject a runner that would train in threads, or in processes without the node hooks.

    Args:
        runner: name or representation of the runner.
        pipeline: of the run.
        catalog: of the run; Kedro gives ``ParallelRunner`` a class of its own.

    Raises:
        InputError: naming the runner, a node that trains, and the runners that can.
    """
    parallel = isinstance(catalog, SharedMemoryDataCatalog)
    if not parallel and "ThreadRunner" not in runner:
        return
    for node in pipeline.nodes:
        if inspect.unwrap(node.func).__name__ in _TRAINING_FUNCTIONS:
            name = "ParallelRunner" if parallel else "ThreadRunner"
            raise InputError(
                f"{name} cannot run '{node.name}': networks that are trained side by side on one "
                "machine are not reproducible, or not resumed; use SequentialRunner, or "
                "mnist_kedro.runners.DaskRunner."
            )
