"""Check that the inputs of a run exist, before the run starts."""

from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline

from mnist_kedro.errors import InputError
from mnist_kedro.pipeline_registry import register_pipelines

_LISTED = 3  # datasets in a suggested command, at most


class InputHooks:
    """Reject a run with missing inputs before its first node."""

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Check that all inputs of the pipeline exist.

        Raises:
            InputError: if inputs are missing; the message names the inputs and a command that
                creates them.
        """
        needed = [name for name in pipeline.inputs() if not is_parameter(name)]
        missing = sorted(name for name in needed if not catalog.exists(name))
        if missing:
            command = command_to_create(missing, catalog, run_params["env"])
            raise InputError(f"missing inputs: {', '.join(missing)}; create them with '{command}'.")


def command_to_create(datasets: list[str], catalog: DataCatalog, environment: str | None) -> str:
    """Return the command with the fewest nodes that creates all of the datasets.

    Return a plain ``kedro run`` if no single pipeline creates all of them, or if the default
    pipeline creates more than three of the datasets. ``teaching`` is never suggested: it
    fine-tunes networks that exist.
    """
    command = "kedro run" + (f" --env {environment}" if environment else "")
    nodes = {}
    for name, pipeline in register_pipelines().items():
        if name != "teaching" and pipeline.all_outputs() >= set(datasets):
            part = pipeline.to_outputs(*datasets)
            inputs = (needed for needed in part.inputs() if not is_parameter(needed))
            if name == "__default__" or all(map(catalog.exists, inputs)):
                nodes[name] = len(part.nodes), len(pipeline.nodes)
    name = min(nodes, key=lambda name: nodes[name], default="__default__")
    if not nodes or (name == "__default__" and len(datasets) > _LISTED):
        return command
    other = "" if name == "__default__" else f" --pipelines {name}"
    return f"{command}{other} --to-outputs {','.join(datasets)}"
