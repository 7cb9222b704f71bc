import hashlib
import sys

import numpy as np
import pytest

from mnist_kedro.errors import InputError
from mnist_kedro.pipelines.export import create_pipeline
from mnist_kedro.pipelines.export.nodes import export_to_onnx
from tests.models.test_onnx_export import run


def test_the_file_reads_digits_as_the_model_does(trained, digits):
    file, description = export_to_onnx(trained, digits)
    images = np.asarray(digits["images"])
    read = run(file, images).argmax(axis=1)
    np.testing.assert_array_equal(read, trained.predict(images, verbose=0).argmax(axis=1))
    assert description["sha256"] == hashlib.sha256(file).hexdigest()
    assert description["accuracy"] == np.mean(read == digits["labels"])
    assert description["largest_difference_from_keras"] < 1e-5
    assert description["data"]["source"] == "sample"
    assert description["output"]["labels"] == [*range(10)]


def test_a_file_that_says_something_else_is_not_handed_on(trained, digits, monkeypatch):
    import keras

    from mnist_kedro.models import onnx_export

    other = keras.models.clone_model(trained)  # with other weights
    original = onnx_export.to_onnx
    monkeypatch.setattr(onnx_export, "to_onnx", lambda _: original(other))
    with pytest.raises(ValueError, match="differs"):
        export_to_onnx(trained, digits)


def test_without_onnx_one_line_says_what_to_install(trained, digits, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"pip install 'mnist_kedro\[export\]'"):
        export_to_onnx(trained, digits)


def test_each_model_is_exported():
    pipeline = create_pipeline(("cnn", "resnet"))
    assert pipeline.inputs() == {"test", "cnn.model", "resnet.model"}
    assert pipeline.outputs() == {
        f"{model}.{output}"
        for model in ("cnn", "resnet")
        for output in ("onnx", "onnx_description")
    }
