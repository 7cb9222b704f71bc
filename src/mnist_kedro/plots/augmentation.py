"""Plot the augmentation of training digits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.lineage import RECORD
from mnist_kedro.parameters import AugmentationParameters
from mnist_kedro.plots.digits import digit_grid
from mnist_kedro.plots.style import (
    annotate,
    describe_source,
    styled,
)

_VARIATIONS = 9  # shown beside each digit

_FORMATS = {
    "rotation": "±{:g}°",
    "shift": "±{:g} px",
    "zoom": "±{:.0%}",
    "shear": "±{:g}°",
    "elastic": "{:g} px",
    "erasing": "up to {:g} px",
    "thickness": "±{:g} px",
    "photographed": "{:.0%}",
}


@styled
def plot_augmented_digits(train: LabeledImages, history: Mapping[str, Any]) -> Figure:
    """Plot a digit of each class, with nine variations beside it as in the training.

    Args:
        train: the training split.
        history: of the training, whose record has the parameters of the augmentation.
    """
    from mnist_kedro.models.augmentation import variations  # noqa: PLC0415  (imports TensorFlow)

    parameters = history[RECORD]["parameters"]["training"]
    augmentation = AugmentationParameters.model_validate(parameters["augmentation"])
    rows = np.unique(np.asarray(train["labels"]), return_index=True)[1]
    images = train["images"][rows]
    augmented = variations(images, _VARIATIONS, augmentation, parameters["seed"])
    shown = np.concatenate([images[:, None], augmented], axis=1)
    captions = [""] * (len(images) * (_VARIATIONS + 1))
    figure = digit_grid(shown.reshape(-1, *images.shape[1:]), captions, columns=_VARIATIONS + 1)
    amounts = [f"{name} {_FORMATS[name].format(value)}" for name, value in augmentation if value]
    annotate(
        figure,
        "Training digits are augmented differently in each epoch"
        if amounts
        else "Training digits are not augmented",
        f"The first of each row is the original, the others are varied by {', '.join(amounts)}."
        if amounts
        else "All values of training.augmentation are zero.",
        describe_source(train),
        grow=True,
    )
    return figure
