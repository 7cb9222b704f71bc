"""Rows of a stream are those of the array, in whatever order they are asked for."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mnist_kedro.sources.streams import RowStream, TooLongError, TooShortError

arrays = hnp.arrays(
    st.sampled_from([np.uint8, np.dtype(">i4"), np.float32]),
    hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=5),
    elements={"min_value": 0, "max_value": 100},
)


def stream(array, content=None):
    content = array.tobytes() if content is None else content
    return RowStream(lambda: io.BytesIO(content), array.shape, array.dtype)


@given(array=arrays, data=st.data())
def test_gives_any_rows_of_any_axis(array, data):
    opened = stream(array)
    for _ in range(4):
        axis = data.draw(st.integers(0, array.ndim - 1))
        start = data.draw(st.integers(0, array.shape[axis]))
        rows = slice(start, data.draw(st.integers(start, array.shape[axis])))
        np.testing.assert_array_equal(
            opened.read(axis, rows), array[(slice(None),) * axis + (rows,)]
        )


def test_rows_in_their_order_are_read_once():
    array, opened = np.arange(60, dtype=np.uint8).reshape(20, 3), []

    def begin():
        opened.append(True)
        return io.BytesIO(array.tobytes())

    rows = RowStream(begin, array.shape, array.dtype)
    for start in range(0, 20, 5):
        rows.read(0, slice(start, start + 5))
    assert len(opened) == 1
    rows.read(0, slice(3, 4))
    assert len(opened) == 2


def test_too_few_and_too_many_values_are_told():
    array = np.arange(20, dtype=np.uint8)
    short = stream(array, array.tobytes()[:13])
    np.testing.assert_array_equal(short.read(0, slice(0, 10)), array[:10])
    with pytest.raises(TooShortError) as told:
        short.read(0, slice(10, 20))
    assert told.value.held == 13
    with pytest.raises(TooLongError):
        stream(array, array.tobytes() + b"!").read(0, slice(15, 20))
