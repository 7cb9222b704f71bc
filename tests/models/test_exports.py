"""SavedModels and LiteRT files say what the networks say."""

import numpy as np
import pytest

from mnist_kedro.models.litert import run_litert, to_litert
from mnist_kedro.models.saved_model import run_saved_model, write_saved_model
from tests.support.networks import EVERY_NETWORK, build


@pytest.mark.parametrize("network", EVERY_NETWORK)
def test_each_network_gives_the_same_calibrated_probabilities(network, digits, tmp_path):
    import keras

    from mnist_kedro.models.temperature import with_temperature

    keras.utils.set_random_seed(1)
    model = with_temperature(build(network), 0.5)
    images = np.asarray(digits["images"])[:50]
    expected = model.predict_on_batch(images)
    write_saved_model(model, tmp_path / "model")
    np.testing.assert_allclose(run_saved_model(tmp_path / "model", images), expected, atol=1e-6)
    file = to_litert(model)
    np.testing.assert_allclose(run_litert(file, images), expected, atol=1e-5)
    np.testing.assert_allclose(run_litert(file, images[:1]), expected[:1], atol=1e-5)
    small = to_litert(model, images)
    assert run_litert(small, images).shape == (50, 10)
    assert len(small) < len(file)
    assert expected.std(axis=0).max() > 1e-4  # not all the same


def test_a_saved_model_has_no_optimizer(digits, tmp_path):
    model = build("cnn")
    write_saved_model(model, tmp_path / "before")
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.asarray(digits["images"])[:20], digits["labels"][:20], verbose=0)
    write_saved_model(model, tmp_path / "after")
    size = [
        (tmp_path / name / "variables" / "variables.data-00000-of-00001").stat().st_size
        for name in ("before", "after")
    ]
    assert size[0] == pytest.approx(size[1], rel=0.05)
