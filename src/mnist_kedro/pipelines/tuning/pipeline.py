"""The ``tuning`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.figures import figure
from mnist_kedro.pipelines.parts import divide
from mnist_kedro.pipelines.tuning.nodes import (
    choose_parameters,
    collect_trials,
    search_parameters,
)
from mnist_kedro.plots.tuning import plot_tuning_search


def create_pipeline(models: Sequence[str], searches: int = 1) -> Pipeline:
    """Create the pipeline that searches for training parameters on the validation digits.

    Args:
        models: names of the models; the first is trained.
        searches: number of searches that share the trials.
    """
    return Pipeline(
        [
            *divide(
                search_parameters,
                [
                    "train",
                    "validation",
                    "pixel_statistics",
                    "params:training",
                    f"params:{models[0]}.network",
                    "params:tuning",
                ],
                "tuning_trials",
                parts=searches,
                join=collect_trials,
                own_inputs=["tuning_storage"],  # machines must not share an SQLite file
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
