"""Rows that are read when they are asked for are those of the array in memory."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mnist_kedro import arrays
from mnist_kedro.arrays import Rows, ahead, blocks, concatenate, select, with_channel
from mnist_kedro.digest import sha256


def lazy(array, log=None):
    def read(start, stop):
        if log is not None:
            log.append((start, stop))
        return array[start:stop]

    return Rows(array.shape, array.dtype, read)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK", 7)


numbers = st.integers(1, 40).map(lambda n: np.random.default_rng(n).integers(0, 256, (n, 3), "u1"))


def indices(length):
    """Draw what one may put between brackets, also what no array takes."""
    shape = (length, 3)
    first = st.one_of(
        st.integers(-length - 1, length),
        st.slices(length),
        st.lists(st.integers(-length - 1, length), max_size=60),
        hnp.arrays(int, hnp.array_shapes(max_dims=2), elements=st.integers(-length, length - 1)),
        hnp.arrays(bool, st.sampled_from([(length,), (length + 1,), shape])),
        st.sampled_from([True, None, 0.5, "x", [0.5], ()]),
    )
    others = st.integers(-4, 3) | st.slices(3) | st.sampled_from([..., None, [0, 1], True])
    return st.one_of(
        first,
        hnp.basic_indices(shape),
        st.builds(lambda one, rest: (one, *rest), first, st.lists(others, max_size=2)),
    )


@given(array=numbers, data=st.data())
def test_an_index_gives_what_numpy_gives_or_an_error(array, data):
    index = data.draw(indices(len(array)))
    try:
        expected = array[index]
    except (IndexError, TypeError, ValueError):
        expected = None
    try:
        found = lazy(array)[index]
    except (IndexError, TypeError):
        simple = index if isinstance(index, tuple) else (index,)
        plain = all(type(item) in {int, slice} or item is ... for item in simple)
        assert expected is None or not plain
    else:
        np.testing.assert_array_equal(found, expected, strict=True)


@given(array=numbers)
def test_it_is_used_like_an_array(array):
    rows = lazy(array)
    mask = array[:, 0] > 100
    np.testing.assert_array_equal(rows[mask], array[mask])
    np.testing.assert_array_equal(rows / 255, array / np.float64(255))
    np.testing.assert_array_equal(rows == array, np.full(array.shape, True))
    np.testing.assert_array_equal(np.asarray(rows), array)
    np.testing.assert_array_equal(list(rows), list(array))
    assert np.mean(rows) == np.mean(array)
    with pytest.raises(AttributeError):
        rows.mean()


@given(array=numbers, data=st.data())
def test_no_more_than_a_block_is_read_at_once(array, data):
    log = []
    rows = data.draw(st.lists(st.integers(0, len(array) - 1), max_size=60))
    _ = lazy(array, log)[rows]
    assert all(0 < stop - start <= arrays.BLOCK for start, stop in log)


@given(parts=st.lists(numbers, min_size=1, max_size=4), data=st.data())
def test_views_are_what_they_would_be_in_memory(parts, data):
    whole = np.concatenate(parts)
    joined = concatenate([lazy(part) for part in parts])
    np.testing.assert_array_equal(np.asarray(joined), whole)
    part = data.draw(st.slices(len(whole)))
    np.testing.assert_array_equal(joined[part], whole[part])
    rows = np.flatnonzero(
        data.draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole)))
    )
    np.testing.assert_array_equal(np.asarray(select(joined, rows)), whole[rows])
    assert with_channel(joined).shape == (*whole.shape, 1)
    np.testing.assert_array_equal(with_channel(joined)[part], whole[part][..., np.newaxis])
    assert sha256(joined) == sha256(whole)
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks(joined)]), whole)


def test_the_next_item_is_made_while_one_is_used():
    made = threading.Event()

    def items():
        yield 1
        made.set()
        yield 2

    for item in (found := ahead(items())):
        assert item == 1
        assert made.wait(5)
        break
    found.close()


def test_what_goes_wrong_with_an_item_is_told_in_its_place():
    def items():
        yield 1
        raise OSError("gone")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(OSError, match="gone"):
        next(found)


def test_in_memory_all_stays_in_memory():
    array = np.arange(12).reshape(4, 3)
    for view in (select(array, np.array([1, 3])), concatenate([array, array]), with_channel(array)):
        assert isinstance(view, np.ndarray)


@pytest.mark.parametrize("rows", [[4], [-5], [0, 9]])
def test_rows_that_are_not_there_are_refused(rows):
    with pytest.raises(IndexError):
        lazy(np.arange(4))[rows]
