import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from mnist_kedro.metrics.corruptions import CORRUPTIONS, SEVERITIES, corrupt, warp_affine

GEOMETRIC = ("rotation", "shear", "scale", "translation", "elastic", "gaussian_blur", "motion_blur")


@pytest.fixture(scope="module")
def images(digits):
    return np.asarray(digits["images"])[:200]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_severity_takes_a_digit_further_from_what_it_was(images, name):
    distances = []
    for severity in SEVERITIES:
        changed = corrupt(images, name, severity)
        assert (changed.shape, changed.dtype) == (images.shape, np.uint8)
        distances.append(np.abs(changed.astype(int) - images).mean())
    assert distances[0] > 0
    assert distances == sorted(distances)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_seed_gives_the_same_pictures(images, name):
    before = images.copy()
    first = corrupt(images, name, 3, seed=1)
    np.testing.assert_array_equal(first, corrupt(images, name, 3, seed=1))
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("name", GEOMETRIC)
def test_what_moves_ink_neither_adds_nor_takes_much(images, name):
    """But that a smaller digit has less."""
    factor = CORRUPTIONS["scale"].amounts[0] ** 2 if name == "scale" else 1
    ink = corrupt(images, name, 1).astype(float).sum(axis=(1, 2, 3))
    assert np.median(ink / images.astype(float).sum(axis=(1, 2, 3))) == pytest.approx(
        factor, rel=0.03
    )


def test_digits_turn_by_the_angle_each_way(images):
    degrees = CORRUPTIONS["rotation"].amounts[1]
    turned = corrupt(images, "rotation", 2)
    for row, sign in ((0, -1), (1, 1)):
        expected = ndimage.rotate(
            images[row, ..., 0].astype(float), sign * degrees, reshape=False, order=1
        )
        np.testing.assert_allclose(turned[row, ..., 0], expected, atol=1)


def test_a_stripe_inverts_whole_columns(images):
    changed = corrupt(images, "stripe", 3)
    inverted = (changed == 255 - images).all(axis=(1, 3))
    same = (changed == images).all(axis=(1, 3))
    assert (inverted | same).all()
    assert (inverted.sum(axis=1) == CORRUPTIONS["stripe"].amounts[2]).all()


def test_an_occlusion_is_a_blank_square(images):
    full = np.full_like(images, 255)
    blank = corrupt(full, "occlusion", 2)[..., 0] == 0
    assert (blank.any(axis=1).sum(axis=1) == 6).all()
    assert (blank.any(axis=2).sum(axis=1) == 6).all()
    assert (blank.sum(axis=(1, 2)) == 36).all()


def test_spatter_covers_its_share(images):
    blank = np.zeros_like(images)
    covered = (corrupt(blank, "spatter", 3) > 0).mean(axis=(1, 2, 3))
    assert covered == pytest.approx(CORRUPTIONS["spatter"].amounts[2], abs=2 / 784)


def test_impulses_hit_their_share_of_the_pixels(images):
    gray = np.full_like(images, 100)
    hit = corrupt(gray, "impulse_noise", 4)
    assert set(np.unique(hit)) == {0, 100, 255}
    assert (hit != 100).mean() == pytest.approx(CORRUPTIONS["impulse_noise"].amounts[3], abs=0.01)


@given(
    arrays(np.float64, (2, 2), elements=st.floats(-2, 2)),
    arrays(np.float64, 2, elements=st.floats(-30, 30)),
)
@settings(deadline=None, max_examples=50)
def test_digits_are_moved_as_by_scipy(images, matrix, offset):
    ink = images[:3, ..., 0].astype(np.float32)
    middle = np.full(2, 13.5)
    moved = warp_affine(ink, matrix, offset)
    for row in range(3):
        expected = ndimage.affine_transform(
            ink[row], matrix, middle - matrix @ middle + offset, order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(moved[row], expected, atol=0.01)
