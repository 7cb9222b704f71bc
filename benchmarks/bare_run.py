"""What ``kedro run`` does, without Kedro: the measure of what Kedro costs.

The same functions in the same order, the same outputs, written by the libraries themselves.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from benchmarks.this_project import parameters
from mnist_kedro.datasets import CheckpointsDataset
from mnist_kedro.pipelines.data_processing.nodes import (
    compute_pixel_statistics,
    select_test_digits,
    split_training_digits,
)
from mnist_kedro.pipelines.reporting import nodes as reporting
from mnist_kedro.pipelines.training.nodes import draw_augmented_digits, train_model
from mnist_kedro.sources import read_mnist


def main() -> None:
    """Run everything, and write it into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    out: Path = arguments.folder
    options = parameters("base")
    changes = {"seed": arguments.seed}
    if arguments.epochs:
        changes["epochs"] = arguments.epochs
    training = options.training.model_copy(update=changes)
    source = options.ingestion.model_copy(update={"source": arguments.source})

    mnist = read_mnist(source)
    _save_arrays(out / "mnist.hdf5", dict(mnist), compression="gzip", compression_opts=1)
    train, validation = split_training_digits(mnist, options.data_processing)
    test = select_test_digits(mnist)
    for name, split in (("train", train), ("validation", validation), ("test", test)):
        _save_arrays(out / f"{name}.hdf5", dict(split), compression="lzf")
    statistics = compute_pixel_statistics(train)
    _save_json(out / "pixel_statistics.json", statistics)
    draw_augmented_digits(train, training).savefig(out / "augmented_digits.png")

    predictions: dict[str, pd.DataFrame] = {}
    evaluations, histories = {}, {}
    for name in training.models:
        checkpoints = CheckpointsDataset(filepath=str(out / "checkpoints" / name)).load()
        network = getattr(options, name).network
        model, history = train_model(train, validation, statistics, training, network, checkpoints)
        model.save(out / f"{name}.keras")
        _save_json(out / f"{name}_history.json", history)
        predictions[name] = reporting.predict_test_digits(model, test)
        predictions[name].to_csv(out / f"{name}_predictions.csv", index=False, float_format="%.9g")
        evaluations[name] = reporting.evaluate_model(predictions[name], history, test)
        histories[name] = history
        checkpoints.remove_used()

    comparison = reporting.compare_models(**predictions)
    metrics = reporting.collect_metrics(train, validation, test, comparison, **evaluations)
    _save_json(out / "metrics.json", metrics)
    shown = dict(list(predictions.items())[:1])
    figures = {
        "class_balance": reporting.draw_class_balance(train, validation, test),
        "training_curves": reporting.draw_training_curves(train, **histories),
        "confusion_matrix": reporting.draw_confusion_matrix(test, **shown),
        "sample_predictions": reporting.draw_sample_predictions(test, options.reporting, **shown),
        "worst_mistakes": reporting.draw_worst_mistakes(test, options.reporting, **shown),
    }
    for name, figure in figures.items():
        figure.savefig(out / f"{name}.png")


def _save_arrays(path: Path, data: dict[str, Any], **compression: Any) -> None:
    with h5py.File(path, "w") as file:
        for key, value in data.items():
            if isinstance(value, np.ndarray):
                file.create_dataset(key, data=value, chunks=True, **compression)
            else:
                file.attrs[key] = value


def _save_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=2))


if __name__ == "__main__":
    main()
