import os
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from kedro.io import DatasetError

from mnist_kedro.datasets import CheckpointsDataset
from mnist_kedro.datasets.atomic_filesystem import AtomicLocalFileSystem


@pytest.fixture
def dataset(tmp_path):
    return CheckpointsDataset(filepath=str(tmp_path / "checkpoints"))


def epochs(folder):
    return sorted(int(file.stem[-5:]) for file in folder.rglob("*.hdf5"))


def save(checkpoints, training, count):
    for epoch in range(1, count + 1):
        checkpoints.save(training, epoch, {"epoch": epoch, "weights/0": np.full(3, epoch)})


def test_keeps_the_newest_two(dataset, tmp_path):
    save(dataset.load(), {"seed": 0}, 12)
    assert epochs(tmp_path) == [11, 12]
    state = dataset.load().load({"seed": 0})
    assert state["epoch"] == 12
    np.testing.assert_array_equal(state["weights/0"], [12, 12, 12])


def test_trainings_are_kept_apart(dataset):
    save(dataset.load(), {"seed": 0}, 2)
    save(dataset.load(), {"seed": 1}, 3)
    assert dataset.load().load({"seed": 0})["epoch"] == 2
    assert dataset.load().load({"seed": 1})["epoch"] == 3
    assert dataset.load().load({"seed": 2}) is None


def test_tells_how_the_newest_training_differs(dataset, tmp_path):
    assert dataset.load().differences({"seed": 2}) is None
    for age, seed in enumerate((0, 1)):
        save(dataset.load(), {"seed": seed, "rate": 0.5}, 1)
        for file in tmp_path.rglob("*.hdf5"):
            os.utime(file, (1000 + age, 1000 + age)) if age == 0 else None
    assert dataset.load().differences({"seed": 2, "rate": 0.5}) == {"seed": (1, 2)}


def test_keeps_the_newest_five_unfinished_trainings(dataset, tmp_path):
    for seed in range(7):
        save(dataset.load(), {"seed": seed}, 1)
        for file in tmp_path.rglob("*.hdf5"):
            os.utime(file, (file.stat().st_mtime - 10, file.stat().st_mtime - 10))
    kept = [dataset.load().load({"seed": seed}) is not None for seed in range(7)]
    assert kept == [False, False, True, True, True, True, True]


def test_removes_what_is_used_no_more_and_nothing_else(tmp_path):
    earlier, now = (CheckpointsDataset(filepath=str(tmp_path / "x")) for _ in range(2))
    save(earlier.load(), {"seed": 0}, 2)
    save(earlier.load(), {"seed": 1}, 2)
    now.load().load({"seed": 1})
    now.load().remove_used()
    assert now.load().load({"seed": 1}) is None
    assert now.load().load({"seed": 0})["epoch"] == 2


@pytest.fixture
def make_run(tmp_path, monkeypatch):
    """Create the checkpoints of a run, as another process or machine would."""

    def make(process=None, machine=None):
        with monkeypatch.context() as patch:
            if process:
                patch.setattr(os, "getpid", lambda: process)
            if machine:
                patch.setattr(socket, "gethostname", lambda: machine)
            return CheckpointsDataset(filepath=str(tmp_path / "checkpoints")).load()

    return make


def test_equal_runs_keep_their_own(make_run):
    one, other = make_run(), make_run()
    save(one, {"seed": 0}, 3)
    save(other, {"seed": 0}, 2)
    one.remove_used()
    assert make_run().load({"seed": 0})["epoch"] == 2
    other.remove_used()
    assert make_run().load({"seed": 0}) is None


def test_resumes_from_the_newest_epoch_of_all_runs(make_run, tmp_path):
    for count in (2, 4, 3):
        save(make_run(), {"seed": 0}, count)
    resumed = make_run()
    assert resumed.load({"seed": 0})["epoch"] == 4
    resumed.remove_used()
    assert epochs(tmp_path) == []


def test_keeps_what_a_live_run_saved(make_run, tmp_path):
    save(make_run(process=os.getppid()), {"seed": 0}, 2)
    resumed = make_run()
    assert resumed.load({"seed": 0})["epoch"] == 2
    for seed in range(1, 9):
        save(resumed, {"seed": seed}, 1)
    resumed.remove_used()
    assert epochs(tmp_path) == [1, 2]


def test_keeps_what_a_run_on_another_machine_saved_since(make_run, tmp_path):
    other, resumed = make_run(machine="another-machine"), make_run()
    save(other, {"seed": 0}, 2)
    resumed.load({"seed": 0})
    other.save({"seed": 0}, 3, {"epoch": 3})
    resumed.remove_used()
    assert epochs(tmp_path) == [2, 3]


def test_skips_files_that_another_run_removes(make_run, monkeypatch):
    checkpoints, glob = make_run(), AtomicLocalFileSystem.glob
    monkeypatch.setattr(
        AtomicLocalFileSystem,
        "glob",
        lambda fs, pattern: [*glob(fs, pattern), pattern.replace("*", "99999")],
    )
    save(checkpoints, {"seed": 0}, 3)
    assert checkpoints.load({"seed": 0})["epoch"] == 3
    assert checkpoints.differences({"seed": 1}) == {"seed": (0, 1)}


def test_runs_that_remove_old_trainings_at_once_do_not_fail(make_run, tmp_path):
    save(make_run(), {"seed": 0}, 2)
    (old,) = (tmp_path / "checkpoints").iterdir()
    for number in range(50):
        shutil.copytree(old, old.with_name(f"{number}-{old.name}"))
    runs = [make_run() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda run: save(run, {"seed": 1}, 2), runs))
    assert epochs(tmp_path) == [1] * 5 + [2] * 5
    for run in runs:
        run.remove_used()
    assert epochs(tmp_path) == [1, 2]


def test_a_half_removed_training_displaces_no_other_one(make_run, tmp_path):
    save(make_run(), {"seed": 0}, 2)
    (old,) = (tmp_path / "checkpoints").iterdir()
    copies = [old.with_name(f"{number}-{old.name}") for number in range(8)]
    for copy in copies:
        shutil.copytree(old, copy)
    shutil.rmtree(old)
    (copies[0] / "epoch_00001.hdf5").unlink()  # another run is removing this folder
    save(make_run(), {"seed": 1}, 1)
    assert [copy.exists() for copy in copies] == [False] * 4 + [True] * 4


def test_loads_the_folders_of_version_0_1_0(make_run, tmp_path):
    save(make_run(), {"seed": 0}, 2)
    (folder,) = (tmp_path / "checkpoints").iterdir()
    folder.rename(folder.with_name(folder.name.partition("-")[0]))
    assert make_run().load({"seed": 0})["epoch"] == 2


def test_is_there_to_be_loaded_and_not_to_be_saved(dataset):
    assert dataset.exists()
    with pytest.raises(DatasetError, match="this dataset cannot be saved"):
        dataset.save("x")
    assert "checkpoints" in repr(dataset)


def test_works_on_another_file_system():
    dataset = CheckpointsDataset(filepath="memory://folder/checkpoints")
    save(dataset.load(), {"seed": 0}, 4)
    assert dataset.load().load({"seed": 0})["epoch"] == 4
    dataset.load().remove_used()
    assert dataset.load().load({"seed": 0}) is None
