import json
import subprocess
import sys

import numpy as np
import pytest

from mnist_kedro.parameters import NetworkParameters

STATISTICS = {"mean": 33.3, "standard_deviation": 78.6}
NETWORKS = [
    {"architecture": "cnn", "filters": [8, 8, 16], "units": 16},
    {"architecture": "dense", "units": [32, 16]},
    {"architecture": "lenet5"},
    {"architecture": "resnet", "filters": [8, 16, 24]},
    {"architecture": "capsnet", "filters": [8, 8, 8, 16]},
]
NAMES = [network["architecture"] for network in NETWORKS]


def build(network, statistics=STATISTICS):
    from mnist_kedro.models.networks import build_network

    return build_network(NetworkParameters.model_validate(network), statistics)


@pytest.mark.parametrize("network", NETWORKS, ids=NAMES)
def test_gives_probabilities_for_raw_pixels(network, digits):
    probabilities = np.asarray(build(network)(digits["images"][:7]))
    assert probabilities.shape == (7, 10)
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("network", NETWORKS, ids=NAMES)
def test_its_first_layer_standardises_the_pixels(network, digits):
    first = build(network).get_layer("standardise")
    pixels = digits["images"][:3]
    np.testing.assert_allclose(first(pixels), (pixels - 33.3) / 78.6, rtol=1e-5, atol=1e-5)


def test_the_sizes_are_the_parameters():
    import keras

    cnn, dense, lenet5, resnet, _ = (build(network) for network in NETWORKS)
    convolutions = [layer for layer in cnn.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.filters for layer in convolutions] == [8, 8, 16]
    hidden = [layer for layer in dense.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in hidden] == [32, 16, 10]
    weights = [weight.shape for weight in lenet5.trainable_weights]
    assert sum(map(np.prod, weights)) == 61_706  # as counted by hand for its published layers
    sums = [layer for layer in resnet.layers if isinstance(layer, keras.layers.Add)]
    assert [layer.output.shape[1:] for layer in sums] == [
        (20, 20, 8),
        (10, 10, 8),
        (5, 5, 16),
        (3, 3, 24),
    ]


@pytest.mark.parametrize(("filters", "side"), [([8, 8], 4), ([8, 8, 8], 3), ([8] * 5, 1)])
def test_the_cnn_has_two_to_five_convolutions(filters, side):
    cnn = build({"architecture": "cnn", "filters": filters, "units": 16})
    assert cnn.get_layer("flatten_features").input.shape[1:] == (side, side, 8)


def test_loads_with_keras_alone(digits, tmp_path):
    """All networks in one other process, in safe mode and without this package."""
    models = [build(network) for network in NETWORKS if network["architecture"] != "capsnet"]
    for i, model in enumerate(models):
        model.save(tmp_path / f"{i}.keras")
    np.save(tmp_path / "x.npy", digits["images"][:4])
    script = """
import json, sys
import keras, numpy as np
models = [keras.models.load_model(f"{i}.keras", safe_mode=True) for i in range(4)]
assert not [name for name in sys.modules if name.startswith("mnist_kedro")]
for model in models:
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
print(json.dumps([np.asarray(model(np.load("x.npy"))).tolist() for model in models]))
"""
    alone = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    for model, probabilities in zip(models, json.loads(alone.stdout), strict=True):
        expected = model(digits["images"][:4])
        np.testing.assert_allclose(probabilities, expected, rtol=1e-4, atol=1e-6)
