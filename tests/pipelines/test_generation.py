"""Digits like MNIST's: any number of them, the same for the same seed."""

import numpy as np
import pytest

from mnist_kedro.contracts import MnistContract
from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.parameters import AugmentationParameters, GenerationParameters
from mnist_kedro.pipelines.generation.nodes import generate_digits
from mnist_kedro.sources import read_mnist
from tests.support.parameters import ingestion

AMOUNTS = {"rotation": 15, "shift": 2, "zoom": 0.1, "shear": 10, "elastic": 1, "erasing": 0}


def options(digits, seed=0, **amounts):
    return GenerationParameters(
        digits=digits, seed=seed, augmentation=AugmentationParameters(**{**AMOUNTS, **amounts})
    )


def test_there_are_as_many_as_are_asked_for_in_mnist_s_proportion(mnist):
    made = generate_digits(mnist, options(5000))
    MnistContract().validate(made)
    assert made["x_train"].shape == (4000, 28, 28)
    assert made["x_test"].shape == (1000, 28, 28)
    np.testing.assert_array_equal(made["y_train"][:1600], np.tile(mnist["y_train"], 2))
    assert made["varied_source"] == "sample"


def test_each_is_a_variation_of_its_digit(mnist):
    made = generate_digits(mnist, options(2000))
    images = np.asarray(made["x_train"])
    assert len({image.tobytes() for image in images}) == len(images)
    ink, original = images.mean(), mnist["x_train"].mean()
    assert ink == pytest.approx(original, rel=0.1)
    digit, other = (images[row].astype(float).ravel() for row in (0, 800))  # of the same one
    assert 0.2 < np.corrcoef(digit, other)[0, 1] < 0.999
    plain = generate_digits(mnist, options(2000, **dict.fromkeys(AMOUNTS, 0)))
    np.testing.assert_array_equal(plain["x_test"][:200], mnist["x_test"])


def test_they_follow_from_the_seed_however_they_are_read(mnist):
    one, again, other = (generate_digits(mnist, options(12_000, seed)) for seed in (0, 0, 1))
    whole = np.asarray(one["x_train"])
    np.testing.assert_array_equal(again["x_train"][5000:5100], whole[5000:5100])
    np.testing.assert_array_equal(again["x_train"][4000:4200], whole[4000:4200])
    np.testing.assert_array_equal(again["x_train"][[0, 9000, 1]], whole[[0, 9000, 1]])
    assert (other["x_train"][:100] != whole[:100]).any()


def test_training_and_test_digits_are_varied_otherwise(mnist):
    same = {**mnist, "x_test": mnist["x_train"], "y_test": mnist["y_train"]}
    made = generate_digits(same, options(200))
    assert (made["x_train"][:100] != made["x_test"][:100]).any(axis=(1, 2)).all()


def test_they_are_ingested_like_any_other(finished):
    finished.make("--pipelines", "generation", "--params", "generation.digits=3000")
    path = finished.latest("01_raw/generated_mnist.hdf5")
    with HDF5Dataset(filepath=str(path), lazy=True).open(str(path)) as file:
        assert file["x_train"].shape == (2400, 28, 28)
    folder = path.parent.parent  # the path in the catalog: the latest version is taken
    mnist = read_mnist(ingestion(str(folder)))
    assert len(mnist["y_test"]) == 600
    assert not mnist["canonical_mnist"]
