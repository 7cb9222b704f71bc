"""Disks that are full or cannot be written: real file systems, in memory."""

import shutil
import tempfile

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from kedro.io.core import Version
from kedro_datasets.json import JSONDataset
from kedro_datasets.matplotlib import MatplotlibDataset
from kedro_datasets.pandas import CSVDataset
from matplotlib.figure import Figure

from mnist_kedro.cli import user_message
from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset
from tests.reliability.disk_full import fill_disks, needs_mount, small_disk

pytestmark = needs_mount


def figure(size):
    """A figure of noise, which no picture format makes small."""
    made = Figure(figsize=(size, size))
    made.figimage(np.random.default_rng(0).random((100 * size, 100 * size)))
    return made


def model(units):
    """A Keras model of so many units."""
    import keras

    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(units)])


# Each with a small value, and one of more than 200 kB.
SAVED = {
    "hdf5": (HDF5Dataset, lambda n: {"x": np.random.default_rng(0).random(25_000 * n)}, 1, 2),
    "json": (JSONDataset, lambda n: {"x": list(range(12_000 * n))}, 1, 2),
    "csv": (CSVDataset, lambda n: pd.DataFrame({"x": np.arange(40_000.0 * n)}), 1, 2),
    "png": (MatplotlibDataset, figure, 1, 4),
    "keras": (KerasModelDataset, model, 5, 20_000),
}


@pytest.mark.parametrize("form", SAVED)
def test_reports_a_full_disk_and_keeps_earlier_outputs(tmp_path, form):
    kind, make, *sizes = SAVED[form]
    small, large = map(make, sizes)
    with small_disk(tmp_path / "disk", 2**20):
        path = tmp_path / "disk" / f"x.{form}"
        kind(filepath=str(path), version=Version(None, "1")).save(small)
        (first,) = [file for file in path.rglob("*") if file.is_file()]
        before = first.read_bytes()
        free = shutil.disk_usage(tmp_path / "disk").free
        (tmp_path / "disk" / "filler").write_bytes(bytes(free - 64 * 1024))
        with pytest.raises(DatasetError) as error:
            kind(filepath=str(path), version=Version(None, "2")).save(large)
        told = user_message(error.value)
        assert f"x.{form}/2/x.{form}: disk full, at least" in told
        assert "bytes are needed and 6" in told
        assert "are free" in told
        assert [file for file in path.rglob("*") if file.is_file()] == [first]
        assert first.read_bytes() == before

        (tmp_path / "disk" / "filler").unlink()
        kind(filepath=str(path), version=Version(None, "3")).save(large)
        assert (path / "3" / f"x.{form}").stat().st_size > 64 * 1024


def test_a_full_temporary_folder_is_told(tmp_path, monkeypatch):
    kind, large = KerasModelDataset, model(20_000)
    with small_disk(tmp_path / "disk", 64 * 1024):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "disk"))
        with pytest.raises(DatasetError) as error:
            kind(filepath=str(tmp_path / "x.keras")).save(large)
    assert f"{tmp_path}/disk: disk full: only " in user_message(error.value)
    assert "set the environment variable TMPDIR to a folder" in user_message(error.value)
    assert not (tmp_path / "x.keras").exists()


@pytest.mark.slow
def test_disks_that_become_full_at_random_moments_lose_nothing(smoke, tmp_path):
    project = smoke.copy(tmp_path / "Projekt ü")
    assert fill_disks(project, times=2, seed=2).total() == 2


def test_a_disk_without_any_space_is_told_in_user_message(project):
    with small_disk(project.folder / "data", 4096):
        outcome = project.run("--pipelines", "ingestion")
    assert outcome.status == 1
    assert "disk full" in outcome.last_line or "No space left" in outcome.last_line
    assert "Traceback" not in outcome.log


def test_refuses_a_read_only_folder(project):
    folder = project.folder / "data"
    with small_disk(folder, 2**20) as disk:
        disk.make_read_only()
        outcome = project.run()
    assert outcome.status == 1
    assert f"{folder}: not writable (Read-only file system)" in outcome.last_line
    assert "Done" not in outcome.log
    assert "MNIST" not in outcome.log
