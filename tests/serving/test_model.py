import dataclasses
import hashlib
import json
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from mnist_kedro.errors import InputError
from mnist_kedro.serving.model import ModelStore, example_pixels, load_model
from tests.support.server import FIRST, SECOND


def sha256(file):
    return hashlib.sha256(file).hexdigest()


def another(exported, **changes):
    """The same network with other weights, and a description that says so."""
    model = onnx.load_from_string(exported[0])
    for tensor in model.graph.initializer:
        if len(tensor.dims) == 4:
            values = onnx.numpy_helper.to_array(tensor)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values * 1.1, tensor.name))
    file = model.SerializeToString()
    return file, {**exported[1], "sha256": sha256(file), **changes}


def of_shape(kind, shape):
    """A model that takes something else."""
    nodes = [
        helper.make_node("Cast", ["pixels"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["real"], ["flat"]),
        helper.make_node("Slice", ["flat", "start", "end", "axis"], ["probabilities"]),
    ]
    constants = {"start": [0], "end": [10], "axis": [1]}
    graph = helper.make_graph(
        nodes,
        "other",
        [helper.make_tensor_value_info("pixels", kind, shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 10])],
        [
            helper.make_tensor(name, TensorProto.INT64, [1], value)
            for name, value in constants.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    file = model.SerializeToString()
    return file, sha256(file)


def test_it_says_what_its_description_says(store, exported):
    examples = exported[1]["examples"]
    pixels = np.stack([example_pixels(example) for example in examples])
    expected = [example["probabilities"] for example in examples]
    np.testing.assert_allclose(store.current.probabilities(pixels), expected, atol=1e-6)
    assert store.current.version == FIRST


@pytest.mark.parametrize(
    ("of_pictures", "expected"), [(0.99, [0.9, 0.99]), (0.5, [0.9, 0.9]), (None, [0.9, 0.9])]
)
def test_pictures_have_to_reach_both_thresholds(store, of_pictures, expected):
    """Those of a file in MNIST's form only the model's; earlier exports have no other."""
    calibration = {} if of_pictures is None else {"confidence_threshold": of_pictures}
    description = {"confidence_threshold": 0.9, "picture_calibration": calibration}
    model = dataclasses.replace(store.current, description=description)
    assert model.confidence_thresholds(np.array([True, False])).tolist() == expected


def test_the_newest_version_is_taken(store, export):
    before = store.current
    export(SECOND)
    store.refresh()
    assert store.current.version == SECOND
    assert before.version == FIRST  # who has it keeps it
    assert len(before.probabilities(np.zeros((2, 28, 28), np.uint8))) == 2


@pytest.mark.parametrize(
    ("file", "change", "why"),
    [
        (b"", {}, "SHA-256 differs"),
        (None, {"sha256": "0" * 64}, "SHA-256 differs"),
        (None, {"examples": []}, "no valid examples"),
        (None, {"examples": [{"pixels": "AAAA", "probabilities": [0] * 10}]}, "no valid examples"),
    ],
    ids=["empty", "digest", "no examples", "bad examples"],
)
def test_refuses_a_bad_version(store, export, exported, file, change, why):
    export(SECOND, file, {**exported[1], **change})
    store.refresh()
    assert store.current.version == FIRST
    assert why in store.rejected[SECOND]
    export("2026-01-03T00.00.00.000Z")
    store.refresh()
    assert store.current.version == "2026-01-03T00.00.00.000Z"


def test_what_it_says_of_its_examples_is_checked(store, export, exported):
    export(SECOND, *another(exported))
    store.refresh()
    assert store.current.version == FIRST
    assert "self-check failed; probabilities differ" in store.rejected[SECOND]


def test_at_the_start_a_bad_version_is_passed_over(export, exported):
    folder = export()
    export(SECOND, b"rubbish")
    store = ModelStore(folder, "cnn")
    store.refresh()
    assert store.current.version == FIRST


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (TensorProto.FLOAT, ["n", 28, 28, 1]),
        (TensorProto.UINT8, ["n", 1, 28, 28]),
        (TensorProto.UINT8, ["n", 32, 32, 1]),
    ],
)
def test_refuses_a_model_of_another_input(export, exported, kind, shape):
    file, digest = of_shape(kind, shape)
    folder = export(FIRST, file, {**exported[1], "sha256": digest})
    with pytest.raises(InputError, match=r"inputs and outputs should be .*, but are"):
        load_model(folder, "cnn", FIRST)


def test_what_is_no_model_is_refused(export, exported):
    rubbish = b"not a model"
    digest = sha256(rubbish)
    folder = export(FIRST, rubbish, {**exported[1], "sha256": digest})
    with pytest.raises(InputError, match="not an ONNX model"):
        load_model(folder, "cnn", FIRST)


@pytest.mark.parametrize("text", ["", "[]", "{}", '"sha256"', "{", "null", "[" * 100_000])
def test_a_description_that_is_none_is_refused(export, text):
    folder = export()
    (folder / "cnn_onnx.json" / FIRST / "cnn_onnx.json").write_text(text)
    with pytest.raises(InputError, match=r"not JSON|is missing"):
        load_model(folder, "cnn", FIRST)


def test_a_version_that_is_not_whole_yet_is_waited_for(store, export, exported):
    folder = export(SECOND)
    description = folder / "cnn_onnx.json" / SECOND / "cnn_onnx.json"
    description.unlink()
    store.refresh()
    assert (store.current.version, store.rejected) == (FIRST, {})
    description.write_text("{")
    store.refresh()
    assert store.current.version == FIRST
    description.write_text(json.dumps(exported[1]))
    store.refresh()
    assert store.current.version == SECOND


def test_a_version_whose_description_came_first_is_served_when_its_file_is_complete(
    store, export, exported, caplog
):
    file = exported[0]
    path = export(SECOND) / "cnn.onnx" / SECOND / "cnn.onnx"
    path.unlink()
    for content in (b"", file[:1000], file[:-1], bytes(len(file))):
        for _ in range(3):
            store.refresh()
            assert store.current.version == FIRST
        path.write_bytes(content)
    store.refresh()
    rejections = [record for record in caplog.records if "is not served" in record.message]
    assert len(rejections) == 2, rejections  # each reason once: it is missing, and it is partial
    path.write_bytes(file)
    store.refresh()
    assert (store.current.version, store.rejected) == (SECOND, {})


def test_a_folder_that_cannot_be_listed_is_logged_once(store, export, monkeypatch, caplog):
    export(SECOND)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "is_dir", Mock(side_effect=PermissionError("denied")))
        store.refresh()
        store.refresh()
    assert caplog.text.count("Cannot look for new models: denied") == 1
    store.refresh()
    assert store.current.version == SECOND


def test_without_a_model_the_reason_says_what_to_do(tmp_path, export):
    store = ModelStore(tmp_path / "nowhere", "cnn")
    store.refresh()
    assert store.current is None
    assert "kedro run --pipelines export" in store.unavailable_reason
    store = ModelStore(export(FIRST, b""), "cnn")
    store.refresh()
    assert f"{FIRST} was rejected, see the server's log" in store.unavailable_reason


def test_a_model_that_could_run_code_is_refused(export, exported, tmp_path):
    """An operator of a library that is not loaded, and weights in a file elsewhere."""
    canary = tmp_path / "canary"
    canary.write_bytes(np.ones(10, np.float32).tobytes())
    model = onnx.load_from_string(exported[0])
    model.graph.node[0].op_type, model.graph.node[0].domain = "Run", "evil"
    model.opset_import.append(helper.make_opsetid("evil", 1))
    elsewhere = onnx.load_from_string(exported[0])
    weights = elsewhere.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=str(canary))
    for version, evil in {FIRST: model, SECOND: elsewhere}.items():
        file = evil.SerializeToString()
        digest = sha256(file)
        folder = export(version, file, {**exported[1], "sha256": digest})
        with pytest.raises(InputError, match="not an ONNX model"):
            load_model(folder, "cnn", version)
