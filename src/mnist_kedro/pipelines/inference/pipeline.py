"""The ``inference`` pipeline."""

from collections.abc import Sequence
from functools import partial, update_wrapper

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.figures import figure
from mnist_kedro.pipelines.inference.nodes import (
    describe_model,
    join_predictions,
    read_pictures,
    select_pictures,
)
from mnist_kedro.pipelines.inference.summary import summarize_predictions
from mnist_kedro.plots.contact_sheet import plot_contact_sheet


def create_pipeline(models: Sequence[str], parts: int = 1) -> Pipeline:
    """Create the pipeline that classifies pictures with a trained model.

    Args:
        models: names of the models; the first model classifies the pictures.
        parts: number of nodes among which the pictures are divided.
    """
    return Pipeline(
        [
            *_read_pictures(models[0], parts),
            Node(
                func=describe_model,
                inputs=f"{models[0]}.model",
                outputs="model_description",
                name="describe_model",
            ),
            Node(
                func=select_pictures,
                inputs="params:inference",
                outputs="shown_pictures",
                name="select_pictures",
            ),
            Node(
                func=summarize_predictions,
                inputs=["digit_predictions", "shown_pictures", "model_description"],
                outputs=["digit_summary", "shown_predictions"],
                name="summarize_predictions",
            ),
            figure(plot_contact_sheet, ["shown_pictures", "shown_predictions", "params:inference"]),
        ],
        tags="inference",
    )


def _read_pictures(model: str, parts: int) -> list[Node]:
    """Create one node for all pictures, or one node per part and a node that joins the parts."""
    inputs = [f"{model}.model", f"{model}.picture_calibration", "params:inference"]
    if parts == 1:
        return [Node(read_pictures, inputs, "digit_predictions", name="read_pictures")]
    nodes = [
        Node(
            func=update_wrapper(partial(read_pictures, part=part, parts=parts), read_pictures),
            inputs=inputs,
            outputs=f"digit_predictions_{part + 1}",
            name=f"read_pictures_{part + 1}",
        )
        for part in range(parts)
    ]
    predictions = [node.outputs[0] for node in nodes]
    return [
        *nodes,
        Node(join_predictions, predictions, "digit_predictions", name="join_predictions"),
    ]
