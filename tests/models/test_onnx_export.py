"""ONNX files say what the networks say, run by ONNX Runtime."""

import numpy as np
import pytest

from mnist_kedro.errors import InputError
from tests.support.networks import EVERY_NETWORK, build
from tests.support.onnx import run_onnx


@pytest.mark.parametrize("network", EVERY_NETWORK)
def test_each_network_gives_the_same_calibrated_probabilities(network, digits, tmp_path):
    """As stored and loaded, with averages in its normalisations that a training could leave."""
    import keras

    from mnist_kedro.models.onnx_export import to_onnx
    from mnist_kedro.models.temperature import with_temperature

    keras.utils.set_random_seed(1)
    model = with_temperature(build(network), 0.5)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(rng.normal(0, 0.3, layer.moving_mean.shape))
            layer.moving_variance.assign(rng.uniform(0.5, 2, layer.moving_variance.shape))
            layer.gamma.assign(rng.uniform(0.5, 2, layer.gamma.shape))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    file = to_onnx(loaded).SerializeToString()
    images = np.asarray(digits["images"])
    for count in (1, 7, 100):  # any number of digits
        found = run_onnx(file, images[:count])
        expected = model.predict(images[:count], verbose=0)
        assert (found.shape, found.dtype) == ((count, 10), np.float32)
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert expected.std(axis=0).max() > 1e-4  # not all the same


def test_a_layer_of_another_kind_is_named():
    import keras

    from mnist_kedro.models.onnx_export import to_onnx

    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.PReLU()])
    with pytest.raises(InputError, match="type PReLU cannot be converted to ONNX"):
        to_onnx(model)
