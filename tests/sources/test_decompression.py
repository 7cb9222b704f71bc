"""Compressed files are decompressed to temporary files, which are removed in all cases."""

import gc
import gzip
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from mnist_kedro.arrays import Rows
from mnist_kedro.errors import InputError
from mnist_kedro.sources import read_mnist
from mnist_kedro.sources.idx import FILES, read_idx
from mnist_kedro.sources.layout import KEYS
from tests.reliability.disk_full import needs_mount, small_disk
from tests.support.files import idx_bytes, write_mnist
from tests.support.parameters import ingestion

MAPS = Path("/proc/self/maps")  # the only list of files without a name
needs_maps = pytest.mark.skipif(not MAPS.exists(), reason="only Linux lists mapped files")
forms = pytest.mark.parametrize("name", ["x.npz", "idx"])


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder of temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def held_in(folder):
    """Return the files in a folder, and the mapped files that were created in it."""
    gc.collect()
    mapped = [line for line in MAPS.read_text().splitlines() if str(folder) in line]
    return [*folder.iterdir(), *mapped]


@needs_maps
@forms
def test_nothing_is_left_after_a_read(tmp_path, temporary, mnist, name):
    path = write_mnist(tmp_path / name, mnist)
    result = read_mnist(ingestion(path))
    assert not held_in(temporary)
    np.testing.assert_array_equal(result["x_test"], mnist["x_test"])


@needs_maps
@forms
def test_a_file_that_stays_open_is_kept_as_long_as_its_digits(
    tmp_path, temporary, mnist, monkeypatch, name
):
    monkeypatch.setattr("mnist_kedro.sources.images.MAX_IN_MEMORY", 300)
    path = write_mnist(tmp_path / name, mnist)
    result = read_mnist(ingestion(path))
    assert isinstance(result["x_train"], Rows)
    assert held_in(temporary)
    np.testing.assert_array_equal(np.asarray(result["x_train"]), mnist["x_train"])
    del result
    assert not held_in(temporary)


@needs_maps
@forms
def test_nothing_is_left_after_an_error(tmp_path, temporary, mnist, name):
    path = write_mnist(tmp_path / name, mnist)
    damaged = path / f"{FILES['y_test']}.gz" if path.is_dir() else path
    content = bytearray(damaged.read_bytes())
    # The checksum at the end of the last file, and the middle of the archive.
    content[-6 if path.is_dir() else len(content) // 3] ^= 0x10
    damaged.write_bytes(content)
    with pytest.raises(InputError, match=r"corrupt.* file; copy or download it again"):
        read_mnist(ingestion(path))
    assert not held_in(temporary)


@needs_mount
@forms
def test_a_full_temporary_folder_is_named(tmp_path, temporary, mnist, name):
    path = write_mnist(tmp_path / name, mnist)
    with small_disk(temporary, 2**18):
        free = os.statvfs(temporary).f_bfree
        with pytest.raises(InputError) as error:
            read_mnist(ingestion(path))
        message = str(error.value)
        del error
        gc.collect()
        assert os.statvfs(temporary).f_bfree == free
    assert message.startswith(f"{path}")
    assert f"cannot be decompressed in {temporary} (No space left on device)" in message
    assert "set the environment variable TMPDIR to a folder with 627," in message
    assert "\n" not in message


@forms
def test_names_the_variable_for_a_machine_without_a_temporary_folder(
    tmp_path, monkeypatch, mnist, name
):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "missing")])
    path = write_mnist(tmp_path / name, mnist)
    with pytest.raises(InputError, match=r"in any temporary folder .*missing.*TMPDIR"):
        read_mnist(ingestion(path))


@needs_mount
def test_a_decompression_bomb_takes_no_more_than_it_declares(tmp_path, temporary):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.arange(4, dtype=np.uint8)) + bytes(10**8)))
    refused = pytest.raises(InputError, match="declares 4 bytes of values, but holds more")
    with small_disk(temporary, 2**16), refused:
        read_idx(path)


def test_a_plain_file_needs_no_temporary_folder(tmp_path, monkeypatch, mnist):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    folder = tmp_path / "idx"
    folder.mkdir()
    for key, name in FILES.items():
        (folder / name).write_bytes(idx_bytes(mnist[key]))
    result = read_mnist(ingestion(folder))
    for key in KEYS:
        np.testing.assert_array_equal(result[key], mnist[key])
