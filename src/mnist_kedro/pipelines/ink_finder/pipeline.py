"""The ``ink_finder`` pipeline."""

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.figures import figure
from mnist_kedro.pipelines.ink_finder.nodes import (
    export_ink_finder,
    make_pages,
    train_ink_finder,
)
from mnist_kedro.plots.ink import plot_ink


def create_pipeline() -> Pipeline:
    """Create the pipeline that trains the ink finder; it is not in the default run."""
    return Pipeline(
        [
            Node(
                func=make_pages,
                inputs=["train", "params:ink_finder"],
                outputs="ink_pages",
                name="make_pages",
            ),
            Node(
                func=train_ink_finder,
                inputs=["ink_pages", "params:ink_finder"],
                outputs="ink_finder",
                name="train_ink_finder",
            ),
            Node(
                func=export_ink_finder,
                inputs="ink_finder",
                outputs="ink_finder_onnx",
                name="export_ink_finder",
            ),
            figure(plot_ink, ["ink_pages"]),
        ],
        tags="ink_finder",
    )
