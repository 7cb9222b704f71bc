"""Digits that are generated from MNIST: any number of them, the same for the same seed."""

import numpy as np
import pytest
from benchmarks.generate import generate_digits

from mnist_kedro.parameters import AugmentationParameters
from mnist_kedro.sources import read_mnist
from mnist_kedro.validators import MnistContract
from tests.support.parameters import ingestion
from tests.support.paths import ROOT
from tests.support.project import python

AMOUNTS = {"rotation": 15, "shift": 2, "zoom": 0.1, "shear": 10, "elastic": 1}
AMOUNTS |= {"thickness": 0, "photographed": 0, "damaged": 0}


def generate(mnist, digits, seed=0, **amounts):
    augmentation = AugmentationParameters(**{**AMOUNTS, **amounts})
    return generate_digits(mnist, digits, augmentation, seed)


def test_there_are_as_many_as_are_asked_for_in_mnist_s_proportion(mnist):
    made = generate(mnist, 5000)
    MnistContract().validate(made)
    assert made["x_train"].shape == (4000, 28, 28)
    assert made["x_test"].shape == (1000, 28, 28)
    np.testing.assert_array_equal(made["y_train"][:1600], np.tile(mnist["y_train"], 2))


def test_each_is_a_variation_of_its_digit(mnist):
    made = generate(mnist, 2000)
    images = np.asarray(made["x_train"])
    assert len({image.tobytes() for image in images}) == len(images)
    ink, original = images.mean(), mnist["x_train"].mean()
    assert ink == pytest.approx(original, rel=0.1)
    pairs = zip(
        *(images[rows].reshape(800, -1) for rows in (slice(800), slice(800, 1600))), strict=True
    )
    alike = [np.corrcoef(digit, other)[0, 1] for digit, other in pairs]  # of the same digit
    assert 0.3 < np.mean(alike) < 0.9
    plain = generate(mnist, 2000, **dict.fromkeys(AMOUNTS, 0))
    np.testing.assert_array_equal(plain["x_test"][:200], mnist["x_test"])


def test_they_follow_from_the_seed_however_they_are_read(mnist):
    one, again, other = (generate(mnist, 12_000, seed) for seed in (0, 0, 1))
    whole = np.asarray(one["x_train"])
    np.testing.assert_array_equal(again["x_train"][5000:5100], whole[5000:5100])
    np.testing.assert_array_equal(again["x_train"][4000:4200], whole[4000:4200])
    np.testing.assert_array_equal(again["x_train"][[0, 9000, 1]], whole[[0, 9000, 1]])
    assert (other["x_train"][:100] != whole[:100]).any()


def test_training_and_test_digits_are_varied_otherwise(mnist):
    same = {**mnist, "x_test": mnist["x_train"], "y_test": mnist["y_train"]}
    made = generate(same, 200)
    assert (made["x_train"][:100] != made["x_test"][:100]).any(axis=(1, 2)).all()


@pytest.mark.slow
def test_they_are_ingested_like_any_other(smoke, tmp_path):
    file = tmp_path / "generated.hdf5"
    mnist = str(smoke.latest("01_raw/mnist.hdf5"))
    made = python(ROOT, "-m", "benchmarks.generate", mnist, "3000", str(file))
    assert made.returncode == 0, made.stderr
    digits = read_mnist(ingestion(str(file)))
    assert (len(digits["y_train"]), len(digits["y_test"])) == (2400, 600)
    assert not digits["canonical_mnist"]
