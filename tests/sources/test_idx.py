import gzip
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mnist_kedro.digest import sha256
from mnist_kedro.errors import InputError
from mnist_kedro.sources.canonical import is_canonical
from mnist_kedro.sources.files import open_source
from mnist_kedro.sources.idx import FILES, read_idx
from tests.support.files import idx_bytes
from tests.support.paths import FULL_MNIST, needs_full_mnist

arrays = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6))


def read_folder(folder, max_digits):
    with open_source(folder, max_digits) as contents:
        return {key: array.read(0, slice(None)) for key, array in contents.arrays.items()}


@given(array=arrays, zipped=st.booleans())
def test_reads_back_any_array(tmp_path_factory, array, zipped):
    content = idx_bytes(array)
    path = tmp_path_factory.mktemp("idx") / ("x.gz" if zipped else "x")
    path.write_bytes(gzip.compress(content) if zipped else content)
    np.testing.assert_array_equal(read_idx(path), array)
    assert read_idx(path).dtype == np.uint8


@given(array=arrays, data=st.data())
def test_refuses_a_file_cut_anywhere(tmp_path_factory, array, data):
    content = idx_bytes(array)
    path = tmp_path_factory.mktemp("idx") / "x"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(InputError, match="not an IDX file|truncated IDX header|declares"):
        read_idx(path)


@given(array=arrays, data=st.data())
def test_refuses_a_gzip_file_cut_anywhere(tmp_path_factory, array, data):
    content = gzip.compress(idx_bytes(array))
    path = tmp_path_factory.mktemp("idx") / "x.gz"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(InputError):
        read_idx(path)


@given(junk=st.binary(max_size=60))
def test_never_fails_otherwise_on_junk(tmp_path_factory, junk):
    path = tmp_path_factory.mktemp("idx") / "x"
    path.write_bytes(junk)
    try:
        array = read_idx(path)
    except InputError:
        return
    assert junk == idx_bytes(array)


def test_refuses_more_values_than_declared(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(idx_bytes(np.arange(4, dtype=np.uint8)) + b"!")
    with pytest.raises(InputError, match="declares 4 bytes of values, but holds more"):
        read_idx(path)


def test_does_not_allocate_what_a_header_merely_declares(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", *[2**32 - 1] * 3))
    with pytest.raises(
        InputError, match=r"declares [\d,]{38} bytes of values; at most 70,000 digits"
    ):
        read_idx(path)


def test_reads_no_more_of_a_gzip_file_than_is_declared(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.arange(4, dtype=np.uint8)) + bytes(10**8)))
    with pytest.raises(InputError, match="declares 4 bytes of values, but holds more"):
        read_idx(path)


@pytest.mark.parametrize("shape", [(1,) * 70, (0, 2**32 - 1, 2**32 - 1, 2**32 - 1)])
def test_refuses_a_shape_that_numpy_cannot_hold(tmp_path, shape):
    path = tmp_path / "x"
    header = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    path.write_bytes(header + bytes(math.prod(shape)))
    with pytest.raises(InputError, match="corrupt IDX file"):
        read_idx(path)


def test_names_the_missing_file_of_a_folder(tmp_path, mnist):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(mnist["x_train"]))
    with pytest.raises(InputError, match="'train-labels-idx1-ubyte'.*is missing"):
        read_folder(tmp_path, 1000)


def test_finds_each_spelling_of_the_names(tmp_path, mnist):
    for i, (key, name) in enumerate(FILES.items()):
        dotted = name.replace("-idx", ".idx") if i % 2 else name
        content = idx_bytes(mnist[key])
        if i < 2:
            (tmp_path / f"{dotted}.gz").write_bytes(gzip.compress(content))
        else:
            (tmp_path / dotted).write_bytes(content)
    for key, array in read_folder(tmp_path, 1000).items():
        np.testing.assert_array_equal(array, mnist[key])


@needs_full_mnist
def test_knows_the_canonical_mnist_by_its_content():
    full = read_folder(FULL_MNIST, 60_000)
    digests = {key: sha256(array) for key, array in full.items()}
    assert is_canonical(digests)
    changed = full["x_test"].copy()
    changed[5, 5, 5] ^= 1
    assert not is_canonical({**digests, "x_test": sha256(changed)})
