"""Ink is told from whatever else a photo shows."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from mnist_kedro.pictures import decode_picture, prepare_digit
from tests.support.pictures import saved

SIDE = 240
DOWN, RIGHT = np.indices((SIDE, SIDE)) / SIDE


@pytest.fixture(scope="module")
def images(digits):
    return np.asarray(digits["images"])[:5, ..., 0]


def strokes(image, side=140, top=50, left=50):
    """The ink of a digit on a page, 0 to 1."""
    ink = np.zeros((SIDE, SIDE))
    large = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    ink[top : top + side, left : left + side] = np.asarray(large) / 255
    return ink


def photo(light, noise=2):
    """Gray levels of a photo, given the light 0 to 1."""
    levels = 255 * light + np.random.default_rng(0).normal(0, noise, light.shape)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def ruled(ink):
    lines = np.abs(np.arange(SIDE) % 60 - 12) < 1
    return 0.9 * np.where(lines[:, np.newaxis], 0.75, 1) * (1 - 0.7 * ink)


def page_edge(ink):
    return np.where(RIGHT > 0.9, 0.15, 0.85 * (1 - 0.7 * ink))


def finger(ink):
    distance = np.hypot(DOWN - 1, RIGHT - 0.2)
    return np.where(distance < 0.15, 0.35, 0.85 * (1 - 0.7 * ink))


PAPERS = {
    "faint pencil": lambda ink: 0.8 * (1 - 0.1 * ink),
    "vignette": lambda ink: (
        (0.9 - 0.8 * ((DOWN - 0.5) ** 2 + (RIGHT - 0.5) ** 2)) * (1 - 0.5 * ink)
    ),
    "light from one side": lambda ink: (0.3 + 0.6 * RIGHT) * (1 - 0.6 * ink),
    "ruled": ruled,
    "page edge": page_edge,
    "finger": finger,
    "chalk": lambda ink: 0.15 + 0.6 * ink,
    "blurred": lambda ink: ndimage.gaussian_filter(0.85 * (1 - 0.7 * ink), 4),
}


def alike(one, other):
    return np.corrcoef(one.ravel().astype(float), other.ravel())[0, 1]


@pytest.mark.parametrize("kind", PAPERS)
def test_paper_light_and_pen_do_not_matter(images, kind):
    found = [prepare_digit(photo(PAPERS[kind](strokes(image)))) for image in images]
    expected = [prepare_digit(photo(1 - strokes(image), noise=0)) for image in images]
    similar = [*map(alike, found, expected)]
    assert min(similar) > 0.6
    assert np.mean(similar) > 0.85


def test_a_dim_picture_of_28_pixels_is_brightened(images):
    for image in images:
        dim = (image // 4).astype(np.uint8)
        for picture in (dim, 255 - dim):
            prepared = prepare_digit(picture)
            assert prepared.max() == 255
            assert alike(prepared, image) > 0.8


def test_a_frame_around_faint_ink_is_not_the_digit(images):
    framed = photo(0.95 - 0.5 * strokes(images[0]), noise=0)[::10, ::10]
    framed[:, 0] = framed[0] = 0
    expected = prepare_digit(photo(1 - strokes(images[0]), noise=0))
    assert alike(prepare_digit(framed), expected) > 0.7


@pytest.mark.parametrize("part", [np.s_[:, :130], np.s_[60:], np.s_[60:180, 60:180]])
def test_a_digit_that_runs_off_the_edge_is_not_dropped(images, part):
    for image in images:
        assert prepare_digit(photo(1 - 0.8 * strokes(image)[part], noise=1)) is not None


@pytest.mark.parametrize("side", [8, 10, 12, 16, 20])
def test_tiny_pictures_are_read(images, side):
    for image in images:
        tiny = Image.fromarray(255 - image[3:25, 3:25]).resize((side, side), Image.Resampling.BOX)
        assert alike(prepare_digit(np.asarray(tiny)), image) > 0.6


@pytest.mark.parametrize(
    ("paper", "pen"),
    [
        ((255, 255, 255), (255, 240, 0)),  # yellow
        ((255, 255, 255), (221, 221, 221)),
        ((255, 250, 235), (190, 235, 255)),
        ((0, 90, 60), (255, 150, 150)),
    ],
)
def test_ink_differs_in_color(images, paper, pen):
    for image in images:
        ink = strokes(image)[..., np.newaxis]
        picture = np.array(paper) * (1 - ink) + np.array(pen) * ink
        gray = decode_picture(saved(np.rint(picture).astype(np.uint8)))
        expected = prepare_digit(photo(1 - strokes(image), noise=0))
        assert alike(prepare_digit(gray), expected) > 0.9


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_sixteen_bits_with_few_of_them_used_are_no_blank_picture(images, bits):
    deep = np.rint((1 - strokes(images[0])) * (2**bits - 1)).astype(np.uint16)
    found = prepare_digit(decode_picture(saved(deep)))
    np.testing.assert_array_equal(found, prepare_digit(photo(1 - strokes(images[0]), noise=0)))
