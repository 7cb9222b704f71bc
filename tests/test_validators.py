import numpy as np
import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.validators import (
    ModelContract,
    check_classes,
    check_labeled_images,
    check_mnist,
)


def test_accepts_real_digits(mnist, digits):
    check_mnist(mnist, "mnist")
    check_labeled_images(digits, "train")


def test_refuses_a_missing_key_and_lists_those_present(mnist):
    incomplete = {key: mnist[key] for key in ("x_train", "y_train", "x_test")}
    with pytest.raises(InputError, match=r"my\.h5: key 'y_test' is missing; found \['x_test'"):
        check_mnist(incomplete, "my.h5")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda x: x.reshape(len(x), 784), r"\(800, 784\) uint8"),
        (lambda x: x[..., np.newaxis], r"\(800, 28, 28, 1\) uint8"),
        (lambda x: x / np.float32(255), r"\(800, 28, 28\) float32"),
        (lambda x: x[:0], r"\(0, 28, 28\) uint8"),
        (lambda x: x[0], r"\(28, 28\) uint8"),
    ],
    ids=["flat", "channel", "float", "empty", "one image"],
)
def test_refuses_images_of_another_form(mnist, change, found):
    wrong = {**mnist, "x_train": change(mnist["x_train"])}
    with pytest.raises(
        InputError, match=rf"'x_train' should be .*\(n, 28, 28\) uint8.*but is {found}"
    ):
        check_mnist(wrong, "mnist")


@pytest.mark.parametrize(("value", "label"), [(10, "uint8"), (255, "uint8"), (-1, "int16")])
def test_refuses_labels_outside_0_to_9_and_names_the_first(mnist, value, label):
    labels = mnist["y_test"].astype(label)
    labels[[7, 9]] = value
    with pytest.raises(InputError, match=rf"'y_test'.*0–9.*label 7 is {value} \(2 of 200"):
        check_mnist({**mnist, "y_test": labels}, "mnist")


def test_refuses_labels_that_are_not_integers(mnist):
    one_hot = np.eye(10, dtype=np.uint8)[mnist["y_train"]]
    with pytest.raises(InputError, match=r"'y_train'.*\(n,\).*\(800, 10\) uint8"):
        check_mnist({**mnist, "y_train": one_hot}, "mnist")
    with pytest.raises(InputError, match=r"'y_train'.*integer.*float64"):
        check_mnist({**mnist, "y_train": mnist["y_train"].astype(float)}, "mnist")


def test_refuses_more_labels_than_images(digits):
    longer = np.append(digits["labels"], 3)
    with pytest.raises(InputError, match="train.*800 images and 801 labels"):
        check_labeled_images({**digits, "labels": longer}, "train")


@pytest.mark.parametrize("split", ["train", "test"])
def test_refuses_a_split_without_one_of_the_digits(mnist, split):
    key = f"y_{split}"
    few = {**mnist, key: np.where(np.isin(mnist[key], (4, 7)), 9, mnist[key])}
    with pytest.raises(
        InputError, match=f"'{key}' should contain all digits 0–9, but does .* 4, 7"
    ):
        check_classes(few, "mnist")


def test_refuses_a_model_of_another_shape(trained):
    import keras

    assert ModelContract().validate(trained) is trained
    for given, layers in {
        r"found \(None, 32, 32, 1\) and": [keras.Input((32, 32, 1)), keras.layers.Flatten()],
        r"found .* and \(None, 784\)": [keras.Input((28, 28, 1)), keras.layers.Flatten()],
    }.items():
        with pytest.raises(InputError, match=given):
            ModelContract().validate(keras.Sequential(layers))
