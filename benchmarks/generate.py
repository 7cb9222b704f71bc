"""Generate any number of digits from MNIST, to test the project with data larger than memory.

    python -m benchmarks.generate data/01_raw/mnist.hdf5 8100000 generated.hdf5
    kedro run --params ingestion.source=generated.hdf5,training.epochs=1

Augmentation creates the training digits from training digits, and the test digits from test digits.
"""

import argparse
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from mnist_kedro.arrays import Rows
from mnist_kedro.contracts import ManyPixels, Pixels
from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.machine import usable_cores
from mnist_kedro.parameters import AugmentationParameters
from mnist_kedro.versions import latest_version

_BLOCK = 1024  # digits that share a seed
_AUGMENTATION = AugmentationParameters(
    rotation=15, shift=2, zoom=0.1, shear=10, elastic=1, thickness=0, photographed=0, damaged=0
)


def main() -> None:
    """Generate the digits, and save them in an HDF5 file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mnist", type=Path, help="path of the dataset mnist of a project")
    parser.add_argument(
        "digits", type=int, help="number of training and test digits, in the proportion of mnist"
    )
    parser.add_argument("file", type=Path, help="HDF5 file to write")
    options = parser.parse_args()
    mnist = HDF5Dataset(filepath=str(latest_version(options.mnist))).load()
    HDF5Dataset(filepath=str(options.file)).save(generate_digits(mnist, options.digits))


def generate_digits(
    mnist: Mapping[str, Any],
    count: int,
    augmentation: AugmentationParameters = _AUGMENTATION,
    seed: int = 0,
) -> dict[str, Any]:
    """Generate ``x_train``, ``y_train``, ``x_test`` and ``y_test``; the images lazily."""
    share = len(mnist["y_train"]) / (len(mnist["y_train"]) + len(mnist["y_test"]))
    train = round(count * share)
    generated: dict[str, Any] = {}
    for number, (split, digits) in enumerate((("train", train), ("test", count - train))):
        split_seed = 2 * seed + number  # The splits never share a seed.
        generated[f"x_{split}"] = vary(mnist[f"x_{split}"], digits, augmentation, split_seed)
        generated[f"y_{split}"] = np.resize(mnist[f"y_{split}"], digits)
    return generated


def vary(images: ManyPixels, count: int, augmentation: AugmentationParameters, seed: int) -> Rows:
    """Generate ``count`` augmented images, cycling through the input digits.

    Images are generated on access, on all cores; repeated access returns the same images.

    Args:
        images: ``(n, 28, 28)`` uint8 in 0–255, the background 0.
        count: number of images to generate.
        augmentation: the maximum strength of each transformation.
        seed: seed of the augmentation.

    Returns:
        ``(count, 28, 28)`` uint8; row i is an augmented ``images[i % n]``.
    """
    import tensorflow as tf

    from mnist_kedro.models.augmentation import augment

    def generate(number: int) -> Pixels:
        rows = np.arange(number * _BLOCK, (number + 1) * _BLOCK) % len(images)
        block_seed = tf.constant([seed, number], tf.int64)
        return np.asarray(augment(images[rows][..., np.newaxis], block_seed, augmentation))[..., 0]

    def read(start: int, stop: int) -> Pixels:
        numbers = range(start // _BLOCK, max(start // _BLOCK + 1, -(-stop // _BLOCK)))
        with ThreadPoolExecutor(usable_cores()) as pool:  # TensorFlow releases the GIL.
            generated = np.concatenate([*pool.map(generate, numbers)])
        first = start - numbers[0] * _BLOCK
        return generated[first : first + stop - start]

    return Rows((count, *images.shape[1:]), np.dtype(np.uint8), read)


if __name__ == "__main__":
    main()
