"""A network learns to find the ink of simulated pages."""

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from mnist_kedro.parameters import InkFinderParameters
from mnist_kedro.pictures.finder import find_ink_by_network
from mnist_kedro.pipelines.ink_finder import create_pipeline
from mnist_kedro.pipelines.ink_finder.nodes import (
    export_ink_finder,
    make_pages,
    train_ink_finder,
)
from mnist_kedro.plots.ink import plot_ink
from tests.support.reporting import drawn

PARAMETERS = InkFinderParameters(
    pages=48, side=64, epochs=2, batch_size=8, learning_rate=0.003, seed=0
)


@pytest.fixture(scope="module")
def pages(digits):
    return make_pages(digits, PARAMETERS)


@pytest.fixture(scope="module")
def model(pages):
    return train_ink_finder(pages, PARAMETERS)


def test_pages_are_padded_to_squares(pages):
    assert pages["pictures"].shape == pages["ink"].shape == (48, 64, 64)
    assert (pages["shapes"].max(axis=1) == 64).all()
    for picture, ink, (height, width) in zip(*pages.values(), strict=True):
        for padded in (picture[height:], picture[:, width:], ink[height:], ink[:, width:]):
            assert not padded.any()


def test_the_exported_network_finds_what_the_network_finds(model):
    session = onnxruntime.InferenceSession(export_ink_finder(model))
    levels = np.random.default_rng(0).normal(size=(2, 1, 48, 72)).astype(np.float32)
    (found,) = session.run(None, {"levels": levels})
    expected = model.predict(np.moveaxis(levels, 1, -1), verbose=0)
    np.testing.assert_allclose(np.moveaxis(found, 1, -1), expected, atol=1e-5)


def test_the_same_seed_trains_the_same_network(pages, model):
    again = train_ink_finder(pages, PARAMETERS)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_network_of_the_package_finds_ink_beside_lines(digits):
    """On squared paper, the strokes of digits but not the squares."""
    for image in np.asarray(digits["images"])[:20, ..., 0]:
        large = np.asarray(Image.fromarray(image).resize((84, 84)), float) / 255
        ink = np.zeros((120, 128))
        ink[18:102, 22:106] = large
        squares = (np.indices(ink.shape) % 24 < 2).any(axis=0)
        picture = 225 * (1 - 0.35 * squares) * (1 - 0.7 * ink)
        found = find_ink_by_network(picture.astype(np.uint8))
        assert found.shape == ink.shape
        assert found[ink > 0.8].mean() > 0.8
        assert found[squares & (ink == 0)].mean() < 0.1


def test_the_figure_shows_the_steps(pages):
    drawn(plot_ink(pages))


def test_the_pipeline_starts_from_training_digits():
    pipeline = create_pipeline()
    assert pipeline.inputs() == {"train", "params:ink_finder"}
    assert pipeline.outputs() == {"ink_finder_onnx", "figures.ink"}
