"""Plot the class balance of the splits."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mnist_kedro.contracts import CLASSES, LabeledImages
from mnist_kedro.plots.style import (
    PALETTE,
    add_legend,
    annotate,
    create_figure,
    describe_source,
    styled,
)


@styled
def plot_class_balance(
    train: LabeledImages, validation: LabeledImages, test: LabeledImages
) -> Figure:
    """Plot the share of each digit in each split."""
    splits = {"training": train, "validation": validation, "test": test}
    labels = {name: np.asarray(split["labels"]) for name, split in splits.items()}
    shares = pd.DataFrame(
        [
            {"split": f"{split} ({len(values):,})", "digit": digit, "share": share}
            for split, values in labels.items()
            for digit, share in enumerate(np.bincount(values, minlength=CLASSES) / len(values))
        ]
    )
    figure = create_figure(3)
    axes = figure.add_subplot()
    sns.barplot(shares, x="digit", y="share", hue="split", palette=PALETTE[: len(labels)], ax=axes)
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("Digit")
    axes.set_ylabel("Share of the split")
    add_legend(axes)
    low, high = shares["share"].min(), shares["share"].max()
    annotate(
        figure,
        f"Each digit makes up {low:.1%} to {high:.1%} of every split",
        "The validation split is stratified by class.",
        describe_source(test),
    )
    return figure
