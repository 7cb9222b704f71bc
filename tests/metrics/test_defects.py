import numpy as np

from mnist_kedro.arrays import Rows
from mnist_kedro.metrics.defects import DEFECTS, inspect_digits


def defects_of(images):
    found = inspect_digits(images, np.zeros(len(images), np.uint8)).defects
    return {name: rows.tolist() for name, rows in found.items() if len(rows)}


def test_the_samples_digits_have_no_defects(mnist):
    found = inspect_digits(mnist["x_train"], mnist["y_train"])
    assert [*found.defects] == [*DEFECTS]
    assert sum(map(len, found.defects.values())) == 0
    assert (found.lowest, found.highest) == (0, 255)


def test_finds_each_defect_once(mnist):
    images = mnist["x_train"][:12].copy()
    images[1] = 0
    images[2] = 30  # a blank gray image
    images[3] = 255 - images[3]
    images[4, 1:27, 1:27] = 255
    images[5] = 0
    images[5, 14, 10:15] = 255
    images[6] = np.roll(images[6], 10, axis=0)
    images[6, :10] = 0
    images[7] = np.roll(images[7], 4, axis=1)
    assert defects_of(images) == {
        "blank": [1, 2],
        "inverted": [3],
        "filled": [4],
        "faint": [5],
        "cut": [6],
        "off_center": [7],
    }


def test_means_and_rows_do_not_depend_on_the_blocks(mnist):
    images = np.tile(mnist["x_train"], (13, 1, 1))  # 10,400 digits: two blocks
    images[-1] = 0
    labels = np.tile(mnist["y_train"], 13)
    rows = Rows(images.shape, images.dtype, lambda start, stop: images[start:stop])
    found = inspect_digits(rows, labels)
    assert found.defects["blank"].tolist() == [len(images) - 1]
    for digit in range(10):
        mean = images[labels == digit].mean(axis=0)
        np.testing.assert_allclose(found.means[digit], mean, atol=0.51)
    assert np.isclose(found.mean_ink, images.mean())
    assert np.isclose(found.ink_deviation, images.mean(axis=(1, 2)).std())


def test_a_class_without_digits_has_a_blank_mean(mnist):
    nines = mnist["x_train"][mnist["y_train"] == 9]
    found = inspect_digits(nines, np.full(len(nines), 9, np.uint8))
    assert found.means[:9].max() == 0 < found.means[9].max()
