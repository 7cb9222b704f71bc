"""Plot how the digit of a picture is found."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mnist_kedro.pictures.contrast import find_ink_by_contrast
from mnist_kedro.pictures.decode import GrayPicture
from mnist_kedro.pictures.digit import prepare_digit
from mnist_kedro.pictures.finder import find_ink_by_network
from mnist_kedro.pictures.ink import find_ink
from mnist_kedro.plots.style import WIDTH, annotate, create_figure, styled

_PAGES = 6

_STEPS: Mapping[str, Callable[[GrayPicture], Any]] = {
    "picture": lambda picture: 255 - picture.astype(int),
    "contrast": find_ink_by_contrast,
    "network": find_ink_by_network,
    "ink": lambda picture: find_ink(picture).ink,
    "digit": prepare_digit,
}


@styled
def plot_ink(ink_pages: Mapping[str, Any]) -> Figure:
    """Plot the steps from pages to digits, with the ink finder that the package contains.

    Args:
        ink_pages: ``pictures`` ``(n, side, side)`` uint8 and ``shapes`` ``(n, 2)``.
    """
    figure = create_figure(WIDTH / len(_STEPS) * _PAGES)
    for number, steps in enumerate(figure.subplots(_PAGES, len(_STEPS))):
        height, width = ink_pages["shapes"][number]
        picture = np.asarray(ink_pages["pictures"][number])[:height, :width]
        for axis, (name, step) in zip(steps, _STEPS.items(), strict=True):
            axis.set_axis_off()
            shown = step(picture)
            if shown is not None:
                axis.imshow(shown, cmap="gray_r", vmin=0)
            if number == 0:
                axis.set_title(name)
    annotate(
        figure,
        "Ink is contrast with the paper that a network recognizes as writing",
        "The steps from a simulated page to the input of the classifier.",
        "Simulated pages of the pipeline ink_finder",
    )
    return figure
