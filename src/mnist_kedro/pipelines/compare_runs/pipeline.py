"""The ``compare_runs`` pipeline."""

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.compare_runs.nodes import tabulate_runs
from mnist_kedro.pipelines.figures import figure
from mnist_kedro.plots.runs import plot_runs_compared


def create_pipeline() -> Pipeline:
    """Create the pipeline that compares all versions of the metrics in a table and a figure."""
    return Pipeline(
        [
            Node(
                func=tabulate_runs,
                inputs=["all_metrics", "all_run_manifests"],
                outputs="runs",
                name="tabulate_runs",
            ),
            figure(plot_runs_compared, ["runs"]),
        ],
        tags="compare_runs",
    )
