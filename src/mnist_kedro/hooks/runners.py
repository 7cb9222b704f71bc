"""Reject runs whose results would not be reproducible with their runner or with another run."""

import inspect
import threading
from collections.abc import Generator
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io.data_catalog import SharedMemoryDataCatalog
from kedro.pipeline import Pipeline

from mnist_kedro.errors import InputError

# The functions are compared by name, because importing them takes half a second.
_TRAINING_FUNCTIONS = {"train_model", "search_parameters"}


class RunnerHooks:
    """Reject parallel training on one machine, and a second run while another is in progress.

    Keras stores the names and random seeds of layers per process: if several threads build
    networks at the same time, some networks get different initial weights. The hooks store their
    records per process, too.
    """

    def __init__(self) -> None:
        self._in_progress = threading.RLock()  # a thread whose run was interrupted may start again

    @hook_impl(wrapper=True)  # runs before the other hooks, and sees their exceptions
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Any
    ) -> Generator[None, Any, Any]:
        """Check the runner, and that no other run is in progress in this process.

        Raises:
            InputError: if the run trains with ``ThreadRunner`` or ``ParallelRunner``, or if a run
                of another thread is in progress.
        """
        _check_runner(run_params["runner"], pipeline, catalog)
        if not self._in_progress.acquire(blocking=False):
            raise InputError(
                "another run is in progress in this process; wait until it ends, or start this run "
                "in a separate process ('kedro run')."
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
        pipeline: pipeline of the run.
        catalog: catalog of the run; Kedro uses a special class for ``ParallelRunner``.

    Raises:
        InputError: if a node trains with such a runner; the message names suitable runners.
    """
    parallel = isinstance(catalog, SharedMemoryDataCatalog)
    if not parallel and "ThreadRunner" not in runner:
        return
    for node in pipeline.nodes:
        if inspect.unwrap(node.func).__name__ in _TRAINING_FUNCTIONS:
            name = "ParallelRunner" if parallel else "ThreadRunner"
            raise InputError(
                f"{name} cannot run '{node.name}': parallel training on one machine is not "
                "reproducible, or cannot be resumed; use SequentialRunner or "
                "mnist_kedro.runners.DaskRunner."
            )
