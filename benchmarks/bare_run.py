"""Run the steps of ``kedro run`` without Kedro, to measure Kedro's overhead.

The script calls the same functions in the same order, and saves the same outputs with the
underlying libraries.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.this_project import parameters
from mnist_kedro.contracts import LabeledImages
from mnist_kedro.datasets import CheckpointsDataset
from mnist_kedro.datasets.figure_dataset import Picture
from mnist_kedro.machine import describe_code, describe_machine
from mnist_kedro.parameters import Parameters
from mnist_kedro.pipelines.data_processing.nodes import (
    compute_pixel_statistics,
    select_test_digits,
    split_training_digits,
)
from mnist_kedro.pipelines.evaluation import nodes as evaluation
from mnist_kedro.pipelines.interpretation.nodes import describe_layers, embed_test_digits
from mnist_kedro.pipelines.picture_calibration.nodes import (
    calibrate_for_pictures,
    photograph_digits,
)
from mnist_kedro.pipelines.robustness import nodes as robustness
from mnist_kedro.pipelines.training.nodes import train_model
from mnist_kedro.plots import (
    augmentation,
    balance,
    calibration,
    confusion,
    digits,
    interpretation,
    selective,
    training_curves,
)
from mnist_kedro.plots.robustness import plot_out_of_distribution, plot_robustness
from mnist_kedro.reports import render_model_card, render_report
from mnist_kedro.sources import read_mnist


def main() -> None:
    """Run all steps, and save the outputs in a folder."""
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

    run = _describe_run(options)
    predictions: dict[str, pd.DataFrame] = {}
    models: dict[str, Any] = {}
    evaluations, histories = {}, {}
    for name in training.models:
        checkpoints = CheckpointsDataset(filepath=str(out / "checkpoints" / name)).load()
        network, logs = options.networks[name], out / "tensorboard" / name
        model, history = train_model(
            train, validation, statistics, training, network, checkpoints, logs, run, name
        )
        model.save(out / f"{name}.keras")
        models[name] = model
        _save_json(out / f"{name}_history.json", history)
        predictions[name] = evaluation.predict_digits(model, test)
        validated = evaluation.predict_digits(model, validation)
        _save_table(out / f"{name}_predictions.csv", predictions[name])
        _save_table(out / f"{name}_validation_predictions.csv", validated)
        evaluations[name] = evaluation.evaluate_model(
            predictions[name], validated, history, test, options.reporting
        )
        histories[name] = history
        checkpoints.remove_used()

    comparison = evaluation.compare_models(**predictions)
    metrics = evaluation.collect_metrics(train, validation, test, comparison, **evaluations)
    _save_json(out / "metrics.json", metrics)
    _save_json(out / "comparison.json", comparison)
    for name, result in evaluations.items():
        _save_json(out / f"{name}_evaluation.json", result)
    cnn, network = predictions["cnn"], models["cnn"]
    looking_into = {
        "feature_maps": interpretation.plot_feature_maps,
        "attributions": interpretation.plot_attributions,
    }
    picked = (test, cnn, options.reporting)
    embedded = embed_test_digits(network, test, cnn)
    _save_table(out / "cnn_embedded_digits.csv", embedded)
    drawn = {
        "embedding": interpretation.plot_embedding(test, embedded, name="cnn"),
        "test_digits": digits.plot_test_digits(test, cnn, model="cnn"),
        "augmented_digits": augmentation.plot_augmented_digits(train, histories["cnn"]),
        "class_balance": balance.plot_class_balance(train, validation, test),
        "training_curves": training_curves.plot_training_curves(train, **histories),
        "confusion_matrix": confusion.plot_confusion_matrix(test, cnn, model="cnn"),
        "sample_predictions": digits.plot_sample_predictions(*picked, model="cnn"),
        "worst_mistakes": digits.plot_worst_mistakes(*picked, model="cnn"),
        "least_confident_hits": digits.plot_least_confident_hits(*picked, model="cnn"),
        "reliability_diagram": calibration.plot_reliability_diagram(
            test, cnn, metrics, model="cnn"
        ),
        "risk_coverage": selective.plot_risk_coverage(test, metrics, **predictions),
        "first_layer": interpretation.plot_first_layer(network, test, name="cnn"),
        **{name: plot(network, test, cnn, name="cnn") for name, plot in looking_into.items()},
    }
    _write_up(out, options, run, validation, test, models, metrics, drawn, cnn, embedded)


def _write_up(
    out: Path,
    options: Parameters,
    run: dict[str, Any],
    validation: LabeledImages,
    test: LabeledImages,
    models: dict[str, Any],
    metrics: dict[str, Any],
    drawn: dict[str, Figure],
    predictions: pd.DataFrame,
    embedded: pd.DataFrame,
) -> None:
    photographed_test = photograph_digits(test, options.picture_calibration)
    _save_arrays(out / "photographed_test.hdf5", dict(photographed_test), compression="lzf")
    corruptions = robustness.evaluate_corruptions(
        test, photographed_test, options.reporting, **models
    )
    confidences = robustness.measure_out_of_distribution(
        test, validation, options.reporting, **models
    )
    photographed = photograph_digits(validation, options.picture_calibration)
    _save_arrays(out / "photographed_validation.hdf5", dict(photographed), compression="lzf")
    for name, model in models.items():
        calibration = calibrate_for_pictures(model, validation, photographed)
        _save_json(out / f"{name}_picture_calibration.json", calibration)
    layers = describe_layers(models["cnn"])
    _save_table(out / "corruption_accuracies.csv", corruptions)
    _save_table(out / "out_of_distribution_confidences.csv", confidences)
    _save_table(out / "cnn_layers.csv", layers)
    drawn["robustness"] = plot_robustness(test, corruptions)
    drawn["out_of_distribution"] = plot_out_of_distribution(test, confidences)
    pictures = {}
    for name, figure in drawn.items():
        figure.savefig(out / f"{name}.png")
        pictures[f"figure_{name}"] = Picture((out / f"{name}.png").read_bytes(), name, "", "")
    _save_json(out / "run_manifest.json", run)
    results = (metrics, corruptions, confidences, layers, run)
    page = render_report(
        *results,
        test=test,
        predictions=predictions,
        embedded_digits=embedded,
        sections={"Figures": list(drawn)},
        **pictures,  # type: ignore[arg-type]
    )
    (out / "report.html").write_text(page)
    (out / "model_card.md").write_text(render_model_card(*results))


def _describe_run(options: Parameters) -> dict[str, Any]:
    return {
        "id": "without Kedro",
        "environment": None,
        **describe_code(Path()),
        **describe_machine(),
        "served": None,
        "parameters": options.model_dump(),
    }


def _save_arrays(path: Path, data: dict[str, Any], **compression: Any) -> None:
    with h5py.File(path, "w") as file:
        for key, value in data.items():
            if isinstance(value, np.ndarray):
                file.create_dataset(key, data=value, chunks=True, **compression)
            else:
                file.attrs[key] = value


def _save_table(path: Path, table: pd.DataFrame) -> None:
    table.to_csv(path, index=False, float_format="%.9g")


def _save_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=2))


if __name__ == "__main__":
    main()
