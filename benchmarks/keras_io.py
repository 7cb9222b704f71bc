"""The example of keras.io, "Simple MNIST convnet" (https://keras.io/examples/vision/mnist_convnet).

Written anew from its hyperparameters; the 10 % that it holds out are trained on here.
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
    """Two convolutions with pooling, dropout, one dense layer; pixels in 0–1."""
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
    """Adam with its defaults, batches of 128."""
    keras.utils.set_random_seed(seed)
    x_train, x_test = _scale(digits.x_train), _scale(digits.x_test)
    one_hot = keras.utils.to_categorical(digits.y_train, 10)
    clock = Clock()
    model = build()

    def test(epoch: int, _logs: object) -> None:
        clock.stop()
        predictions = model.predict(x_test, batch_size=1000, verbose=0).argmax(axis=1)
        clock.tell(epoch + 1, predictions, digits.y_test)
        clock.go_on()

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
    """Digits for raw pixels ``(n, 28, 28)``, compiled."""
    compiled = tf.function(model, reduce_retracing=True)

    return lambda images: compiled(_scale(images)).numpy().argmax(axis=1)
