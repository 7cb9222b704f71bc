"""Log the progress of a run."""

import logging
import time

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)


class ProgressHooks:
    """Log each finished node with its duration in seconds."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self.seconds: dict[str, float] = {}  # of each finished node

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Forget the nodes of the previous run in the same process, such as a notebook."""
        self.seconds = {}

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the clock after the node's inputs are loaded."""
        self._started[node.name] = time.perf_counter()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Log that the node is done, before its outputs are saved."""
        self.seconds[node.name] = time.perf_counter() - self._started.pop(node.name)
        logger.info("Done: %s (%.1f s)", node.name, self.seconds[node.name])
