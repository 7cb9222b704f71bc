"""Prepare the digits that the report shows: its mistakes, and the points of the embedding."""

import base64
import math
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.datasets.figure_dataset import Picture
from mnist_kedro.plots.digits import tile_digits
from mnist_kedro.plots.style import PALETTE

_MAX_MISTAKES = 300  # more would make the page slow
_PLOT_WIDTH, _PLOT_HEIGHT = 1000, 760  # of the embedding, in units of its SVG
_PLOT_MARGIN = 30


class Mistake(NamedTuple):
    """A misclassified test digit."""

    digit: int  # its row in the test split
    label: int
    prediction: int
    confidence: float
    png: str  # 28 × 28 pixels in base64


class Point(NamedTuple):
    """A digit of the embedding."""

    digit: int  # its row in the test split
    label: int
    prediction: int
    x: int  # in units of the SVG, as y
    y: int


class Embedding(NamedTuple):
    """The points of the embedding, and their digits in one picture."""

    points: list[Point]
    columns: int  # of the picture
    rows: int
    png: str  # the digits in the order of the points, row by row, in base64
    colors: int = len(PALETTE)
    width: int = _PLOT_WIDTH
    height: int = _PLOT_HEIGHT


def collect_mistakes(test: LabeledImages, predictions: pd.DataFrame) -> list[Mistake]:
    """Return the misclassified test digits, the most confident first, 300 at most.

    Args:
        test: the test split.
        predictions: a row for each of its digits, with ``label``, ``prediction``, ``confidence``.
    """
    wrong = predictions[predictions["label"] != predictions["prediction"]]
    worst = wrong.sort_values("confidence", ascending=False, kind="stable").head(_MAX_MISTAKES)
    return [
        Mistake(
            digit,
            int(row["label"]),
            int(row["prediction"]),
            float(row["confidence"]),
            encode_digits(test["images"][digit]),
        )
        for digit, row in zip(worst.index.tolist(), worst.to_dict("records"), strict=True)
    ]


def place_points(test: LabeledImages, embedded_digits: pd.DataFrame) -> Embedding:
    """Scale the points of the embedding to its SVG, and draw their digits into one picture.

    Args:
        test: the test split.
        embedded_digits: a row for each point: ``digit``, ``label``, ``prediction``, ``x``, ``y``.
    """
    rows = embedded_digits["digit"].to_numpy()
    positions = embedded_digits[["x", "y"]].to_numpy() * (1, -1)  # y points down in an SVG
    low, high = positions.min(axis=0), positions.max(axis=0)
    size = np.array([_PLOT_WIDTH, _PLOT_HEIGHT]) - 2 * _PLOT_MARGIN
    scaled = (positions - low) / np.maximum(high - low, 1e-9) * size + _PLOT_MARGIN
    columns = math.ceil(math.sqrt(len(rows)))
    lines = math.ceil(len(rows) / columns)
    mosaic = tile_digits(np.asarray(test["images"][rows])[..., 0], columns)
    classes = embedded_digits[["label", "prediction"]].to_numpy()
    return Embedding(
        [
            Point(*map(int, values))
            for values in np.column_stack([rows, classes, scaled.round()]).tolist()
        ],
        columns,
        lines,
        encode_digits(mosaic),
    )


def crop_texts(picture: Picture) -> bytes:
    """Return the PNG file of a figure without its texts, which the page shows as HTML."""
    with Image.open(BytesIO(picture.png)) as image:
        top, bottom = (round(share * image.height) for share in picture.content)
        content = image.convert("RGB").crop((0, top, image.width, bottom))
    return _write_png(content)


def encode_digits(pixels: NDArray[np.uint8]) -> str:
    """Return gray pixels, ``(height, width)`` or with a channel, as a PNG file in base64."""
    image = Image.fromarray(pixels.reshape(pixels.shape[:2]))
    return base64.b64encode(_write_png(image)).decode()


def _write_png(image: Any) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
