"""What happens around every run: parameters and inputs are checked, and progress is told."""

import logging
import time
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from mnist_kedro.errors import InputError
from mnist_kedro.parameters import IngestionParameters, check_parameters
from mnist_kedro.pipelines.ingestion.nodes import ingest_mnist

logger = logging.getLogger(__name__)


class ParameterHooks:
    """Wrong parameters stop a run before anything else happens."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check every parameter, also those of pipelines that are not run."""
        check_parameters(context.config_loader["parameters"])


class InputHooks:
    """A run has what it needs, or says what is missing before it starts."""

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Ingest ``mnist`` when there is none or another one is asked for; check other inputs.

        Raises:
            InputError: when an input was not made yet.
        """
        inputs = {name for name in pipeline.inputs() if not is_parameter(name)}
        asked = "ingestion" in (run_params["runtime_params"] or {})
        if "mnist" in inputs and (asked or not catalog.exists("mnist")):
            why = "its parameters were given" if asked else "there is no 'mnist' yet"
            logger.info("Running 'ingestion' first: %s.", why)
            # Kedro types the parameters of the pipelines that were asked for, so not these.
            parameters = IngestionParameters.model_validate(catalog.load("params:ingestion"))
            catalog.save("mnist", ingest_mnist(parameters))
        missing = sorted(name for name in inputs if not catalog.exists(name))
        if missing:
            environment = f" --env {run_params['env']}" if run_params["env"] else ""
            raise InputError(
                f"{', '.join(missing)}: not there, but needed by this run; make it with "
                f"'kedro run{environment} --to-outputs {','.join(missing)}'."
            )


class ProgressHooks:
    """A line for each finished node, with the seconds that it took."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self._done = 0

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the clock, after the node's inputs were loaded."""
        self._started[node.name] = time.perf_counter()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Say that the node is done, before its outputs are saved."""
        seconds = time.perf_counter() - self._started.pop(node.name)
        self._done += 1
        logger.info("Done: %s (%.1f s)", node.name, seconds)

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Say under which version everything was saved."""
        if run_params["only_missing_outputs"] and not self._done:
            logger.info("Nothing to do: all outputs are there.")
        else:
            logger.info("All outputs of this run are version %s.", run_params["run_id"])
