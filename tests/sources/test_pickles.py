"""Pickles are read as data: whatever they call, nothing runs."""

import codecs
import gzip
import io
import os
import pickle
import pickletools
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mnist_kedro.readers import pickles
from mnist_kedro.readers.loaded import RefusalError
from mnist_kedro.sources import read_mnist
from tests.support.files import read_arrays, refusal
from tests.support.parameters import ingestion

arrays = hnp.arrays(
    st.sampled_from(["u1", ">i4", "<f4", "f8", "?", "S3", "<U2"]),
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
)


def load(content, folder):
    path = folder / "x.pkl"
    path.write_bytes(content)
    with pickles.open_file(str(path), {"max_digits": 1000}, print) as file:
        return {
            array["name"]: file.read(array["name"], 0, 0, 10**6)
            for array in file.description["arrays"]
        }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pickles")


@given(array=arrays, protocol=st.integers(0, 5), order=st.sampled_from("CF"))
def test_reads_back_any_array(folder, array, protocol, order):
    content = pickle.dumps({"x": np.asarray(array, order=order)}, protocol)
    if array.nbytes == 0 and protocol < 3:  # Python writes no bytes as a call of bytes()
        return
    expected = np.char.encode(array, "utf-8") if array.dtype.kind == "U" else array
    read = load(content, folder)["x"]
    np.testing.assert_array_equal(read, expected)
    assert read.dtype == expected.dtype


@pytest.mark.parametrize("protocol", range(6))
def test_names_the_splits_of_tuples_of_pairs(tmp_path, mnist, protocol):
    """The form of deeplearning.net's mnist.pkl.gz, and of ``keras.datasets.mnist.load_data()``."""
    images, labels = mnist["x_train"][:50] / 255, mnist["y_train"][:50].tolist()
    path = tmp_path / "mnist.pkl.gz"
    path.write_bytes(gzip.compress(pickle.dumps(((images, labels),) * 3, protocol)))
    assert [*read_arrays(path)] == [
        f"{split}/{role}"
        for split in ("train", "validation", "test")
        for role in ("images", "labels")
    ]
    path.write_bytes(pickle.dumps(((images, labels),) * 2, protocol))
    found = read_arrays(path)
    np.testing.assert_array_equal(found["test/images"], images)
    np.testing.assert_array_equal(found["train/labels"], labels)


def test_names_arrays_by_their_keys(tmp_path):
    value = {
        "train": {b"x": np.zeros((2, 3)), "y": [1, 2], "names": ["1", "2"]},
        7: np.arange(3),
        "note": "made by me",
        "count": 5,
    }
    assert {
        name: array.tolist() for name, array in load(pickle.dumps(value), tmp_path).items()
    } == {
        "train/x": [[0, 0, 0], [0, 0, 0]],
        "train/y": [1, 2],
        "train/names": [b"1", b"2"],
        "7": [0, 1, 2],
    }


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (np.zeros((4, 784)), ["values"]),
        ((np.zeros((4, 784)), np.zeros(4)), ["images", "labels"]),
        ([np.zeros((4, 784)), np.zeros(4)] * 2, ["arr_0", "arr_1", "arr_2", "arr_3"]),
    ],
)
def test_names_arrays_without_keys(tmp_path, value, names):
    assert [*load(pickle.dumps(value), tmp_path)] == names


def test_reads_a_list_of_equal_arrays_as_one(tmp_path):
    (array,) = load(pickle.dumps([np.full((28, 28), i) for i in range(30)]), tmp_path).values()
    assert array.shape == (30, 28, 28)
    assert array[7].tolist() == np.full((28, 28), 7).tolist()


def test_a_pickle_of_python_2_is_read(tmp_path):
    """It has bytes as text, and NumPy's modules as they were then."""
    content = (
        b"\x80\x02}q\x01U\x01xq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04"
        b"K\x00\x85q\x05U\x01bq\x06\x87q\x07Rq\x08(K\x01K\x03\x85q\tcnumpy\ndtype\nq\nU\x02u1q\x0b"
        b"K\x00K\x01\x87q\x0cRq\r(K\x03U\x01|q\x0eNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x0fb"
        b"\x89U\x03\x01\xc8\xffq\x10tq\x11bs."
    )
    assert load(content, tmp_path)["x"].tolist() == [1, 200, 255]


def test_a_dictionary_is_ingested(tmp_path, mnist):
    path = tmp_path / "mnist.pkl"
    path.write_bytes(pickle.dumps({key: mnist[key] for key in ("x_train", "y_train")}))
    np.testing.assert_array_equal(np.sort(read_mnist(ingestion(path))["y_train"])[:3], np.zeros(3))


class Call:
    """Is pickled as a call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def touch(path):
    return f"touch '{path}'"


CALLS = {
    "posix.system": lambda canary: Call(os.system, touch(canary)),
    "builtins.eval": lambda canary: Call(eval, f"open({str(canary)!r}, 'w')"),
    "builtins.exec": lambda canary: Call(exec, f"open({str(canary)!r}, 'w')"),
    "builtins.open": lambda canary: Call(open, str(canary), "w"),
    "builtins.getattr": lambda canary: Call(getattr, "os", "system"),
    "numpy.load": lambda canary: Call(np.load, str(canary)),
    "numpy.save": lambda canary: Call(np.save, str(canary), 1),
    "numpy.memmap": lambda canary: Call(np.memmap, str(canary), "u1", "w+", 0, 9),
    "subprocess.Popen": lambda canary: Call(
        __import__("subprocess").Popen, touch(canary), -1, None, None, None, None, None, True, True
    ),
    "numpy.fromfile": lambda canary: Call(np.fromfile, str(canary)),
    "builtins.bytearray": lambda canary: Call(bytearray, 10**12),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_refuses_every_call_and_names_it(tmp_path, name, protocol):
    canary = tmp_path / "canary"
    for value in (CALLS[name](canary), {"x": np.zeros(3), "y": [CALLS[name](canary)]}):
        with pytest.raises(RefusalError, match="only NumPy arrays are read from pickles"):
            load(pickle.dumps(value, protocol), tmp_path)
    assert not canary.exists()


def test_the_refusal_reaches_the_person_in_one_line(tmp_path):
    path = tmp_path / "mnist.pkl"
    path.write_bytes(pickle.dumps(Call(os.system, touch(tmp_path / "canary"))))
    assert "holds 'posix.system'; only NumPy arrays are read from pickles; save arrays" in refusal(
        path
    )
    assert not (tmp_path / "canary").exists()


def test_refuses_a_call_by_the_result_of_another_one(tmp_path):
    """A chain of calls: REDUCE with what REDUCE gave, and attributes of what is allowed."""
    canary = tmp_path / "canary"
    chains = [
        b"cnumpy.core.multiarray\n_reconstruct.__globals__\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x0edtype.__init__\x93.",
        b"\x80\x04\x8c\x16numpy.core.multiarray\n\x8c\x03os.\x93.",
        f"c__builtin__\ngetattr\n(cnumpy\ndtype\nS'__class__'\ntR(S'{canary}'\ntR.".encode(),
        b"cnumpy\nndarray\n(I1000000000000\ntR.",
        b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR.",
        b"cnumpy\ndtype\n((lp0\nS'a'\natR.",
        b"(i__builtin__\neval\n.",
        b"\x80\x02\x82\x01.",
        b"Pos.system\n.",
    ]
    for chain in chains:
        with pytest.raises((RefusalError, pickle.UnpicklingError, ValueError, TypeError)):
            load(chain, tmp_path)
    assert not canary.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "rot13", "zlib", "unicode_escape", "idna"])
def test_encodes_only_latin_1(tmp_path, encoding):
    with pytest.raises(RefusalError, match="holds '_codecs.encode' with"):
        load(pickle.dumps(Call(codecs.encode, "a" * 100, encoding)), tmp_path)


@pytest.mark.parametrize(
    "array",
    [
        np.array([{"a": 1}], object),
        np.zeros(3, [("a", "u1"), ("b", object)]),
        np.array(["2020-01-01"], "M8[D]"),
        np.zeros(3, complex),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_refuses_arrays_of_anything_but_plain_values(tmp_path, array, protocol):
    with pytest.raises(RefusalError, match="only NumPy arrays"):
        load(pickle.dumps(array, protocol), tmp_path)


def test_allocates_nothing_that_is_merely_declared(tmp_path):
    content = pickle.dumps(np.zeros(7, np.uint8), 2)
    assert content.count(b"K\x07\x85") == 1
    with pytest.raises(RefusalError, match="whose shape does not match its values"):
        load(content.replace(b"K\x07\x85", b"J\x00\x00\x00\x7f\x85"), tmp_path)


@pytest.mark.parametrize("levels", [7, 60])
def test_lists_that_repeat_each_other_are_refused(tmp_path, levels):
    value = [1, 2, 3, "x", None, 5, 6, 7, 8, 9]
    for _ in range(levels):
        value = [value] * 10
    with pytest.raises(RefusalError, match="holds more|levels deep"):
        load(pickle.dumps(value), tmp_path)


@given(data=st.data())
def test_any_damage_is_refused_or_harmless(folder, data):
    content = bytearray(
        pickle.dumps({"x": np.arange(6), "y": [1, 2]}, data.draw(st.integers(0, 5)))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Exception):  # The child process reports any exception as damage.
        load(bytes(content), folder)


def test_finds_nothing_but_stand_ins():
    """Whatever is looked up in a pickle is a function or class of this module."""
    names = {(module, name) for module, name in pickles._ALLOWED}
    assert len(names) == 9
    for stand_in in pickles._ALLOWED.values():
        assert stand_in.__module__ == pickles.__name__
    file = io.BytesIO(pickle.dumps({"x": np.zeros(3)}))
    found = {arg for op, arg, _ in pickletools.genops(file) if op.name == "STACK_GLOBAL"}
    assert found == {None}
