"""Train "Simple MNIST convnet" of keras.io (https://keras.io/examples/vision/mnist_convnet).

The code is reimplemented from the example's hyperparameters. The example holds out 10% of the
training digits; here the network is trained on all of them.
"""

import os
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from benchmarks.recipe import Clock, Digits

EPOCHS = 15


def build() -> keras.Sequential:
    """Build a network with two convolutions, pooling, dropout and a dense layer; pixels in 0–1."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def train(digits: Digits, seed: int, epochs: int = EPOCHS) -> keras.Model:
    """Train with Adam's default settings and batches of 128."""
    keras.utils.set_random_seed(seed)
    x_train, x_test = _scale(digits.x_train), _scale(digits.x_test)
    one_hot = keras.utils.to_categorical(digits.y_train, 10)
    clock = Clock()
    model = build()

    def test(epoch: int, _logs: object) -> None:
        clock.stop()
        predictions = model.predict(x_test, batch_size=1000, verbose=0).argmax(axis=1)
        clock.report(epoch + 1, predictions, digits.y_test)
        clock.resume()

    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        x_train,
        one_hot,
        batch_size=128,
        epochs=epochs,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=test)],
    )
    return model


def _scale(images: np.ndarray) -> np.ndarray:
    return (images[..., np.newaxis] / 255).astype("float32")


def predictor(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return a compiled function from raw pixels ``(n, 28, 28)`` to digits ``(n,)``."""
    compiled = tf.function(model, reduce_retracing=True)

    return lambda images: compiled(_scale(images)).numpy().argmax(axis=1)
