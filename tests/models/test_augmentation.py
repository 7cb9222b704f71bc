import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_kedro.parameters import AugmentationParameters


def augment(images, seed=(1, 2), rotation=0.0, shift=0.0, zoom=0.0):
    import tensorflow as tf

    from mnist_kedro.models import augmentation

    parameters = AugmentationParameters(rotation=rotation, shift=shift, zoom=zoom)
    return augmentation.augment(
        tf.constant(images), tf.constant(seed, tf.int64), parameters
    ).numpy()


def centres(images):
    """Row and column of each image's centre of mass."""
    weights = images[..., 0] / images.sum(axis=(1, 2, 3))[:, None, None]
    grid = np.arange(28)
    return np.stack([weights.sum(axis=2) @ grid, weights.sum(axis=1) @ grid], axis=1)


def test_nothing_asked_changes_nothing(digits):
    np.testing.assert_array_equal(augment(digits["images"][:50]), digits["images"][:50])


@settings(max_examples=20)
@given(rotation=st.floats(0, 180), shift=st.floats(0, 14), zoom=st.floats(0, 0.9))
def test_keeps_shape_type_and_range(digits, rotation, shift, zoom):
    varied = augment(digits["images"][:8], rotation=rotation, shift=shift, zoom=zoom)
    assert varied.shape == (8, 28, 28, 1)
    assert varied.dtype == np.uint8
    assert varied.max() <= digits["images"][:8].max()


def test_the_same_seed_varies_in_the_same_way(digits):
    images = digits["images"][:20]
    first, again, other = (augment(images, seed, 10, 2, 0.1) for seed in [(1, 2), (1, 2), (3, 4)])
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2, 3)).all()


def test_shifts_by_no_more_than_asked_and_each_image_by_its_own(digits):
    images = digits["images"][:200]
    moves = centres(augment(images, shift=2)) - centres(images)
    assert np.abs(moves).max() < 2.1
    assert moves.std(axis=0).min() > 0.8  # uniform within ±2: 1.15


def test_rotates_by_no_more_than_asked():
    stroke = np.zeros((500, 28, 28, 1), np.uint8)
    stroke[:, 4:24, 13:15] = 255  # upright, through the centre
    turned = augment(stroke, rotation=10)
    rows = np.arange(28) - 13.5
    ink = turned[..., 0].astype(float)
    column = (ink * (np.arange(28) - 13.5)).sum(axis=2)
    slope = (column * rows).sum(axis=1) / ((ink.sum(axis=2)) * rows**2).sum(axis=1)
    angles = np.degrees(np.arctan(slope))
    assert 8 < np.abs(angles).max() < 11
    assert abs(angles.mean()) < 1


@pytest.mark.parametrize("side", [8, 12])
def test_zooms_by_no_more_than_asked(side):
    square = np.zeros((300, 28, 28, 1), np.uint8)
    start = 14 - side // 2
    square[:, start : start + side, start : start + side] = 200
    area = augment(square, zoom=0.1).sum(axis=(1, 2, 3)) / 200
    sides = np.sqrt(area) / side
    assert sides.min() > 1 / 1.13
    assert sides.max() < 1.13
    assert sides.max() - sides.min() > 0.15
