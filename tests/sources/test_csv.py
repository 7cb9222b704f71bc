import gzip
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_kedro.readers import delimited
from mnist_kedro.readers.loaded import RefusalError
from mnist_kedro.sources import read_mnist
from tests.support.files import read_arrays, refusal, table_bytes
from tests.support.parameters import ingestion


@pytest.fixture
def digits(mnist):
    return mnist["x_train"][:60].reshape(60, 784), mnist["y_train"][:60]


def load(path, max_digits=1000):
    """Read a file in this process, which is faster than in one of its own."""
    with delimited.open_file(str(path), {"max_digits": max_digits}, print) as file:
        return {
            array["name"]: file.read(array["name"], 0, 0, max_digits)
            for array in file.description["arrays"]
        }


def test_reads_the_form_of_kaggle(tmp_path, digits):
    (tmp_path / "train.csv").write_bytes(table_bytes(*digits))
    arrays = read_arrays(tmp_path / "train.csv")
    assert {name: array.dtype for name, array in arrays.items()} == {
        "label": np.uint8,
        "pixels": np.uint8,
    }
    np.testing.assert_array_equal(arrays["pixels"], digits[0])
    np.testing.assert_array_equal(arrays["label"], digits[1])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("name", ["mnist.csv", "mnist.tsv", "mnist.txt", "mnist"])
def test_recognizes_the_separator_whatever_the_suffix(tmp_path, digits, separator, name):
    (tmp_path / name).write_bytes(table_bytes(*digits, sep=separator))
    np.testing.assert_array_equal(load(tmp_path / name)["label"], digits[1])


def test_a_compressed_table_is_a_table(tmp_path, digits):
    (tmp_path / "mnist.csv.gz").write_bytes(gzip.compress(table_bytes(*digits)))
    np.testing.assert_array_equal(read_arrays(tmp_path / "mnist.csv.gz")["pixels"], digits[0])


def test_without_a_header_all_columns_are_one_array(tmp_path, digits):
    table = np.column_stack([digits[1], digits[0]])
    np.savetxt(tmp_path / "mnist_train.csv", table, fmt="%d", delimiter=",")
    (values,) = load(tmp_path / "mnist_train.csv").values()
    np.testing.assert_array_equal(values, table)


@pytest.mark.parametrize("label", ["Label", "class", "target", "y", "digit"])
@pytest.mark.parametrize("position", [0, 400, 784])
def test_finds_the_labels_in_any_column(tmp_path, digits, label, position):
    table = pd.DataFrame(digits[0])
    table.insert(position, label, digits[1])
    table.to_csv(tmp_path / "x.csv")  # with the index as its first column, which has no name
    arrays = load(tmp_path / "x.csv")
    np.testing.assert_array_equal(arrays["label"], digits[1])
    np.testing.assert_array_equal(arrays["pixels"], digits[0])


def test_pixels_without_labels_have_a_name_of_their_own(tmp_path, digits):
    pd.DataFrame(digits[0]).add_prefix("pixel").to_csv(tmp_path / "test.csv", index=False)
    assert [*load(tmp_path / "test.csv")] == ["pixels"]


def test_column_numbers_are_a_header(tmp_path, digits):
    pd.DataFrame(digits[0]).to_csv(tmp_path / "test.csv", index=False)
    np.testing.assert_array_equal(load(tmp_path / "test.csv")["pixels"], digits[0])


def test_fractions_stay_fractions(tmp_path, digits):
    scaled = digits[0] / np.float32(255)
    (tmp_path / "x.csv").write_bytes(table_bytes(scaled, digits[1]))
    arrays = load(tmp_path / "x.csv")
    assert arrays["pixels"].dtype == np.float32
    np.testing.assert_allclose(arrays["pixels"], scaled, rtol=1e-6)
    assert arrays["label"].dtype == np.uint8


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda line: f"{line},7", "line 31 has 786 cells; expected 785 as in line 1."),
        (lambda line: line[:-2], "line 31 has 784 cells; expected 785 as in line 1."),
        (lambda line: f"seven{line[1:]}", "line 31, column 1 is 'seven'; expected a number."),
        (lambda line: f"nan{line[1:]}", "line 31, column 1 is 'nan'; expected a number."),
        (lambda line: line[1:], "line 31, column 1 is ''; expected a number."),
        (lambda line: f"inf{line[1:]}", "line 31, column 1 is 'inf'; expected a number."),
        (lambda line: f"\x1b[2J{line[1:]}", "line 31, column 1 is ' [2J'; expected a number."),
    ],
)
def test_names_the_line_that_is_wrong(tmp_path, digits, damage, message):
    lines = table_bytes(*digits).decode().splitlines()
    lines[30] = damage(lines[30])
    (tmp_path / "x.csv").write_text("\n".join(lines))
    assert refusal(tmp_path / "x.csv").endswith(message)


@pytest.mark.parametrize("cell", ["seven", "", "nan"])
def test_a_wrong_first_row_is_no_header(tmp_path, digits, cell):
    lines = table_bytes(*digits).decode().splitlines()[1:]
    lines[0] = cell + lines[0][1:]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    assert f"line 1, column 1 is '{cell}'; expected a number." in refusal(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "expected 784 columns of pixels .* found 2 columns \\(a, b\\)"),
        ("5;2;3\n" * 5, "expected 784 columns .* found 3 columns; remove or add columns"),
        (",".join(["x"] * 784) + "\n", "has no rows"),
        ("1," * 100_000, "line 1 has 100,000 characters or more"),
    ],
)
def test_refuses_other_tables(tmp_path, content, message):
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(RefusalError, match=message):
        load(tmp_path / "x.csv")


def test_refuses_more_rows_than_digits_may_be_read(tmp_path, digits):
    (tmp_path / "x.csv").write_bytes(table_bytes(*digits))
    assert "holds more than 59 digits" in refusal(tmp_path / "x.csv", max_digits=59)
    assert len(read_arrays(tmp_path / "x.csv", max_digits=60)["label"]) == 60


@given(content=st.text(st.sampled_from("0123456789,;\t.\n\r\"' ae-\ufeff\0é"), max_size=200))
def test_any_text_is_refused_or_a_table_of_labels(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    path.write_text(content, encoding="utf-8")
    with suppress(RefusalError):
        assert load(path).keys() == {"labels"}


def test_a_folder_of_two_tables_is_ingested(tmp_path, mnist):
    for split in ("train", "test"):
        (tmp_path / f"{split}.csv").write_bytes(
            table_bytes(mnist[f"x_{split}"], mnist[f"y_{split}"])
        )
    (tmp_path / "README").write_text("Digits, from Kaggle\n")
    result = read_mnist(ingestion(tmp_path))
    for key in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(result[key], mnist[key])
