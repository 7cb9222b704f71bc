"""Several digits in one picture."""

import numpy as np
import pytest
from PIL import Image

from mnist_kedro.pictures import PictureError, find_digits, prepare_digit


@pytest.fixture(scope="module")
def images(digits):
    return np.asarray(digits["images"])[..., 0]


def page(images, places, shape=(200, 420), paper=235):
    """A page with digits of 56 pixels at (top, left)."""
    ink = np.zeros(shape)
    for image, (top, left) in zip(images, places, strict=True):
        large = np.asarray(Image.fromarray(image).resize((56, 56), Image.Resampling.BICUBIC))
        ink[top : top + 56, left : left + 56] = large / 255
    noise = np.random.default_rng(0).normal(0, 3, shape)
    return np.clip(paper - 190 * ink + noise, 0, 255).astype(np.uint8)


def alike(one, other):
    return np.corrcoef(one.ravel(), other.ravel())[0, 1]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_digits_are_read_from_the_left(images, count):
    places = [(60 + 7 * (i % 3), 20 + 78 * i) for i in range(count)]
    shown = images[:count]
    found = find_digits(page(shown, places))
    assert len(found) == count
    for digit, image, (_, left) in zip(found, shown, places, strict=True):
        assert alike(digit.pixels, image) > 0.7
        assert left <= digit.box[0] < digit.box[2] <= left + 57


def test_lines_are_read_from_above(images):
    places = [(10, 30), (25, 150), (5, 260), (120, 60), (130, 200)]
    order = [3, 0, 4, 2, 1]  # put down in another order than they are read in
    shown = images[:5]
    found = find_digits(page(shown[order], [places[i] for i in order]))
    assert [max(range(5), key=lambda i, d=d: alike(d.pixels, shown[i])) for d in found] == [
        *range(5)
    ]


def test_one_digit_is_prepared_as_always(images):
    one = page(images[:1], [(70, 180)])
    (found,) = find_digits(one)
    np.testing.assert_array_equal(found.pixels, prepare_digit(one))
    (itself,) = find_digits(images[1])
    np.testing.assert_array_equal(itself.pixels, images[1])


def test_a_broken_stroke_is_of_its_digit():
    """A five whose bar is not joined."""
    picture = np.full((120, 260), 255, np.uint8)
    picture[20:26, 30:70] = 0  # the bar
    picture[34:60, 30:36] = 0
    picture[54:60, 30:66] = 0
    picture[54:96, 62:68] = 0
    picture[90:96, 26:68] = 0
    picture[20:96, 180:186] = 0  # a one
    assert len(find_digits(picture)) == 2


def test_an_empty_page_has_no_digits():
    assert find_digits(np.full((100, 100), 240, np.uint8)) == []


def test_hundreds_of_marks_are_no_digits():
    picture = np.full((400, 400), 255, np.uint8)
    picture[5:-5:10, 5:-5:10] = picture[6:-5:10, 5:-5:10] = 0
    with pytest.raises(PictureError, match="too many strokes: expected at most 200"):
        find_digits(picture)


def test_a_digit_of_mnist_is_not_taken_apart(images):
    for image in images[:200]:
        (found,) = find_digits(image)
        np.testing.assert_array_equal(found.pixels, image)
        left, top, right, bottom = found.box
        assert image[top:bottom, left:right].sum() == image.sum(dtype=int)


def test_a_bar_that_begins_beside_is_of_its_digit():
    """A five as many write it: its bar is put on last, to the right."""
    picture = np.full((160, 300), 255, np.uint8)
    for left in (40, 180):
        picture[40:80, left : left + 8] = 0
        picture[72:80, left : left + 40] = 0
        picture[72:120, left + 32 : left + 40] = 0
        picture[112:120, left : left + 40] = 0
        picture[36:44, left + 12 : left + 56] = 0
    assert [digit.box[0] for digit in find_digits(picture)] == [40, 180]


def test_two_digits_that_touch_are_two():
    """Also if there is nothing else in the picture."""
    down, right = np.indices((140, 240))
    picture = np.full((140, 240), 230, np.uint8)
    for middle in (84, 154):
        distance = np.hypot(down - 70, right - middle)
        picture[np.abs(distance - 32) < 5] = 30
    first, second = find_digits(picture)
    assert first.box[2] == pytest.approx(119, abs=8)
    assert second.box[0] == pytest.approx(119, abs=8)
