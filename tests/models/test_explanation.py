import numpy as np
import pytest
from scipy.signal import correlate2d
from scipy.special import softmax

from tests.support.networks import EVERY_NETWORK, NETWORKS, STATISTICS, build

TEMPERATURE = 0.5
every_network = pytest.mark.parametrize("network", EVERY_NETWORK)


@pytest.fixture(scope="module")
def images(digits):
    return np.asarray(digits["images"])[:6]


def stored(network, folder):
    """Untrained, saved and loaded again, as the pipeline has it."""
    import keras

    from mnist_kedro.models.temperature import with_temperature

    keras.utils.set_random_seed(0)
    with_temperature(build(network), TEMPERATURE).save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def standardized(image):
    return (image[..., 0] - STATISTICS["mean"]) / STATISTICS["standard_deviation"]


@every_network
def test_attributions_sum_up_to_what_they_explain(network, images, tmp_path):
    """Completeness: Sundararajan et al. 2017 (arXiv:1703.01365), proposition 1."""
    from mnist_kedro.models.explanation import integrated_gradients

    model = stored(network, tmp_path)
    classes = np.array([0, 1, 2, 3, 9, 9])
    attributions = integrated_gradients(model, images, classes)
    assert attributions.shape == (6, 28, 28)
    rows = np.arange(6)
    of_digits = np.log(np.asarray(model(images))[rows, classes])
    of_blank = np.log(np.asarray(model(np.zeros_like(images)))[rows, classes])
    explained = attributions.sum(axis=(1, 2))
    difference = of_digits - of_blank
    np.testing.assert_allclose(explained, difference, atol=0.05 * np.abs(difference).max())
    assert np.abs(explained).max() > 1e-4
    assert not attributions[images[..., 0] == 0].any()  # blank paper says nothing


@pytest.mark.parametrize("network", [name for name in NETWORKS if name != "capsnet"])
def test_the_probabilities_follow_from_the_features(network, images, tmp_path):
    from mnist_kedro.models.explanation import embed

    model = stored(network, tmp_path)
    last = model.get_layer("logits")
    logits = embed(model, images) @ np.asarray(last.kernel) + np.asarray(last.bias)
    np.testing.assert_allclose(softmax(logits / TEMPERATURE, axis=1), model(images), atol=1e-5)


def test_a_capsule_network_has_features_too(images, tmp_path):
    from mnist_kedro.models.explanation import embed

    features = embed(stored("capsnet", tmp_path), images)
    assert features.shape[0] == 6
    assert np.mean(features.std(axis=0) > 0) > 0.8  # a unit may be silent by its random weights


def test_a_convolution_responds_wherever_its_filter_fits(images, tmp_path):
    from mnist_kedro.models.explanation import first_layer

    filters, responses = first_layer(stored("cnn", tmp_path), images[0])
    assert filters.shape == (8, 5, 5)
    cropped = standardized(images[0])[2:-2, 2:-2]
    expected = [correlate2d(cropped, kernel, "valid") for kernel in filters]
    np.testing.assert_allclose(responses, expected, rtol=1e-4, atol=1e-5)


@every_network
def test_each_layer_hands_its_maps_on(network, images, tmp_path):
    from mnist_kedro.models.explanation import feature_maps

    model = stored(network, tmp_path)
    maps = feature_maps(model, images[0])
    for name, values in maps.items():
        height, width = model.get_layer(name).output.shape[1:-1] or (1, 1)
        assert values.shape == (model.get_layer(name).output.shape[-1], height, width)
    if "logits" in maps:
        assert list(maps)[-1] == "logits"
        probabilities = softmax(maps["logits"].ravel() / TEMPERATURE)
        np.testing.assert_allclose(probabilities, model(images[:1])[0], atol=1e-5)


def test_a_dense_layer_weighs_the_whole_picture(images, tmp_path):
    from mnist_kedro.models.explanation import first_layer

    filters, responses = first_layer(stored("dense", tmp_path), images[0])
    assert filters.shape == (64, 28, 28)
    expected = np.maximum((filters * standardized(images[0])).sum(axis=(1, 2)), 0)
    np.testing.assert_allclose(responses[:, 0, 0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("network", [name for name in NETWORKS if name not in {"cnn", "dense"}])
def test_the_other_networks_have_a_first_layer_too(network, images, tmp_path):
    from mnist_kedro.models.explanation import first_layer

    filters, responses = first_layer(stored(network, tmp_path), images[0])
    assert len(filters) == len(responses)
    assert responses.std() > 0
