"""Check the parameters of a run, and create the pipelines for these parameters."""

from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from mnist_kedro.errors import InputError
from mnist_kedro.mappings import flatten
from mnist_kedro.parameters import check_parameters
from mnist_kedro.pipeline_registry import register_pipelines, use_parameters

# These determine which nodes the pipelines have.
_NETWORKS = ("training.models", "training.members")
_LABEL_ERRORS = "data_quality.label_errors"


class ParameterHooks:
    """Reject parameters that are invalid, or that have no effect on the run."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Check all parameters, including those of other pipelines, and create the pipelines.

        Raises:
            InputError: if a parameter is unknown, missing or out of range.
        """
        use_parameters(check_parameters(context.config_loader["parameters"]))

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Check that the run uses each parameter that was set on the command line.

        Raises:
            InputError: if no node of the run uses a parameter, or ``--only-missing-outputs`` skips
                all nodes that use the parameter.
        """
        for parameter, _ in flatten(run_params["runtime_params"] or {}):
            users = _users(pipeline, parameter)
            if not users:
                raise InputError(_describe_unused(parameter, pipeline))
            if run_params["only_missing_outputs"] and all(
                catalog.exists(output) for node in users for output in node.outputs
            ):
                raise InputError(
                    f"parameter '{parameter}' would have no effect: --only-missing-outputs skips "
                    f"{', '.join(sorted(node.name for node in users))}, whose outputs exist; run "
                    "without --only-missing-outputs."
                )


def _users(pipeline: Pipeline, parameter: str) -> list[Node]:
    """Return the nodes that use a parameter, or that are created because of it."""
    if parameter in _NETWORKS:
        return [node for node in pipeline.nodes if _belongs_to_network(node)]
    if parameter == _LABEL_ERRORS:
        return [node for node in pipeline.nodes if "data_quality" in node.tags]
    return [
        node
        for node in pipeline.nodes
        for name in map(_without_prefix, filter(is_parameter, node.inputs))
        if not name or f"{parameter}.".startswith(f"{name}.") or name.startswith(f"{parameter}.")
    ]


def _belongs_to_network(node: Node) -> bool:
    """Return whether a node loads or saves a dataset of a network, such as ``cnn.model``."""
    return any(
        "." in name and not name.startswith(("figures.", "findings."))
        for name in node.inputs + node.outputs
        if not is_parameter(name)
    )


def _without_prefix(name: str) -> str:
    return name.removeprefix("parameters").removeprefix("params:")


def _describe_unused(parameter: str, pipeline: Pipeline) -> str:
    pipelines = register_pipelines()
    names = [name for name in pipelines if name != "__default__"]
    using = [name for name in names if _users(pipelines[name], parameter)]
    run = [
        name
        for name in names
        if pipeline.nodes and set(pipeline.nodes) & set(pipelines[name].nodes)
    ]
    if not using:
        return (
            f"parameter '{parameter}' has no effect: no node uses it; parameters 'training.models' "
            f"and '{_LABEL_ERRORS}' determine which networks the run trains."
        )
    return (
        f"parameter '{parameter}' has no effect: no node of this run uses it, but nodes of "
        f"'{using[0]}' do; add that pipeline: --pipelines {','.join([using[0], *run])}."
    )
