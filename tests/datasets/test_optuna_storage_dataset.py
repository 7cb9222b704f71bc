import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from kedro.io.core import DatasetError


@pytest.fixture
def dataset(tmp_path):
    from mnist_kedro.datasets.optuna_storage_dataset import OptunaStorageDataset

    return OptunaStorageDataset(filepath=str(tmp_path / "folder" / "tuning.sqlite3"))


def test_a_study_is_there_again_in_the_next_run(dataset):
    import optuna

    study = optuna.create_study(storage=dataset.load(), study_name="s")
    study.add_trial(optuna.trial.create_trial(value=0.5))
    again = optuna.load_study(storage=dataset.load(), study_name="s")
    assert [trial.value for trial in again.trials] == [0.5]


def test_searches_that_start_at_once_share_the_storage(dataset):
    import optuna

    def search(number):
        study = optuna.create_study(storage=dataset.load(), study_name="s", load_if_exists=True)
        study.add_trial(optuna.trial.create_trial(value=number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(search, range(4)))
    again = optuna.load_study(storage=dataset.load(), study_name="s")
    assert {trial.value for trial in again.trials} == {0, 1, 2, 3}


def test_is_written_during_a_search_only(dataset):
    with pytest.raises(DatasetError, match=r"tuning\.sqlite3: this dataset cannot be saved"):
        dataset.save("a study")


def test_says_how_to_install_optuna_where_it_is_not():
    script = """
import sys
sys.modules["optuna"] = None
import mnist_kedro.datasets.optuna_storage_dataset
"""
    alone = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert alone.returncode
    assert "pip install 'mnist_kedro[tuning]'" in alone.stderr
