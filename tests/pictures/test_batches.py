"""Folders and files of pictures, prepared in a stable order, whatever is among them."""

import os

import h5py
import numpy as np
import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.pictures import files
from mnist_kedro.pictures.batches import BLANK, READ
from mnist_kedro.pictures.digit import prepare
from mnist_kedro.pictures.open import open_pictures
from tests.support.pictures import saved


@pytest.fixture(scope="module")
def images(digits):
    return np.asarray(digits["images"])


@pytest.fixture
def folder(tmp_path, images):
    """Good and bad files, in sub-folders too, with names that people give."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "eine Sieben (größer).png").write_bytes(saved(images[0, ..., 0]))
    (tmp_path / "b.jpg").write_bytes(saved(255 - images[1, ..., 0], "JPEG", quality=95))
    (tmp_path / "a.png").write_bytes(saved(np.full((40, 40), 200, np.uint8)))
    (tmp_path / "c.png").write_bytes(b"")
    (tmp_path / "d.txt").write_text("a digit, in words")
    (tmp_path / "e.png").write_bytes(saved(images[2, ..., 0])[:70])
    (tmp_path / ".hidden.png").write_bytes(saved(images[3, ..., 0]))
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "f.png").write_bytes(saved(images[3, ..., 0]))
    return tmp_path


def all_of(pictures):
    return pictures.take(range(pictures.total))


def test_every_file_has_its_row(folder, images):
    pictures = open_pictures(folder)
    (batch,) = all_of(pictures)
    assert pictures.total == 6
    assert list(batch.files) == [
        "a.png",
        "b.jpg",
        "c.png",
        "d.txt",
        "e.png",
        "7/eine Sieben (größer).png",
    ]
    assert list(batch.status) == [
        BLANK,
        READ,
        "empty file",
        "not a picture (PNG, JPEG, BMP, TIFF, WebP or GIF)",
        "damaged picture",
        READ,
    ]
    assert (batch.pixels.shape, batch.pixels.dtype) == ((6, 28, 28, 1), np.uint8)
    np.testing.assert_array_equal(batch.pixels[5], images[0])
    assert np.abs(batch.pixels[1].astype(int) - images[1]).mean() < 25
    assert not batch.pixels[[0, 2, 3, 4]].any()


def test_batches_are_in_order_and_not_read_far_ahead(tmp_path, images, monkeypatch):
    monkeypatch.setattr(files, "BATCH", 10)
    prepared = []
    original = files._prepare_file
    monkeypatch.setattr(
        files,
        "_prepare_file",
        lambda file, prepare: prepared.append(file) or original(file, prepare),
    )
    for row in range(45):
        (tmp_path / f"{row:03d}.png").write_bytes(saved(images[row, ..., 0]))
    pictures = open_pictures(tmp_path)
    batches = all_of(pictures)
    first = next(batches)
    assert len(prepared) <= 20
    rest = list(batches)
    found = np.concatenate([batch.pixels for batch in (first, *rest)])
    np.testing.assert_array_equal(found, images[:45])
    assert [len(batch.files) for batch in rest] == [10, 10, 10, 5]
    (some,) = pictures.take([3, 40])
    assert list(some.files) == ["003.png", "040.png"]


def test_one_picture_is_enough(folder):
    (batch,) = all_of(open_pictures(folder / "b.jpg"))
    assert list(batch.files) == ["b.jpg"]


def test_arrays_are_taken_as_they_are(tmp_path, images):
    with h5py.File(tmp_path / "mine.hdf5", "w") as file:
        file["scans"] = images.reshape(-1, 784) / 255
        file["numbers"] = np.arange(5)
    pictures = open_pictures(tmp_path / "mine.hdf5")
    assert pictures.total == len(images)
    (batch,) = all_of(pictures)
    np.testing.assert_array_equal(batch.pixels, images)
    assert batch.files[3] == "mine.hdf5#scans/3"
    assert not pictures.labeled
    np.savez(tmp_path / "mine.npz", a=images[:3], b=images[:4])
    with pytest.raises(InputError, match="expected one array of images .* found 'a', 'b'"):
        open_pictures(tmp_path / "mine.npz")


def test_labeled_arrays_are_turned_upright(tmp_path, mnist, caplog):
    turned = mnist["x_test"].transpose(0, 2, 1)
    np.savez(tmp_path / "mine.npz", images=turned, labels=mnist["y_test"])
    (batch,) = all_of(open_pictures(tmp_path / "mine.npz"))
    np.testing.assert_array_equal(batch.pixels[..., 0], mnist["x_test"])
    assert "mine.npz: the images are transposed; they are turned upright." in caplog.text


@pytest.mark.parametrize("name", ["missing", "missing.hdf5", "empty"])
def test_where_there_is_nothing_it_says_so(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=rf"{name}: no (such file|pictures)"):
        open_pictures(tmp_path / name)


def test_a_file_that_may_not_be_read_does_not_stop_the_others(folder):
    (folder / "aa.png").symlink_to(folder / "nowhere.png")
    (batch,) = all_of(open_pictures(folder))
    assert batch.status[1] == "cannot be read: No such file or directory"
    assert list(batch.status).count(READ) == 2


@pytest.mark.parametrize("odd", [ZeroDivisionError("by\nzero"), MemoryError(), RecursionError("x")])
def test_an_unexpected_error_costs_no_other_picture(folder, monkeypatch, caplog, odd):
    def fail_for_bright(picture):
        if picture.mean() > 190:
            raise odd
        return prepare(picture)

    monkeypatch.setattr(files, "prepare", fail_for_bright)
    (batch,) = all_of(open_pictures(folder))
    reason = " ".join(str(odd).split())
    assert batch.status[0] == f"cannot be prepared: {type(odd).__name__}: {reason}"
    assert batch.status[5] == READ
    assert "a.png: cannot be prepared" in caplog.text
    assert "Traceback" in caplog.text  # for a report of the fault


@pytest.mark.skipif(os.name == "nt", reason="POSIX file names and pipes")
def test_odd_files_do_not_stop_the_others(folder):
    (folder / os.fsdecode(b"caf\xe9.png")).write_bytes((folder / "b.jpg").read_bytes())
    os.mkfifo(folder / "pipe.png")
    (batch,) = all_of(open_pictures(folder))
    status = dict(zip(batch.files, batch.status, strict=True))
    assert status["caf\\xe9.png"] == READ
    assert status["pipe.png"] == "not a regular file"
    assert all(name.encode("utf-8") for name in batch.files)  # as a table is saved
