import h5py
import numpy as np
import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.sources.hdf5 import read_hdf5
from mnist_kedro.sources.layout import KEYS


@pytest.fixture
def path(tmp_path, mnist):
    path = tmp_path / "mein mnist ö.hdf5"
    with h5py.File(path, "w") as file:
        for key in KEYS:
            file[key] = mnist[key]
    return path


def test_reads_the_four_arrays(path, mnist):
    arrays = read_hdf5(path)
    assert list(arrays) == list(KEYS)
    for key in KEYS:
        np.testing.assert_array_equal(arrays[key], mnist[key])


def test_names_the_missing_key_and_those_present(path):
    with h5py.File(path, "a") as file:
        file.move("y_test", "labels")
    with pytest.raises(InputError, match=r"mnist ö\.hdf5: key 'y_test' is missing.*labels"):
        read_hdf5(path)


def test_refuses_a_group_where_a_dataset_belongs(path):
    with h5py.File(path, "a") as file:
        del file["x_test"]
        file.create_group("x_test")
    with pytest.raises(InputError, match="'x_test' is a group"):
        read_hdf5(path)


def test_refuses_an_empty_file(tmp_path):
    path = tmp_path / "empty.h5"
    path.touch()
    with pytest.raises(InputError, match=r"empty\.h5: empty file"):
        read_hdf5(path)


def test_refuses_another_format(tmp_path):
    path = tmp_path / "text.h5"
    path.write_text("x_train,y_train\n")
    with pytest.raises(InputError, match="not an HDF5 file"):
        read_hdf5(path)


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.99])
def test_refuses_a_truncated_file(path, kept):
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match="truncated HDF5 file"):
        read_hdf5(path)
