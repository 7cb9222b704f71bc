"""The nodes that corrupt digits and look into networks, on a small trained network."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mnist_kedro.metrics.corruptions import CORRUPTIONS
from mnist_kedro.pipelines.evaluation.nodes import predict_digits
from mnist_kedro.pipelines.interpretation.nodes import describe_layers, embed_test_digits
from mnist_kedro.pipelines.robustness.nodes import (
    evaluate_corruptions,
    measure_out_of_distribution,
)
from mnist_kedro.plots.augmentation import plot_augmented_digits
from mnist_kedro.plots.interpretation import (
    plot_attributions,
    plot_embedding,
    plot_feature_maps,
    plot_first_layer,
)
from mnist_kedro.plots.robustness import plot_out_of_distribution, plot_robustness
from tests.support.parameters import REPORTING, augmentation
from tests.support.reporting import drawn, history_of


def test_corrupted_digits_are_misread_more_often(trained, digits):
    table = evaluate_corruptions(digits, digits, REPORTING, cnn=trained, again=trained)
    assert len(table) == 2 * (2 + 5 * len(CORRUPTIONS))
    photographed = table["family"] == "photographed"
    assert (table["digits"] == np.where(photographed, 800, 100)).all()
    np.testing.assert_allclose(table["accuracy"], 1 - table["errors"] / table["digits"])
    cnn = table[table["model"] == "cnn"]
    again = table[table["model"] == "again"]
    np.testing.assert_array_equal(cnn["errors"], again["errors"])  # the same pictures
    means = cnn.groupby("severity")["accuracy"].mean()
    assert means[0] > 0.95
    assert means.is_monotonic_decreasing
    assert means[5] < 0.8


def test_corruptions_are_related_to_the_augmentation_that_a_model_was_trained_with(trained, digits):
    import keras

    names = {"plain": {}, "turned": {"rotation": 10}, "photos": {"photographed": 0.5, "shift": 0}}
    models = {}
    for name, amounts in names.items():
        models[name] = keras.models.clone_model(trained)
        history = history_of(digits, name, augmentation=augmentation(**amounts))
        models[name].training_record = history["training_record"]
    table = evaluate_corruptions(digits, digits, REPORTING, **models)
    related = table[table["family"] == "related"].groupby("model")["corruption"].agg(set).to_dict()
    assert related.keys() == {"turned", "photos"}
    assert related["turned"] == {"rotation"}
    assert related["photos"] >= {"contrast", "gaussian_blur"}
    assert not related["photos"] & {"translation", "stripe", "line"}
    families = table.groupby(["model", "corruption"])["family"].nunique()
    assert (families == 1).all()


def test_the_digits_are_from_all_of_the_split(trained, digits):
    """Were it the first hundred alone, it would be right about none of these."""
    labels = digits["labels"].copy()
    labels[:400] = (labels[:400] + 1) % 10
    table = evaluate_corruptions({**digits, "labels": labels}, digits, REPORTING, cnn=trained)
    assert table["accuracy"][0] == pytest.approx(0.5, abs=0.1)


def test_confidences_are_of_digits_and_of_what_is_none(trained, digits):
    table = measure_out_of_distribution(digits, digits, REPORTING, cnn=trained)
    counts = table["kind"].value_counts()
    assert dict(counts) == {
        "digits": 100,
        "noise": 100,
        "scrambled": 100,
        "inverted": 100,
        "blank": 1,
    }
    assert table["confidence"].between(0.1, 1).all()
    means = table.groupby("kind")["confidence"].mean()
    assert means["digits"] > means["scrambled"]


def test_a_network_is_described_by_its_layers(trained):
    table = describe_layers(trained)
    assert table["type"].tolist()[:3] == ["Normalization", "Cropping2D", "Conv2D"]
    assert table["parameters"].sum() == trained.count_params()


def test_the_embedding_has_a_row_for_each_digit(trained, digits):
    table = embed_test_digits(trained, digits, predict_digits(trained, digits))
    assert table["digit"].tolist() == list(range(len(digits["labels"])))
    assert (table["label"] == digits["labels"]).all()
    assert table[["x", "y"]].mean().abs().max() < 1e-3  # centered
    assert table["x"].std() > table["y"].std() > 0


def test_each_of_its_figures_says_what_it_found(trained, digits):
    predictions = predict_digits(trained, digits)
    predictions.loc[[1, 2], "prediction"] = (predictions.loc[[1, 2], "label"] + 1) % 10
    wrong = (predictions["label"] != predictions["prediction"]).sum()
    figures = {
        "correctly under unseen corruptions": plot_robustness(
            digits, evaluate_corruptions(digits, digits, REPORTING, cnn=trained)
        ),
        "confidence": plot_out_of_distribution(
            digits, measure_out_of_distribution(digits, digits, REPORTING, cnn=trained)
        ),
        "The first filters": plot_first_layer(trained, digits, name="cnn"),
        "mistakes": plot_attributions(trained, digits, predictions, name="cnn"),
        "Feature maps": plot_feature_maps(trained, digits, predictions, name="cnn"),
        "are closest to their class": plot_embedding(
            digits, embed_test_digits(trained, digits, predictions), name="cnn"
        ),
    }
    for finding, figure in figures.items():
        assert isinstance(figure, Figure)
        title = " ".join(figure.texts[0].get_text().split())
        assert finding in title
        assert "cnn" in title.lower()
        drawn(figure)
    shown = [axes for axes in figures["mistakes"].axes if axes.images]
    assert len(shown) == 3 * min(wrong, 6) + 2 * 6


def test_a_network_that_misreads_nothing_has_a_figure_too(trained, digits):
    predictions = predict_digits(trained, digits)
    predictions["prediction"] = predictions["label"]
    figure = plot_attributions(trained, digits, predictions, name="cnn")
    assert "makes no mistakes" in figure.texts[0].get_text()


def test_draws_a_digit_of_each_class_with_its_variations(digits):
    amounts = {"rotation": 10, "zoom": 0.1, "elastic": 0.5}
    figure = plot_augmented_digits(digits, history_of(digits, augmentation=augmentation(**amounts)))
    (picture,) = figure.axes[0].images
    assert picture.get_array().shape == (10 * 36, 10 * 36)
    texts = [" ".join(text.get_text().split()) for text in figure.texts]
    assert any(
        "copies: rotation ±10°, zoom ±10%, elastic deformation 0.5 px." in text for text in texts
    )
    left, right = picture.get_array()[:36, :36], picture.get_array()[:36, 36:72]
    assert (left != right).any()
    earlier = history_of(digits, augmentation=augmentation(shift=2))
    amounts = earlier["training_record"]["parameters"]["training"]["augmentation"]
    del amounts["thickness"], amounts["photographed"]
    amounts["erasing"] = 0
    texts = [text.get_text() for text in plot_augmented_digits(digits, earlier).texts]
    assert any("copies: shift ±2 px." in text for text in texts)
    figure = plot_augmented_digits(digits, history_of(digits, augmentation=augmentation()))
    same = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(same[:36, :36], same[:36, 36:72])
