"""The ``export`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.export.nodes import (
    export_to_litert,
    export_to_litert_int8,
    export_to_onnx,
    export_to_saved_model,
    predict_reference,
)
from mnist_kedro.pipelines.export.promotion import decide_promotion


def create_pipeline(models: Sequence[str]) -> Pipeline:
    """Create the pipeline that exports trained models; the default run does not include it.

    Args:
        models: names of the models; only the first model can be promoted.
    """
    promote = Node(
        func=decide_promotion,
        inputs=[
            f"{models[0]}.reference",
            "validation",
            f"{models[0]}.onnx_description",
            "promoted_model",
            "params:promotion",
            "run",
        ],
        outputs="promotion",
        name="decide_promotion",
        tags="export",
    )
    return sum((_export_model(model) for model in models), Pipeline([promote]))


def _export_model(model: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                func=predict_reference,
                inputs=["model", "validation", "test", "picture_calibration", "params:reporting"],
                outputs="reference",
                name="predict_reference",
            ),
            Node(
                func=export_to_onnx,
                inputs=["model", "test", "reference"],
                outputs=["onnx", "onnx_description"],
                name="export_to_onnx",
            ),
            Node(
                func=export_to_saved_model,
                inputs=["model", "test", "reference"],
                outputs=["saved_model", "saved_model_description"],
                name="export_to_saved_model",
            ),
            Node(
                func=export_to_litert,
                inputs=["model", "test", "reference"],
                outputs=["litert", "litert_description"],
                name="export_to_litert",
            ),
            Node(
                func=export_to_litert_int8,
                inputs=["model", "train", "test", "reference"],
                outputs=["litert_int8", "litert_int8_description"],
                name="export_to_litert_int8",
            ),
        ],
        namespace=model,
        inputs={"train", "validation", "test"},
        parameters={"reporting": "reporting"},
        tags=["export", model],
    )
