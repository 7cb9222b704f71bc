import numpy as np
import pytest
from scipy import io, sparse

from mnist_kedro.errors import InputError
from mnist_kedro.sources import read_mnist
from mnist_kedro.sources.files import open_source
from tests.support.files import read_arrays, refusal
from tests.support.parameters import ingestion


@pytest.mark.parametrize("options", [{}, {"do_compression": True}, {"format": "4"}])
def test_reads_plain_variables_with_their_cell_arrays_left_alone(tmp_path, mnist, options):
    """The form of mnist-original.mat."""
    path = tmp_path / "mnist-original.mat"
    variables = {"data": mnist["x_train"].reshape(800, 784).T, "label": mnist["y_train"][None]}
    if "format" not in options:
        variables["order"] = np.array([["label", "data"]], object)
    io.savemat(path, variables, **options)
    with open_source(path, 1000) as contents:
        np.testing.assert_array_equal(
            contents.arrays["data"].read(1, slice(5, 9)), variables["data"][:, 5:9]
        )
        assert contents.arrays["label"].shape == (1, 800)
        if "order" in variables:
            with pytest.raises(InputError, match="'order' is a cell array; expected plain values"):
                contents.arrays["order"].read(0, slice(None))


def test_structs_are_groups(tmp_path, mnist):
    """The form of emnist-digits.mat."""
    path = tmp_path / "emnist-digits.mat"
    splits = {
        split: {
            "images": mnist[f"x_{split}"].reshape(-1, 784),
            "labels": mnist[f"y_{split}"][:, None],
        }
        for split in ("train", "test")
    }
    io.savemat(path, {"dataset": {**splits, "mapping": np.arange(20).reshape(10, 2)}})
    assert set(read_arrays(path)) == {
        *(f"dataset/{split}/{role}" for split in splits for role in ("images", "labels")),
        "dataset/mapping",
    }
    np.testing.assert_array_equal(read_mnist(ingestion(path))["x_test"], mnist["x_test"])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.array([1, "a"], object), "is a cell array"),
        (sparse.csc_array(np.eye(3)), "is a sparse matrix"),
        (np.zeros(3, [("a", "f8")]), "is 3 structs"),
    ],
)
def test_other_types_are_named(tmp_path, value, kind):
    io.savemat(tmp_path / "x.mat", {"data": value})
    assert f"'data' {kind}; expected plain values" in refusal(tmp_path / "x.mat")


def test_refuses_values_of_a_type_that_is_gone(tmp_path):
    path = tmp_path / "x.mat"
    io.savemat(path, {"data": np.zeros((3, 3))}, format="4")
    content = bytearray(path.read_bytes())
    content[:4] = (2000).to_bytes(4, "little")  # VAX
    path.write_bytes(content)
    assert "corrupt MATLAB file" in refusal(path)


def test_refuses_a_damaged_matlab_file(tmp_path, mnist):
    path = tmp_path / "x.mat"
    io.savemat(path, {"data": mnist["x_train"]}, do_compression=True)
    path.write_bytes(path.read_bytes()[:-100])
    assert "corrupt MATLAB file" in refusal(path)
