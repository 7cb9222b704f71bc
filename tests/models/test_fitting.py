import logging

import numpy as np
import pytest

from mnist_kedro.datasets import CheckpointsDataset
from tests.support.networks import NETWORKS, STATISTICS
from tests.support.parameters import augmentation, training


def fit(digits, folder, **changes):
    from mnist_kedro.models.fitting import fit_network

    checkpoints = CheckpointsDataset(filepath=str(folder)).load()
    options = training(**{"epochs": 3, "batch_size": 50, "learning_rate": 0.01, **changes})
    validation = {key: digits[key][:100] for key in ("images", "labels")}
    return fit_network(digits, validation, STATISTICS, options, NETWORKS["cnn"], checkpoints, "cnn")


@pytest.fixture(scope="module")
def fitted(digits, tmp_path_factory):
    return fit(digits, tmp_path_factory.mktemp("checkpoints"))


def test_learns(fitted, digits):
    model, history = fitted
    accuracy = np.mean(np.argmax(model(digits["images"]), axis=1) == digits["labels"])
    assert accuracy > 0.8
    assert history["validation_loss"][-1] < history["validation_loss"][0]


def test_the_history_is_complete(fitted):
    model, history = fitted
    for key in ("accuracy", "loss", "validation_accuracy", "validation_loss", "seconds"):
        assert len(history[key]) == history["epochs"] == 3
    assert history["training_seconds"] >= sum(history["seconds"])
    assert history["parameters"] == sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert history["training_digits"] == 800
    assert history["precision"] == "float32"


def test_the_last_epochs_weights_are_the_models(fitted, digits):
    """What was measured on the twin holds for the model of stock layers that is saved."""
    model, history = fitted
    predictions = np.argmax(model(digits["images"][:100]), axis=1)
    accuracy = np.mean(predictions == digits["labels"][:100])
    assert accuracy == pytest.approx(history["validation_accuracy"][-1], abs=1e-6)


def test_the_same_seed_gives_the_same_weights(fitted, digits, tmp_path):
    again, history = fit(digits, tmp_path)
    for one, other in zip(fitted[0].get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert history["validation_loss"] == fitted[1]["validation_loss"]


def test_the_same_seed_gives_the_same_weights_with_every_option(digits, tmp_path):
    amounts = {"rotation": 10, "shift": 2, "zoom": 0.1, "shear": 10, "elastic": 1}
    options = {
        "augmentation": augmentation(**amounts, thickness=1, photographed=0.5, damaged=0.5),
        "label_smoothing": 0.05,
        "ema_momentum": 0.9,
        "mixed_bfloat16": True,
    }
    one, other = (fit(digits, tmp_path / str(i), **options) for i in range(2))
    for weights, again in zip(one[0].get_weights(), other[0].get_weights(), strict=True):
        np.testing.assert_array_equal(weights, again)
    assert one[1]["loss"] == other[1]["loss"]
    assert one[1]["validation_loss"] == other[1]["validation_loss"]


def test_another_seed_gives_other_weights_and_each_epoch_a_line(fitted, digits, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    other, _ = fit(digits, tmp_path, seed=1, epochs=2)
    assert (other.get_weights()[0] != fitted[0].get_weights()[0]).any()
    lines = [record.getMessage() for record in caplog.records if "epoch" in record.getMessage()]
    assert len(lines) == 2
    assert "cnn: epoch 2 of 2, validation accuracy" in lines[1]


def test_trains_in_bfloat16_and_saves_float32(digits, tmp_path):
    model, history = fit(digits, tmp_path, mixed_bfloat16=True)
    assert history["precision"] == "mixed_bfloat16"
    assert history["validation_accuracy"][-1] > 0.7
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}


def test_fewer_digits_than_a_batch_are_one_batch(digits, tmp_path):
    few = {**digits, **{key: digits[key][:30] for key in ("images", "labels")}}
    _, history = fit(few, tmp_path, epochs=2)
    assert history["epochs"] == 2


def test_auto_epochs_are_more_for_fewer_digits():
    from mnist_kedro.models.fitting import number_of_epochs

    assert number_of_epochs(training(epochs="auto"), steps=107) == 16
    assert number_of_epochs(training(epochs="auto"), steps=7) == 58
    assert number_of_epochs(training(epochs=1), steps=28) == 1


def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero():
    from mnist_kedro.models.fitting import one_cycle

    rate = [float(one_cycle(training(learning_rate=0.01), 100)(step)) for step in range(101)]
    assert rate[0] == pytest.approx(0.01 / 25)
    assert max(rate) == pytest.approx(0.01)
    assert rate.index(max(rate)) == 25
    assert rate[-1] == pytest.approx(0, abs=1e-8)
    assert rate[:26] == sorted(rate[:26])
    assert rate[25:] == sorted(rate[25:], reverse=True)
