"""The ``inference`` pipeline."""

from collections.abc import Sequence
from functools import partial, update_wrapper

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.figures import figure
from mnist_kedro.pipelines.inference.nodes import (
    join_predictions,
    plot_contact_sheet,
    read_pictures,
    select_pictures,
    summarise_predictions,
)


def create_pipeline(models: Sequence[str], parts: int = 1) -> Pipeline:
    """Create the pipeline that classifies pictures with a trained model.

    Args:
        models: names of the models; the first predicts.
        parts: number of nodes that share the pictures, so that a cluster can run them in parallel.
    """
    model = f"{models[0]}.model"
    classification = _classify(model) if parts == 1 else _classify_in_parts(model, parts)
    return classification + _summarize()


def _classify(model: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                func=read_pictures,
                inputs=[model, "params:inference"],
                outputs="digit_predictions",
                name="read_pictures",
            )
        ],
        tags="inference",
    )


def _classify_in_parts(model: str, parts: int) -> Pipeline:
    outputs = [f"digit_predictions_part_{part + 1}" for part in range(parts)]
    return Pipeline(
        [
            *(
                Node(
                    func=update_wrapper(partial(read_pictures, part=part), read_pictures),
                    inputs=[model, "params:inference"],
                    outputs=output,
                    name=f"read_pictures_part_{part + 1}",
                )
                for part, output in enumerate(outputs)
            ),
            Node(
                func=join_predictions,
                inputs=outputs,
                outputs="digit_predictions",
                name="join_predictions",
            ),
        ],
        tags="inference",
    )


def _summarize() -> Pipeline:
    """Create the nodes that summarize the predictions, in numbers and in a figure."""
    return Pipeline(
        [
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
