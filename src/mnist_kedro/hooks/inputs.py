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
            command = command_that_makes(missing, catalog, run_params["env"])
            raise InputError(
                f"{', '.join(missing)}: missing, but needed by this run; make it with '{command}'."
            )


def command_that_makes(datasets: list[str], catalog: DataCatalog, environment: str | None) -> str:
    """Return a command that makes all of the datasets, with as few nodes as possible."""
    command = "kedro run" + (f" --env {environment}" if environment else "")
    nodes = {}
    for name, pipeline in register_pipelines().items():
        if pipeline.all_outputs() >= set(datasets):
            part = pipeline.to_outputs(*datasets)
            inputs = (needed for needed in part.inputs() if not is_parameter(needed))
            if name == "__default__" or all(map(catalog.exists, inputs)):
                nodes[name] = len(part.nodes), len(pipeline.nodes)
    if not nodes:
        return command
    name = min(nodes, key=lambda name: nodes[name])
    other = "" if name == "__default__" else f" --pipelines {name}"
    return f"{command}{other} --to-outputs {','.join(datasets)}"
