"""The ``inference`` pipeline."""

from collections.abc import Sequence
from functools import partial, update_wrapper

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.inference.nodes import (
    draw_contact_sheet,
    join_predictions,
    read_pictures,
    select_pictures,
    summarise_predictions,
)


def create_pipeline(models: Sequence[str], parts: int = 1) -> Pipeline:
    """A person's pictures and a trained model in, what is written on each out; on request only.

    Args:
        models: by name; the first reads.
        parts: among how many nodes the pictures are divided; a cluster runs them side by side.
    """
    model = f"{models[0]}.model"
    read = _read(model) if parts == 1 else _read_in_parts(model, parts)
    return read + _tell()


def _read(model: str) -> Pipeline:
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


def _read_in_parts(model: str, parts: int) -> Pipeline:
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


def _tell() -> Pipeline:
    """What came of it, in numbers and in a picture."""
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
            Node(
                func=draw_contact_sheet,
                inputs=["shown_pictures", "shown_predictions", "params:inference"],
                outputs="contact_sheet",
                name="draw_contact_sheet",
            ),
        ],
        tags="inference",
    )
