import numpy as np
import pytest

from tests.support.networks import NETWORKS, STATISTICS
from tests.support.parameters import training

MOMENTUM = 0.9


@pytest.fixture(scope="module")
def average():
    """A network and its average after each of six steps, as an optimizer would take them."""
    import keras

    from mnist_kedro.models.averaging import WeightAverage

    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    network.compile("sgd", "mse")
    average = WeightAverage(network, MOMENTUM)
    average.set_model(network)
    average.on_train_begin()
    return network, average


def step(average, steps, weights):
    network, callback = average
    network.optimizer.iterations.assign(steps)
    network.set_weights([np.full((2, 1), weights, np.float32)])
    callback.on_train_batch_end(steps - 1)
    return callback.values()[0].item(0)


def test_earlier_weights_count_less_and_all_shares_sum_to_1(average):
    assert step(average, 1, 5.0) == 5.0
    assert step(average, 2, 3.0) == pytest.approx((0.9 * 5 + 3) / 1.9)
    # Steps 3 and 4 were run together: the weights after step 4 count for both.
    expected = (0.9**3 * 5 + 0.9**2 * 3 + 1.9 * 7) / (1 + 0.9 + 0.9**2 + 0.9**3)
    assert step(average, 4, 7.0) == pytest.approx(expected)


def test_validation_sees_the_average_and_the_training_its_own_weights(average):
    network, callback = average
    last = network.get_weights()
    callback.on_test_begin()
    np.testing.assert_array_equal(network.get_weights(), callback.values())
    callback.on_test_end()
    np.testing.assert_array_equal(network.get_weights(), last)


@pytest.fixture(scope="module")
def fitted(digits):
    """A network whose weights changed much during the average."""
    from mnist_kedro.models.fitting import fit_network

    options = training(epochs=6, batch_size=20, learning_rate=0.02, ema_momentum=0.995)
    few = {key: digits[key][:200] for key in ("images", "labels")}
    return fit_network(digits, few, STATISTICS, options, NETWORKS["resnet"], None, "resnet"), few


def test_the_validated_average_becomes_the_model(fitted):
    (model, history), few = fitted
    accuracy = np.mean(np.argmax(model(few["images"]), axis=1) == few["labels"])
    assert accuracy == pytest.approx(history["validation_accuracy"][-1], abs=1e-6)


def test_the_statistics_of_batch_normalization_fit_the_averaged_weights(fitted, digits):
    """They are about those of the training digits, computed with the averaged weights."""
    import keras

    (model, _), _ = fitted
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    normalizations = [
        layer for layer in copy.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    for layer in normalizations:
        layer.momentum = 0.0  # so that a call replaces the statistics
    copy(digits["images"], training=True)
    found, exact = (network.predict(digits["images"], verbose=0) for network in (model, copy))
    agree = found.argmax(axis=1) == exact.argmax(axis=1)
    assert agree.mean() > 0.95  # with the last weights' statistics 0.85
    assert np.abs(found - exact).mean() < 0.02  # 0.04
