"""The ``inference`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.figures import figure
from mnist_kedro.pipelines.inference.nodes import (
    join_predictions,
    read_pictures,
    select_pictures,
    summarise_predictions,
)
from mnist_kedro.pipelines.parts import divide
from mnist_kedro.plots.contact_sheet import plot_contact_sheet


def create_pipeline(models: Sequence[str], parts: int = 1) -> Pipeline:
    """Create the pipeline that classifies pictures with a trained model.

    Args:
        models: names of the models; the first predicts.
        parts: number of nodes that share the pictures.
    """
    return Pipeline(
        [
            *divide(
                read_pictures,
                [f"{models[0]}.model", "params:inference"],
                "digit_predictions",
                parts,
                join=join_predictions,
            ),
            Node(
                func=select_pictures,
                inputs="params:inference",
                outputs="shown_pictures",
                name="select_pictures",
            ),
            Node(
                func=summarise_predictions,
                inputs=["digit_predictions", "shown_pictures"],
                outputs=["digit_summary", "shown_predictions"],
                name="summarise_predictions",
            ),
            figure(plot_contact_sheet, ["shown_pictures", "shown_predictions", "params:inference"]),
        ],
        tags="inference",
    )
