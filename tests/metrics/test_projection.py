import numpy as np
from scipy.linalg import svd

from mnist_kedro.metrics.projection import nearest_centroid_accuracy, principal_components


def test_the_components_are_those_of_the_singular_value_decomposition():
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(60, 8)) @ rng.normal(size=(8, 8))).astype(np.float32)
    points = principal_components(features, 3)
    left, values, _ = svd(features - features.mean(axis=0), full_matrices=False)
    expected = (left * values)[:, :3]
    signs = np.sign((points * expected).sum(axis=0))
    np.testing.assert_allclose(points, expected * signs, atol=1e-4)


def test_the_sign_of_a_component_is_settled():
    features = np.outer(np.arange(5.0), [1.0, -2.0])
    points = principal_components(features)
    assert points[0, 0] > points[-1, 0]  # the second feature, the larger, counts positive


def test_features_that_do_not_vary_are_one_point():
    points = principal_components(np.ones((4, 3)))
    np.testing.assert_array_equal(points, np.zeros((4, 2)))


def test_nearest_centroid_by_hand():
    points = np.array([[0, 0], [0, 2], [10, 0], [10, 2], [9, 1]])
    labels = np.array([3, 3, 7, 7, 3])
    # The threes' mean is (3, 1): the last of them is nearer to that of the sevens.
    assert nearest_centroid_accuracy(points, labels) == 4 / 5
