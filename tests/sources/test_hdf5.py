import sys
import threading
import time

import h5py
import numpy as np
import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.sources import child_process, read_mnist
from mnist_kedro.sources.files import open_source
from tests.support.files import write_mnist
from tests.support.parameters import ingestion
from tests.support.processes import background


@pytest.fixture
def path(tmp_path, mnist):
    return write_mnist(tmp_path / "mein mnist ö.hdf5", mnist)


def refusal(path, **changes):
    with pytest.raises(InputError) as error:
        read_mnist(ingestion(path, **changes))
    message = str(error.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def replace(path, key, **options):
    """Put another dataset in the place of one."""
    with h5py.File(path, "a") as file:
        del file[key]
        file.create_dataset(key, **options)


def test_describes_and_reads_a_part(path, mnist):
    with open_source(path, 1000) as contents:
        stored = contents.arrays["x_train"]
        assert (stored.shape, stored.dtype) == ((800, 28, 28), np.uint8)
        np.testing.assert_array_equal(stored.read(0, slice(5, 9)), mnist["x_train"][5:9])
        np.testing.assert_array_equal(stored.read(1, slice(3, 4)), mnist["x_train"][:, 3:4])


def test_the_reading_process_ends_with_the_file(path):
    with open_source(path, 1000) as contents:
        stored = contents.arrays["y_test"]
    with pytest.raises((InputError, ValueError)):
        stored.read(0, slice(None))


def test_refuses_an_empty_file(tmp_path):
    path = tmp_path / "empty.h5"
    path.touch()
    assert "empty.h5: empty file" in refusal(path)


def test_refuses_another_format(tmp_path):
    path = tmp_path / "text.h5"
    path.write_text("x_train,y_train\n")
    assert "not an HDF5 file, despite its suffix" in refusal(path)


def test_refuses_a_folder(tmp_path):
    path = tmp_path / "mnist.hdf5"
    path.mkdir()
    assert "a folder; expected a file" in refusal(path)


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.99])
def test_refuses_a_truncated_file(path, kept):
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    assert "truncated HDF5 file" in refusal(path)


def test_finds_a_flipped_bit_where_there_are_checksums(path, mnist):
    replace(path, "x_test", data=mnist["x_test"], fletcher32=True, chunks=(10, 28, 28))
    content = bytearray(path.read_bytes())
    content[content.rfind(mnist["x_test"][100].tobytes()) + 300] ^= 1
    path.write_bytes(content)
    assert "'x_test' cannot be read: corrupt HDF5 file" in refusal(path)


def test_refuses_an_external_link(path, tmp_path, mnist):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = mnist["x_train"]
    with h5py.File(path, "a") as file:
        del file["x_train"]
        file["x_train"] = h5py.ExternalLink("other.h5", "secret")
    assert "'x_train' is an external link to 'other.h5'" in refusal(path)


def test_refuses_a_loop_of_soft_links(path):
    with h5py.File(path, "a") as file:
        del file["x_train"]
        file["x_train"] = h5py.SoftLink("/x_train")
    assert "'x_train' is a soft link to '/x_train'" in refusal(path)


def test_a_loop_of_hard_links_is_gone_through_once(path, mnist):
    with h5py.File(path, "a") as file:
        group = file.create_group("group")
        group["itself"] = group
        group["root"] = file["/"]
    np.testing.assert_array_equal(read_mnist(ingestion(path))["x_train"], mnist["x_train"])


def test_refuses_external_storage(path, tmp_path, mnist):
    (tmp_path / "bytes").write_bytes(mnist["x_train"].tobytes())
    outside = [(str(tmp_path / "bytes"), 0, mnist["x_train"].nbytes)]
    replace(path, "x_train", shape=(800, 28, 28), dtype=np.uint8, external=outside)
    assert "'x_train' is stored in another file" in refusal(path)


def test_refuses_virtual_storage(path, tmp_path, mnist):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = mnist["x_train"]
    layout = h5py.VirtualLayout((800, 28, 28), np.uint8)
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "secret", (800, 28, 28))
    with h5py.File(path, "a") as file:
        del file["x_train"]
        file.create_virtual_dataset("x_train", layout)
    assert "'x_train' is a virtual dataset, stored in other files" in refusal(path)


def test_refuses_too_many_digits(path):
    """A small file can declare 10¹¹ numbers; nothing of that size is allocated."""
    replace(path, "x_train", shape=(10**8, 28, 28), dtype="f8", chunks=(1, 28, 28))
    assert path.stat().st_size < 1_000_000
    assert "declares 100,000,200 digits; at most ingestion.max_digits=100,000" in refusal(path)


@pytest.mark.parametrize("options", [{}, {"chunks": (50, 28, 28)}])
def test_refuses_values_that_were_never_written(path, options):
    replace(path, "x_train", shape=(800, 28, 28), dtype="u1", **options)
    assert "'x_train' declares" in refusal(path)


def test_refuses_labels_that_declare_more_than_there_are_images(path):
    replace(path, "y_train", shape=(10**11,), dtype="f8", chunks=(1000,))
    assert "'y_train' should be the labels of 800 images" in refusal(path)


def test_refuses_text_as_labels_that_is_longer_than_any_label(path):
    replace(path, "y_train", shape=(800,), dtype="S100000", chunks=(1,), compression="gzip")
    assert "'y_train' holds text of 100000 characters" in refusal(path)


def test_names_a_filter_that_is_not_there(path, mnist):
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((800, 28, 28))
    plan.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (1,))  # Blosc
    with h5py.File(path, "a") as file:
        del file["x_train"]
        space = h5py.h5s.create_simple((800, 28, 28))
        dataset = h5py.h5d.create(file.id, b"x_train", h5py.h5t.NATIVE_UINT8, space, plan)
        dataset.write_direct_chunk((0, 0, 0), mnist["x_train"].tobytes())
    assert "which h5py lacks" in refusal(path)


LOCKING = """
import sys, h5py
with h5py.File(sys.argv[1], "a") as file:
    print("locked", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def writer(path, tmp_path):
    """Another program, which has the file open to write until it gets a line."""
    with background("-c", LOCKING, str(path), folder=tmp_path) as program:
        program.wait_for("locked")
        yield program


def test_reports_a_locked_file(path, writer, monkeypatch):
    monkeypatch.setattr(child_process, "LOCKED_SECONDS", 0.5)
    assert "in use: another program is writing it" in refusal(path)


def test_waits_for_a_writer_to_finish(path, writer, mnist):
    started = time.monotonic()
    threading.Timer(1, writer.tell, [""]).start()
    np.testing.assert_array_equal(read_mnist(ingestion(path))["y_test"], mnist["y_test"])
    assert time.monotonic() - started >= 1


def _child(monkeypatch, script):
    monkeypatch.setattr(child_process, "_COMMAND", [sys.executable, "-c", script])


def test_a_crash_of_the_hdf5_library_is_a_damaged_file(path, monkeypatch):
    _child(monkeypatch, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert "corrupt HDF5 file, reading it fails" in refusal(path)


def test_an_endless_loop_of_the_hdf5_library_is_a_damaged_file(path, monkeypatch):
    monkeypatch.setitem(child_process._FIRST_SECONDS, "hdf5", 1)
    _child(monkeypatch, "while True: pass")
    assert "corrupt HDF5 file, reading it takes longer than 1 s" in refusal(path)
