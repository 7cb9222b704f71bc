import pytest
from kedro.io.core import DatasetError, Version

from mnist_kedro.datasets.saved_model_dataset import SavedModelDataset

VERSION = "2026-01-31T12.34.56.789Z"
FILES = {"saved_model.pb": b"graph", "variables/variables.index": b"index"}


def dataset(folder, load=None, save=None):
    return SavedModelDataset(filepath=str(folder / "cnn"), version=Version(load, save))


def test_a_version_lies_where_tensorflow_serving_looks(tmp_path):
    dataset(tmp_path, save=VERSION).save(FILES)
    folder = tmp_path / "cnn" / "20260131123456789"
    assert (folder / "saved_model.pb").read_bytes() == b"graph"
    assert [path.name for path in (tmp_path / "cnn").iterdir()] == [folder.name]
    assert dataset(tmp_path, load=VERSION).load() == FILES


def test_the_latest_version_is_loaded(tmp_path):
    dataset(tmp_path, save=VERSION).save(FILES)
    later = VERSION.replace("2026", "2027")
    dataset(tmp_path, save=later).save({**FILES, "saved_model.pb": b"new"})
    latest = dataset(tmp_path)
    assert latest.load()["saved_model.pb"] == b"new"
    assert latest.resolve_load_version() == later
    assert latest.list_versions(full_path=False) == [later, VERSION]


def test_a_version_is_never_overwritten(tmp_path):
    dataset(tmp_path, save=VERSION).save(FILES)
    with pytest.raises(DatasetError, match="must not exist"):
        dataset(tmp_path, save=VERSION).save(FILES)


def test_what_fails_leaves_nothing(tmp_path):
    with pytest.raises(DatasetError):
        dataset(tmp_path, save=VERSION).save({"saved_model.pb": b"graph", "second": "no bytes"})
    assert list((tmp_path / "cnn").iterdir()) == []
    assert not dataset(tmp_path).exists()


def test_a_version_that_is_no_timestamp_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="to an integer for TensorFlow Serving"):
        dataset(tmp_path, save="first").save(FILES)


def test_a_missing_version_says_how_it_is_made(tmp_path):
    with pytest.raises(DatasetError, match="kedro run --pipelines export"):
        dataset(tmp_path, load=VERSION).load()


def test_a_node_that_runs_again_replaces_its_version_whole(tmp_path):
    """As a runner lets it, whose worker was lost; see mnist_kedro.runners.task."""
    first = dataset(tmp_path, save=VERSION)
    first.save({**FILES, "left_over": b"x"})
    again = dataset(tmp_path, save=VERSION)
    path = again._get_versioned_path(VERSION)
    again.__dict__["_get_save_path"] = lambda: path
    again.save(FILES)
    assert dataset(tmp_path, load=VERSION).load() == FILES
