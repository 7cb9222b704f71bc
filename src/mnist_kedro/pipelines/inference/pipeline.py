"""The ``inference`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines import MODELS
from mnist_kedro.pipelines.inference.nodes import (
    draw_contact_sheet,
    read_pictures,
    summarise_predictions,
)


def create_pipeline(models: Sequence[str] = MODELS) -> Pipeline:
    """A person's pictures and a trained model in, what is written on each out; on request only.

    Args:
        models: by name; the first reads.
    """
    return Pipeline(
        [
            Node(
                func=read_pictures,
                inputs=[f"{models[0]}.model", "params:inference"],
                outputs=["digit_predictions", "shown_pictures"],
                name="read_pictures",
            ),
            Node(
                func=summarise_predictions,
                inputs="digit_predictions",
                outputs="digit_summary",
                name="summarise_predictions",
            ),
            Node(
                func=draw_contact_sheet,
                inputs=["shown_pictures", "digit_predictions", "params:inference"],
                outputs="contact_sheet",
                name="draw_contact_sheet",
            ),
        ],
        tags="inference",
    )
