"""Plot the augmentation of training digits."""

import numpy as np
from matplotlib.figure import Figure

from mnist_kedro.contracts import Pixels
from mnist_kedro.parameters import AugmentationParameters
from mnist_kedro.plots.digits import digit_grid
from mnist_kedro.plots.style import FOOTER_INCHES, TITLE_INCHES, annotate, styled

VARIATIONS = 9  # shown beside each digit

_FORMATS = {
    "rotation": "±{:g}°",
    "shift": "±{:g} px",
    "zoom": "±{:.0%}",
    "shear": "±{:g}°",
    "elastic": "{:g} px",
    "erasing": "up to {:g} px",
}


@styled
def plot_augmented_digits(
    images: Pixels, augmented: Pixels, augmentation: AugmentationParameters, data: str
) -> Figure:
    """Plot digits, each with nine augmented variations beside it.

    Args:
        images: ``(n, 28, 28, 1)`` uint8.
        augmented: ``(n, 9, 28, 28, 1)`` uint8.
        augmentation: parameters of the augmentation.
        data: description of the digits, in a few words.
    """
    shown = np.concatenate([images[:, None], augmented], axis=1)
    captions = [""] * (len(images) * (VARIATIONS + 1))
    figure = digit_grid(shown.reshape(-1, *images.shape[1:]), captions, columns=VARIATIONS + 1)
    figure.set_figheight(figure.get_figheight() + TITLE_INCHES + FOOTER_INCHES)
    amounts = [f"{name} {_FORMATS[name].format(value)}" for name, value in augmentation if value]
    annotate(
        figure,
        "Training digits are augmented differently in each epoch"
        if amounts
        else "Training digits are not augmented",
        f"The first of each row is the original, the others are varied by {', '.join(amounts)}."
        if amounts
        else "All values of training.augmentation are zero.",
        data,
    )
    return figure
