import pytest
from kedro.io.core import DatasetError

from mnist_kedro.datasets import LogFolderDataset


def test_each_run_has_a_folder_of_its_own(tmp_path):
    dataset = LogFolderDataset(filepath=str(tmp_path / "cnn"), metadata={"a": 1})
    first, second = dataset.load(), dataset.load()
    assert first.parent == second.parent == tmp_path / "cnn"
    assert first != second
    assert not first.exists()
    assert dataset.exists()
    assert dataset.metadata == {"a": 1}


def test_nothing_is_saved_by_it(tmp_path):
    with pytest.raises(DatasetError, match="this dataset cannot be saved"):
        LogFolderDataset(filepath=str(tmp_path)).save("a log")
