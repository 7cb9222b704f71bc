"""What a run tells while it goes."""

import logging
import time
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)


class ProgressHooks:
    """A line for each finished node, with the seconds that it took."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self.seconds: dict[str, float] = {}  # of each finished node

    @hook_impl
    def before_pipeline_run(self) -> None:
        """A session in a notebook runs several pipelines."""
        self.seconds = {}

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the clock, after the node's inputs were loaded."""
        self._started[node.name] = time.perf_counter()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Say that the node is done, before its outputs are saved."""
        self.seconds[node.name] = time.perf_counter() - self._started.pop(node.name)
        logger.info("Done: %s (%.1f s)", node.name, self.seconds[node.name])

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Say under which version everything was saved."""
        if run_params["only_missing_outputs"] and not self.seconds:
            logger.info("Nothing to do: all outputs are there.")
        else:
            logger.info("All outputs of this run are version %s.", run_params["run_id"])
