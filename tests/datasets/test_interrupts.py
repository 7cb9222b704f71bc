"""Ctrl-C while HDF5 writes is neither lost nor does it leave half a file."""

import signal
import threading

import numpy as np
import pytest

from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.datasets.disk_space import DeferredErrorFile
from mnist_kedro.datasets.interrupts import interrupt_thread, interrupts_postponed


@pytest.fixture
def interrupted(monkeypatch):
    """Interrupt a save at the n-th time that HDF5 writes, as a signal or from another thread."""
    write, seen = DeferredErrorFile.write, []

    def set_up(number, interrupt):
        def write_and_interrupt(self, data):
            seen.append(len(data))
            if len(seen) == number:
                interrupt()
            return write(self, data)

        monkeypatch.setattr(DeferredErrorFile, "write", write_and_interrupt)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield set_up
    signal.signal(signal.SIGINT, before)


def save(path):
    HDF5Dataset(filepath=str(path)).save({f"x{i}": np.arange(500) for i in range(3)})


@pytest.mark.parametrize("number", range(1, 10))
def test_ctrl_c_during_a_save_is_raised_and_saves_nothing(interrupted, tmp_path, number):
    interrupted(number, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "x.hdf5")
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("number", [1, 5, 9])
def test_a_thread_that_is_interrupted_during_a_save_saves_nothing(interrupted, tmp_path, number):
    interrupted(number, lambda: interrupt_thread(threading.get_ident()))
    raised = []

    def run():
        try:
            save(tmp_path / "x.hdf5")
        except KeyboardInterrupt as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert raised
    assert not list(tmp_path.iterdir())


def test_blocks_may_be_nested(interrupted):
    with pytest.raises(KeyboardInterrupt), interrupts_postponed():
        with interrupts_postponed():
            signal.raise_signal(signal.SIGINT)
        inner_is_done = True
        signal.raise_signal(signal.SIGINT)
    assert inner_is_done
