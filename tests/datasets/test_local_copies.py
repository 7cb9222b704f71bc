"""Files of a store are read in pieces from one copy, which goes when it is not needed."""

import gc
import pickle
import shutil
from collections import Counter
from typing import ClassVar

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from kedro.io import DatasetError
from kedro.io.core import Version

from mnist_kedro.datasets import HDF5Dataset

PATH = "counted:///folder/x.hdf5"
asked: Counter[str] = Counter()  # bytes, by how they were asked for


class CountedFileSystem(MemoryFileSystem):
    """A store that counts what it is asked for."""

    protocol = "counted"
    store: ClassVar = {}
    pseudo_dirs: ClassVar = [""]

    def get_file(self, rpath, lpath, **kwargs):
        asked["whole files"] += self.size(rpath)
        super().get_file(rpath, lpath, **kwargs)

    def _open(self, path, mode="rb", **kwargs):
        file = super()._open(path, mode, **kwargs)
        if mode == "rb":
            readinto = file.readinto

            def counted(buffer):
                asked["pieces"] += len(buffer)
                return readinto(buffer)

            file.readinto = counted
        return file


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    fsspec.register_implementation("counted", CountedFileSystem, clobber=True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    CountedFileSystem.store.clear()
    CountedFileSystem.pseudo_dirs[:] = [""]
    yield CountedFileSystem(skip_instance_cache=True)
    CountedFileSystem.store.clear()


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (3000, 28, 28, 1), np.uint8)


def saved(images, version=None):
    HDF5Dataset(filepath=PATH, version=version).save({"images": images, "source": "here"})
    asked.clear()
    return HDF5Dataset(filepath=PATH, lazy=True, version=version)


def copies(tmp_path):
    return [*tmp_path.rglob("mnist_kedro_*/*")]


def test_many_pieces_are_one_copy(images, store, tmp_path):
    dataset = saved(images)
    loaded = dataset.load()
    for start in range(0, 3000, 100):
        np.testing.assert_array_equal(loaded["images"][start], images[start])
    np.testing.assert_array_equal(np.asarray(dataset.load()["images"]), images)
    assert asked["whole files"] <= 2 * store.size("/folder/x.hdf5")  # it is not versioned
    assert asked["pieces"] < 10_000
    assert len(copies(tmp_path)) == 1


def test_a_version_is_fetched_once_however_often_it_is_loaded(images, store):
    version = Version(None, "2026-01-01T00.00.00.000Z")
    dataset = saved(images, version)
    for _ in range(3):
        np.testing.assert_array_equal(dataset.load()["images"][[7, 2000]], images[[7, 2000]])
    (file,) = store.find("/folder")
    assert asked["whole files"] == store.size(file)


def test_what_describes_a_file_is_read_without_a_copy(images, tmp_path):
    dataset = saved(images)
    assert dataset.attributes() == {"source": "here"}
    assert dataset.load()["images"].shape == images.shape
    assert asked["whole files"] == 0
    assert not copies(tmp_path)


def test_copies_go_when_they_are_released_and_with_the_dataset(images, tmp_path):
    dataset = saved(images)
    loaded = dataset.load()["images"]
    assert len(loaded[:10]) == 10
    dataset.release()
    assert not copies(tmp_path)
    np.testing.assert_array_equal(loaded[5:8], images[5:8])  # fetched again
    assert len(copies(tmp_path)) == 1
    del dataset, loaded
    gc.collect()
    assert not [*tmp_path.iterdir()]


def test_what_another_replaced_is_seen_at_the_next_load(images):
    dataset = saved(images)
    assert (dataset.load()["images"][:10] == images[:10]).all()
    saved(255 - images)
    assert (dataset.load()["images"][:10] == 255 - images[:10]).all()


def test_another_process_has_its_own(images, tmp_path):
    loaded = saved(images).load()["images"]
    assert len(loaded[:10]) == 10
    there = pickle.loads(pickle.dumps(loaded))
    np.testing.assert_array_equal(there[5:8], images[5:8])
    assert len(copies(tmp_path)) == 2


def test_checks_free_space_before_a_download(images, monkeypatch, tmp_path):
    loaded = saved(images).load()["images"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 90, 10))
    with pytest.raises(DatasetError, match=r"folder/x\.hdf5: a copy in .* needs .* TMPDIR"):
        loaded[:10]
    assert not asked["whole files"]


def test_a_file_that_is_gone_is_told_as_missing(images, store):
    loaded = saved(images).load()["images"]
    store.rm("/folder/x.hdf5")
    with pytest.raises(FileNotFoundError):
        loaded[:10]


def test_damage_is_told_of_the_store_s_file(images, store):
    dataset = saved(images)
    file = store.store["/folder/x.hdf5"]
    file.getbuffer()[len(file.getvalue()) // 2] ^= 1
    loaded = dataset.load()["images"]
    with pytest.raises(
        DatasetError, match=r"folder/x\.hdf5: corrupt HDF5 file, cannot read 'images'"
    ):
        np.asarray(loaded)
