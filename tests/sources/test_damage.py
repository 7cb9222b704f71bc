"""Files damaged anywhere are refused in one line, or read when the damage is where nothing is."""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_kedro.errors import InputError
from mnist_kedro.sources import read_mnist
from mnist_kedro.sources.idx import FILES
from mnist_kedro.sources.layout import KEYS
from mnist_kedro.validators import check_mnist
from tests.support.files import idx_bytes, write_mnist
from tests.support.parameters import ingestion

damages = st.lists(st.tuples(st.floats(-1, 1), st.integers(0, 255)), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def files(tmp_path_factory, mnist):
    """A good file or folder of each form, of 40 + 40 digits."""
    folder = tmp_path_factory.mktemp("good")
    few = {key: mnist[key][:40] for key in KEYS}
    np.savez(folder / "plain.npz", **few)
    write_mnist(folder / "zipped.npz", few)
    write_mnist(folder / "zipped.hdf5", few, compression="gzip")
    (folder / "idx").mkdir()
    for key, name in FILES.items():
        (folder / "idx" / name).write_bytes(idx_bytes(few[key]))
    return folder


@pytest.mark.parametrize("name", ["plain.npz", "zipped.npz", "idx"])
@settings(max_examples=150)
@given(damages=damages, kept=st.floats(0.2, 1.2))
def test_damage_is_refused_or_harmless(files, tmp_path_factory, name, damages, kept):
    assert_refused_or_harmless(files, tmp_path_factory, name, damages, kept)


@settings(max_examples=30)  # each is read in a process of its own; `make fuzz` reads thousands
@given(damages=damages, kept=st.floats(0.2, 1.2))
def test_damage_of_hdf5_is_refused_or_harmless(files, tmp_path_factory, damages, kept):
    assert_refused_or_harmless(files, tmp_path_factory, "zipped.hdf5", damages, kept)


def assert_refused_or_harmless(files, tmp_path_factory, name, damages, kept):
    path = tmp_path_factory.mktemp("bad") / name
    if name == "idx":
        shutil.copytree(files / name, path)
        damaged = path / FILES["y_train"]
    else:
        damaged = shutil.copy(files / name, path)
    content = bytearray(damaged.read_bytes())
    for place, value in damages:
        content[_position(place, len(content))] = value
    damaged.write_bytes(content[: round(kept * len(content))])
    try:
        mnist = read_mnist(ingestion(path))
    except InputError as error:
        message = str(error)
    else:
        check_mnist(mnist, name)
        assert not mnist["canonical_mnist"]
        return
    assert str(path) in message
    assert "\n" not in message


def _position(place: float, size: int) -> int:
    """From the beginning, or for a negative place from the end; more often near than far."""
    distance = round(abs(place) ** 3 * (size - 1) / 2)
    return distance if place >= 0 else size - 1 - distance
