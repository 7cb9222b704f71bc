"""Corrections: files that several servers and a pipeline use at once."""

import base64
import json
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from mnist_kedro.corrections import (
    NO_DIGIT,
    count_corrections,
    forget_corrections,
    keep_correction,
    name_writer,
    pixels_of,
    read_corrections,
    time_now,
)
from mnist_kedro.datasets import CorrectionsDataset
from tests.support.corrections import correction


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "corrections"


def test_what_is_kept_is_read_again(folder):
    kept = [correction(number, label=number % 11) for number in range(30)]
    identifiers = [keep_correction(folder, one) for one in kept]
    assert dict(read_corrections(folder)) == dict(zip(identifiers, kept, strict=True))
    assert count_corrections(folder) == 30
    assert [path.suffix for path in folder.iterdir()] == [".json"] * 30


def test_the_same_correction_is_kept_once(folder):
    first = keep_correction(folder, correction(1, label=7))
    written = (folder / f"{first}.json").stat().st_mtime_ns
    assert keep_correction(folder, {**correction(1, label=7), "time": time_now()}) == first
    assert (folder / f"{first}.json").stat().st_mtime_ns == written
    other_writer = keep_correction(folder, correction(1, label=7, writer="another secret"))
    assert other_writer != first
    assert count_corrections(folder) == 2


def test_a_later_label_replaces_the_earlier_one(folder):
    for label in (7, 1, 7, NO_DIGIT, 7):
        keep_correction(folder, correction(1, label=label))
    assert [one["label"] for _, one in read_corrections(folder)] == [7]


def keep_many(arguments):
    folder, numbers = arguments
    for number in numbers:
        keep_correction(folder, correction(number, label=number % 10))


def test_several_servers_lose_nothing_and_keep_nothing_twice(folder):
    with ProcessPoolExecutor(4) as pool:  # all but the first numbers are kept by two of them
        list(
            pool.map(keep_many, [(folder, range(start, start + 200)) for start in (0, 100, 200, 0)])
        )
    assert count_corrections(folder) == 400
    assert sum(1 for _ in read_corrections(folder)) == 400
    assert len(list(folder.iterdir())) == 400  # no file is left over


def test_a_writer_forgets_only_their_own(folder):
    for number in range(10):
        keep_correction(folder, correction(number, label=1, writer=f"writer {number % 2} of two"))
    mine = name_writer("writer 0 of two")
    ((first, _), *_) = read_corrections(folder, mine)
    assert forget_corrections(folder, mine, first) == [first]
    assert forget_corrections(folder, mine, "0" * 32) == []
    assert len(forget_corrections(folder, mine)) == 4
    assert forget_corrections(folder, mine) == []
    assert {one["writer"] for _, one in read_corrections(folder)} == {
        name_writer("writer 1 of two")
    }


def test_one_bad_file_never_costs_the_others(folder):
    identifier = keep_correction(folder, correction(1, label=1))
    good = json.loads((folder / f"{identifier}.json").read_bytes())
    for number, bad in enumerate(
        [
            b"",
            b"{",
            b"[]",
            json.dumps({**good, "answer": {}}).encode(),
            json.dumps({**good, "label": 12}).encode(),
            json.dumps(good).encode(),
        ]
    ):
        (folder / f"{number:032x}.json").write_bytes(bad)  # the last one has another's name
    assert [name for name, _ in read_corrections(folder)] == [identifier]
    short = {**good, "pixels": base64.b64encode(b"12").decode()}
    (folder / f"{identifier}.json").write_text(json.dumps(short))
    assert not list(read_corrections(folder))
    keep_correction(folder, correction(1, label=1))  # replaces it
    assert [name for name, _ in read_corrections(folder)] == [identifier]


def test_the_dataset_loads_arrays(folder):
    dataset = CorrectionsDataset(filepath=str(folder))
    assert dataset.load()["images"].shape == (0, 28, 28, 1)
    for number in range(3):
        keep_correction(folder, correction(number, label=[4, NO_DIGIT, 9][number]))
    loaded = dataset.load()
    kept = dict(read_corrections(folder))
    assert loaded["identifiers"].astype(str).tolist() == sorted(kept)
    assert sorted(loaded["labels"].tolist()) == [4, 9, 10]
    for image, identifier in zip(loaded["images"], sorted(kept), strict=True):
        np.testing.assert_array_equal(image[..., 0], pixels_of(kept[identifier]))
