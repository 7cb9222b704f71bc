"""HDF5 files on a disk that becomes full: told, no crash, nothing left behind."""

import errno
import io

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.io import DatasetError

from mnist_kedro.arrays import Rows
from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.datasets.disk_space import DeferredErrorFile
from tests.reliability.disk_full import needs_mount, small_disk


class Disk(io.BytesIO):
    """Takes so many bytes."""

    def __init__(self, space):
        super().__init__()
        self._space = space

    def write(self, data):
        if self.tell() + len(data) > self._space:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@given(data=st.data(), space=st.integers(0, 60))
def test_what_was_written_is_read_wherever_it_lies(data, space):
    deferred, expected = DeferredErrorFile(Disk(space)), bytearray()
    for _ in range(data.draw(st.integers(1, 8))):
        position = data.draw(st.integers(0, len(expected)))
        content = data.draw(st.binary(min_size=1, max_size=20))
        deferred.seek(position)
        deferred.write(content)
        expected[position : position + len(content)] = content
    first = data.draw(st.integers(0, len(expected)))
    read = bytearray(len(expected) - first)
    deferred.seek(first)
    deferred.readinto(read)
    assert read == expected[first:]
    assert deferred.size == len(expected) == deferred.seek(0, 2)


@pytest.mark.parametrize("space", [0, 100, 3_000, 20_000, 100_000])
def test_hdf5_goes_on_to_its_end_without_space(space):
    deferred = DeferredErrorFile(Disk(space))
    values = np.random.default_rng(0).integers(0, 256, (200, 28, 28), "u1")
    with h5py.File(deferred, "w") as file:
        file.create_dataset("x", data=values, chunks=(10, 28, 28), fletcher32=True)
        np.testing.assert_array_equal(file["x"][:], values)
    with pytest.raises(OSError, match="No space left"):
        deferred.check()


@needs_mount
@pytest.mark.parametrize("early", [True, False])
def test_a_full_disk_is_told_with_what_is_needed(tmp_path, early):
    """Early, by how well the beginning is packed; or late, if that is packed far better."""
    noise = np.random.default_rng(0).integers(0, 256, (2000, 28, 28), "u1")
    blank = np.zeros_like(noise)
    calls = []

    def read(start, stop):
        calls.append(start)
        return (noise if early or start > 20_000 else blank)[np.arange(start, stop) % 2000]

    images = Rows((60_000, 28, 28), noise.dtype, read)
    (tmp_path / "disk").mkdir()
    with small_disk(tmp_path / "disk", 16 * 2**20):
        path = tmp_path / "disk" / "x.hdf5"
        with pytest.raises(
            DatasetError, match=r"disk full, at least [\d,]+ bytes are needed"
        ) as told:
            HDF5Dataset(filepath=str(path), save_args={"compression": "lzf"}).save({"x": images})
        assert str(path) in str(told.value)
        assert not [*path.parent.iterdir()]
    assert (len(calls) <= 3) == early
