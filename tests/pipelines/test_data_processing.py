import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner

from mnist_kedro.errors import InputError
from mnist_kedro.parameters import DataProcessingParameters
from mnist_kedro.pipelines.data_processing import create_pipeline
from mnist_kedro.pipelines.data_processing.nodes import (
    compute_pixel_statistics,
    select_test_digits,
    split_training_digits,
)


def split(mnist, fraction=0.25, seed=0):
    return split_training_digits(
        mnist, DataProcessingParameters(validation_fraction=fraction, seed=seed)
    )


def pairs(images, labels):
    return sorted((image.tobytes(), label) for image, label in zip(images, labels, strict=True))


def test_each_training_digit_is_in_exactly_one_split(mnist):
    train, validation = split(mnist)
    assert len(train["labels"]) == 600
    assert len(validation["labels"]) == 200
    both = [np.concatenate([train[key], validation[key]]) for key in ("images", "labels")]
    assert pairs(*both) == pairs(mnist["x_train"], mnist["y_train"])
    assert train["images"].shape == (600, 28, 28, 1)


def test_says_which_mnist_is_used_and_how_it_is_divided(mnist, caplog):
    caplog.set_level(logging.DEBUG, "mnist_kedro")
    split(mnist)
    assert "from 'sample': 600 training, 200 validation and 200 test digits" in caplog.text


def test_the_splits_know_where_they_come_from(mnist):
    for part in (*split(mnist), select_test_digits(mnist)):
        assert part["source"] == "sample"
        assert part["canonical_mnist"] is False


@given(
    counts=st.lists(st.integers(20, 80), min_size=10, max_size=10),
    fraction=st.floats(0.1, 0.9),
    seed=st.integers(0, 5),
)
def test_each_class_has_its_share_of_the_validation_split(mnist, counts, fraction, seed):
    labels = np.random.default_rng(1).permutation(np.repeat(np.arange(10, dtype=np.uint8), counts))
    images = np.zeros((len(labels), 28, 28), np.uint8)
    made = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    _, validation = split({**mnist, **made}, fraction, seed)
    assert len(validation["labels"]) == round(len(labels) * fraction)
    held_out = np.bincount(validation["labels"], minlength=10)
    assert np.abs(held_out - np.array(counts) * fraction).max() < 1


def test_the_seed_decides_which_digits(mnist):
    (one, _), (again, _), (other, _) = (split(mnist, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one["images"], again["images"])
    assert (one["images"] != other["images"]).any()


def test_refuses_a_class_too_small_to_be_in_both_splits(mnist):
    few = {**mnist, "y_train": np.where(mnist["y_train"] == 7, 1, mnist["y_train"])}
    few["y_train"][0] = 7
    with pytest.raises(InputError, match=r"'y_train' has 1 digits of class 7"):
        split(few)


def test_the_test_split_is_as_it_came(mnist):
    test = select_test_digits(mnist)
    np.testing.assert_array_equal(test["images"][..., 0], mnist["x_test"])
    np.testing.assert_array_equal(test["labels"], mnist["y_test"])


def test_pixel_statistics_are_those_of_numpy(digits):
    statistics = compute_pixel_statistics(digits)
    assert statistics["mean"] == pytest.approx(digits["images"].mean())
    assert statistics["standard_deviation"] == pytest.approx(digits["images"].std())


def test_pixel_statistics_refuse_images_without_ink(digits):
    blank = {**digits, "images": np.full((3, 28, 28, 1), 7, np.uint8)}
    with pytest.raises(InputError, match="all pixels of all images are 7"):
        compute_pixel_statistics(blank)


def test_runs_on_an_in_memory_catalog(mnist):
    catalog = DataCatalog()
    catalog["mnist"] = mnist
    catalog["params:data_processing"] = DataProcessingParameters(validation_fraction=0.1, seed=0)
    outputs = SequentialRunner().run(create_pipeline(), catalog)
    assert set(outputs) == {"validation", "test", "pixel_statistics"}
    assert outputs["pixel_statistics"].load()["mean"] == pytest.approx(33, abs=2)


def test_the_statistics_do_not_see_validation_or_test_digits(mnist):
    """Other validation and test digits, the same statistics."""
    catalog = DataCatalog()
    train, _ = split(mnist)
    changed = {**mnist, "x_test": 255 - mnist["x_test"]}
    catalog["mnist"] = changed
    catalog["params:data_processing"] = DataProcessingParameters(validation_fraction=0.25, seed=0)
    outputs = SequentialRunner().run(create_pipeline(), catalog)
    assert outputs["pixel_statistics"].load() == compute_pixel_statistics(train)
