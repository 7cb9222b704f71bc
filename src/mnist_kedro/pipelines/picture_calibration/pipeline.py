"""The ``picture_calibration`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.picture_calibration.nodes import (
    calibrate_for_pictures,
    photograph_digits,
)


def create_pipeline(models: Sequence[str]) -> Pipeline:
    """Create the pipeline that calibrates models on simulated photos of validation digits.

    Args:
        models: names of the models.
    """
    photograph = Node(
        func=photograph_digits,
        inputs=["validation", "params:picture_calibration"],
        outputs="photographed_validation",
        name="photograph_validation_digits",
    )
    calibrate = [
        Node(
            func=calibrate_for_pictures,
            inputs=[f"{model}.model", "validation", "photographed_validation"],
            outputs=f"{model}.picture_calibration",
            name=f"calibrate_{model}",
            tags=model,
        )
        for model in models
    ]
    return Pipeline([photograph, *calibrate], tags="picture_calibration")
