import numpy as np
import pytest

from tests.support.networks import NETWORKS, build


@pytest.mark.parametrize("network", NETWORKS)
def test_computes_what_the_network_computes(network, digits):
    from mnist_kedro.models.training_twin import training_twin

    model = build(network)
    twin = training_twin(model, "float32")
    np.testing.assert_allclose(
        twin(digits["images"][:20]), model(digits["images"][:20]), rtol=1e-5, atol=1e-7
    )


def test_fused_normalisation_is_keras_normalisation():
    """In training too: outputs, gradients and moving averages."""
    import keras
    import tensorflow as tf

    from mnist_kedro.models.training_twin import FusedBatchNormalization

    inputs = tf.random.stateless_normal([32, 6, 6, 5], (1, 2)) * 3 + 1
    results = []
    for kind in (keras.layers.BatchNormalization, FusedBatchNormalization):
        layer = kind()
        layer.build(inputs.shape)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
            loss = tf.reduce_sum(outputs**3)
        gradients = tape.gradient(loss, [inputs, layer.gamma.value, layer.beta.value])
        results.append([outputs, *gradients, *layer.get_weights()])
    for one, other in zip(*results, strict=True):
        # The fused operation's moving variance is the unbiased one: n / (n - 1) of Keras's.
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-3)


def test_normalises_the_units_of_a_dense_layer_as_keras_does():
    import keras

    from mnist_kedro.models.training_twin import training_twin

    network = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization()])
    inputs = np.random.default_rng(0).normal(size=(32, 3))
    expected = network(inputs, training=True)
    twin = training_twin(keras.models.clone_model(network), "float32")
    np.testing.assert_allclose(twin(inputs, training=True), expected, rtol=1e-5, atol=1e-6)


def test_mixed_precision_keeps_the_probabilities_in_float32(digits):
    from mnist_kedro.models.training_twin import training_twin

    twin = training_twin(build("cnn"), "mixed_bfloat16")
    assert twin.layers[1].compute_dtype == "bfloat16"
    assert twin(digits["images"][:2]).dtype == "float32"
