import io
import zipfile

import numpy as np
import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.sources import read_mnist
from mnist_kedro.sources.layout import KEYS
from mnist_kedro.sources.npz import open_npz
from tests.support.files import write_mnist
from tests.support.parameters import ingestion


@pytest.fixture
def path(tmp_path, mnist):
    return write_mnist(tmp_path / "mnist.npz", mnist)


def read_npz(path):
    return read_mnist(ingestion(path))


def test_names_the_missing_key_and_those_present(tmp_path, mnist):
    path = tmp_path / "x.npz"
    np.savez(path, x_train=mnist["x_train"], names=mnist["y_train"])
    with pytest.raises(InputError, match="expected .*y_train.*found x_train, names"):
        read_npz(path)


def test_refuses_a_truncated_archive(path):
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="not an .npz file, or truncated"):
        read_npz(path)


def test_refuses_a_flipped_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(InputError, match="corrupt .npz file"):
        read_npz(path)


def test_does_not_unpickle(tmp_path, mnist):
    path = tmp_path / "x.npz"
    objects = np.array([{"a": 1}], dtype=object)
    np.savez(path, **{**{key: mnist[key] for key in KEYS}, "x_test": objects}, allow_pickle=True)
    with pytest.raises(InputError, match="x_test.*should be images.*object"):
        read_npz(path)


def test_reads_a_part_of_an_array(path, mnist):
    with open_npz(path) as contents:
        stored = contents.arrays["x_train"]
        assert stored.shape == (800, 28, 28)
        np.testing.assert_array_equal(stored.read(0, slice(5, 9)), mnist["x_train"][5:9])


def test_does_not_allocate_what_a_header_merely_declares(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (60_000, 28, 28)}
    )
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for key in KEYS:
            archive.writestr(f"{key}.npy", header.getvalue())
    refused = pytest.raises(InputError, match="'x_test' declares 47040000 bytes, but holds 0")
    with open_npz(tmp_path / "x.npz") as contents, refused:
        contents.arrays["x_test"].read(0, slice(None))
