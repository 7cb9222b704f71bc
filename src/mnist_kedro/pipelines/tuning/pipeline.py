"""The ``tuning`` pipeline."""

from collections.abc import Callable, Sequence
from functools import partial, update_wrapper

import pandas as pd
from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.figures import figure
from mnist_kedro.pipelines.tuning.nodes import (
    choose_parameters,
    collect_trials,
    plot_tuning_search,
    search_parameters,
)


def create_pipeline(models: Sequence[str], searches: int = 1) -> Pipeline:
    """Create the pipeline that searches for training parameters on the validation digits.

    Args:
        models: names of the models; the first is trained.
        searches: number of searches that share the trials.
    """
    return Pipeline(
        [
            *_search(models[0], searches),
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


def _search(model: str, searches: int) -> list[Node]:
    """Create one node for all trials, or one for each search and one that joins their trials."""
    if searches == 1:
        return [_trials(model, search_parameters, "tuning_storage")]
    numbers = range(1, searches + 1)
    return [
        *(_trials_of_one(model, number, searches) for number in numbers),
        Node(
            func=collect_trials,
            inputs=[f"tuning_trials_{number}" for number in numbers],
            outputs="tuning_trials",
            name="collect_trials",
        ),
    ]


def _trials_of_one(model: str, number: int, searches: int) -> Node:
    """Create a search with its own storage: machines must not share an SQLite file."""
    func = partial(search_parameters, number=number, searches=searches)
    storage = "tuning_storage" if number == 1 else f"tuning_storage_{number}"
    return _trials(model, update_wrapper(func, search_parameters), storage, f"_{number}")


def _trials(model: str, func: Callable[..., pd.DataFrame], storage: str, suffix: str = "") -> Node:
    return Node(
        func=func,
        inputs=[
            "train",
            "validation",
            "pixel_statistics",
            "params:training",
            f"params:{model}.network",
            "params:tuning",
            storage,
        ],
        outputs=f"tuning_trials{suffix}",
        name=f"search_parameters{suffix}",
    )
