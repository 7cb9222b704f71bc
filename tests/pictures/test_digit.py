"""Pictures become digits as MNIST has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from mnist_kedro.pictures import prepare_digit
from mnist_kedro.sources import read_mnist
from tests.support.parameters import ingestion
from tests.support.paths import FULL_MNIST, needs_full_mnist
from tests.support.pictures import photograph


@pytest.fixture(scope="module")
def of_mnist():
    mnist = read_mnist(ingestion("sample"))
    return np.concatenate([mnist["x_train"], mnist["x_test"]])


def test_mnists_digits_stay_as_they_are_bit_for_bit(of_mnist):
    for image in of_mnist:
        np.testing.assert_array_equal(prepare_digit(image), image)
        np.testing.assert_array_equal(prepare_digit(255 - image), image)


@needs_full_mnist
def test_so_do_all_seventy_thousand():
    mnist = read_mnist(ingestion(FULL_MNIST))
    for name in ("x_train", "x_test"):
        assert all(np.array_equal(prepare_digit(image), image) for image in mnist[name])


def test_a_larger_digit_anywhere_becomes_what_it_was(of_mnist):
    """Scaled back and moved back: as near as two interpolations leave it."""
    rng = np.random.default_rng(0)
    differences = []
    for image in of_mnist[:100]:
        large = Image.fromarray(image).resize((168, 168), Image.Resampling.BICUBIC)
        page = np.zeros((300, 400), np.uint8)
        top, left = rng.integers(0, (132, 232))
        page[top : top + 168, left : left + 168] = np.asarray(large)
        for picture in (page, 255 - page):
            prepared = prepare_digit(picture)
            assert prepared.shape == (28, 28)
            assert prepared.max() == 255
            differences.append(np.abs(prepared.astype(int) - image).mean())
    assert np.median(differences) < 13  # two different digits differ by about 40


def test_photographs_are_read_as_well_as_the_digits_themselves(trained, digits):
    """By a network that reads these digits well: what is lost is lost by the preparation."""
    rng = np.random.default_rng(0)
    images, labels = np.asarray(digits["images"])[:300], np.asarray(digits["labels"])[:300]
    prepared = np.stack([prepare_digit(photograph(image[..., 0], rng)) for image in images])
    read = trained.predict(prepared[..., None], verbose=0).argmax(axis=1)
    assert np.mean(read == labels) > 0.9


@pytest.mark.parametrize("noise", [0, 4, 12])
@pytest.mark.parametrize("paper", [0, 130, 255])
@pytest.mark.parametrize("shape", [(28, 28), (300, 200), (1, 1), (2, 40)])
def test_where_nothing_is_written_there_is_no_digit(paper, noise, shape):
    rng = np.random.default_rng(1)
    picture = np.clip(paper + rng.normal(0, noise, shape), 0, 255).astype(np.uint8)
    assert prepare_digit(picture) is None


def test_shade_over_the_paper_is_not_ink():
    rows, columns = np.indices((200, 200))
    assert prepare_digit((90 + 0.5 * rows + 0.3 * columns).astype(np.uint8)) is None


def test_specks_and_the_edge_of_the_page_are_not_of_the_digit(of_mnist):
    large = np.asarray(Image.fromarray(of_mnist[0]).resize((140, 140)))
    clean = np.full((240, 240), 220, np.uint8)
    clean[50:190, 50:190] -= (large * 0.75).astype(np.uint8)
    dirty = clean.copy()
    dirty[10:13, 200:203] = 30
    dirty[:, :6] = 40
    np.testing.assert_allclose(prepare_digit(dirty), prepare_digit(clean), atol=40)


def test_thin_lines_are_made_as_wide_as_mnists(of_mnist):
    thin = np.full((280, 280), 255, np.uint8)
    thin[40:240, 139:141] = 0
    one = prepare_digit(thin)
    columns = np.flatnonzero((one > 127).any(axis=0))
    assert 2 <= len(columns) <= 4
    assert np.flatnonzero((one > 127).any(axis=1)).size == 20


@pytest.mark.parametrize(("side", "width"), [(500, 1), (1000, 2), (2000, 4), (3000, 1)])
@pytest.mark.parametrize("slant", [0, 0.3])
def test_a_thin_stroke_on_a_large_page_is_a_digit(side, width, slant):
    page = np.full((side, side), 255, np.uint8)
    for row in range(side // 10, side - side // 10):
        left = side // 2 + round(slant * (row - side / 2))
        page[row, left : left + width] = 0
    one = prepare_digit(page)
    assert np.flatnonzero((one > 127).any(axis=1)).size >= 18
    assert 2 <= np.median((one > 127).sum(axis=1)[5:-5]) <= 4


pictures = hnp.arrays(
    np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40), fill=st.just(255)
)


@given(picture=pictures, factor=st.sampled_from([1, 3, 20]), blank=st.integers(0, 60))
def test_any_picture_is_a_digit_or_blank(picture, factor, blank):
    large = np.pad(np.kron(picture, np.ones((factor, factor), np.uint8)), blank)
    prepared = prepare_digit(large)
    if prepared is not None:
        assert (prepared.shape, prepared.dtype) == ((28, 28), np.uint8)
        assert prepared.max() > 0


def test_the_mass_is_in_the_middle(of_mnist):
    rng = np.random.default_rng(2)
    for image in of_mnist[100:150]:
        prepared = prepare_digit(photograph(image, rng)).astype(float)
        places = np.arange(28) - 14
        for axis in (0, 1):
            assert abs(prepared.sum(axis=1 - axis) @ places / prepared.sum()) <= 1
        for axis in (0, 1):
            assert np.flatnonzero(prepared.any(axis=axis)).size <= 22
