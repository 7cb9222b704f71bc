"""Attacks, against a network of which the gradient is known, and on one that was trained."""

import numpy as np
import pytest
from scipy.special import log_softmax

from tests.support.networks import STATISTICS


@pytest.fixture(scope="module")
def linear():
    """Softmax regression, with weights of any kind."""
    import keras

    from mnist_kedro.models.layers import first_layers, last_layers

    keras.utils.set_random_seed(0)
    return keras.Sequential([*first_layers(STATISTICS), *last_layers()])


def test_one_step_goes_against_the_gradient(linear, digits):
    from mnist_kedro.models.attacks import fast_gradient_sign

    images, labels = digits["images"][:20], digits["labels"][:20]
    weights, bias = (np.asarray(weight) for weight in linear.get_layer("logits").weights)
    standardized = (images.reshape(20, -1) - STATISTICS["mean"]) / STATISTICS["standard_deviation"]
    probabilities = np.exp(log_softmax(standardized @ weights + bias, axis=1))
    gradients = weights.T[labels] - probabilities @ weights.T
    expected = np.clip(images.reshape(20, -1) - 25 * np.sign(gradients), 0, 255)
    attacked = fast_gradient_sign(linear, images, labels, 0.1)
    assert attacked.dtype == np.uint8
    same = attacked.reshape(20, -1) == expected
    assert same.mean() > 0.999  # where a gradient is nearly 0 its sign is anybody's guess


def test_attacked_pictures_stay_near_and_are_misread(trained, digits):
    from mnist_kedro.models.attacks import fast_gradient_sign, projected_gradient_descent

    images, labels = digits["images"][:600], digits["labels"][:600]  # more than a batch
    attacks = {
        "fgsm": fast_gradient_sign(trained, images, labels, 0.1),
        "pgd": projected_gradient_descent(trained, images, labels, 0.1, steps=10, seed=1),
    }
    read = {}
    for name, pictures in attacks.items():
        assert pictures.shape == images.shape
        assert np.abs(pictures.astype(int) - images).max() == 25  # a tenth of 255
        probabilities = trained.predict(pictures, verbose=0)[np.arange(600), labels]
        read[name] = np.log(probabilities + 1e-9).mean()
    as_they_are = np.log(trained.predict(images, verbose=0)[np.arange(600), labels]).mean()
    assert read["pgd"] < read["fgsm"] < as_they_are - 1


def test_a_seed_gives_the_same_pictures_again(trained, digits):
    from mnist_kedro.models.attacks import projected_gradient_descent

    images, labels = digits["images"][:10], digits["labels"][:10]
    one, same, other = (
        projected_gradient_descent(trained, images, labels, 0.2, steps=2, seed=seed)
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_no_digits_are_no_pictures(linear, digits):
    from mnist_kedro.models.attacks import fast_gradient_sign

    assert len(fast_gradient_sign(linear, digits["images"][:0], digits["labels"][:0], 0.1)) == 0
