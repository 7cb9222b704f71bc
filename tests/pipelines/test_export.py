import base64
import hashlib
import sys

import numpy as np
import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.pipelines.export import create_pipeline
from mnist_kedro.pipelines.export.nodes import (
    export_to_litert,
    export_to_litert_int8,
    export_to_onnx,
    export_to_saved_model,
    predict_reference,
)
from tests.support.onnx import run_onnx
from tests.support.parameters import CALIBRATION, REPORTING

EXPORTS = {
    "onnx": export_to_onnx,
    "saved_model": export_to_saved_model,
    "litert": export_to_litert,
}


@pytest.fixture(scope="module")
def reference(trained, digits):
    return predict_reference(trained, digits, digits, CALIBRATION, REPORTING)


@pytest.fixture(scope="module")
def exported(trained, digits, reference):
    """Each file with its description."""
    return {name: export(trained, digits, reference) for name, export in EXPORTS.items()}


def run_litert(file, images):
    """As one who has but the file would."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=file)
    serve = interpreter.get_signature_runner("serving_default")
    return np.concatenate([serve(pixels=image[None])["probabilities"] for image in images])


def run_saved_model(files, images, folder):
    """As TensorFlow Serving does."""
    import tensorflow as tf

    for path, data in files.items():
        (folder / path).parent.mkdir(exist_ok=True, parents=True)
        (folder / path).write_bytes(data)
    loaded = tf.saved_model.load(str(folder))
    return loaded.signatures["serving_default"](pixels=tf.constant(images))["probabilities"]


def test_each_file_reads_digits_as_the_model_does(trained, digits, exported, tmp_path):
    images = np.asarray(digits["images"])
    expected = trained.predict(images, verbose=0)
    for name, read in {
        "onnx": run_onnx,
        "litert": run_litert,
        "saved_model": lambda files, images: run_saved_model(files, images, tmp_path / "model"),
    }.items():
        file, description = exported[name]
        np.testing.assert_allclose(read(file, images), expected, atol=1e-5)
        assert description["accuracy"] == np.mean(expected.argmax(axis=1) == digits["labels"])
        assert description["largest_difference_from_keras"] < 1e-5
        assert description["data"]["source"] == "sample"
        assert description["output"]["labels"] == [*range(10)]


def test_eight_bits_lose_at_most_two_digits(trained, digits, reference, exported):
    file, description = export_to_litert_int8(trained, digits, digits, reference)
    images, labels = np.asarray(digits["images"]), digits["labels"]
    right = run_litert(file, images).argmax(axis=1) == labels
    assert description["accuracy"] == right.mean()
    assert right.sum() >= (reference["probabilities"].argmax(axis=1) == labels).sum() - 2
    assert len(file) < len(exported["litert"][0]) / 1.5


def test_eight_bits_that_lose_more_are_not_handed_on(trained, digits, reference):
    shuffled = {**digits, "labels": reference["probabilities"].argmax(axis=1).astype(np.uint8)}
    noise = np.zeros_like(np.asarray(digits["images"]))  # whose ranges fit no digit
    with pytest.raises(ValueError, match="fewer of 800"):
        export_to_litert_int8(trained, {**digits, "images": noise}, shuffled, reference)


def test_digests_are_those_of_the_files(exported):
    for made, description in exported.values():
        files = made if isinstance(made, dict) else {"": made}
        digests = description["sha256"] if isinstance(made, dict) else {"": description["sha256"]}
        assert digests == {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}


def test_the_examples_are_test_digits_and_what_the_file_says_of_them(digits, exported):
    file, description = exported["onnx"]
    assert [example["label"] for example in description["examples"]] == [*range(10)]
    for example in description["examples"]:
        pixels = np.frombuffer(base64.b64decode(example["pixels"]), np.uint8).reshape(1, 28, 28, 1)
        np.testing.assert_allclose(run_onnx(file, pixels)[0], example["probabilities"], atol=1e-6)
        row = np.flatnonzero((digits["images"] == pixels).all(axis=(1, 2, 3)))
        assert digits["labels"][row].tolist() == [example["label"]]


def test_the_threshold_of_confidence_is_the_report_s(digits, reference, exported):
    from mnist_kedro.metrics.selective import confidence_threshold

    right = reference["probabilities"].argmax(axis=1) == digits["labels"]
    confidence = reference["probabilities"].max(axis=1)
    expected = confidence_threshold(right, confidence, REPORTING.target_accuracy)
    assert exported["onnx"][1]["confidence_threshold"] == expected


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_a_file_that_says_something_else_is_not_handed_on(trained, digits, reference, export):
    import keras

    other = keras.models.clone_model(trained)  # with other weights
    with pytest.raises(ValueError, match="differs"):
        export(other, digits, reference)


@pytest.mark.parametrize(
    ("export", "package"),
    [(export_to_onnx, "onnxruntime"), (export_to_litert, "ai_edge_litert.interpreter")],
)
def test_without_the_packages_one_line_says_what_to_install(
    trained, digits, reference, monkeypatch, export, package
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=r"pip install 'mnist_kedro\[export\]'"):
        export(trained, digits, reference)


def test_each_model_is_exported_and_the_first_may_be_served():
    pipeline = create_pipeline(("cnn", "resnet"))
    assert pipeline.inputs() == {
        "train", "validation", "test", "cnn.model", "resnet.model", "params:reporting",
        "run", "promoted_model", "params:promotion", "cnn.picture_calibration",
        "resnet.picture_calibration",
    }  # fmt: skip
    exported = {
        f"{model}.{output}{suffix}"
        for model in ("cnn", "resnet")
        for output in ("onnx", "saved_model", "litert", "litert_int8")
        for suffix in ("", "_description")
    }
    assert pipeline.all_outputs() == {
        *exported, "cnn.reference", "resnet.reference", "promotion",
    }  # fmt: skip
