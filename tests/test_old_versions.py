"""Old versions are removed, but nothing that is promoted, belongs to a kept model, or is in use."""

import json
import os
import shutil
import zipfile

import pandas as pd
import pytest
from click.testing import CliRunner

from mnist_kedro import cli
from mnist_kedro.errors import InputError
from mnist_kedro.lineage import RECORD_FILE
from mnist_kedro.old_versions import (
    OldVersion,
    count_freed_bytes,
    find_old_versions,
    locked,
    remove_version,
)
from mnist_kedro.promotion import Promotion, save_decision


def version(day):
    return f"2026-01-{day:02}T00.00.00.000Z"


@pytest.fixture
def root(tmp_path):
    """Five trainings: day 1 on a split of its own; a report a day."""
    for day in range(1, 6):
        lineage = {"data": "d", "split": "one" if day == 1 else "two"}
        cnn = {**lineage, "cnn": f"weights{day}"}
        save(tmp_path, "05_model_input/pixel_statistics.json", day, lineage)
        save(tmp_path, "06_models/cnn.keras", day, cnn)
        save(tmp_path, "06_models/cnn_history.json", day, cnn)
        save(tmp_path, "06_models/cnn.onnx", day, None)
        save(tmp_path, "07_model_output/cnn_predictions.csv", day, cnn)
        save(tmp_path, "08_reporting/run_manifest.json", day, None)
        saved = tmp_path / "06_models/saved_models/cnn" / f"202601{day:02}000000000"
        saved.mkdir(parents=True)
        (saved / "saved_model.pb").write_bytes(b"model")
    return tmp_path


def save(root, name, day, lineage):
    path = root / name / version(day) / name.rpartition("/")[2]
    path.parent.mkdir(parents=True)
    if path.suffix == ".keras":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(RECORD_FILE, json.dumps({"lineage": lineage}))
    elif path.suffix == ".csv":
        text = " ".join(f"{key}:{digest}" for key, digest in lineage.items())
        pd.DataFrame({"label": [3, 5], "lineage": [text, None]}).to_csv(path, index=False)
    else:
        path.write_text(json.dumps({"lineage": lineage} if lineage else {}))


def kept(root, name):
    """Return the days whose versions of a dataset would not be removed."""
    old = {(one.dataset, one.version) for one in find_old_versions(root, 2)}
    folders = sorted((root / name).iterdir())
    return [
        int(folder.name[8:10] if "-" in folder.name else folder.name[6:8])
        for folder in folders
        if (folder.parent, folder.name) not in old
    ]


def promote(root, day):
    decision = Promotion(
        model="cnn", version=version(day), trained=version(day), promoted=True, by="export"
    )
    save_decision(root / "06_models", decision)


EVERY = (
    *("06_models/cnn.keras", "06_models/cnn_history.json", "06_models/cnn.onnx"),
    *("06_models/saved_models/cnn", "07_model_output/cnn_predictions.csv"),
)


def test_the_latest_versions_are_kept(root):
    for name in (*EVERY, "05_model_input/pixel_statistics.json", "08_reporting/run_manifest.json"):
        assert kept(root, name) == [4, 5], name


def test_the_promoted_model_is_kept_with_all_that_belongs_to_it(root):
    promote(root, 1)
    for name in (*EVERY, "05_model_input/pixel_statistics.json"):
        assert kept(root, name) == [1, 4, 5], name
    assert kept(root, "08_reporting/run_manifest.json") == [4, 5]


def test_a_rollback_is_always_possible(root):
    for day in (3, 1, 2):
        promote(root, day)
    assert kept(root, "06_models/cnn.onnx") == [1, 2, 4, 5]
    assert kept(root, "06_models/cnn.keras") == [1, 2, 4, 5]
    assert len(list((root / "06_models/promotion.json").iterdir())) == 3
    assert not any(one.dataset.name == "promotion.json" for one in find_old_versions(root, 1))


def test_what_the_latest_report_links_to_is_kept(root):
    folder = root / "08_reporting/.latest/run"
    folder.mkdir(parents=True)
    manifest = root / "08_reporting/run_manifest.json" / version(2) / "run_manifest.json"
    (folder / "run_manifest.json").symlink_to(os.path.relpath(manifest, folder))
    (root / "08_reporting/latest").symlink_to(".latest/run")
    assert kept(root, "08_reporting/run_manifest.json") == [2, 4, 5]


def test_a_shared_file_is_freed_with_its_last_version(tmp_path):
    versions = [OldVersion(tmp_path / "x.json", version(day)) for day in (1, 2)]
    for one in versions:
        one.folder.mkdir(parents=True)
    (versions[0].folder / "x.json").write_bytes(b"12345")
    os.link(versions[0].folder / "x.json", versions[1].folder / "x.json")
    assert count_freed_bytes(versions[:1]) == 0
    assert count_freed_bytes(versions) == 5
    remove_version(versions[0])
    assert [path.name for path in (tmp_path / "x.json").iterdir()] == [version(2)]


def test_nothing_is_removed_during_a_run(tmp_path):
    refused = pytest.raises(InputError, match="a run is in progress")
    with locked(tmp_path, exclusive=False), locked(tmp_path, exclusive=False), refused:
        locked(tmp_path, exclusive=True).__enter__()
    with locked(tmp_path, exclusive=True):
        pass


@pytest.mark.parametrize(("keep", "versions"), [("1", "{} versions"), ("4", "1 version")])
def test_the_command_reports_what_it_removes(tmp_path, monkeypatch, keep, versions):
    for day in range(1, 6):
        folder = tmp_path / "08_reporting/metrics.json" / version(day)
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_bytes(b" " * 1_000_000)
    monkeypatch.setattr(cli, "_data_folder", lambda _env: tmp_path)
    count = 5 - int(keep)
    reports = [
        CliRunner().invoke(cli.remove_versions, ["--keep", keep, *yes]).output.splitlines()[-1]
        for yes in ([], ["--yes"])
    ]
    assert reports == [
        f"Would remove {versions.format(count)} and free {count}.0 MB; add --yes to remove.",
        f"Removed {versions.format(count)} and freed {count}.0 MB.",
    ]


@pytest.mark.slow
def test_the_command_lists_and_then_removes(finished):
    """With a run beside it; the project works afterwards."""
    first = finished.versions("06_models/cnn.keras")[0]
    for path in finished.data.rglob(first):
        shutil.copytree(path, path.with_name(version(1)), copy_function=os.link)
    listed = finished.kedro("remove-versions", "--env", "smoke", "--keep", "1")
    assert listed.status == 0, listed.log
    assert version(1) in finished.versions("08_reporting/metrics.json")
    run = finished.start("run", "--env", "smoke", "--pipelines", "training")
    run.wait_for("epoch 1 of")
    refused = finished.kedro("remove-versions", "--env", "smoke", "--keep", "1", "--yes")
    assert refused.status == 1
    assert "a run is in progress" in refused.last_line
    assert run.wait().status == 0
    removed = finished.kedro("remove-versions", "--env", "smoke", "--keep", "1", "--yes")
    assert removed.status == 0, removed.log
    assert len(finished.versions("08_reporting/metrics.json")) == 1
    finished.make("--pipelines", "reporting")
