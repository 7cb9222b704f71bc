import base64
import gc
import pickle
from contextlib import contextmanager
from io import BytesIO

import fsspec
import h5py
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kedro.io import DataCatalog, DatasetError
from kedro.io.core import Version
from PIL import Image

from mnist_kedro.arrays import Rows
from mnist_kedro.datasets import HDF5Dataset, LazyArray

keys = st.text("abcxyz_ é", min_size=1, max_size=8).filter(lambda key: key.strip(". "))
scalars = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
)
arrays = hnp.arrays(
    st.sampled_from([np.uint8, np.int64, np.float32, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    elements={"allow_nan": False},
)


@pytest.fixture
def collected_after():
    """Garbage that is made in the context is collected after so many allocations."""
    thresholds = gc.get_threshold()

    @contextmanager
    def context(allocations):
        gc.collect()
        gc.set_threshold(allocations, *thresholds[1:])
        try:
            yield
        finally:
            gc.set_threshold(*thresholds)

    gc.collect()
    gc.freeze()  # what there is already need not be looked at again
    yield context
    gc.unfreeze()


@pytest.fixture
def content(digits):
    return {**digits, "mean": 33.3, "count": 800}


def dataset(path, **options):
    return HDF5Dataset(filepath=str(path), **options)


@given(content=st.dictionaries(keys, arrays | scalars, max_size=4))
def test_loads_what_was_saved(tmp_path_factory, content):
    stored = dataset(tmp_path_factory.mktemp("hdf5") / "x.hdf5")
    stored.save(content)
    loaded = stored.load()
    assert set(loaded) == set(content)
    for key, value in content.items():
        np.testing.assert_array_equal(loaded[key], value)
        if isinstance(value, np.ndarray):
            assert loaded[key].dtype == value.dtype
        else:
            assert type(loaded[key]) is type(value)


@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
def test_lazy_arrays_read_slices_of_the_same_content(tmp_path, content, compression):
    stored = dataset(tmp_path / "x.hdf5", lazy=True, save_args={"compression": compression})
    stored.save(content)
    images = stored.load()["images"]
    assert isinstance(images, LazyArray)
    assert images.shape == (800, 28, 28, 1)
    assert images.ndim == 4
    assert len(images) == 800
    np.testing.assert_array_equal(images[100:105], content["images"][100:105])
    np.testing.assert_array_equal(np.asarray(images), content["images"])
    assert np.asarray(images, dtype=np.float32).dtype == np.float32
    assert stored.load()["mean"] == 33.3


def test_a_lazy_array_survives_pickling(tmp_path, content):
    stored = dataset(tmp_path / "x.hdf5", lazy=True)
    stored.save(content)
    labels = pickle.loads(pickle.dumps(stored.load()["labels"]))
    np.testing.assert_array_equal(labels[:], content["labels"])


def test_keys_with_slashes_become_groups(tmp_path):
    stored = dataset(tmp_path / "x.hdf5")
    stored.save({"train/images": np.arange(6)})
    with h5py.File(tmp_path / "x.hdf5") as file:
        assert file["train"]["images"][5] == 5
    assert list(stored.load()) == ["train/images"]


def test_versions_are_kept_apart_and_not_overwritten(tmp_path):
    assert not dataset(tmp_path / "x.hdf5", version=Version(None, None)).exists()
    for version in ("1", "2"):
        dataset(tmp_path / "x.hdf5", version=Version(None, version)).save({"v": version})
    assert dataset(tmp_path / "x.hdf5", version=Version(None, None)).load() == {"v": "2"}
    assert dataset(tmp_path / "x.hdf5", version=Version("1", None)).load() == {"v": "1"}
    with pytest.raises(DatasetError, match="must not exist"):
        dataset(tmp_path / "x.hdf5", version=Version(None, "1")).save({"v": 2})


def version_of(folder, number, **options):
    return dataset(folder / "x.hdf5", version=Version(None, number), **options)


@given(contents=st.tuples(*2 * [st.dictionaries(keys, arrays | scalars, max_size=3)]))
def test_versions_share_a_file_if_and_only_if_they_are_equal(tmp_path_factory, contents):
    folder = tmp_path_factory.mktemp("hdf5")
    for number, content in enumerate(contents, start=1):
        version_of(folder, str(number)).save(content)
        version_of(folder, f"{number}b").save(content)
    paths = [folder / "x.hdf5" / number / "x.hdf5" for number in ("1", "1b", "2", "2b")]
    assert paths[0].samefile(paths[1])
    assert paths[2].samefile(paths[3])
    shared = paths[1].samefile(paths[2])
    loaded = [dataset(path).load() for path in paths[1:3]]
    same = loaded[0].keys() == loaded[1].keys() and all(
        np.shape(one) == np.shape(other)
        and np.asarray(one).dtype == np.asarray(other).dtype
        and np.array_equal(one, other)
        for one, other in ((loaded[0][key], loaded[1][key]) for key in loaded[0])
    )
    assert shared == same


def test_rows_that_are_computed_share_a_file_too(tmp_path, content):
    images = content["images"]
    for number in ("1", "2"):
        rows = Rows(images.shape, images.dtype, lambda start, stop: images[start:stop])
        version_of(tmp_path, number).save({**content, "images": rows})
    one, other = (tmp_path / "x.hdf5" / number / "x.hdf5" for number in ("1", "2"))
    assert one.samefile(other)


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_a_damaged_version_is_not_shared_but_written_anew(tmp_path, content, compression):
    options = {"save_args": {"compression": compression}}
    version_of(tmp_path, "1", **options).save(content)
    one, other = (tmp_path / "x.hdf5" / number / "x.hdf5" for number in ("1", "2"))
    damaged = bytearray(one.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    one.write_bytes(damaged)
    version_of(tmp_path, "2", **options).save(content)
    assert not one.samefile(other)
    np.testing.assert_array_equal(version_of(tmp_path, None).load()["images"], content["images"])


def test_a_change_of_compression_is_a_new_file(tmp_path, content):
    for number, compression in enumerate(["gzip", "lzf"]):
        version_of(tmp_path, str(number), save_args={"compression": compression}).save(content)
    assert not (tmp_path / "x.hdf5/0/x.hdf5").samefile(tmp_path / "x.hdf5/1/x.hdf5")


def test_a_failed_save_leaves_nothing_behind(tmp_path):
    stored = dataset(tmp_path / "x.hdf5")
    stored.save({"a": 1})
    with pytest.raises(DatasetError):
        stored.save({"a": np.array([object()])})
    assert stored.load() == {"a": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["x.hdf5"]


@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
def test_finds_a_flipped_bit_anywhere(tmp_path, content, compression):
    """In pixels, labels and attributes, and in what holds the file together."""
    few = {**content, "images": content["images"][:10], "labels": content["labels"][:10]}
    path = tmp_path / "x.hdf5"
    stored = dataset(path, save_args={"compression": compression})
    stored.save(few)
    good = path.read_bytes()
    places = range(0, len(good), 11)
    harmless = 0
    for place in places:
        damaged = bytearray(good)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            loaded = stored.load()
        except DatasetError as error:
            message = str(error)
        else:  # in space that nothing uses
            harmless += 1
            assert loaded.keys() == few.keys()
            for key, value in few.items():
                np.testing.assert_array_equal(loaded[key], value)
            continue
        assert "x.hdf5: " in message
        assert "corrupt HDF5 file" in message
    assert harmless < len(places) / 5


class Garbage:
    """Takes HDF5's memory of an error into use for something else, when it is collected."""

    def __init__(self):
        self.itself = self
        self.space = h5py.h5s.create_simple((1,))

    def __del__(self):
        del self.space  # closed, by which HDF5 forgets the error
        self.taken = [np.full(size, 255, np.uint8) for size in range(1, 200)]


def test_tells_of_damage_also_when_the_reason_is_garbled(tmp_path, collected_after):
    path = tmp_path / "x.hdf5"
    stored = dataset(path)
    stored.save({"labels": np.arange(10)})
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 1
    path.write_bytes(damaged)
    causes = set()
    for allocations in range(1, 300):
        with collected_after(allocations):
            Garbage()
            with pytest.raises(DatasetError, match=r"x\.hdf5: corrupt HDF5 file") as told:
                stored.load()
        causes.add(type(told.value.__cause__))
    if UnicodeDecodeError not in causes:
        pytest.skip("this h5py, or this Python, garbles nothing")


def test_finds_an_array_that_another_program_changed(tmp_path, content):
    path = tmp_path / "x.hdf5"
    stored = dataset(path)
    stored.save(content)
    with h5py.File(path, "a") as file:
        file["labels"][3] += 1
    with pytest.raises(DatasetError, match="'labels' was changed after it was saved"):
        stored.load()


def test_a_lazy_array_names_itself_when_it_is_damaged(tmp_path, content):
    path = tmp_path / "x.hdf5"
    stored = dataset(path, lazy=True)
    stored.save(content)
    damaged = bytearray(path.read_bytes())
    damaged[damaged.find(content["images"][400].tobytes()) + 300] ^= 1
    path.write_bytes(damaged)
    images = stored.load()["images"]
    images[:10]
    with pytest.raises(DatasetError, match="corrupt HDF5 file, cannot read 'images'"):
        images[395:405]


def test_works_on_another_file_system(content):
    stored = dataset("memory://folder/x.hdf5", version=Version(None, None), lazy=True)
    stored.save(content)
    loaded = stored.load()
    np.testing.assert_array_equal(loaded["images"][3], content["images"][3])


def test_previews_digits_as_a_picture(tmp_path, content):
    stored = dataset(tmp_path / "x.hdf5")
    stored.save(content)
    preview = stored.preview(images="images", labels="labels", rows=2, columns=5)
    picture = Image.open(BytesIO(base64.b64decode(preview)))
    assert picture.format == "PNG"
    assert picture.width > picture.height > 50
    assert picture.convert("L").getextrema() == (0, 255)
    # Kedro-Viz goes by the annotation's name.
    assert HDF5Dataset.preview.__annotations__["return"].__name__ == "ImagePreview"


def test_is_described_and_made_from_a_catalog(tmp_path):
    catalog = DataCatalog.from_config(
        {
            "x": {
                "type": "mnist_kedro.datasets.HDF5Dataset",
                "filepath": str(tmp_path / "x.hdf5"),
                "versioned": True,
                "save_args": {"compression": "lzf"},
            }
        }
    )
    catalog.save("x", {"a": np.arange(3)})
    np.testing.assert_array_equal(catalog.load("x")["a"], [0, 1, 2])
    assert "lzf" in repr(catalog["x"])


@pytest.mark.parametrize("lazy", [False, True])
def test_plain_values_are_read_without_the_arrays(tmp_path, lazy, monkeypatch):
    dataset = HDF5Dataset(filepath=str(tmp_path / "data.hdf5"), lazy=lazy)
    dataset.save({"array": np.arange(5), "source": "sample", "count": 3, "whole": True})
    monkeypatch.setattr(h5py.Dataset, "__getitem__", lambda *_: pytest.fail("an array was read"))
    assert dataset.attributes() == {"source": "sample", "count": 3, "whole": True}


def test_a_masked_array_is_refused(tmp_path):
    stored = dataset(tmp_path / "a.hdf5")
    with pytest.raises(DatasetError, match="'x' is a masked array, and HDF5 has no masks"):
        stored.save({"x": np.ma.masked_array([1, 2], [True, False])})
    assert not stored.exists()


def test_options_to_open_files_are_those_of_the_file_system(content):
    used = []

    class Options(MemoryFileSystem):
        protocol = "options"

        def open(self, path, mode="rb", **options):
            used.append((mode, options))
            return super().open(path, mode)

    fsspec.register_implementation("options", Options)
    options = {"open_args_load": {"block_size": 4096}, "open_args_save": {"owner": "me"}}
    stored = dataset("options://options/a.hdf5", fs_args=options)
    stored.save(content)
    np.testing.assert_array_equal(stored.load()["images"], content["images"])
    assert ("wb", {"owner": "me"}) in used
    assert ("rb", {"block_size": 4096}) in used
