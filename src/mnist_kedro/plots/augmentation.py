"""Plot the augmentation of training digits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mnist_kedro.contracts import LabeledImages, Pixels
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
    "rotation": "rotation ±{:g}°",
    "shift": "shift ±{:g} px",
    "zoom": "zoom ±{:.0%}",
    "shear": "shear ±{:g}°",
    "elastic": "elastic deformation {:g} px",
    "thickness": "thickness ±{:g} px",
    "photographed": "{:.0%} photographed",
    "damaged": "{:.0%} damaged",
}


@styled
def plot_augmented_digits(train: LabeledImages, history: Mapping[str, Any]) -> Figure:
    """Plot a digit of each class with nine augmented copies, as in training.

    Args:
        train: the training split.
        history: of the training, whose record has the parameters of the augmentation.
    """
    parameters = history[RECORD]["parameters"]["training"]
    known = parameters["augmentation"]  # Earlier versions of the project had other fields.
    augmentation = AugmentationParameters(
        **{name: known.get(name, 0) for name in AugmentationParameters.model_fields}
    )
    rows = np.unique(np.asarray(train["labels"]), return_index=True)[1]
    images = train["images"][rows]
    augmented = _augment(images, augmentation, parameters["seed"])
    shown = np.concatenate([images[:, None], augmented], axis=1)
    captions = [""] * (len(images) * (_VARIATIONS + 1))
    figure = digit_grid(shown.reshape(-1, *images.shape[1:]), captions, columns=_VARIATIONS + 1)
    amounts = [_FORMATS[name].format(value) for name, value in augmentation if value]
    annotate(
        figure,
        "Training digits are augmented differently in each epoch"
        if amounts
        else "Training digits are not augmented",
        f"Each row shows an original and nine augmented copies: {', '.join(amounts)}."
        if amounts
        else "All values of training.augmentation are zero.",
        describe_source(train),
    )
    return figure


def _augment(images: Pixels, augmentation: AugmentationParameters, seed: int) -> Pixels:
    """Augment each of ``n`` digits nine times, as in training: ``(n, 9, 28, 28, 1)``."""
    import tensorflow as tf  # noqa: PLC0415

    from mnist_kedro.models.augmentation import augment  # noqa: PLC0415

    rows = np.repeat(np.arange(len(images)), _VARIATIONS)
    order = np.random.default_rng(seed).permutation(len(rows))  # as digits are shuffled
    shuffled = tf.constant(images[rows[order]])
    augmented = np.empty_like(shuffled)
    augmented[order] = augment(shuffled, tf.constant([seed, 0], tf.int64), augmentation)
    return augmented.reshape(len(images), _VARIATIONS, *images.shape[1:])
