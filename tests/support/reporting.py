"""Predictions with known mistakes, their evaluation, and what is written in figures."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from mnist_kedro.contracts import LabeledImages, provenance
from mnist_kedro.lineage import lineage_of
from mnist_kedro.pipelines.evaluation.nodes import evaluate_model
from mnist_kedro.plots.style import TEXT_SIZE, WIDTH
from tests.support.parameters import REPORTING, training

_HISTORY = {
    "accuracy": [0.9, 0.95],
    "loss": [0.5, 0.2],
    "validation_accuracy": [0.93, 0.96],
    "validation_loss": [0.4, 0.15],
    "seconds": [1.0, 1.0],
    "training_seconds": 2.1,
    "training_digits": 600,
    "epochs": 2,
    "augmented_epochs": 2,
    "parameters": 1234,
    "precision": "float32",
    "seed": 0,
}


RUN = {
    "id": "2026-11-23T20.15.30.481Z",
    "environment": "quick",
    "git": {"commit": "0123456789abcdef", "modified": True},
    "python": "3.11.7",
    "packages": {"keras": "3.15.1", "absent": None},
    "platform": "Linux",
    "processor": "A processor",
    "cores": 2,
    "served": None,
    "parameters": {"training": {"epochs": 2}},
}


def history_of(
    digits: LabeledImages, name: str = "cnn", weights: str = "0" * 64, **options: Any
) -> dict[str, Any]:
    """Make the history of a training on digits."""
    record = {
        "model": name,
        "sha256_weights": weights,
        "lineage": {**lineage_of(digits), name: weights[:12]},
        "data": provenance(digits),
        "training_digits": _HISTORY["training_digits"],
        "validation_accuracy": _HISTORY["validation_accuracy"][-1],
        "seed": _HISTORY["seed"],
        "epochs": _HISTORY["epochs"],
        "parameters": {"training": training(**options).model_dump(mode="json"), "network": {}},
        "run": RUN,
    }
    return {
        **_HISTORY,
        "data": provenance(digits),
        "lineage": record["lineage"],
        "training_record": record,
    }


def predictions_of(digits: LabeledImages, mistakes: int) -> pd.DataFrame:
    """Make a table in which the first so many digits are misclassified."""
    probabilities = np.full((len(digits["labels"]), 10), 0.01)
    predicted = digits["labels"].copy()
    predicted[:mistakes] = (predicted[:mistakes] + 1) % 10
    probabilities[np.arange(len(predicted)), predicted] = 0.91
    table = pd.DataFrame(probabilities, columns=[f"p{digit}" for digit in range(10)])
    table.insert(0, "label", digits["labels"])
    table.insert(1, "prediction", predicted)
    table.insert(2, "confidence", 0.91)
    return table


def evaluate(
    predictions: pd.DataFrame,
    history: dict[str, Any],
    test: LabeledImages,
    validation: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Evaluate as the pipeline does, by default with the same predictions for validation."""
    validated = predictions if validation is None else validation
    return evaluate_model(predictions, validated, history, test, REPORTING)


def texts(figure: Figure) -> str:
    """Return all that is written in a figure."""
    found = [" ".join(text.get_text().split()) for text in figure.texts]  # without line breaks
    for axes in figure.axes:
        found += [text.get_text() for text in axes.texts]
        found += [axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")]
        if axes.get_legend():
            found += [text.get_text() for text in axes.get_legend().get_texts()]
    return "\n".join(found)


def drawn(figure: Figure) -> np.ndarray:
    """Check the layout of a figure, and return its gray levels as it is saved."""
    file = BytesIO()
    figure.savefig(file, format="png")
    check_layout(figure)
    return np.asarray(Image.open(file).convert("L"))


def check_layout(figure: Figure) -> None:
    """Check that a figure can be read on a phone: the width, the size of all text, no overlaps."""
    assert figure.get_figwidth() == WIDTH
    FigureCanvasAgg(figure).draw()
    renderer = figure.canvas.get_renderer()
    for text in _shown_texts(figure):
        box = text.get_window_extent(renderer)
        assert text.get_fontsize() >= TEXT_SIZE, text
        assert box.x0 >= -2, text
        assert box.y0 >= -2, text
        assert box.x1 <= figure.bbox.x1 + 2, text
        assert box.y1 <= figure.bbox.y1 + 2, text
    for legend in filter(None, (axes.get_legend() for axes in figure.axes)):
        box = legend.get_window_extent(renderer).padded(-4)  # pixels
        assert box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(axes.bbox) for axes in figure.axes), legend
        assert not any(box.overlaps(text.get_window_extent(renderer)) for text in figure.texts)


def _shown_texts(figure: Figure) -> Iterator[Text]:
    """Yield the texts of a figure, without labels of ticks outside the axes."""
    yield from figure.texts
    for axes in figure.axes:
        yield from axes.texts
        if axes.axison:
            yield from (text for text in (axes.xaxis.label, axes.yaxis.label) if text.get_text())
            yield axes.title
            for axis in (axes.xaxis, axes.yaxis):
                low, high = sorted(axis.get_view_interval())
                for tick in axis.get_major_ticks():
                    if low <= tick.get_loc() <= high and tick.label1.get_visible():
                        yield tick.label1
        if legend := axes.get_legend():
            yield from legend.get_texts()
