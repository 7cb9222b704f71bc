"""The ``tuning`` pipeline."""

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.figures import figure
from mnist_kedro.pipelines.tuning.nodes import (
    choose_parameters,
    search_parameters,
)
from mnist_kedro.plots.tuning import plot_tuning_search


def create_pipeline(model: str) -> Pipeline:
    """Create the pipeline that tunes a model's training parameters on the validation digits."""
    return Pipeline(
        [
            Node(
                func=search_parameters,
                inputs=[
                    "train",
                    "validation",
                    "pixel_statistics",
                    "params:training",
                    f"params:{model}.network",
                    "params:tuning",
                    "tuning_storage",
                ],
                outputs="tuning_trials",
                name="search_parameters",
            ),
            Node(
                func=choose_parameters,
                inputs=["tuning_trials", "params:tuning"],
                outputs="tuned_parameters",
                name="choose_parameters",
            ),
            figure(plot_tuning_search, ["tuning_trials", "params:tuning", "validation"]),
        ],
        tags="tuning",
    )
