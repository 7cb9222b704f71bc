import numpy as np

from tests.support.networks import build

PUBLISHED = {"architecture": "capsnet", "filters": [32, 64, 64, 128]}


def test_has_the_published_weights():
    weights = build(PUBLISHED).trainable_weights
    biases = 32 + 64 + 64 + 128  # of the convolutions; batch normalisation makes them needless
    assert sum(int(np.prod(weight.shape)) for weight in weights) == 161_824 - biases


def test_routes_as_the_paper_says():
    """Section 3.2 of arXiv:2101.12491, written down with loops."""
    from mnist_kedro.models.capsules import SelfAttentionRouting

    rng = np.random.default_rng(0)
    capsules = rng.normal(size=(2, 5, 4)).astype("float32")
    layer = SelfAttentionRouting(classes=3, size=6)
    lengths = np.asarray(layer(capsules))
    matrices = rng.normal(size=(3, 5, 4, 6)).astype("float32")
    priors = rng.normal(size=(3, 5)).astype("float32")
    layer.set_weights([matrices, priors])
    lengths = np.asarray(layer(capsules))

    for example in range(2):
        votes, agreement = np.zeros((3, 5, 6)), np.zeros((3, 5))
        for i, capsule in enumerate(capsules[example]):
            length = np.linalg.norm(capsule)
            squashed = (1 - 1 / np.exp(length)) * capsule / length
            for k in range(3):
                votes[k, i] = squashed @ matrices[k, i]
        for k in range(3):
            attention = votes[k] @ votes[k].T / np.sqrt(6)
            agreement[k] = attention.sum(axis=1)
        coefficients = np.exp(agreement) / np.exp(agreement).sum(axis=0)
        for k in range(3):
            s = sum((coefficients[k, i] + priors[k, i]) * votes[k, i] for i in range(5))
            np.testing.assert_allclose(lengths[example, k], np.linalg.norm(s), rtol=1e-4)


def test_learns_from_a_capsule_of_length_0():
    import tensorflow as tf

    from mnist_kedro.models.capsules import SelfAttentionRouting

    layer, capsules = SelfAttentionRouting(classes=3, size=6), tf.zeros((1, 5, 4))
    with tf.GradientTape() as tape:
        tape.watch(capsules)
        lengths = layer(capsules)
    assert np.isfinite(tape.gradient(lengths, capsules)).all()
