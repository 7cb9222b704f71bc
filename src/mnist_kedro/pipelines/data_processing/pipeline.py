"""The ``data_processing`` pipeline."""

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.data_processing.nodes import (
    compute_pixel_statistics,
    select_test_digits,
    split_training_digits,
)


def create_pipeline() -> Pipeline:
    """Create the pipeline that splits MNIST and computes the training pixels' statistics."""
    return Pipeline(
        [
            Node(
                func=split_training_digits,
                inputs=["mnist", "params:data_processing"],
                outputs=["train", "validation"],
                name="split_training_digits",
            ),
            Node(
                func=select_test_digits,
                inputs="mnist",
                outputs="test",
                name="select_test_digits",
            ),
            Node(
                func=compute_pixel_statistics,
                inputs="train",
                outputs="pixel_statistics",
                name="compute_pixel_statistics",
            ),
        ],
        tags="data_processing",
    )
