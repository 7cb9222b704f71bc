"""The ``digit_detector`` pipeline."""

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.digit_detector.nodes import (
    export_digit_detector,
    make_examples,
    train_digit_detector,
)


def create_pipeline() -> Pipeline:
    """Create the pipeline that trains the digit detector; it is not in the default run."""
    return Pipeline(
        [
            Node(
                func=make_examples,
                inputs=["train", "params:digit_detector"],
                outputs="detector_examples",
                name="make_detector_examples",
            ),
            Node(
                func=train_digit_detector,
                inputs=["detector_examples", "params:digit_detector"],
                outputs="digit_detector",
                name="train_digit_detector",
            ),
            Node(
                func=export_digit_detector,
                inputs="digit_detector",
                outputs="digit_detector_onnx",
                name="export_digit_detector",
            ),
        ],
        tags="digit_detector",
    )
