"""Files of more digits than memory takes: the same arrays, read when they are asked for."""

import textwrap

import h5py
import numpy as np
import pytest

from mnist_kedro.arrays import Rows
from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.digest import sha256
from mnist_kedro.errors import InputError
from mnist_kedro.sources import read_mnist
from mnist_kedro.sources.idx import FILES
from mnist_kedro.sources.layout import KEYS
from tests.support.files import write_mnist
from tests.support.parameters import ingestion
from tests.support.paths import ROOT
from tests.support.project import python


@pytest.fixture
def few(monkeypatch):
    """So few that the test's digits are many."""
    monkeypatch.setattr("mnist_kedro.sources.images.MAX_IN_MEMORY", 300)


@pytest.mark.parametrize("name", ["x.hdf5", "dark on light.h5", "x.npz", "idx"])
def test_each_form_gives_the_same_digits(few, tmp_path, mnist, name):
    dark = {key: (255 - mnist[key]) / 255 if key[0] == "x" else mnist[key] for key in KEYS}
    path = write_mnist(tmp_path / name, dark if "dark" in name else mnist)
    result = read_mnist(ingestion(path))
    dataset = HDF5Dataset(filepath=str(tmp_path / "saved.hdf5"), lazy=True)
    dataset.save(result)
    saved = dataset.load()
    for key in KEYS:
        assert isinstance(result[key], Rows) == (key[0] == "x")
        np.testing.assert_array_equal(np.asarray(saved[key]), mnist[key])
        assert result[f"sha256_{key}"] == sha256(mnist[key])


def test_digits_held_out_are_those_that_would_be(tmp_path, mnist, monkeypatch):
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["images"], file["labels"] = mnist["x_train"], mnist["y_train"]
    expected = read_mnist(ingestion(tmp_path / "x.hdf5"))
    monkeypatch.setattr("mnist_kedro.sources.images.MAX_IN_MEMORY", 300)
    result = read_mnist(ingestion(tmp_path / "x.hdf5"))
    assert isinstance(result["x_test"], Rows)
    for key in KEYS:
        np.testing.assert_array_equal(np.asarray(result[key]), expected[key])


def test_so_is_one_array_for_each_digit(few, tmp_path, mnist):
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        for digit in range(10):
            file[f"train/{digit}"] = mnist["x_train"][mnist["y_train"] == digit]
            file[f"test/{digit}"] = mnist["x_test"][mnist["y_test"] == digit]
    result = read_mnist(ingestion(tmp_path / "x.hdf5"))
    order = np.argsort(mnist["y_train"], kind="stable")
    np.testing.assert_array_equal(np.asarray(result["x_train"]), mnist["x_train"][order])


def test_a_file_cut_off_is_told_before_anything_is_saved(few, tmp_path, mnist):
    folder = write_mnist(tmp_path / "idx", mnist)
    path = folder / f"{FILES['x_train']}.gz"
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="corrupt or truncated gzip file"):
        read_mnist(ingestion(folder))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_digits(tmp_path):
    """250 MB of pixels through ingestion and processing."""
    program = textwrap.dedent("""
        import resource, sys
        import h5py, numpy as np
        from mnist_kedro.datasets import HDF5Dataset
        from mnist_kedro.parameters import DataProcessingParameters
        from mnist_kedro.pipelines.data_processing.nodes import (
            compute_pixel_statistics, split_training_digits
        )
        from mnist_kedro.sources import images as sources_images, read_mnist
        from tests.support.parameters import ingestion

        folder, count = sys.argv[1], 320_000
        with h5py.File(f"{folder}/many.hdf5", "w") as file:
            images = file.create_dataset("x", (count, 28, 28), "u1", chunks=(500, 28, 28))
            for start in range(0, count, 10_000):
                images[start:start + 10_000] = np.arange(784, dtype="u1").reshape(28, 28)
            file["y"] = np.arange(count) % 10
        sources_images.MAX_IN_MEMORY = 10_000
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        mnist = HDF5Dataset(filepath=f"{folder}/mnist.hdf5", lazy=True)
        same = {"labels": "as_is", "orientation": "as_is"}  # all images are the same
        mnist.save(read_mnist(ingestion(f"{folder}/many.hdf5", max_digits=count, **same)))
        options = DataProcessingParameters(validation_fraction=0.1, seed=0)
        train = HDF5Dataset(filepath=f"{folder}/train.hdf5", lazy=True)
        train.save(split_training_digits(mnist.load(), options)[0])
        compute_pixel_statistics(train.load())
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """)
    program = f"import sys; sys.path.append({str(ROOT)!r})\n{program}"
    done = python(ROOT, "-c", program, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 120_000  # KiB; all pixels are 245,000
