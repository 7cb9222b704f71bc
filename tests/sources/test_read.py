import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.sources import read_mnist
from mnist_kedro.sources.layout import KEYS
from tests.support.files import write_mnist
from tests.support.parameters import ingestion
from tests.support.paths import FULL_MNIST, needs_full_mnist
from tests.support.users import another_user


def read(source, **changes):
    return read_mnist(ingestion(source, **changes))


@pytest.fixture
def write(mnist):
    """Write MNIST in one of the forms that are read, into a folder; return its path."""
    return lambda folder, form: write_mnist(
        folder if form == "idx" else folder / f"my mnist{form}", mnist
    )


@pytest.mark.parametrize("form", [".hdf5", ".h5", ".npz", "idx"])
def test_reads_the_same_digits_from_each_form(tmp_path, write, mnist, form):
    path = write(tmp_path, form)
    result = read(path)
    for key in KEYS:
        np.testing.assert_array_equal(result[key], mnist[key])
        assert result[key].dtype == np.uint8
    assert result["source"] == str(path)
    assert result["canonical_mnist"] is False


def test_the_sample_is_balanced_and_split():
    sample = read("sample")
    assert sample["x_train"].shape == (4000, 28, 28)
    assert sample["x_test"].shape == (1000, 28, 28)
    assert np.bincount(sample["y_train"]).tolist() == [400] * 10
    assert np.bincount(sample["y_test"]).tolist() == [100] * 10
    assert sample["source"] == "sample"
    assert sample["canonical_mnist"] is False


@needs_full_mnist
def test_the_sample_is_of_the_training_digits_and_of_no_test_digit():
    full, sample = read(FULL_MNIST), read("sample")

    def keyed(images, labels):
        return {(image.tobytes(), label) for image, label in zip(images, labels, strict=True)}

    training = keyed(full["x_train"], full["y_train"])
    for split in ("train", "test"):
        assert keyed(sample[f"x_{split}"], sample[f"y_{split}"]) <= training
    train = keyed(sample["x_train"], sample["y_train"])
    assert not train & keyed(sample["x_test"], sample["y_test"])


@needs_full_mnist
def test_recognizes_the_canonical_mnist():
    assert read(FULL_MNIST)["canonical_mnist"] is True


@pytest.mark.parametrize("form", [".hdf5", ".npz", "idx"])
def test_auto_takes_what_the_person_put_there(tmp_path, write, mnist, form):
    write(tmp_path, form)
    result = read("auto", search_folder=str(tmp_path))
    np.testing.assert_array_equal(result["y_test"], mnist["y_test"])


def test_auto_refuses_to_choose_between_two_files(tmp_path, write):
    write(tmp_path, ".hdf5")
    write(tmp_path, ".npz")
    with pytest.raises(InputError, match="expected one MNIST file, found 2"):
        read("auto", search_folder=str(tmp_path))


def test_auto_falls_back_to_the_sample(tmp_path, caplog):
    result = read("auto", search_folder=str(tmp_path))
    assert result["source"] == "sample"
    assert "could not be downloaded" in caplog.text
    assert "embedded sample" in caplog.text


def test_download_does_not_fall_back():
    with pytest.raises(InputError, match="could not be downloaded"):
        read("download")


def test_refuses_a_missing_path():
    with pytest.raises(InputError, match=r"nowhere\.hdf5: no such file.*expected auto, download"):
        read("nowhere.hdf5")


def test_refuses_an_unknown_format(tmp_path):
    (tmp_path / "mnist.txt").write_text("seven")
    with pytest.raises(InputError, match=r"mnist\.txt: unknown format; expected an HDF5, npz"):
        read(tmp_path / "mnist.txt")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize("form", [".hdf5", ".npz", "idx"])
def test_an_unreadable_file_is_called_that_and_not_damaged(write, form):
    with tempfile.TemporaryDirectory() as name:  # tmp_path itself is closed to other users
        folder = Path(name)
        folder.chmod(0o755)
        path = write(folder, form)
        for file in folder.iterdir():
            file.chmod(0)
        with another_user(), pytest.raises(InputError) as error:
            read(path)
    assert name in str(error.value)
    assert "cannot be read (Permission denied)" in str(error.value)


def test_a_suffix_may_be_in_capitals(tmp_path, write, mnist):
    path = write(tmp_path, ".hdf5").rename(tmp_path / "MNIST.HDF5")
    np.testing.assert_array_equal(read(path)["y_test"], mnist["y_test"])
    assert read("auto", search_folder=str(tmp_path))["source"] == str(path)


def test_names_file_and_key_of_a_wrong_array(tmp_path, mnist):
    wrong = {**mnist, "x_train": mnist["x_train"][:, :27]}
    path = write_mnist(tmp_path / "mnist.hdf5", wrong)
    with pytest.raises(InputError, match=r"mnist\.hdf5: 'x_train' should be images"):
        read(path)


def test_a_relative_path_is_the_current_folders(tmp_path, write, monkeypatch):
    write(tmp_path, ".h5")
    monkeypatch.chdir(tmp_path)
    assert read("my mnist.h5")["source"] == "my mnist.h5"
