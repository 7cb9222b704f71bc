"""The ``export`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines import MODELS
from mnist_kedro.pipelines.export.nodes import export_to_onnx


def create_pipeline(models: Sequence[str] = MODELS) -> Pipeline:
    """Trained models in, files that other programs run out; on request only.

    Args:
        models: by name.
    """
    return sum((_export(model) for model in models), Pipeline([]))


def _export(model: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                func=export_to_onnx,
                inputs=["model", "test"],
                outputs=["onnx", "onnx_description"],
                name="export_to_onnx",
            )
        ],
        namespace=model,
        inputs={"test"},
        tags=["export", model],
    )
