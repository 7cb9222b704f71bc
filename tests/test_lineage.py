"""Results carry what they were made from; what does not belong together is not combined."""

import io
import itertools
import json
import zipfile

import keras
import numpy as np
import onnx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.io import DataCatalog, DatasetError, Version
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset
from matplotlib.figure import Figure

from mnist_kedro.contracts import provenance
from mnist_kedro.datasets import CheckpointsDataset
from mnist_kedro.datasets.figure_dataset import FigureDataset
from mnist_kedro.datasets.keras_model_dataset import KerasModelDataset
from mnist_kedro.errors import InputError
from mnist_kedro.hooks import VersionHooks
from mnist_kedro.hooks.matching_versions import choose_versions
from mnist_kedro.lineage import join_lineages, lineage_of, with_lineage
from mnist_kedro.pipelines.data_processing.nodes import (
    compute_pixel_statistics,
    select_test_digits,
    split_training_digits,
)
from mnist_kedro.pipelines.evaluation.nodes import evaluate_model, predict_digits
from mnist_kedro.pipelines.export.nodes import (
    export_to_litert,
    export_to_onnx,
    export_to_saved_model,
    predict_reference,
)
from mnist_kedro.pipelines.picture_calibration.nodes import calibrate_for_pictures
from mnist_kedro.pipelines.training.nodes import train_model
from mnist_kedro.serving.model import load_model
from mnist_kedro.versions import version_path
from tests.support.networks import NETWORKS, RUN, build
from tests.support.parameters import REPORTING, SMOKE, training

lineages = st.dictionaries(st.sampled_from(["data", "split", "cnn"]), st.sampled_from("ab"))


@given(st.dictionaries(st.sampled_from("xyz"), lineages))
def test_lineages_are_joined_unless_a_name_has_two_digests(named):
    digests = {key: {one[key] for one in named.values() if key in one} for key in ("data", "split")}
    digests["cnn"] = {one["cnn"] for one in named.values() if "cnn" in one}
    if all(len(found) <= 1 for found in digests.values()):
        assert join_lineages(named) == {key: found.pop() for key, found in digests.items() if found}
    else:
        with pytest.raises(InputError, match="does not match '"):
            join_lineages(named)


@pytest.mark.parametrize("other", [{}, {"cnn": "2", "split": "b"}])
def test_a_result_has_the_lineage_of_all_that_it_was_made_from(tmp_path, other):
    lineage = {"data": "1", **other}
    given_ = {"data": lineage, "parameter": {}}
    table = pd.DataFrame({"label": [3, 5]}, index=[7, 7])
    results = [table, {"accuracy": 0.9}, Figure()]
    made = with_lineage(lambda data, parameter: (*results, 3))({"lineage": given_["data"]}, 4)
    assert [*map(lineage_of, made)] == [lineage] * 3 + [{}]
    made[0].to_csv(tmp_path / "table.csv", index=False)
    assert lineage_of(pd.read_csv(tmp_path / "table.csv")) == lineage
    both = pd.concat([made[0], made[0]])
    assert lineage_of(both) == lineage
    FigureDataset(filepath=str(tmp_path / "figure.png")).save(made[2])
    assert lineage_of(FigureDataset(filepath=str(tmp_path / "figure.png")).load()) == lineage


@pytest.fixture(scope="module")
def trainings(mnist, tmp_path_factory):
    """Two trainings on different splits of the same digits, and all that is made from them."""
    folder = tmp_path_factory.mktemp("trainings")
    made = []
    for seed in (0, 1):
        options = SMOKE.data_processing.model_copy(update={"seed": seed})
        train, validation = split_training_digits(mnist, options)
        checkpoints = CheckpointsDataset(filepath=str(folder / "checkpoints")).load()
        statistics = compute_pixel_statistics(train)
        digits = (train, validation, statistics)
        network = NETWORKS["dense"]
        model, history = train_model(
            *digits, training(), network, checkpoints, folder, RUN, "dense"
        )
        test = select_test_digits(mnist)
        calibration = calibrate_for_pictures(model, validation, validation)
        made.append(
            {
                "model": model,
                "history": history,
                "split": validation,
                "calibration": calibration,
                "predictions": predict_digits(model, test),
                "reference": predict_reference(model, validation, test, calibration, REPORTING),
                "train": train,
                "statistics": statistics,
            }
        )
    return made


USES = {
    "predict": ("model", "split"),
    "evaluate": ("predictions", "validated", "history"),
    "export": ("model", "reference"),
    "calibrate": ("model", "split"),
    "refer": ("model", "calibration"),
    "train": ("train", "split", "statistics"),
}


def test_only_what_was_exported_together_is_served(trainings, mnist, tmp_path):
    test = select_test_digits(mnist)
    exported = [export_to_onnx(of["model"], test, of["reference"]) for of in trainings]
    for i, j in itertools.product((0, 1), repeat=2):
        version = f"{i}{j}"
        for name, content in {
            "dense.onnx": exported[i][0],
            "dense_onnx.json": json.dumps(exported[j][1]).encode(),
        }.items():
            path = version_path(tmp_path / name, version)
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
        if i == j:
            assert load_model(tmp_path, "dense", version).version == version
        else:
            with pytest.raises(InputError, match="not the file that .* describes"):
                load_model(tmp_path, "dense", version)


@pytest.mark.parametrize("use", USES)
def test_rejects_inconsistent_lineage(use, trainings, mnist, tmp_path):
    test = select_test_digits(mnist)
    for choice in itertools.product((0, 1), repeat=len(USES[use])):
        parts = []
        for name, which in zip(USES[use], choice, strict=True):
            of = trainings[which]
            if name == "validated":
                parts.append(predict_digits(of["model"], of["split"]))
            else:
                parts.append(of[name])

        split = trainings[choice[0]]["split"]
        checkpoints = CheckpointsDataset(filepath=str(tmp_path)).load()
        rest = (training(), NETWORKS["dense"], checkpoints, tmp_path, RUN, "dense")
        run = {
            "predict": predict_digits,
            "evaluate": lambda *parts: evaluate_model(*parts, test, REPORTING),
            "export": lambda model, reference: export_to_onnx(model, test, reference),
            "calibrate": lambda model, digits: calibrate_for_pictures(model, digits, digits),
            "refer": lambda model, calibration, split=split: predict_reference(
                model, split, test, calibration, REPORTING
            ),
            "train": lambda *parts, rest=rest: train_model(*parts, *rest),
        }[use]
        if len(set(choice)) == 1:
            run(*parts)
        else:
            with pytest.raises(InputError, match="does not match"):
                run(*parts)


def test_digits_of_another_ingestion_are_refused(trainings, mnist):
    other = {**mnist, "sha256_x_train": "0" * 64}
    with pytest.raises(InputError, match="'digits' does not match 'model': the ingested MNIST"):
        predict_digits(trainings[0]["model"], select_test_digits(other))


def test_a_model_keeps_its_training_record_and_keras_loads_it(trainings, mnist, tmp_path):
    model, history = (trainings[0][key] for key in ("model", "history"))
    dataset = KerasModelDataset(filepath=str(tmp_path / "dense.keras"))
    dataset.save(model)
    record = dataset.load().training_record
    assert record == model.training_record == dataset.attributes() == history["training_record"]
    assert record["model"] == "dense"
    assert record["data"] == provenance(mnist)
    assert record["parameters"]["training"]["epochs"] == record["epochs"] == 1
    assert record["run"]["id"] == RUN["id"]
    stock = keras.saving.load_model(tmp_path / "dense.keras")
    for weights, expected in zip(stock.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)
    stock.save(tmp_path / "dense.keras")  # as a program does that knows no records
    assert dataset.load().training_record is None
    assert dataset.attributes() == {}


def test_a_record_of_other_weights_is_refused(trainings, tmp_path):
    other = build("dense")
    other.training_record = trainings[0]["model"].training_record
    dataset = KerasModelDataset(filepath=str(tmp_path / "dense.keras"))
    dataset.save(other)
    with pytest.raises(DatasetError, match="the weights do not match the training record"):
        dataset.load()


def test_the_files_of_an_export_have_the_record(trainings, mnist):
    model, reference = (trainings[0][key] for key in ("model", "reference"))
    record, test = model.training_record, select_test_digits(mnist)
    file, description = export_to_onnx(model, test, reference)
    properties = {entry.key: entry.value for entry in onnx.load_from_string(file).metadata_props}
    assert json.loads(properties["training_record"]) == record == description["training_record"]
    assert description["lineage"] == record["lineage"]
    files, description = export_to_saved_model(model, test, reference)
    assert json.loads(files["assets.extra/training_record.json"]) == record
    assert description["training_record"] == record
    file, description = export_to_litert(model, test, reference)
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert json.loads(archive.read("training_record.json")) == record
    assert description["training_record"] == record


@pytest.fixture
def versions(tmp_path):
    """Save JSON files with a lineage as versions, and return the dataset."""

    def save(name, **lineages_by_version):
        for version, lineage in lineages_by_version.items():
            dataset = JSONDataset(filepath=str(tmp_path / name), version=Version(None, version))
            dataset.save({"lineage": lineage})
        return JSONDataset(filepath=str(tmp_path / name), version=Version(None, None))

    return save


OLD, NEW = {"split": "1", "cnn": "a"}, {"split": "2", "cnn": "b"}


def test_the_latest_versions_are_chosen_if_they_belong_together(versions):
    inputs = {
        "cnn.model": versions("model", v1=OLD, v2=NEW),
        "train": versions("train", v1={"split": "1"}, v2={"split": "2"}, v3={"split": "2"}),
        "table": versions("table", v0={}),
    }
    chosen = {
        name: version
        for name, (version, _) in choose_versions(
            inputs, [], "kedro run --to-outputs {}".format
        ).items()
    }
    assert chosen == {"cnn.model": "v2", "train": "v3", "table": "v0"}


def test_a_version_takes_along_what_belongs_to_it(versions):
    inputs = {
        "cnn.model": versions("model", v1=OLD, v2=NEW),
        "cnn.history": versions("history", v1=OLD, v2=NEW),
        "train": versions("train", v0={"split": "1"}, v1={"split": "1"}, v2={"split": "2"}),
        "dense.model": versions("dense", v1={"split": "1", "dense": "x"}, v4={"split": "3"}),
    }
    asked = dict(inputs)
    asked["cnn.model"] = JSONDataset(
        filepath=str(inputs["cnn.model"]._filepath), version=Version("v1", None)
    )
    chosen = {
        name: version for name, (version, _) in choose_versions(asked, ["cnn.model"], str).items()
    }
    assert set(chosen.values()) == {"v1"}


def test_what_belongs_to_the_served_network_is_chosen(versions):
    inputs = {
        "train": versions("train", v1={"split": "1"}, v2={"split": "2"}),
        "validation": versions("validation", v1={"split": "1"}, v2={"split": "2"}),
    }
    chosen = choose_versions(inputs, [], str, promoted={"split": "1"})
    assert {version for version, _ in chosen.values()} == {"v1"}
    with pytest.raises(InputError) as raised:
        choose_versions(inputs, [], "make {}".format, promoted={"split": "3"})
    assert str(raised.value) == (
        "train: version v2 does not match the served network: the split is 2 instead of 3; "
        "no version of 'train' matches; create one with 'make train'."
    )
    with pytest.raises(InputError) as raised:
        choose_versions(inputs, ["train"], str, promoted={"split": "1"})
    assert str(raised.value) == (
        "train: version v2 does not match the served network: the split is 2 instead of 1; "
        "remove --load-versions train:v2, or set it to train:v1."
    )


def test_what_does_not_belong_together_is_refused_with_versions_that_do(versions):
    inputs = {
        "cnn.model": versions("model", v1=OLD),
        "train": versions("train", v1={"split": "1"}, v2={"split": "2"}),
    }
    message = (
        "train: version v2 does not match 'cnn.model', version v1: the split is 2 instead of 1; "
        "version v1 of 'train' matches: add --load-versions cnn.model:v1, which also selects all "
        "matching inputs."
    )
    with pytest.raises(InputError) as raised:
        choose_versions(inputs, [], str)
    assert str(raised.value) == message
    inputs["train"] = versions("other", v2={"split": "2"})
    with pytest.raises(InputError, match="no version of 'train' matches; create one with 'make t"):
        choose_versions(inputs, ["cnn.model"], "make {}".format)


def test_lists_the_versions_that_exist(versions):
    saved = versions("mnist.json", **{f"v{number}": {} for number in range(7)})
    missing = JSONDataset(filepath=str(saved._filepath), version=Version("v9", None))
    pipeline = Pipeline([Node(lambda mnist: mnist, "mnist", "seen", name="look")])
    there = "existing versions: v6, v5, v4, v3, v2 and 2 earlier versions"
    with pytest.raises(InputError, match=f"mnist: version v9 does not exist; {there}"):
        VersionHooks().before_pipeline_run(
            {"load_versions": {"mnist": "v9"}}, pipeline, DataCatalog({"mnist": missing})
        )


@pytest.mark.slow
def test_a_report_of_an_earlier_model_is_about_that_model(finished):
    """As the README says, after a training on another split with other parameters."""
    first = finished.versions("06_models/cnn.keras")[-1]
    truth = finished.metrics()["models"]
    again = ("data_processing.seed=5", "training.epochs=1", "training.seed=3")
    made = finished.run(
        *("--pipelines", "data_processing,training,picture_calibration"),
        *("--params", ",".join(again)),
    )
    assert made.status == 0, made.log
    outcome = finished.run("--pipelines", "reporting", "--load-versions", f"cnn.model:{first}")
    assert outcome.status == 0, outcome.log
    metrics = finished.metrics()
    records = finished.latest_json("08_reporting/metrics.json")["training_records"]
    for name, expected in truth.items():
        assert metrics["models"][name] == expected
        assert records[name]["run"]["id"] == first
    page = finished.latest("08_reporting/report.html").read_text()
    assert f"run {first}, on" in page
    # The latest split is not that of the first model.
    outcome = finished.run("--pipelines", "data_processing")
    assert outcome.status == 0, outcome.log
    outcome = finished.run("--pipelines", "export")
    assert outcome.status == 1
    assert "does not match 'cnn.model'" in outcome.last_line
    assert "--load-versions cnn.model:" in outcome.last_line
