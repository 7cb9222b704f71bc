"""Nodes of the ``digit_detector`` pipeline."""

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mnist_kedro.contracts import IMAGE_SIDE, LabeledImages, Pixels
from mnist_kedro.paper.examples import make_digit, make_non_digit
from mnist_kedro.parameters import DigitDetectorParameters


class Examples(TypedDict):
    """Simulated digits and other marks, in turn."""

    images: Pixels  # (n, 28, 28, 1)
    is_digit: NDArray[np.uint8]  # (n,), 1: digit, 0: other mark


def make_examples(train: LabeledImages, parameters: DigitDetectorParameters) -> Examples:
    """Simulate photos of digits and of other marks, and prepare them like users' photos.

    Args:
        train: the training split; its digits are used unchanged and with other simulated pens.
        parameters: the number of examples of each kind, and the seed.
    """
    digits = np.asarray(train["images"])[..., 0]
    random = np.random.default_rng(parameters.seed)
    total = 2 * parameters.examples
    images = np.empty((total, IMAGE_SIDE, IMAGE_SIDE, 1), np.uint8)
    is_digit = np.arange(total) % 2
    for i in tqdm(range(total), desc="Examples", leave=False, disable=None):
        images[i, ..., 0] = (make_digit if is_digit[i] else make_non_digit)(digits, random)
    return Examples(images=images, is_digit=is_digit.astype(np.uint8))


def train_digit_detector(detector_examples: Examples, parameters: DigitDetectorParameters) -> Any:
    """Train a Keras model: ``(n, 28, 28, 1)`` uint8 → ``(n, 1)`` scores from 0 to 1 (a digit)."""
    import keras  # noqa: PLC0415  (imports TensorFlow)

    from mnist_kedro.models.fitting import one_cycle  # noqa: PLC0415
    from mnist_kedro.models.seeding import seeded  # noqa: PLC0415
    from mnist_kedro.paper.network import build_digit_detector  # noqa: PLC0415

    with seeded(parameters.seed):
        model = build_digit_detector()
    total = len(detector_examples["is_digit"])
    size = min(parameters.batch_size, total)
    steps = total // size * parameters.epochs
    optimizer = keras.optimizers.AdamW(
        one_cycle(parameters, steps), weight_decay=parameters.weight_decay
    )
    model.compile(optimizer, loss="binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    batches = _batches(detector_examples, size, parameters)
    model.fit(batches, epochs=parameters.epochs, shuffle=False, verbose=2)  # _batches shuffles
    trained = build_digit_detector()  # to save it without the optimizer
    trained.set_weights(model.get_weights())
    return trained


def _batches(examples: Examples, size: int, parameters: DigitDetectorParameters) -> Any:
    """Return a shuffled ``tf.data.Dataset`` of augmented images and whether they are digits."""
    import tensorflow as tf  # noqa: PLC0415

    from mnist_kedro.models.augmentation import augment  # noqa: PLC0415

    @tf.autograph.experimental.do_not_convert
    def augment_batch(number: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]) -> tuple[Any, Any]:
        images, is_digit = batch
        seed = tf.stack([number, tf.constant(parameters.seed, tf.int64)])
        return augment(images, seed, parameters.augmentation), is_digit

    total = len(examples["is_digit"])
    stored = tf.data.Dataset.from_tensor_slices((examples["images"], examples["is_digit"]))
    batches = stored.shuffle(total, seed=parameters.seed).batch(size, drop_remainder=True)
    return batches.enumerate().map(augment_batch).prefetch(2)


def export_digit_detector(model: Any) -> bytes:
    """Convert the network to the ONNX file that is part of the package."""
    from mnist_kedro.models.onnx_export import digit_detector_to_onnx  # noqa: PLC0415

    return digit_detector_to_onnx(model).SerializeToString()
