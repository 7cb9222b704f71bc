"""Check before a run that its inputs exist."""

from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline

from mnist_kedro.errors import InputError
from mnist_kedro.pipeline_registry import register_pipelines


class InputHooks:
    """Reject a run whose inputs are missing, before it does anything."""

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Check that each dataset which no node of the run makes can be loaded.

        Raises:
            InputError: if datasets are missing; names them and a command that makes them.
        """
        needed = [name for name in pipeline.inputs() if not is_parameter(name)]
        missing = sorted(name for name in needed if not catalog.exists(name))
        if missing:
            command = _command_that_makes(missing, run_params["env"])
            raise InputError(
                f"{', '.join(missing)}: missing, but needed by this run; make it with '{command}'."
            )


def _command_that_makes(datasets: list[str], environment: str | None) -> str:
    """Return a command for the first pipeline that makes all of the datasets."""
    command = "kedro run" + (f" --env {environment}" if environment else "")
    for name, pipeline in register_pipelines().items():
        if pipeline.all_outputs() >= set(datasets):
            other = "" if name == "__default__" else f" --pipelines {name}"
            return f"{command}{other} --to-outputs {','.join(datasets)}"
    return command
