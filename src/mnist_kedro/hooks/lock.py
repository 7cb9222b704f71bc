"""Prevent ``kedro remove-versions`` from removing versions during a run."""

from contextlib import ExitStack
from pathlib import Path

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from mnist_kedro.old_versions import locked


class LockHooks:
    """Hold a shared lock during a run; removing versions requires the exclusive lock."""

    def __init__(self) -> None:
        self._lock = ExitStack()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Store the path of the data folder."""
        self._root = context.project_path / context.config_loader["globals"]["paths"]["root"]

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Acquire the lock."""
        self._lock.enter_context(locked(Path(self._root), exclusive=False))

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Release the lock."""
        self._lock.close()

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """Release the lock."""
        self._lock.close()
