"""What happens around every run: parameters are checked, missing data is fetched, time is told."""

import logging
import time
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import SequentialRunner

from mnist_kedro.parameters import check_parameters
from mnist_kedro.pipelines.ingestion import create_pipeline as create_ingestion_pipeline

logger = logging.getLogger(__name__)


class ParameterHooks:
    """Wrong parameters stop a run before anything else happens."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check every parameter, also those of pipelines that are not run."""
        check_parameters(context.config_loader["parameters"])


class IngestionHooks:
    """``kedro run`` works without a first ``kedro run --pipelines ingestion``."""

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Ingest when a run needs ``mnist`` and there is none, or another one is asked for."""
        if "mnist" not in pipeline.inputs():
            return
        asked = "ingestion" in (run_params.get("runtime_params") or {})
        if catalog.exists("mnist") and not asked:
            return
        logger.info(
            "Running 'ingestion' first: %s.",
            "its parameters were given" if asked else "there is no 'mnist' yet",
        )
        SequentialRunner().run(create_ingestion_pipeline(), catalog, run_id=run_params["run_id"])


class ProgressHooks:
    """A line for each finished node, with the seconds that it took."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the clock, after the node's inputs were loaded."""
        self._started[node.name] = time.perf_counter()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Say that the node is done, before its outputs are saved."""
        seconds = time.perf_counter() - self._started.pop(node.name)
        logger.info("Done: %s (%.1f s)", node.name, seconds)

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Say under which version everything was saved."""
        logger.info("All outputs of this run are version %s.", run_params["run_id"])
