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
    """Log a running node about every 10 s, each at most once; as a detail, log finished nodes."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self._timers: dict[str, threading.Timer] = {}
        self._logged = time.perf_counter()  # time of the last message about a running node
        self._count = 0  # nodes in the run; 0 (unknown) in the worker processes of ParallelRunner
        self.seconds: dict[str, float] = {}  # duration of each finished node

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Reset the state, because a notebook may run several pipelines in one process."""
        self.seconds = {}
        self._count = len(pipeline.nodes)
        self._logged = time.perf_counter()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the clock; Kedro has already loaded the node's inputs."""
        self._started[node.name] = now = time.perf_counter()
        wait = max(0.0, self._logged + _LOG_SECONDS - now)
        self._timers[node.name] = timer = threading.Timer(wait, self._log_running, [node.name])
        timer.daemon = True
        timer.start()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Log that the node is done; Kedro saves its outputs afterwards."""
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
