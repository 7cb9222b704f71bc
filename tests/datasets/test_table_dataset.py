"""Tables of any length in one CSV file."""

import pandas as pd
import pytest
from kedro.io import DatasetError
from kedro.io.core import Version

from mnist_kedro.datasets.table_dataset import TableDataset, Tables


@pytest.fixture
def dataset(tmp_path):
    return TableDataset(
        filepath=str(tmp_path / "x.csv"),
        load_args={"chunksize": 2, "keep_default_na": False},
        save_args={"index": False},
        version=Version(None, "1"),
    )


TABLES = [
    pd.DataFrame({"a": [1, 2, 3], "b": ["x", "NA", "z"]}),
    pd.DataFrame({"a": [4], "b": ["ä"]}),
]


def test_tables_are_saved_one_below_the_other(dataset, tmp_path):
    dataset.save(Tables(lambda: iter(TABLES)))
    text = (tmp_path / "x.csv" / "1" / "x.csv").read_text()
    assert text == "a,b\n1,x\n2,NA\n3,z\n4,ä\n"


def test_as_many_rows_are_loaded_at_once_as_are_asked_for(dataset):
    dataset.save(TABLES)
    loaded = dataset.load()
    assert [table["a"].tolist() for table in loaded] == [[1, 2], [3, 4]]
    assert [table["a"].tolist() for table in loaded] == [[1, 2], [3, 4]]  # and again
    assert dataset.preview(1)["data"] == [[1, "x"]]


def test_without_a_number_of_rows_it_is_one_table(dataset, tmp_path):
    dataset.save(TABLES)
    (table,) = TableDataset(filepath=str(tmp_path / "x.csv" / "1" / "x.csv")).load()
    assert len(table) == 4


def test_what_fails_midway_leaves_no_version(dataset, tmp_path):
    def tables():
        yield TABLES[0]
        raise RuntimeError("the picture fell down")

    with pytest.raises(DatasetError, match="the picture fell down"):
        dataset.save(Tables(tables))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_missing_file_is_told_when_it_is_loaded(dataset):
    with pytest.raises(DatasetError):
        dataset.load()
