import builtins
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mnist_kedro.readers.loaded import RefusalError
from mnist_kedro.sources import read_mnist
from tests.support.files import parquet_bytes, png_bytes, read_arrays, refusal
from tests.support.parameters import ingestion


@pytest.fixture
def digits(mnist):
    return mnist["x_train"][:50], mnist["y_train"][:50]


def written(path, **columns):
    pd.DataFrame(columns).to_parquet(path)
    return path


def test_ingests_the_two_files_of_hugging_face(tmp_path, mnist):
    for split in ("train", "test"):
        content = parquet_bytes(mnist[f"x_{split}"], mnist[f"y_{split}"])
        (tmp_path / f"{split}-00000-of-00001.parquet").write_bytes(content)
    result = read_mnist(ingestion(tmp_path))
    for key in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(result[key], mnist[key])


def test_reads_plain_pictures_lists_text_and_numbers(tmp_path, digits):
    images, labels = digits
    path = written(
        tmp_path / "mnist.parquet",
        png=[png_bytes(image) for image in images],
        flat=[image.reshape(784) for image in images],
        nested=[image.tolist() for image in images],
        fractions=[image.reshape(784) / 255 for image in images],
        text=[str(label) for label in labels],
        category=pd.Categorical([str(label) for label in labels]),
        when=pd.Timestamp("2020-01-01"),
    )
    arrays = read_arrays(path)
    for name in ("png", "nested"):
        np.testing.assert_array_equal(arrays[name], images)
    np.testing.assert_array_equal(arrays["flat"], images.reshape(50, 784))
    np.testing.assert_array_equal(arrays["fractions"], images.reshape(50, 784) / 255)
    for name in ("text", "category"):
        np.testing.assert_array_equal(arrays[name].astype(int), labels)
    assert "when" not in arrays


def test_a_table_of_785_columns_is_split_as_in_csv(tmp_path, digits):
    table = pd.DataFrame(digits[0].reshape(50, 784)).add_prefix("pixel")
    table["class"] = digits[1]
    table.to_parquet(tmp_path / "x.parquet")
    arrays = read_arrays(tmp_path / "x.parquet")
    assert {*arrays} == {"label", "pixels"}
    np.testing.assert_array_equal(arrays["pixels"], digits[0].reshape(50, 784))


def test_reads_many_row_groups(tmp_path, digits):
    table = pa.table({"label": np.tile(digits[1], 60)})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=7)
    np.testing.assert_array_equal(
        read_arrays(tmp_path / "x.parquet")["label"], np.tile(digits[1], 60)
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": [b"no picture"]}, "'image' has a corrupt picture in row 0"),
        (
            {"image": [png_bytes(np.eye(9, dtype="u1")), png_bytes(np.eye(8, dtype="u1"))]},
            "'image' has a picture of 8 × 8 pixels; expected pictures of equal size",
        ),
        (
            {"image": [png_bytes(np.zeros((5, 600), "u1"))]},
            "'image' has a picture of 600 × 5 pixels; expected pictures of equal size, at most 512",
        ),
        ({"label": [1, None]}, "'label' has 1 missing values"),
        ({"x": [[1, 2], [1]]}, "'x' has lists of different lengths"),
        ({"x": [[1, 2], None]}, "'x' has 1 missing values"),
        ({"when": [pd.Timestamp("2020-01-01")]}, "has no columns of numbers or pictures"),
        ({"label": np.zeros(0)}, "has no rows"),
        ({"label": np.zeros(11)}, "holds more than 10 digits"),
    ],
)
def test_names_the_column_that_is_wrong(tmp_path, columns, message):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table(columns), path)
    assert message in refusal(path, max_digits=10)


def test_refuses_a_truncated_parquet_file(tmp_path, digits):
    path = tmp_path / "x.parquet"
    path.write_bytes(parquet_bytes(*digits)[:-100])
    assert "corrupt Parquet file" in refusal(path)


def test_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "mnist_kedro.readers.parquet", raising=False)
    real_import = builtins.__import__

    def without_pyarrow(name, *args):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real_import(name, *args)

    monkeypatch.setattr(builtins, "__import__", without_pyarrow)
    with pytest.raises(RefusalError, match=r'install it: pip install "mnist_kedro\[parquet\]"'):
        __import__("mnist_kedro.readers.parquet")
