import logging

import numpy as np
import pytest
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset

from mnist_kedro.contracts import provenance
from mnist_kedro.errors import InputError
from mnist_kedro.pipelines.evaluation import create_pipeline
from mnist_kedro.pipelines.evaluation.nodes import (
    average_predictions,
    collect_metrics,
    compare_models,
    evaluate_ensemble,
    predict_digits,
)
from tests.support.networks import build
from tests.support.parameters import REPORTING
from tests.support.reporting import evaluate, history_of, predictions_of


@pytest.fixture
def history(digits):
    return history_of(digits)


@pytest.fixture
def cnn(digits):
    return predictions_of(digits, 8)


@pytest.fixture
def dense(digits):
    return predictions_of(digits, 40)


def test_predicts_every_digit_in_order(digits):
    model = build("dense")
    table = predict_digits(model, digits)
    probabilities = table[[f"p{digit}" for digit in range(10)]].to_numpy()
    np.testing.assert_allclose(probabilities, model(digits["images"]), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(table["label"], digits["labels"])
    np.testing.assert_array_equal(table["prediction"], probabilities.argmax(axis=1))
    np.testing.assert_array_equal(table["confidence"], probabilities.max(axis=1))


def test_evaluates_predictions(cnn, history, digits):
    evaluation = evaluate(cnn, history, digits)
    assert evaluation["accuracy"] == 0.99
    assert evaluation["errors"] == 8
    assert evaluation["parameters"] == 1234
    assert evaluation["training_seconds"] == 2.1


def test_what_is_chosen_is_chosen_on_the_validation_digits(digits, cnn, history):
    """There the model is right in all it is sure of; on the test digits it is not."""
    validation = predictions_of(digits, 0)
    evaluation = evaluate(cnn, history, digits, validation)
    assert evaluation["rejection"] == {
        "target_accuracy": 0.999,
        "threshold": 0.91,
        "coverage": 1.0,
        "accuracy": 0.99,
        "errors": 8,
    }
    assert evaluation["negative_log_likelihood"] == pytest.approx(
        -(0.99 * np.log(0.91) + 0.01 * np.log(0.01))
    )
    assert evaluation["expected_calibration_error"] == pytest.approx(0.99 - 0.91)
    scaling = evaluation["temperature_scaling"]
    assert scaling["temperature"] == 1.0
    assert scaling["without"]["brier_score"] == pytest.approx(evaluation["brier_score"])


def test_scores_the_probabilities_without_the_temperature_too(digits, cnn, history):
    evaluation = evaluate(cnn, {**history, "temperature": 0.5}, digits)
    scaling = evaluation["temperature_scaling"]
    assert scaling["temperature"] == 0.5
    # p → √p, normalized: the logits were divided by 0.5.
    confidence = np.sqrt(0.91) / (np.sqrt(0.91) + 9 * np.sqrt(0.01))
    expected = pytest.approx(0.99 - confidence)
    assert scaling["without"]["expected_calibration_error"] == expected


def test_tells_the_accuracy_without_label_errors_of_mnist_alone(digits, cnn, history):
    assert "without_label_errors" not in evaluate(cnn, history, digits)
    labels = np.resize(digits["labels"], 10_000)
    test = {**digits, "labels": labels, "canonical_mnist": True}
    evaluation = evaluate(predictions_of(test, 2000), history, test)
    assert evaluation["errors"] == 2000
    # Three of the wrong labels, at 947, 1621 and 1901, are among the first 2,000.
    assert evaluation["without_label_errors"]["errors"] == 1997
    assert evaluation["without_label_errors"]["excluded"] == 15


def test_averages_the_probabilities_of_an_ensemble(digits):
    rng = np.random.default_rng(0)
    tables = {}
    for name in ("cnn", "cnn_2", "cnn_3"):
        table = predictions_of(digits, 0)
        probabilities = rng.dirichlet(np.ones(10), len(table))
        tables[name] = table.assign(**{f"p{i}": probabilities[:, i] for i in range(10)})
    averaged = average_predictions(**tables)
    for i in range(len(averaged)):
        expected = sum(tables[name].loc[i, "p0":"p9"].to_numpy() for name in tables) / 3
        np.testing.assert_allclose(averaged.loc[i, "p0":"p9"].to_numpy(float), expected)
        assert averaged.loc[i, "prediction"] == expected.argmax()
        assert averaged.loc[i, "confidence"] == pytest.approx(expected.max())
    np.testing.assert_array_equal(averaged["label"], digits["labels"])


def test_evaluates_an_ensemble_beside_its_members(digits, history):
    members = {
        name: evaluate(predictions_of(digits, mistakes), {**history, "seed": seed}, digits)
        for seed, (name, mistakes) in enumerate({"cnn": 8, "cnn_2": 16, "cnn_3": 24}.items())
    }
    averaged = predictions_of(digits, 4)
    ensemble = evaluate_ensemble(averaged, averaged, digits, REPORTING, **members)
    assert ensemble["errors"] == 4
    assert ensemble["parameters"] == 3 * 1234
    assert ensemble["training_seconds"] == pytest.approx(6.3)
    assert ensemble["members"] == {
        "names": ["cnn", "cnn_2", "cnn_3"],
        "seeds": [0, 1, 2],
        "accuracies": [0.99, 0.98, 0.97],
        "mean_accuracy": pytest.approx(0.98),
        "standard_deviation": pytest.approx(0.01),
    }


def test_an_ensemble_takes_part_in_the_comparison():
    pipeline = create_pipeline(("cnn", "dense"), 2)
    nodes = {node.name: node for node in pipeline.nodes}
    assert set(nodes["compare_models"].inputs) == {
        f"{name}.predictions" for name in ("cnn", "dense", "cnn_ensemble", "dense_ensemble")
    }
    evaluated = {name for name in nodes["collect_metrics"].inputs if name.endswith(".evaluation")}
    assert evaluated == {
        f"{model}{suffix}.evaluation"
        for model in ("cnn", "dense")
        for suffix in ("", "_2", "_ensemble")
    }


def test_compares_each_pair_of_models(cnn, dense):
    comparison = compare_models(cnn=cnn, dense=dense, lenet5=dense)
    assert comparison.keys() - {"lineage"} == {"cnn_vs_dense", "cnn_vs_lenet5", "dense_vs_lenet5"}
    assert comparison["cnn_vs_dense"]["only_first_right"] == 32
    assert comparison["cnn_vs_dense"]["mcnemar_p"] < 1e-8
    assert comparison["dense_vs_lenet5"]["mcnemar_p"] == 1


def test_collects_the_metrics_and_says_that_they_are_of_the_sample(
    digits, cnn, dense, history, caplog
):
    caplog.set_level(logging.INFO)
    evaluations = {
        "cnn": evaluate(cnn, history, digits),
        "dense": evaluate(dense, history, digits),
    }
    metrics = collect_metrics(
        digits, digits, digits, compare_models(cnn=cnn, dense=dense), **evaluations
    )
    assert metrics["data"] == {
        **provenance(digits),
        "description": metrics["data"]["description"],
        "train": 800,
        "validation": 800,
        "test": 800,
    }
    assert "not MNIST's test set" in metrics["data"]["description"]
    assert metrics["models"]["cnn"]["accuracy"] == 0.99
    assert metrics["comparison"]["cnn_vs_dense"]["accuracy_difference"] == pytest.approx(0.04)
    assert "Not comparable with published results on MNIST" in caplog.text


def test_reports_nothing_of_predictions_for_other_digits(digits, cnn, history):
    with pytest.raises(InputError, match="predictions: the labels are not those of 'test'"):
        evaluate(cnn[:-1], history, digits)
    with pytest.raises(InputError, match="predictions: the labels are not those of 'test'"):
        evaluate(cnn.assign(label=cnn["label"][::-1].to_numpy()), history, digits)


def test_the_slice_from_predictions_runs_by_itself(digits, cnn, dense, history, tmp_path):
    catalog = DataCatalog()
    catalog["metrics"] = JSONDataset(filepath=str(tmp_path / "metrics.json"))
    for name, data in {
        "train": digits,
        "validation": digits,
        "test": digits,
        "cnn.predictions": cnn,
        "dense.predictions": dense,
        "cnn.validation_predictions": cnn,
        "dense.validation_predictions": dense,
        "cnn.history": history,
        "dense.history": history,
        "params:reporting": REPORTING,
    }.items():
        catalog[name] = data
    made = [
        f"{model}.{split}predictions" for model in ("cnn", "dense") for split in ("", "validation_")
    ]
    figures = ("confusion_matrix", "sample_predictions", "reliability_diagram", "risk_coverage")
    asked = {"metrics", *(f"figures.{name}" for name in figures)}
    pipeline = create_pipeline(("cnn", "dense")).from_inputs(*made).to_outputs(*asked)
    outputs = SequentialRunner().run(pipeline, catalog)
    assert catalog.load("metrics")["models"]["dense"]["errors"] == 40
    assert set(outputs) == asked - {"metrics"}  # which other nodes took
