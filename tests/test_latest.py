"""The link ``latest``: always to a whole folder of one run, whoever reads or moves it."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mnist_kedro.latest import move_latest

NAMES = ("report.html", "metrics.json", "confusion_matrix.png")


@pytest.fixture
def finish(tmp_path):
    """Save the files of a run as Kedro does, each with its version, and move the link."""

    def run(version):
        files = [tmp_path / name / version / name for name in NAMES]
        for file in files:
            file.parent.mkdir(parents=True)
            file.write_text(version)
        move_latest(tmp_path / "latest", version, files)

    return run


def versions(folder):
    """Read all files of a folder: the versions that they are of."""
    return {(folder / name).read_text() for name in NAMES}


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_it_leads_to_the_files_of_the_last_run(tmp_path, finish):
    for version in ("1", "2"):
        finish(version)
        assert versions(tmp_path / "latest") == {version}
        assert names(tmp_path / "latest") == {*NAMES}
    assert names(tmp_path) == {*NAMES, ".latest", "latest"}


def test_the_data_folder_can_be_moved(tmp_path, finish):
    finish("1")
    for name in (*NAMES, ".latest", "latest"):
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        (tmp_path / name).rename(tmp_path / "elsewhere" / name)
    assert versions(tmp_path / "elsewhere" / "latest") == {"1"}


def test_a_reader_never_finds_a_missing_or_foreign_file(tmp_path, finish):
    finish("0")
    seen, done = set(), threading.Event()

    def read():
        while not done.is_set():
            folder = (tmp_path / "latest").resolve()
            assert versions(folder) == {folder.name}
            seen.add(folder.name)

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for version in range(1, 201):
            finish(str(version))
        done.set()
        for reader in readers:
            reader.result()
    assert len(seen) > 1
    assert versions(tmp_path / "latest") == {"200"}


def test_runs_that_end_at_once_both_end_well(tmp_path, finish):
    with ThreadPoolExecutor(2) as pool:
        for pair in range(50):
            both = [f"{pair}a", f"{pair}b"]
            list(pool.map(finish, both))
            (last,) = versions(tmp_path / "latest")
            assert last in both


def test_a_folder_is_removed_an_hour_after_it_was_replaced(tmp_path, finish):
    folders = tmp_path / ".latest"

    def age(*names):
        for name in names:
            os.utime(folders / name, (time.time() - 4000,) * 2)

    finish("1")
    (folders / "of a killed run").mkdir()
    age("1", "of a killed run")
    finish("2")
    assert names(folders) == {"1", "2"}  # the first was replaced just now
    age("1", "2")
    finish("3")
    assert names(folders) == {"2", "3"}
    assert versions(folders / "2") == {"2"}


def test_a_folder_of_that_name_is_kept(tmp_path, finish):
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "mine").touch()
    with pytest.raises(OSError, match="latest"):
        finish("1")
    assert (tmp_path / "latest" / "mine").exists()
