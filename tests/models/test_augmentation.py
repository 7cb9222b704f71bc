import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_kedro.parameters import AugmentationParameters
from tests.support.parameters import augmentation

ALL = {"rotation": 10, "shift": 2, "zoom": 0.1, "shear": 10, "elastic": 1}
ALL |= {"thickness": 1, "photographed": 0.5, "damaged": 0.5}


def augment(images, seed=(1, 2), **amounts):
    import tensorflow as tf

    from mnist_kedro.models import augmentation

    parameters = AugmentationParameters(
        **{**dict.fromkeys(AugmentationParameters.model_fields, 0), **amounts}
    )
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
@given(
    st.fixed_dictionaries(
        {
            "rotation": st.floats(0, 180),
            "shift": st.floats(0, 14),
            "zoom": st.floats(0, 0.9),
            "shear": st.floats(0, 60),
            "elastic": st.sampled_from([0, 0.5, 5]),
            "thickness": st.floats(0, 1),
        }
    )
)
def test_keeps_shape_type_and_range(digits, amounts):
    varied = augment(digits["images"][:8], **amounts)
    assert varied.shape == (8, 28, 28, 1)
    assert varied.dtype == np.uint8
    assert varied.max() <= digits["images"][:8].max()


def test_the_same_seed_varies_in_the_same_way(digits):
    images = digits["images"][:20]
    first, again, other = (augment(images, seed, **ALL) for seed in [(1, 2), (1, 2), (3, 4)])
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


def test_shears_by_no_more_than_asked_and_keeps_the_height():
    stroke = np.zeros((500, 28, 28, 1), np.uint8)
    stroke[:, 4:24, 13:15] = 255  # upright, through the centre
    slanted = augment(stroke, shear=15)[..., 0].astype(float)
    columns = np.arange(28) - 13.5
    top, bottom = ((slanted[:, row] @ columns) / slanted[:, row].sum(axis=1) for row in (5, 22))
    angles = np.degrees(np.arctan((bottom - top) / 17))
    assert 13 < np.abs(angles).max() < 16
    assert abs(angles.mean()) < 2
    assert (slanted[:, [4, 23]].sum(axis=2) > 0).all()
    assert (slanted[:, [3, 24]].sum(axis=2) == 0).all()


def test_interpolates_as_tensorflow_does(digits):
    import tensorflow as tf

    from mnist_kedro.models.augmentation import interpolate, random_transforms

    images = tf.constant(digits["images"][:100])
    amounts = augmentation(rotation=30, shift=6, zoom=0.3, shear=20)
    transforms = random_transforms(100, tf.constant([1, 2]), amounts)
    ours = interpolate(images, transforms, tf.zeros([2, 1, 1, 1])).numpy()
    theirs = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.pad(tf.transpose(transforms), [[0, 0], [0, 2]]),
        output_shape=[28, 28],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    ).numpy()
    assert np.abs(ours.astype(int) - theirs).max() <= 2
    assert (ours != digits["images"][:100]).any(axis=(1, 2, 3)).all()


def test_bends_as_a_bicubic_resize_of_the_grid_does():
    import tensorflow as tf

    from mnist_kedro.models.augmentation import random_displacements

    seed = tf.constant([1, 2])
    displacements = random_displacements(5, seed, augmentation(elastic=0.5))
    grid = 0.5 * tf.random.stateless_normal([10, 16], seed)
    resized = tf.image.resize(tf.reshape(grid, [10, 4, 4, 1]), (28, 28), "bicubic")
    np.testing.assert_allclose(displacements, tf.reshape(resized, [2, 5, 28, 28]), atol=1e-5)


def test_bends_each_part_of_a_digit_by_another_amount():
    grid = np.zeros((200, 28, 28, 1), np.uint8)
    grid[:, 8, 4:24] = grid[:, 19, 4:24] = 255  # two level strokes
    bent = augment(grid, elastic=1)[..., 0].astype(float)
    rows = np.arange(28)

    def heights(half, columns):
        ink = bent[:, half, columns].sum(axis=2)
        return (ink * rows[half]).sum(axis=1) / ink.sum(axis=1)

    corners = [
        heights(half, columns)
        for half in (slice(0, 14), slice(14, 28))
        for columns in (slice(5, 8), slice(20, 23))
    ]
    moves = np.stack(corners) - np.array([8, 8, 19, 19])[:, None]
    assert 0.4 < moves.std() < 1.2
    assert np.abs(np.corrcoef(moves) - np.eye(4)).max() < 0.5


def test_half_of_the_strokes_become_thicker_or_thinner(digits):
    images = digits["images"][:400]
    changes = augment(images, thickness=1).sum(axis=(1, 2, 3)) / images.sum(axis=(1, 2, 3))
    assert 0.4 < np.mean(changes == 1) < 0.6
    assert 0.1 < changes.min() < 0.6
    assert 1.4 < changes.max() < 2.5


def test_the_asked_share_looks_photographed(digits):
    images = digits["images"][:100]
    varied = augment(images, photographed=0.3)
    changed = (varied != images).any(axis=(1, 2, 3))
    assert changed.sum() == 30
    assert (varied.reshape(100, -1).max(axis=1) > 100).all()  # none disappears


def test_a_blank_image_stays_blank():
    blank = np.zeros((10, 28, 28, 1), np.uint8)
    assert not augment(blank, thickness=1, photographed=1).any()


@pytest.mark.parametrize("share", [0, 0.4, 1])
def test_photographed_and_other_digits_are_damaged_equally_often(digits, share):
    images = digits["images"][:500]
    photographed = augment(images, photographed=share)
    both = augment(images, photographed=share, damaged=0.5)
    damaged = (both != photographed).any(axis=(1, 2, 3))  # of half, a tenth has no damage
    for some in (damaged[: int(500 * share)], damaged[int(500 * share) :]):
        assert some.size == 0 or 0.35 < some.mean() <= 0.5


def test_the_asked_share_is_damaged(digits):
    images = np.concatenate([digits["images"][:500]] * 2)
    varied = augment(images, damaged=0.5)
    np.testing.assert_array_equal(varied[500:], images[500:])
    shown, original = varied[:500, ..., 0].astype(float), images[:500, ..., 0].astype(float)
    corners = shown[:, [0, 0, -1, -1], [0, -1, 0, -1]]  # blank in the originals
    gray = np.median(corners, axis=1)
    # Half of them are on paper of 0–40% gray, half have noise of up to 30%.
    assert 0.35 < np.mean(gray > 0) < 0.75
    assert np.percentile(gray, 95) < 0.45 * 255
    quiet = (shown == np.round(shown[:, :1, :1])).mean(axis=(1, 2)) > 0.3  # the same paper all over
    assert 0.35 < np.mean(quiet) < 0.65
    ink = original > 200
    gaps = ((shown < 0.5 * 255) & ink)[quiet].sum(axis=(1, 2)) / ink[quiet].sum(axis=(1, 2))
    assert 0.2 < np.mean(gaps > 0.02) < 0.6
    assert np.mean(gaps) < 0.15
