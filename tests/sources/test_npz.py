import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mnist_kedro.errors import InputError
from mnist_kedro.sources import read_mnist
from mnist_kedro.sources.layout import KEYS
from mnist_kedro.sources.npz import open_npz
from tests.support.files import write_mnist
from tests.support.parameters import ingestion

arrays = hnp.arrays(
    st.sampled_from([np.uint8, np.dtype(">i4"), np.float32, "S3"]),
    hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5),
    fill=st.nothing(),
)


@pytest.fixture
def path(tmp_path, mnist):
    return write_mnist(tmp_path / "mnist.npz", mnist)


def read_npz(path):
    return read_mnist(ingestion(path))


def test_names_the_missing_key_and_those_present(tmp_path, mnist):
    path = tmp_path / "x.npz"
    np.savez(path, x_train=mnist["x_train"], names=mnist["y_train"][1:])
    with pytest.raises(InputError, match="expected .*y_train.*with names of x_train, names"):
        read_npz(path)


def test_refuses_a_truncated_archive(path):
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="not an .npz file, or truncated"):
        read_npz(path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_refuses_a_flipped_bit(tmp_path, mnist, save):
    path = tmp_path / "x.npz"
    save(path, **{key: mnist[key] for key in KEYS})
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


@given(
    array=arrays,
    order=st.sampled_from("CF"),
    save=st.sampled_from([np.savez, np.savez_compressed]),
    data=st.data(),
)
def test_reads_any_rows_of_any_axis(tmp_path_factory, array, order, save, data):
    path = tmp_path_factory.mktemp("npz") / "x.npz"
    save(path, x=np.asarray(array, order=order))
    with open_npz(path) as contents:
        for _ in range(4):
            axis = data.draw(st.integers(0, array.ndim - 1))
            start = data.draw(st.integers(0, array.shape[axis]))
            rows = slice(start, data.draw(st.integers(start, array.shape[axis])))
            np.testing.assert_array_equal(
                contents.arrays["x"].read(axis, rows), array[(slice(None),) * axis + (rows,)]
            )


def test_reads_a_number(tmp_path):
    np.savez(tmp_path / "x.npz", n=5)
    with open_npz(tmp_path / "x.npz") as contents:
        assert contents.arrays["n"].shape == ()


def test_refuses_an_unknown_version_of_npy(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", np.lib.format.magic(9, 0) + bytes(100))
    refused = pytest.raises(InputError, match="x.npz: corrupt .npz file")
    with refused, open_npz(tmp_path / "x.npz"):
        pass


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
