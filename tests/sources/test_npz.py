import numpy as np
import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.sources.layout import KEYS
from mnist_kedro.sources.npz import read_npz


@pytest.fixture
def path(tmp_path, mnist):
    path = tmp_path / "mnist.npz"
    np.savez_compressed(path, **{key: mnist[key] for key in KEYS})
    return path


def test_reads_the_four_arrays(path, mnist):
    arrays = read_npz(path)
    for key in KEYS:
        np.testing.assert_array_equal(arrays[key], mnist[key])


def test_names_the_missing_key_and_those_present(tmp_path, mnist):
    path = tmp_path / "x.npz"
    np.savez(path, x_train=mnist["x_train"], labels=mnist["y_train"])
    with pytest.raises(InputError, match="'y_train' is missing.*labels, x_train"):
        read_npz(path)


def test_refuses_a_truncated_file(path):
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="no .npz file, or a truncated one"):
        read_npz(path)


def test_refuses_a_flipped_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read_npz(path)


def test_does_not_unpickle(tmp_path, mnist):
    path = tmp_path / "x.npz"
    objects = np.array([{"a": 1}], dtype=object)
    np.savez(path, **{**{key: mnist[key] for key in KEYS}, "x_test": objects}, allow_pickle=True)
    with pytest.raises(InputError, match="damaged"):
        read_npz(path)
