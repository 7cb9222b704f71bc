import numpy as np
import pytest

from mnist_kedro.metrics.calibration import negative_log_likelihood, scale_temperature
from mnist_kedro.metrics.prediction import probabilities_of
from tests.support.networks import NETWORKS, build


@pytest.mark.parametrize("architecture", NETWORKS)
def test_every_network_can_divide_its_logits(architecture, digits):
    from mnist_kedro.models.temperature import with_temperature

    model, images = build(architecture), digits["images"][:50]
    calibrated = with_temperature(model, 0.5)
    expected = scale_temperature(probabilities_of(model, images), 0.5)
    np.testing.assert_allclose(probabilities_of(calibrated, images), expected, atol=1e-4)
    assert calibrated.name == model.name


@pytest.fixture(scope="module")
def smoothed(digits):
    """A network whose training pushed its probabilities towards 0.55 and 0.05."""
    from mnist_kedro.models.fitting import fit_network
    from tests.support.networks import STATISTICS
    from tests.support.parameters import training

    options = training(epochs=6, batch_size=20, learning_rate=0.01, label_smoothing=0.5)
    train, validation = (
        {**digits, **{key: digits[key][rows] for key in ("images", "labels")}}
        for rows in (slice(500), slice(500, None))
    )
    model, _ = fit_network(train, validation, STATISTICS, options, NETWORKS["cnn"], None, "cnn")
    return model, validation


def test_a_network_trained_with_smoothed_labels_gets_true_probabilities(smoothed):
    from mnist_kedro.models.temperature import calibrate

    model, validation = smoothed
    calibrated, temperature = calibrate(model, validation)
    assert temperature < 0.8
    before, after = (
        probabilities_of(network, validation["images"]) for network in (model, calibrated)
    )
    labels = validation["labels"]
    assert negative_log_likelihood(labels, after) < 0.8 * negative_log_likelihood(labels, before)
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))


def test_a_calibrated_network_stays_as_it_is(smoothed):
    from mnist_kedro.models.temperature import calibrate

    calibrated, _ = calibrate(*smoothed)
    again, temperature = calibrate(calibrated, smoothed[1])
    assert temperature == 1.0
    assert again is calibrated
