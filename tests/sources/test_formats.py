"""The content of a file decides its format, and no file takes more than it may."""

import bz2
import gzip
import io
import lzma
import pickle
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from mnist_kedro.errors import InputError
from mnist_kedro.pictures.open import open_pictures
from mnist_kedro.sources import child_process, read_mnist
from mnist_kedro.sources.files import open_source
from mnist_kedro.sources.formats import detect_format, stem
from mnist_kedro.sources.idx import FILES
from mnist_kedro.sources.layout import KEYS
from tests.support.files import (
    idx_bytes,
    parquet_bytes,
    png_bytes,
    read_arrays,
    refusal,
    table_bytes,
    write_mnist,
)
from tests.support.parameters import ingestion

COMPRESSIONS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def compressed(path, suffix):
    """Replace a file by its compressed form."""
    target = path.with_name(f"{path.name}.{suffix}")
    target.write_bytes(COMPRESSIONS[suffix](path.read_bytes()))
    path.unlink()
    return target


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("name", ["mnist.hdf5", "mnist.npz"])
def test_reads_a_compressed_file_and_removes_its_copy(tmp_path, mnist, monkeypatch, suffix, name):
    path = compressed(write_mnist(tmp_path / name, mnist), suffix)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    result = read_mnist(ingestion(path))
    for key in KEYS:
        np.testing.assert_array_equal(result[key], mnist[key])
    assert not [*temporary.iterdir()]


@pytest.mark.parametrize("name", ["mnist", "mnist.he5", "mnist.mat", "mnist.npz", "mnist.csv"])
def test_reads_hdf5_of_any_name(tmp_path, mnist, name):
    path = write_mnist(tmp_path / "x.hdf5", mnist).rename(tmp_path / name)
    assert {*read_arrays(path)} == {*KEYS}
    assert {*read_arrays(path.rename(tmp_path / "x"))} == {*KEYS}


@pytest.mark.parametrize("userblock", [512, 4096])
def test_reads_hdf5_after_a_userblock(tmp_path, mnist, userblock):
    """MATLAB's files of version 7.3 begin with 512 bytes of their own."""
    with h5py.File(tmp_path / "mnist.mat", "w", userblock_size=userblock) as file:
        file["images"] = mnist["x_train"]
    with (tmp_path / "mnist.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    assert detect_format(tmp_path / "mnist.mat") == "hdf5"
    np.testing.assert_array_equal(read_arrays(tmp_path / "mnist.mat")["images"], mnist["x_train"])


def test_lists_all_names_of_a_linked_array(tmp_path, mnist):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a/x"] = mnist["x_test"]
        file["b"] = file["a"]
        file["hard"] = file["a/x"]
        file["soft"] = h5py.SoftLink("/b/x")
        file["group"] = h5py.SoftLink("a")
    arrays = read_arrays(tmp_path / "x.h5")
    assert {*arrays} == {"a/x", "b/x", "hard", "soft", "group/x"}
    for array in arrays.values():
        np.testing.assert_array_equal(array, mnist["x_test"])


def test_a_soft_link_reaches_no_other_file(tmp_path, mnist):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = mnist["x_test"]
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a/outside"] = h5py.ExternalLink("secret.h5", "/")
        file["soft"] = h5py.SoftLink("/a/outside/x")
    assert "'a/outside' is an external link to 'secret.h5'" in refusal(tmp_path / "x.h5")


def test_the_fields_of_records_are_arrays(tmp_path, mnist):
    """As pandas writes ``to_hdf(…, format="table")``."""
    table = np.zeros(50, [("index", "i8"), ("values_block_0", "u1", (785,)), ("y", "i4")])
    table["values_block_0"][:, 1:] = mnist["x_train"][:50].reshape(50, 784)
    table["y"] = mnist["y_train"][:50]
    with h5py.File(tmp_path / "store.h5", "w") as file:
        file["digits/table"] = table
    with open_source(tmp_path / "store.h5", 1000) as contents:
        assert {*contents.arrays} == {"digits/table/values_block_0", "digits/table/y"}
        block = contents.arrays["digits/table/values_block_0"]
        np.testing.assert_array_equal(block.read(0, slice(3, 5)), table["values_block_0"][3:5])
        np.testing.assert_array_equal(block.read(1, slice(1, 785)), table["values_block_0"][:, 1:])
        np.testing.assert_array_equal(
            contents.arrays["digits/table/y"].read(0, slice(None)), table["y"]
        )


def test_the_axes_of_a_frame_are_left_out(tmp_path):
    """As pandas writes ``to_hdf(…, format="fixed")``."""
    with h5py.File(tmp_path / "store.h5", "w") as file:
        for name in ("axis0", "axis1", "block0_items", "block0_values", "block1_items"):
            file[f"digits/{name}"] = np.zeros((5, 785))
        file["axis0"] = np.zeros(5)
    assert {*read_arrays(tmp_path / "store.h5")} == {"digits/block0_values", "axis0"}


def test_describes_thousands_of_groups(tmp_path):
    """TensorFlow Federated's EMNIST has a group for each of 3,383 writers."""
    with h5py.File(tmp_path / "fed.h5", "w", libver="latest") as file:
        for writer in range(3_383):
            group = file.create_group(f"examples/f{writer:04}")
            group["label"], group["pixels"] = np.zeros(2, "i4"), np.zeros((2, 28, 28), "f4")
    with open_source(tmp_path / "fed.h5", 1000) as contents:
        assert len(contents.arrays) == 2 * 3_383


def put(path, content):
    path.write_bytes(content)
    return path


def archive_bytes(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def write_zip(names):
    def write(file):
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, b"content")

    return write


def write_tar(file):
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("train.csv"))


OTHERS = {
    "mnist.zip": (archive_bytes(write_zip(["train.csv"])), "a zip archive; unzip it"),
    "mnist.tar": (archive_bytes(write_tar), "an archive; extract it"),
    "mnist.tar.gz": (gzip.compress(archive_bytes(write_tar)), "an archive; extract it"),
    "mnist.npz.gz.gz": (gzip.compress(gzip.compress(b"x")), "an archive; extract it"),
    "training.pt": (
        archive_bytes(write_zip(["archive/data.pkl", "archive/version"])),
        "a PyTorch file, which can run code when it is loaded; save its arrays with numpy.savez",
    ),
    "old.pt": (pickle.dumps(0x1950A86A20F9469CFC6C, 2), "a PyTorch file"),
    "seven.png": (png_bytes(np.zeros((28, 28), np.uint8)), "one picture; expected labeled"),
    "mnist.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(50), "an archive; extract it"),
    "mnist.bin": (b"\x01\x02\x03" * 50, "unknown format; expected an HDF5, npz"),
    "notes.txt": (b"Seven nines", "unknown format; expected an HDF5, npz"),
    "mnist.mat": (b"\x01\x02\x03" * 50, "corrupt MATLAB file"),
    "mnist.csv": (b"1,2,3\n" * 50, "expected 784 columns of pixels"),
    "mnist.pkl": (b"Seven", "corrupt pickle file"),
    "mnist.npy": (b"\x93NUMPY\x09\x09", "corrupt .npy file"),
    "mnist.gz": (b"\x1f\x8b\x08", "corrupt compressed file"),
    "mnist.csv.bz2": (b"BZh9" + bytes(50), "corrupt compressed file"),
    "mnist.csv.xz": (b"\xfd7zXZ\x00" + bytes(50), "corrupt compressed file"),
    "mnist.hdf5": (b"", "empty file; copy or download it again"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_says_what_another_file_is(tmp_path, name):
    content, message = OTHERS[name]
    assert message in refusal(put(tmp_path / name, content))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_one_idx_file_names_the_folder_to_use(tmp_path, mnist, suffix):
    for key, name in FILES.items():
        content = idx_bytes(mnist[key])
        put(tmp_path / f"{name}{suffix}", gzip.compress(content) if suffix else content)
    message = refusal(tmp_path / f"{FILES['x_train']}{suffix}")
    advised = message.rpartition("ingestion.source=")[2]
    np.testing.assert_array_equal(read_mnist(ingestion(advised))["x_test"], mnist["x_test"])


def test_objects_in_an_npy_file_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}], object), allow_pickle=True)
    assert "holds Python objects; expected plain values" in refusal(tmp_path / "x.npy")


@given(content=st.binary(max_size=100), suffix=st.sampled_from(["", ".gz", ".mat", ".idx3-ubyte"]))
def test_any_bytes_have_a_format_or_none(tmp_path_factory, content, suffix):
    path = put(tmp_path_factory.mktemp("any") / f"x{suffix}", content)
    assert detect_format(path) is None or isinstance(detect_format(path), str)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train-images.idx3-ubyte", "train-images-idx3-ubyte"),
        ("train-images-idx3-ubyte.gz", "train-images-idx3-ubyte"),
        ("mnist.pkl.gz", "mnist"),
        ("mnist.train.csv", "mnist.train"),
        ("train-00000-of-00001.parquet", "train-00000-of-00001"),
    ],
)
def test_names_a_file_without_its_suffixes(name, expected):
    assert stem(Path(name)) == expected


# Bombs: each file is small, and what it stands for is not.

SMALL = "from mnist_kedro.readers import __main__ as r; r._MEMORY_BYTES = 2**27; r.main()"
needs_limit = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory")


@pytest.fixture
def small_memory(monkeypatch):
    """Let the reading process have 128 MiB."""
    monkeypatch.setattr(child_process, "_COMMAND", [sys.executable, "-P", "-c", SMALL])


def zeros_table(path, rows):
    row = b",".join([b"0"] * 785) + b"\n"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(rows // 1000):
            file.write(row * 1000)


def write_png_bomb(path):
    """Write a picture of 50,000 × 50,000 pixels in 3 KB."""
    content = bytearray(png_bytes(np.zeros((28, 28), np.uint8)))
    content[16:24] = (50_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    pd.DataFrame({"image": [bytes(content)], "label": [1]}).to_parquet(path)


@needs_limit
@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("MATLAB", lambda path: savemat(path, {"x": np.zeros(2**28, "u1")}, do_compression=True)),
        ("pickle", lambda path: path.write_bytes(b"\x80\x02]r\xff\xff\xff\x7f.")),
        ("pickle", lambda path: path.write_bytes(b"\x80\x04\x96" + (2**40).to_bytes(8, "little"))),
        ("Parquet", lambda path: pd.DataFrame({"x": np.zeros(2**25)}).to_parquet(path)),
    ],
)
def test_what_takes_too_much_memory_is_refused(tmp_path, small_memory, name, write):
    path = tmp_path / "bomb"
    write(path if name != "MATLAB" else (path := path.with_suffix(".mat")))
    assert path.stat().st_size < 1_000_000
    expected = f"too large for memory as a {name} file; write its arrays to an HDF5 file"
    assert expected in refusal(path, max_digits=2**26)


def test_a_compressed_file_is_decompressed_as_far_as_digits_may_take(tmp_path, monkeypatch):
    path = put(tmp_path / "bomb.hdf5.gz", gzip.compress(bytes(2 * 10**7), 1))
    assert "decompresses to more than 16,783,488 bytes" in refusal(path, max_digits=1)
    zeros_table(tmp_path / "bomb.csv.gz", 3_000)
    assert "holds more than 2,999 digits" in refusal(tmp_path / "bomb.csv.gz", max_digits=2_999)


def test_a_picture_that_declares_too_many_pixels_is_not_decoded(tmp_path):
    write_png_bomb(tmp_path / "bomb.parquet")
    message = refusal(tmp_path / "bomb.parquet")
    assert "has a picture of 50000 × 50000 pixels" in message or "corrupt picture" in message


def test_a_reader_that_the_system_kills_took_too_much_memory(tmp_path, mnist, monkeypatch):
    path = put(tmp_path / "x.csv", table_bytes(mnist["x_train"][:5], mnist["y_train"][:5]))
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr(child_process, "_COMMAND", [sys.executable, "-c", kill])
    assert "too large for memory as a CSV file; write its arrays to an HDF5" in refusal(path)


def test_names_in_an_archive_are_only_names(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("../../escaped.npy", archive_bytes(lambda file: np.save(file, [1])))
    assert {*read_arrays(tmp_path / "x.npz")} == {"../../escaped"}
    assert not (tmp_path.parent.parent / "escaped.npy").exists()


def test_a_reader_that_dies_is_reported(tmp_path, mnist, monkeypatch):
    path = put(tmp_path / "x.csv", table_bytes(mnist["x_train"][:5], mnist["y_train"][:5]))
    monkeypatch.setattr(child_process, "_COMMAND", [sys.executable, "-c", "import os; os.abort()"])
    assert "corrupt CSV file, reading it fails; copy or download it again" in refusal(path)


@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.pkl", "x.npy", "x.hdf5.gz"])
def test_inference_takes_the_same_formats(tmp_path, mnist, name):
    images, labels = mnist["x_train"][:100], mnist["y_train"][:100]
    path = tmp_path / name
    match path.suffix:
        case ".csv":
            path.write_bytes(table_bytes(images, labels))
        case ".parquet":
            path.write_bytes(parquet_bytes(images, labels))
        case ".pkl":
            path.write_bytes(pickle.dumps({"images": images, "labels": labels}))
        case ".npy":
            np.save(path, images)
        case _:
            with h5py.File(tmp_path / "x.hdf5", "w") as file:
                file["images"] = images
            compressed(tmp_path / "x.hdf5", "gz")
    pictures = open_pictures(path)
    (batch,) = pictures.take(range(pictures.total))
    np.testing.assert_array_equal(batch.pixels[..., 0], images)


def test_inference_refuses_a_damaged_file(tmp_path):
    put(tmp_path / "x.csv", b"5,2,3\n")
    with pytest.raises(InputError, match="expected 784 columns"):
        open_pictures(tmp_path / "x.csv")


@pytest.mark.parametrize("name", ["two\nlines", "bell\a", "x" * 501])
def test_refuses_names_that_no_message_can_hold(tmp_path, name):
    put(tmp_path / "x.pkl", pickle.dumps({name: np.zeros(3)}))
    assert "is not printable or longer than 500 characters" in refusal(tmp_path / "x.pkl")
