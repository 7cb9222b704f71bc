"""The ``teaching`` pipeline."""

from collections.abc import Sequence
from functools import partial, update_wrapper

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines import export
from mnist_kedro.pipelines.figures import figure
from mnist_kedro.pipelines.picture_calibration.nodes import score_validation_digits
from mnist_kedro.pipelines.teaching.nodes import (
    calibrate_taught_network,
    cross_validate,
    draw_neat_digits,
    measure_test_accuracy,
    redraw_digits,
    snapshot_corrections,
    teach_network,
    to_pictures,
)
from mnist_kedro.pipelines.teaching.promotion import decide_promotion_of_taught
from mnist_kedro.plots.teaching import plot_taught_digits


def create_pipeline(models: Sequence[str]) -> Pipeline:
    """Create the pipeline that fine-tunes the promoted network on corrections.

    Args:
        models: names of the models; the first model is taught.
    """
    name = models[0]
    return Pipeline(
        [
            Node(
                func=snapshot_corrections,
                inputs=["corrections", "params:teaching"],
                outputs="corrections_snapshot",
                name="snapshot_corrections",
            ),
            Node(
                func=to_pictures,
                inputs="corrections_snapshot",
                outputs="correction_pictures",
                name="export_corrections",
            ),
            Node(
                func=redraw_digits,
                inputs=["validation", "params:teaching"],
                outputs="redrawn_validation",
                name="redraw_validation_digits",
            ),
            Node(
                func=draw_neat_digits,
                inputs="params:teaching",
                outputs="neat_digits",
                name="draw_neat_digits",
            ),
            Node(
                func=update_wrapper(partial(teach_network, name=name), teach_network),
                inputs=[
                    "promoted_network",
                    "corrections_snapshot",
                    "train",
                    "validation",
                    "redrawn_validation",
                    "neat_digits",
                    "params:teaching",
                    "params:training",
                    "run",
                ],
                outputs=[f"{name}.model", f"{name}.history"],
                name="teach_network",
            ),
            Node(
                func=score_validation_digits,
                inputs="validation",
                outputs="digit_scores",
                name="score_validation_digits",
            ),
            Node(
                func=cross_validate,
                inputs=[
                    "promoted_network",
                    "corrections_snapshot",
                    "train",
                    "digit_scores",
                    f"{name}.history",
                    "params:teaching",
                    "params:training",
                ],
                outputs="held_out_corrections",
                name="cross_validate_teaching",
            ),
            Node(
                func=calibrate_taught_network,
                inputs=[
                    f"{name}.model",
                    "photographed_validation",
                    "digit_scores",
                    "corrections_snapshot",
                ],
                outputs=f"{name}.picture_calibration",
                name="calibrate_taught_network",
            ),
            *export.create_pipeline(models[:1]).to_outputs(f"{name}.onnx").nodes,
            Node(
                func=measure_test_accuracy,
                inputs=["promoted_network", "test"],
                outputs="untaught_test_accuracy",
                name="measure_test_accuracy",
            ),
            Node(
                func=decide_promotion_of_taught,
                inputs=[
                    f"{name}.reference",
                    "validation",
                    f"{name}.onnx_description",
                    "promoted_model",
                    "params:promotion",
                    "run",
                    f"{name}.onnx",
                    "redrawn_validation",
                    "neat_digits",
                    "held_out_corrections",
                    "untaught_test_accuracy",
                ],
                outputs="promotion",
                name="decide_promotion_of_taught",
            ),
            figure(plot_taught_digits, ["held_out_corrections", "corrections_snapshot"]),
        ],
        tags="teaching",
    )
