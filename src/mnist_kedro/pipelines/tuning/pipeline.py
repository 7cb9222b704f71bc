"""The ``tuning`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines import MODELS
from mnist_kedro.pipelines.tuning.nodes import (
    choose_parameters,
    draw_search,
    search_parameters,
)


def create_pipeline(models: Sequence[str] = MODELS) -> Pipeline:
    """Training and validation digits in, the best training parameters out.

    Args:
        models: by name; the first is trained.
    """
    return Pipeline(
        [
            Node(
                func=search_parameters,
                inputs=[
                    "train",
                    "validation",
                    "pixel_statistics",
                    "params:training",
                    f"params:{models[0]}.network",
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
            Node(
                func=draw_search,
                inputs=["tuning_trials", "params:tuning", "validation"],
                outputs="tuning_search",
                name="draw_search",
            ),
        ],
        tags="tuning",
    )
