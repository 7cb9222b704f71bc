import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import fsspec
import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given
from hypothesis import strategies as st
from kedro.io import DatasetError
from kedro.io.core import Version
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset

from mnist_kedro.datasets import HDF5Dataset
from mnist_kedro.datasets.atomic_filesystem import AtomicLocalFileSystem


@pytest.fixture
def fs():
    return AtomicLocalFileSystem(auto_mkdir=True)


class FullFile:
    """A file on a disk without space."""

    def __init__(self, file):
        self._file = file

    def __getattr__(self, name):
        return getattr(self._file, name)

    def write(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_is_what_kedro_datasets_use(tmp_path):
    assert isinstance(fsspec.filesystem("file"), AtomicLocalFileSystem)
    assert isinstance(JSONDataset(filepath=str(tmp_path / "x.json"))._fs, AtomicLocalFileSystem)


def test_a_file_appears_when_it_is_closed(fs, tmp_path):
    path = tmp_path / "new folder" / "x.bin"
    file = fs.open(str(path), "wb")
    file.write(b"half")
    assert not path.exists()
    file.write(b" and half")
    file.close()
    assert path.read_bytes() == b"half and half"
    assert names(path.parent) == ["x.bin"]


@pytest.mark.parametrize("mode", ["wb", "w"])
def test_an_exception_leaves_the_old_file(fs, tmp_path, mode):
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(RuntimeError), fs.open(str(path), mode) as file:
        file.write("new" if mode == "w" else b"new")
        raise RuntimeError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x"]


def test_writes_while_another_exception_is_handled(fs, tmp_path):
    path = tmp_path / "x"
    try:
        raise RuntimeError
    except RuntimeError:
        with fs.open(str(path), "w") as file:
            file.write("saved all the same")
    assert path.read_text() == "saved all the same"


def test_a_copied_file_appears_whole(fs, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"x" * 100_000)
    fs.put(str(source), str(tmp_path / "a" / "b" / "target"))
    assert (tmp_path / "a" / "b" / "target").read_bytes() == source.read_bytes()
    assert names(tmp_path / "a" / "b") == ["target"]


def test_reading_and_appending_are_as_before(fs, tmp_path):
    path = tmp_path / "x"
    path.write_text("one")
    with fs.open(str(path), "a") as file:
        file.write(" two")
    assert fs.cat_file(str(path)) == b"one two"


def test_new_files_have_the_usual_permissions(fs, tmp_path):
    with fs.open(str(tmp_path / "ours"), "wb") as file:
        file.write(b"x")
    (tmp_path / "usual").touch()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


class Unprintable:
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (JSONDataset, {"good": 1}, {"a": list(range(10_000)), "bad": object()}),
        (
            CSVDataset,
            pd.DataFrame({"a": [1]}),
            pd.DataFrame({"a": [1] * 100_000 + [Unprintable()]}),
        ),
    ],
)
def test_a_save_that_fails_midway_keeps_the_last_one(tmp_path, kind, good, bad):
    dataset = kind(filepath=str(tmp_path / "x"))
    dataset.save(good)
    before = (tmp_path / "x").read_bytes()
    with pytest.raises(DatasetError):
        dataset.save(bad)
    assert (tmp_path / "x").read_bytes() == before
    assert names(tmp_path) == ["x"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_kill_during_a_save_leaves_no_version(tmp_path):
    path = tmp_path / "x.hdf5"
    HDF5Dataset(filepath=str(path), version=Version(None, "1")).save({"v": 1})
    script = textwrap.dedent(f"""
        import os, signal
        from kedro.io.core import Version
        from mnist_kedro.datasets import HDF5Dataset, atomic_filesystem
        atomic_filesystem.register()
        os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
        dataset = HDF5Dataset(filepath={str(path)!r}, version=Version(None, "2"))
        dataset.save({{"v": 2}})
    """)
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == -signal.SIGKILL
    dataset = HDF5Dataset(filepath=str(path), version=Version(None, None))
    assert dataset.load() == {"v": 1}


def test_a_failed_write_leaves_nothing_also_when_a_text_wrapper_closes_the_file(
    fs, tmp_path, monkeypatch
):
    """A wrapper closes what it wraps after its own flush failed, and passes no exception on."""
    path = tmp_path / "x"
    path.write_text("old")

    file = fs.open(str(path), "w")
    file.write("new")
    monkeypatch.setattr(file.buffer, "_file", FullFile(file.buffer._file))
    with pytest.raises(
        OSError, match="disk full, at least 3 bytes are needed and [0-9,]+ are free"
    ):
        file.close()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system has no /proc")
def test_the_order_survives_a_power_cut(fs, tmp_path, monkeypatch):
    """New folders, then the content, then the name, then the folder that holds the name."""
    events = []

    def recording(name, original, of):
        def call(*args):
            events.append((name, of(*args)))
            return original(*args)

        return call

    def opened(handle):
        return str(Path(f"/proc/self/fd/{handle}").readlink())

    monkeypatch.setattr(os, "fsync", recording("flush", os.fsync, opened))
    monkeypatch.setattr(os, "link", recording("name", os.link, lambda _, target: str(target)))
    path = tmp_path / "a" / "b" / "x"
    with fs.open(str(path), "wb") as file:
        file.write(b"content")
    temporary = events[2][1]
    assert temporary.startswith(str(path.parent / ".x."))
    assert events == [
        ("flush", str(tmp_path / "a")),
        ("flush", str(tmp_path)),
        ("flush", temporary),
        ("name", str(path)),
        ("flush", str(path.parent)),
    ]


def test_works_where_there_are_no_hard_links(fs, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with fs.open(str(tmp_path / "x"), "wb") as file:
        file.write(b"content")
    assert (tmp_path / "x").read_bytes() == b"content"
    assert names(tmp_path) == ["x"]


NAMES = st.text("ab.[-", min_size=1, max_size=3).filter(lambda name: name.strip("."))
PATTERNS = st.text("abf.[]!-*?", min_size=1, max_size=4).filter(
    lambda name: name.strip(".") and "**" not in name
)


@given(
    paths=st.sets(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=8),
    pattern=st.lists(PATTERNS, min_size=1, max_size=3).map("/".join),
)
def test_finds_what_fsspec_finds(tmp_path_factory, paths, pattern):
    folder = tmp_path_factory.mktemp("files")
    for path in paths:
        (folder / path).mkdir(parents=True, exist_ok=True)
        (folder / path / "f").touch()
    pattern = f"{folder}/{pattern}"
    fs = AtomicLocalFileSystem()
    assert fs.glob(pattern) == LocalFileSystem().glob(pattern)
    for path in paths:
        assert fs.exists(f"{folder}/{path}")
        assert fs.glob(f"{folder}/{path}/") == LocalFileSystem().glob(f"{folder}/{path}/")
    assert not fs.exists(f"file://{folder}/missing")


def test_the_latest_version_is_found_by_names(tmp_path, monkeypatch):
    """With fsspec, which asks for the status of each file, thousands of versions took seconds."""
    for version in "123":
        JSONDataset(filepath=str(tmp_path / "x"), version=Version(None, version)).save(version)
    monkeypatch.setattr(AtomicLocalFileSystem, "ls", None)
    monkeypatch.setattr(AtomicLocalFileSystem, "info", None)
    dataset = JSONDataset(filepath=str(tmp_path / "x"), version=Version(None, None))
    assert dataset.exists()
    assert dataset.load() == "3"
