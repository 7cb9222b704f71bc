"""How training digits are varied."""

import numpy as np
from matplotlib.figure import Figure

from mnist_kedro.contracts import Pixels
from mnist_kedro.parameters import AugmentationParameters
from mnist_kedro.plots.digits import digit_grid
from mnist_kedro.plots.style import FOOTER_INCHES, TITLE_INCHES, annotate, styled

VARIATIONS = 9  # of each digit, beside it

_WORDS = {
    "rotation": "±{:g}°",
    "shift": "±{:g} px",
    "zoom": "±{:.0%}",
    "shear": "±{:g}°",
    "elastic": "{:g} px",
    "erasing": "up to {:g} px",
}


@styled
def plot_augmented_digits(
    images: Pixels, varied: Pixels, augmentation: AugmentationParameters, data: str
) -> Figure:
    """Digits as they are, each with some of its variations beside it.

    Args:
        images: ``(n, 28, 28, 1)`` uint8.
        varied: ``(n, 9, 28, 28, 1)`` uint8.
        augmentation: how they were varied.
        data: what the digits are, in a few words.
    """
    shown = np.concatenate([images[:, None], varied], axis=1)
    captions = [""] * (len(images) * (VARIATIONS + 1))
    figure = digit_grid(shown.reshape(-1, *images.shape[1:]), captions, columns=VARIATIONS + 1)
    figure.set_figheight(figure.get_figheight() + TITLE_INCHES + FOOTER_INCHES)
    amounts = [f"{name} {_WORDS[name].format(value)}" for name, value in augmentation if value]
    annotate(
        figure,
        "How the training varies digits, anew in each epoch"
        if amounts
        else "The training digits are not varied",
        f"The first of each row as it is, the others varied by {', '.join(amounts)}."
        if amounts
        else "training.augmentation is all zero.",
        data,
    )
    return figure
