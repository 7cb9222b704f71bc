"""Log the progress of a run."""

import logging
import threading
import time

from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)

_LOG_SECONDS = 10


class ProgressHooks:
    """Log about every 10 s which node runs and, as a detail, each finished node with its time."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self._timers: dict[str, threading.Timer] = {}
        self._logged = time.perf_counter()  # when a running node was logged
        self._count = 0  # of the run's nodes; unknown in the processes of ParallelRunner
        self.seconds: dict[str, float] = {}  # of each finished node

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Forget the nodes of the previous run in the same process, such as a notebook."""
        self.seconds = {}
        self._count = len(pipeline.nodes)
        self._logged = time.perf_counter()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the clock after the node's inputs are loaded."""
        self._started[node.name] = now = time.perf_counter()
        wait = max(0.0, self._logged + _LOG_SECONDS - now)
        self._timers[node.name] = timer = threading.Timer(wait, self._log_running, [node.name])
        timer.daemon = True
        timer.start()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Log that the node is done, before its outputs are saved."""
        self._timers.pop(node.name).cancel()
        self.seconds[node.name] = time.perf_counter() - self._started.pop(node.name)
        logger.debug("Done: %s (%.1f s)", node.name, self.seconds[node.name])

    @hook_impl
    def on_node_error(self, node: Node) -> None:
        """Stop the timer of a node that failed."""
        self._timers.pop(node.name).cancel()

    def _log_running(self, name: str) -> None:
        self._logged = time.perf_counter()
        done = f" ({len(self.seconds)} of {self._count} nodes are done)" if self._count else ""
        logger.info("Running %s%s.", name, done)
