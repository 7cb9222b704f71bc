import json
import subprocess
import sys

import numpy as np
import pytest

from tests.support.networks import NETWORKS, build
from tests.support.paths import ROOT
from tests.support.project import environment


@pytest.mark.parametrize("network", NETWORKS)
def test_gives_probabilities_for_raw_pixels(network, digits):
    probabilities = np.asarray(build(network)(digits["images"][:7]))
    assert probabilities.shape == (7, 10)
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("network", NETWORKS)
def test_its_first_layer_standardizes_the_pixels(network, digits):
    first = build(network).get_layer("standardize")
    pixels = digits["images"][:3]
    np.testing.assert_allclose(first(pixels), (pixels - 33.3) / 78.6, rtol=1e-5, atol=1e-5)


def test_the_sizes_are_the_parameters():
    import keras

    cnn, dense, lenet5, resnet = map(build, ("cnn", "dense", "lenet5", "resnet"))
    convolutions = [layer for layer in cnn.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.filters for layer in convolutions] == [8, 16, 16]
    hidden = [layer for layer in dense.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in hidden] == [64, 10]
    weights = [weight.shape for weight in lenet5.trainable_weights]
    assert sum(map(np.prod, weights)) == 61_706  # as counted by hand for its published layers
    sums = [layer for layer in resnet.layers if isinstance(layer, keras.layers.Add)]
    assert [layer.output.shape[1:] for layer in sums] == [
        (20, 20, 8),
        (10, 10, 8),
        (5, 5, 16),
    ]


@pytest.mark.parametrize(("filters", "side"), [([8, 8], 4), ([8, 8, 8], 3), ([8] * 5, 1)])
def test_the_cnn_has_two_to_five_convolutions(filters, side):
    cnn = build({"architecture": "cnn", "filters": filters, "units": 16})
    assert cnn.get_layer("flatten_features").input.shape[1:] == (side, side, 8)


def test_loads_in_another_process(digits, tmp_path):
    """Stock networks with Keras alone, in safe mode; then the capsules, as the catalog does."""
    models = {name: build(name) for name in NETWORKS}
    for name, model in models.items():
        model.save(tmp_path / f"{name}.keras")
    np.save(tmp_path / "x.npy", digits["images"][:4])
    script = """
import json, pathlib, sys
import keras, numpy as np
names = sorted(path.stem for path in pathlib.Path().glob("*.keras"))
stock = {name: keras.models.load_model(f"{name}.keras", safe_mode=True)
         for name in names if name != "capsnet"}
assert not [name for name in sys.modules if name.startswith("mnist_kedro")]
for model in stock.values():
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset
layers = ["mnist_kedro.models.capsules.SelfAttentionRouting"]
capsnet = KerasModelDataset(filepath="capsnet.keras", layers=layers).load()
models = {**stock, "capsnet": capsnet}
print(json.dumps({name: np.asarray(model(np.load("x.npy"))).tolist()
                  for name, model in models.items()}))
"""
    alone = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment(ROOT),
        capture_output=True,
        text=True,
        check=False,
    )
    assert alone.returncode == 0, alone.stderr
    loaded = json.loads(alone.stdout)
    assert loaded.keys() == models.keys()
    for name, model in models.items():
        expected = model(digits["images"][:4])
        np.testing.assert_allclose(loaded[name], expected, rtol=1e-4, atol=1e-6)
