"""Nodes of the ``tuning`` pipeline."""

import logging
from typing import Any, cast

import pandas as pd
from matplotlib.figure import Figure
from omegaconf import OmegaConf

from mnist_kedro.contracts import LabelledImages, PixelStatistics
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameters import TrainingParameters, TuningParameters
from mnist_kedro.plots.style import describe_source
from mnist_kedro.plots.tuning import plot_search

logger = logging.getLogger(__name__)


def search_parameters(
    train: LabelledImages,
    validation: LabelledImages,
    pixel_statistics: PixelStatistics,
    training: TrainingParameters,
    network: NetworkParameters,
    tuning: TuningParameters,
    storage: Any,
    number: int = 1,
    searches: int = 1,
) -> pd.DataFrame:
    """Train a network again and again, each time with values that promise more.

    Args:
        train: digits to learn from.
        validation: digits that the trials are compared by.
        pixel_statistics: of the training pixels.
        training: the recipe, for all that is not searched.
        network: which network.
        tuning: what is searched, and how often.
        storage: Optuna's, in which the trials are kept; one for each search.
        number: which one of several searches that share the trials, from 1.
        searches: how many they are.

    Returns:
        See :func:`~mnist_kedro.models.search.search`.
    """
    from mnist_kedro.models.search import search  # noqa: PLC0415  (imports TensorFlow)

    return search(
        *(train, validation, pixel_statistics, training, network, tuning, storage),
        number=number,
        searches=searches,
    )


def collect_trials(*tables: pd.DataFrame) -> pd.DataFrame:
    """The trials of several searches by their numbers, with a column ``search``, from 1."""
    told = [table.assign(search=number) for number, table in enumerate(tables, start=1)]
    trials = pd.concat(told).sort_values("trial", ignore_index=True)
    trials.insert(1, "search", trials.pop("search"))
    return trials


def choose_parameters(trials: pd.DataFrame, tuning: TuningParameters) -> dict[str, Any]:
    """The values of the best trial by validation accuracy, as a file of parameters has them."""
    complete = trials[trials["state"] == "complete"]
    best = max(complete.to_dict("records"), key=lambda trial: trial["validation_accuracy"])
    chosen = OmegaConf.create()
    for name in tuning.search.spaces:
        OmegaConf.update(chosen, f"training.{name}", best[name])
    logger.info(
        "The best of %d trials is trial %d: validation accuracy %.2f%%. Its values are in "
        "'tuned_parameters'; what it is worth, other digits must tell.",
        len(trials),
        best["trial"],
        100 * best["validation_accuracy"],
    )
    return cast("dict[str, Any]", OmegaConf.to_container(chosen))


def draw_search(
    trials: pd.DataFrame, tuning: TuningParameters, validation: LabelledImages
) -> Figure:
    """What the trials reached, in their order and against each value."""
    logarithmic = {name for name, space in tuning.search.spaces.items() if space.log}
    return plot_search(
        trials,
        list(tuning.search.spaces),
        logarithmic,
        f"{describe_source(validation)}, {len(validation['labels']):,} validation digits",
    )
