"""Saves of HDF5 files that are interrupted, or run out of disk space."""

import signal
import threading
from itertools import count

import h5py
import numpy as np
import pytest
from kedro.io import DatasetError
from kedro.io.core import Version

from mnist_kedro.arrays import Rows
from mnist_kedro.cli import user_message
from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.runners import task
from tests.reliability.disk_full import needs_mount, small_disk

NOISE = np.random.default_rng(0).integers(0, 256, (2000, 28, 28), "u1")


@pytest.fixture
def interruptible():
    """Ctrl-C raises KeyboardInterrupt, as in a terminal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted_rows(number, interrupt):
    """Return rows that call a function when they are read for the n-th time."""
    reads = count(1)

    def read(start, stop):
        if next(reads) == number:
            interrupt()
        return NOISE[np.arange(start, stop) % len(NOISE)]

    return Rows((60_000, 28, 28), NOISE.dtype, read)


def save(path, number, interrupt):
    HDF5Dataset(filepath=str(path)).save(
        {"before": np.arange(500), "images": interrupted_rows(number, interrupt), "after": 1}
    )


@pytest.mark.parametrize("number", [1, 2, 3])
def test_ctrl_c_during_a_save_is_raised_and_saves_nothing(interruptible, tmp_path, number):
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "x.hdf5", number, lambda: signal.raise_signal(signal.SIGINT))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("written", range(1, 8))
def test_ctrl_c_within_hdf5_is_raised_and_saves_nothing(
    interruptible, tmp_path, monkeypatch, written
):
    """The signal arrives while HDF5 writes, after so many values of the file."""
    flush, flushes = h5py.File.flush, count(1)

    def interrupted_flush(self):
        if next(flushes) == written:
            signal.raise_signal(signal.SIGINT)
        flush(self)

    monkeypatch.setattr(h5py.File, "flush", interrupted_flush)
    with pytest.raises(KeyboardInterrupt):
        HDF5Dataset(filepath=str(tmp_path / "x.hdf5")).save(
            {f"x{i}": np.arange(500) for i in range(4)}
        )
    assert not list(tmp_path.iterdir())


def test_a_node_that_is_interrupted_during_a_save_saves_nothing(tmp_path, monkeypatch):
    """As the Dask runner interrupts a node, in a thread of a worker."""
    raised, thread_number = [], threading.get_ident
    monkeypatch.setattr(task, "_run_by_thread", {})

    def run():
        task._run_by_thread[thread_number()] = "run"
        try:
            save(tmp_path / "x.hdf5", 3, lambda: task.interrupt("run"))
        except KeyboardInterrupt as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert raised
    assert not list(tmp_path.iterdir())


@needs_mount
@pytest.mark.parametrize("compression", [None, "lzf"])
def test_a_full_disk_is_one_line_wherever_the_space_ends(tmp_path, compression):
    """And the process goes on: HDF5 crashes it if it closes a file that has no space."""
    path = tmp_path / "disk" / "x.hdf5"
    content = {"images": NOISE[:500], **{f"x{i}": np.arange(200) for i in range(20)}, "one": 1}
    messages = []
    with small_disk(path.parent, 2**20) as disk:
        for size in range(4096, 900_000, 8192):
            disk.resize(size)
            dataset = HDF5Dataset(filepath=str(path), save_args={"compression": compression})
            try:
                dataset.save(content)
            except DatasetError as error:
                messages.append(user_message(error))
            else:
                np.testing.assert_array_equal(dataset.load()["images"], content["images"])
                path.unlink()
            assert not [*path.parent.iterdir()]
    assert 30 < len(messages) < 100
    assert all(message.startswith(f"{path}: disk full, at least") for message in messages)


@needs_mount
def test_a_disk_that_becomes_full_is_noticed_before_the_end(tmp_path):
    reads = []

    def read(start, stop):
        reads.append(start)
        return NOISE[np.arange(start, stop) % len(NOISE)]

    with small_disk(tmp_path / "disk", 16 * 2**20):
        with pytest.raises(DatasetError, match="disk full"):
            HDF5Dataset(filepath=str(tmp_path / "disk" / "x.hdf5")).save(
                {"x": Rows((60_000, 28, 28), NOISE.dtype, read)}
            )
        assert len(reads) < 5  # of 7


def test_equal_content_needs_no_hard_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no hard links")

    monkeypatch.setattr("os.link", refuse)
    for version in ("1", "2"):
        HDF5Dataset(filepath=str(tmp_path / "x"), version=Version(None, version)).save({"v": 1})
    assert not (tmp_path / "x" / "1" / "x").samefile(tmp_path / "x" / "2" / "x")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["x", "x"]
