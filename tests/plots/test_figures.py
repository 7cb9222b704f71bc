"""Figures say what is in the data, and can be drawn of the rare cases too."""

import numpy as np
import pandas as pd
import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.metrics.prediction import PROBABILITIES
from mnist_kedro.plots.balance import plot_class_balance
from mnist_kedro.plots.calibration import plot_reliability_diagram
from mnist_kedro.plots.confusion import plot_confusion_matrix
from mnist_kedro.plots.digits import (
    digit_grid,
    plot_least_confident_hits,
    plot_sample_predictions,
    plot_test_digits,
    plot_worst_mistakes,
)
from mnist_kedro.plots.runs import plot_runs_compared
from mnist_kedro.plots.selective import plot_risk_coverage
from mnist_kedro.plots.style import describe_test
from mnist_kedro.plots.training_curves import plot_training_curves
from tests.support.parameters import REPORTING
from tests.support.reporting import drawn, predictions_of, texts


@pytest.fixture
def predictions(digits):
    """Right for all but the digits 3, 10 and 20, of which 10 is the surest mistake."""
    table = pd.DataFrame({"label": digits["labels"], "prediction": digits["labels"]})
    table["confidence"] = 0.98
    for row, confidence in ((3, 0.5), (10, 0.997), (20, 0.6)):
        table.loc[row, "prediction"] = (table.loc[row, "label"] + 1) % 10
        table.loc[row, "confidence"] = confidence
    return table


def test_the_grid_shows_each_digit_under_its_caption(digits):
    figure = digit_grid(digits["images"][:7], list("abcdefg"), columns=5)
    paper = figure.axes[0].images[0].get_array()
    ink = sum(digits["images"][i].astype(int).sum() for i in range(7))
    assert int(paper.astype(int).sum()) == ink
    assert [text.get_text() for text in figure.axes[0].texts] == list("abcdefg")
    assert drawn(figure).min() < 50


def shown(examples=1, mistakes=1):
    changes = {"examples": examples, "mistakes": mistakes}
    return REPORTING.model_copy(update=changes)


def test_sample_predictions_tell_right_from_wrong(digits, predictions):
    figure = plot_sample_predictions(digits, predictions, shown(examples=12), model="cnn")
    captions = figure.axes[0].texts
    assert len(captions) == 12
    assert "10 of the first 12 test digits are classified correctly" in texts(figure)
    label = digits["labels"]
    assert captions[3].get_text() == f"{label[3]}→{(label[3] + 1) % 10} 50%"
    assert captions[0].get_text() == f"{label[0]} 98%"
    assert captions[3].get_color() != captions[0].get_color()
    drawn(figure)


def test_all_test_digits_are_on_one_wall(digits, predictions):
    figure = plot_test_digits(digits, predictions, model="cnn")
    assert "The CNN misclassifies 3 of 800 test digits" in texts(figure)
    wall = figure.axes[0].images[0].get_array().astype(int)
    assert wall.shape == (850, 880, 3)  # 29 columns of 30 pixels, 28 rows
    red = wall[..., 0] - wall[..., 2] > 100
    cell = 880 / 29
    for row in (3, 10, 20):
        assert red[int(cell / 2), int((row + 0.1) * cell)], row
    assert red.sum() < 3 * (2 * cell) ** 2
    drawn(figure)


@pytest.mark.parametrize("wrong", [0, 1, 400, 800])
def test_the_wall_can_be_drawn_with_any_number_of_mistakes(digits, wrong):
    figure = plot_test_digits(digits, predictions_of(digits, wrong), model="cnn")
    assert f"misclassifies {wrong} of 800" in texts(figure)
    drawn(figure)


def test_curves_of_different_lengths_have_their_epochs_in_the_title(digits):
    curves = ("accuracy", "validation_accuracy", "loss", "validation_loss")
    long, short = (
        {
            "epochs": n,
            "augmented_epochs": n,
            "training_digits": 9,
            **dict.fromkeys(curves, [0.5] * n),
        }
        for n in (16, 1)
    )
    figure = plot_training_curves(digits, cnn=long, dense=short)
    assert "accuracy: cnn 50.00% (16 epochs), dense 50.00% (1 epoch)" in texts(figure)
    assert "cnn: 9 training digits" in texts(figure)


def test_a_title_of_five_networks_is_wrapped(digits):
    history = {
        "epochs": 3,
        "augmented_epochs": 3,
        "training_digits": 55_000,
        **{key: [0.1, 0.5, 0.9] for key in ("accuracy", "validation_accuracy")},
        **{key: [0.9, 0.5, 0.1] for key in ("loss", "validation_loss")},
    }
    networks = ("cnn", "dense", "resnet", "capsule_network", "lenet5_with_a_long_name")
    figure = plot_training_curves(digits, **dict.fromkeys(networks, history))
    assert all(name in texts(figure).replace("\n", " ") for name in networks)
    drawn(figure)


def test_the_worst_mistake_comes_first(digits, predictions):
    figure = plot_worst_mistakes(digits, predictions, shown(mistakes=2), model="resnet")
    captions = [text.get_text() for text in figure.axes[0].texts]
    label = digits["labels"][10]
    assert captions[0] == f"{label}→{(label + 1) % 10} >99%"
    assert len(captions) == 2
    assert "misclassifies 3 of 800" in texts(figure)
    first_cell = figure.axes[0].images[0].get_array()[:, :36]
    assert first_cell.astype(int).sum() == digits["images"][10].astype(int).sum()
    drawn(figure)


def test_the_least_confident_hit_comes_first(digits, predictions):
    predictions.loc[[5, 7], "confidence"] = [0.4, 0.3]
    figure = plot_least_confident_hits(digits, predictions, shown(mistakes=2), model="cnn")
    captions = [text.get_text() for text in figure.axes[0].texts]
    assert captions == [f"{digits['labels'][7]} 30%", f"{digits['labels'][5]} 40%"]
    assert "less than 90% sure of 2 of its 797 correct predictions" in texts(figure)
    drawn(figure)


def test_no_mistakes_are_a_figure_too(digits, predictions):
    predictions["prediction"] = predictions["label"]
    figure = plot_worst_mistakes(digits, predictions, shown(mistakes=40), model="cnn")
    assert "misclassifies 0 of 800" in texts(figure)
    drawn(figure)


def test_the_confusion_matrix_names_the_most_frequent_mistake(digits):
    predictions = predictions_of(digits, 0)
    predictions.loc[np.flatnonzero(digits["labels"] == 4)[:6], "prediction"] = 9
    figure = plot_confusion_matrix(digits, predictions, model="mine")
    assert "4 → 9 (6 times)" in texts(figure)
    assert "6" in [text.get_text() for text in figure.axes[0].texts]
    drawn(figure)


def test_a_perfect_confusion_matrix_has_no_mistake_to_name(digits):
    figure = plot_confusion_matrix(digits, predictions_of(digits, 0), model="cnn")
    assert "No digit is mistaken" in texts(figure)


@pytest.mark.parametrize(
    ("epochs", "augmented", "smoothing", "variation"),
    [
        (1, 0, {}, "not augmented"),  # as histories of before labels could be smoothed
        (5, 5, {"label_smoothing": 0}, "augmented in each epoch"),
        # −0.955 ln 0.955 − 9 · 0.005 ln 0.005 = 0.282
        (40, 30, {"label_smoothing": 0.05}, "augmented in the first 30 epochs, which makes them"),
        (
            40,
            30,
            {"label_smoothing": 0.05},
            "With label smoothing, the training loss is at least 0.28.",
        ),
    ],
)
def test_training_curves_show_both_models_and_splits(
    digits, epochs, augmented, smoothing, variation
):
    history = {
        "epochs": epochs,
        "augmented_epochs": augmented,
        "accuracy": np.linspace(0.9, 0.98, epochs).tolist(),
        "validation_accuracy": np.linspace(0.95, 0.99, epochs).tolist(),
        "loss": np.linspace(0.5, 0.1, epochs).tolist(),
        "validation_loss": np.linspace(0.4, 0.05, epochs).tolist(),
        "training_digits": 55_000,
        **smoothing,
    }
    mnist = {**digits, "canonical_mnist": True}
    figure = plot_training_curves(mnist, cnn=history, dense=history)
    written = texts(figure)
    for word in ("cnn", "dense", "training", "validation", "Accuracy", "Loss", "MNIST", "55,000"):
        assert word in written
    assert variation in written
    assert ("label smoothing" in written) == bool(smoothing.get("label_smoothing"))
    drawn_lines = [len(axes.lines) for axes in figure.axes]
    assert drawn_lines == [4, 4]
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), history["validation_accuracy"])
    drawn(figure)


def test_class_balance_shows_the_share_of_each_digit(digits):
    figure = plot_class_balance(digits, digits, {**digits, "labels": digits["labels"][:100]})
    assert "training (800)" in texts(figure)
    assert "test (100)" in texts(figure)
    heights = [bar.get_height() for bar in figure.axes[0].containers[0]]
    np.testing.assert_allclose(heights, np.bincount(digits["labels"]) / 800)
    drawn(figure)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_the_reliability_diagram_shows_confidence_against_accuracy(digits, temperature):
    probabilities = np.full((800, 10), 0.02)
    probabilities[np.arange(800), digits["labels"]] = 0.82
    probabilities[:80] = np.roll(probabilities[:80], 1, axis=1)  # a tenth is wrong
    predictions = pd.DataFrame(probabilities, columns=PROBABILITIES).assign(label=digits["labels"])
    metrics = {"models": {"cnn": {"temperature_scaling": {"temperature": temperature}}}}
    figure = plot_reliability_diagram(digits, predictions, metrics, model="cnn")
    assert "calibration error is 8.00%" in texts(figure)
    assert f"with temperature {temperature:.2f}: error 8.00%" in texts(figure)
    assert ("without temperature" in texts(figure)) == (temperature != 1.0)
    assert ("No temperature improved" in texts(figure)) == (temperature == 1.0)
    calibrated = figure.axes[0].containers[0].lines[0]
    assert calibrated.get_xydata() == pytest.approx(np.array([[0.82, 0.9]]))
    drawn(figure)


def test_the_risk_coverage_curve_says_what_is_read_without_help(digits, predictions):
    rejection = {
        "target_accuracy": 0.999,
        "threshold": 0.99,
        "coverage": 0.75,
        "accuracy": 0.9983,
        "errors": 1,
    }
    metrics = {"models": {"cnn": {"rejection": rejection}}}
    figure = plot_risk_coverage(digits, metrics, cnn=predictions)
    finding = "the CNN classifies 75.0% of the test digits, 99.83% of these correctly"
    assert f"With a reject option, {finding}" in texts(figure)
    curve, chosen = figure.axes[0].lines[:2]
    np.testing.assert_allclose(curve.get_ydata()[-1], 3 / 800)
    assert chosen.get_xydata() == pytest.approx(np.array([[0.75, 0.0017]]))
    drawn(figure)


def test_metrics_of_other_models_are_an_error(digits, predictions):
    with pytest.raises(
        InputError, match=r"'dense' is missing; run 'kedro run --pipelines eval.*=\[cnn"
    ):
        plot_risk_coverage(digits, {"models": {"cnn": {}}}, cnn=predictions, dense=predictions)


def test_a_model_that_is_never_sure_has_a_curve_too(digits, predictions):
    none = {"target_accuracy": 0.999, "threshold": 2, "coverage": 0, "accuracy": None, "errors": 0}
    figure = plot_risk_coverage(digits, {"models": {"cnn": {"rejection": none}}}, cnn=predictions)
    assert "always below the threshold" in texts(figure)
    drawn(figure)


def runs_table(runs=3, models=("cnn", "dense"), data=("MNIST, 10,000 test digits",)):
    rows = [
        {
            "run": f"2026-11-{day + 1:02}T10.00.00.000Z",
            "model": model,
            "accuracy": 0.99 - 0.01 * number,
            "low": 0.98 - 0.01 * number,
            "high": 0.995 - 0.01 * number,
            "test_digits": 10_000,
            "data": data[day % len(data)],
            "changed": "training.epochs: 2 → 16; commit 0123456; uncommitted changes; " * (day % 3),
        }
        for day in range(runs)
        for number, model in enumerate(models)
    ]
    return pd.DataFrame(rows)


def test_runs_share_an_axis_only_if_they_have_the_same_data():
    figure = plot_runs_compared(runs_table(5, data=("MNIST, 10,000 test digits", "mine.hdf5")))
    assert [axes.get_xlabel() for axes in figure.axes] == ["MNIST, 10,000 test digits", "mine.hdf5"]
    assert [len(axes.containers) for axes in figure.axes] == [2 * 3, 2 * 2]
    latest = max(figure.axes[0].texts, key=lambda text: text.get_position()[1])
    assert latest.get_text().startswith("2026-11-05 10:00: training.epochs: 2 → 16;")
    best = "cnn (2026-11-05), with 99.00% of 10,000 test digits correct"
    assert f"Best of 3 runs with the latest data: {best}" in texts(figure)
    drawn(figure)


@pytest.mark.parametrize("runs", [1, 30])
def test_a_run_alone_and_many_can_be_compared(runs):
    networks = ("cnn", "dense", "resnet", "capsule", "lenet")
    figure = plot_runs_compared(runs_table(runs, networks))
    assert len(figure.axes[0].texts) == min(runs, 20)
    drawn(figure)


@pytest.mark.parametrize(
    ("source", "canonical", "test_split", "said"),
    [
        ("download", True, "given", "MNIST, 800 test digits"),
        ("sample", False, "held out of the sample", "800 test digits held out of the sample"),
        ("my.hdf5", False, "given", "my.hdf5 (not the canonical MNIST), 800 test digits"),
        ("my.hdf5", False, "held out here", "MNIST), 800 test digits held out here"),
    ],
)
def test_says_what_the_data_is(digits, source, canonical, test_split, said):
    changed = {"source": source, "canonical_mnist": canonical, "test_split": test_split}
    assert said in describe_test({**digits, **changed})
