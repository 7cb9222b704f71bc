"""The ``compare_runs`` pipeline."""

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.compare_runs.nodes import draw_runs, tabulate_runs


def create_pipeline() -> Pipeline:
    """Every version of the metrics in, one table and one figure out; runs on request only."""
    return Pipeline(
        [
            Node(
                func=tabulate_runs,
                inputs=["all_metrics", "all_run_manifests"],
                outputs="runs",
                name="tabulate_runs",
            ),
            Node(
                func=draw_runs,
                inputs="runs",
                outputs="runs_compared",
                name="draw_runs",
            ),
        ],
        tags="compare_runs",
    )
