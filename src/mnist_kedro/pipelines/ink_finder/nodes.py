"""Nodes of the ``ink_finder`` pipeline."""

import logging
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.paper.page import make_page
from mnist_kedro.parameters import InkFinderParameters
from mnist_kedro.pictures.finder import normalize, pad

logger = logging.getLogger(__name__)

_INK_WEIGHT = 3  # additional loss weight of ink pixels, because they are rare
_COUNTED_INK = 80  # pixels with more ink (of 255) are ink pixels


class Pages(TypedDict):
    """Simulated photos of pages, padded to squares at the bottom and on the right."""

    pictures: NDArray[np.uint8]  # (n, side, side)
    ink: NDArray[np.uint8]  # (n, side, side), 0: paper, 255: ink
    shapes: NDArray[np.uint16]  # (n, 2): height and width before padding


def make_pages(train: LabeledImages, parameters: InkFinderParameters) -> Pages:
    """Simulate photos of training digits on paper.

    Args:
        train: the training split; its digits are redrawn with simulated pens.
        parameters: the number and size of the pages.
    """
    digits = np.asarray(train["images"])[..., 0]
    random = np.random.default_rng(parameters.seed)
    size = (parameters.pages, parameters.side, parameters.side)
    pages = Pages(
        pictures=np.zeros(size, np.uint8),
        ink=np.zeros(size, np.uint8),
        shapes=np.zeros((parameters.pages, 2), np.uint16),
    )
    for i in tqdm(range(parameters.pages), desc="Pages", leave=False, disable=None):
        page = make_page(digits, parameters.side, random)
        height, width = pages["shapes"][i] = page.ink.shape
        pages["pictures"][i, :height, :width] = page.picture
        pages["ink"][i, :height, :width] = np.rint(255 * page.ink)
    return pages


def train_ink_finder(pages: Pages, parameters: InkFinderParameters) -> Any:
    """Train a Keras model to find the ink on pages."""
    import keras  # noqa: PLC0415  (imports TensorFlow)

    from mnist_kedro.models.seeding import seeded  # noqa: PLC0415
    from mnist_kedro.paper.network import build_ink_finder  # noqa: PLC0415

    with seeded(parameters.seed):
        model = build_ink_finder()
    steps = -(-parameters.pages // parameters.batch_size) * parameters.epochs
    schedule = keras.optimizers.schedules.CosineDecay(parameters.learning_rate, steps)
    model.compile(keras.optimizers.Adam(schedule), loss="binary_crossentropy")
    batches = _batches(pages, parameters)
    model.fit(batches, epochs=parameters.epochs, shuffle=False, verbose=2)  # _batches shuffles
    trained = build_ink_finder()  # to save it without the optimizer
    trained.set_weights(model.get_weights())
    return trained


def _batches(pages: Pages, parameters: InkFinderParameters) -> Any:
    """Return a shuffled ``tf.data.Dataset`` of gray levels, ink and pixel weights."""
    import tensorflow as tf  # noqa: PLC0415

    def prepare(row: NDArray[np.int64]) -> tuple[NDArray[np.float32], ...]:
        (height, width), side = pages["shapes"][row], parameters.side
        picture, ink = pages["pictures"][row, :height, :width], pages["ink"][row]
        weights = np.zeros((side, side), np.float32)
        weights[:height, :width] = 1
        weights[ink > _COUNTED_INK] += _INK_WEIGHT
        levels = pad(normalize(picture), side - height, side - width)
        found = ink.astype(np.float32) / np.float32(255)
        return levels[..., np.newaxis], found[..., np.newaxis], weights[..., np.newaxis]

    def prepare_tensors(row: tf.Tensor) -> tuple[tf.Tensor, ...]:
        tensors = tf.numpy_function(prepare, [row], [tf.float32] * 3)
        for tensor in tensors:
            tensor.set_shape((parameters.side, parameters.side, 1))
        return tuple(tensors)

    rows = tf.data.Dataset.range(parameters.pages)
    shuffled = rows.shuffle(parameters.pages, seed=parameters.seed)
    prepared = shuffled.map(prepare_tensors, num_parallel_calls=2, deterministic=True)
    return prepared.batch(parameters.batch_size).prefetch(2)


def export_ink_finder(model: Any) -> bytes:
    """Convert the network to the ONNX file that is part of the package."""
    from mnist_kedro.models.onnx_export import ink_finder_to_onnx  # noqa: PLC0415

    return ink_finder_to_onnx(model).SerializeToString()
