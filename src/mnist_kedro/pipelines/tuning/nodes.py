"""Nodes of the ``tuning`` pipeline."""

import logging
from typing import Any, cast

import pandas as pd
from omegaconf import OmegaConf

from mnist_kedro.contracts import LabeledImages, PixelStatistics
from mnist_kedro.lineage import with_lineage
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameters import TrainingParameters, TuningParameters

logger = logging.getLogger(__name__)


@with_lineage
def search_parameters(
    train: LabeledImages,
    validation: LabeledImages,
    pixel_statistics: PixelStatistics,
    training: TrainingParameters,
    network: NetworkParameters,
    tuning: TuningParameters,
    storage: Any,
) -> pd.DataFrame:
    """Search for better training parameters; see :func:`mnist_kedro.models.search.search`."""
    from mnist_kedro.models.search import search  # noqa: PLC0415  (imports TensorFlow)

    return search(train, validation, pixel_statistics, training, network, tuning, storage)


def choose_parameters(trials: pd.DataFrame, tuning: TuningParameters) -> dict[str, Any]:
    """Return the parameters of the trial with the best validation accuracy, nested as in conf."""
    complete = trials[trials["state"] == "complete"]
    best = max(complete.to_dict("records"), key=lambda trial: trial["validation_accuracy"])
    chosen = OmegaConf.create()
    for name in tuning.search.spaces:
        OmegaConf.update(chosen, f"training.{name}", best[name])
    logger.info(
        "The best of %d trials is trial %d: validation accuracy %.2f%%. Its values are in "
        "'tuned_parameters'. This accuracy is optimistic; evaluate the values on other digits.",
        len(trials),
        best["trial"],
        100 * best["validation_accuracy"],
    )
    return cast("dict[str, Any]", OmegaConf.to_container(chosen))
