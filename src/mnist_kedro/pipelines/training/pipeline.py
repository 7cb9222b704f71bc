"""The ``training`` pipeline."""

from collections.abc import Mapping, Sequence
from functools import partial, update_wrapper

from kedro.pipeline import Node, Pipeline

from mnist_kedro.parameters import NetworkParameters
from mnist_kedro.pipelines import member_names
from mnist_kedro.pipelines.training.nodes import (
    draw_augmented_digits,
    preview_network,
    train_model,
)


def create_pipeline(
    models: Sequence[str],
    members: int = 1,
    networks: Mapping[str, NetworkParameters] | None = None,
) -> Pipeline:
    """The same training for each network, so that they can be compared.

    Args:
        models: which networks.
        members: how many of each, with other seeds.
        networks: what they are, by the same names; Kedro-Viz draws them.
    """
    drawn = networks or {}
    return sum(
        (
            _train(model, name, member, drawn.get(model))
            for model in models
            for member, name in enumerate(member_names(model, members))
        ),
        _preview(),
    )


def _preview() -> Pipeline:
    """What the networks get to see."""
    return Pipeline(
        [
            Node(
                func=draw_augmented_digits,
                inputs=["train", "params:training"],
                outputs="augmented_digits",
                name="draw_augmented_digits",
            )
        ],
        tags="training",
    )


def _train(model: str, name: str, member: int, network: NetworkParameters | None) -> Pipeline:
    """Digits in, one trained model and its history out; instantiated once per network."""
    func = update_wrapper(partial(train_model, member=member), train_model)
    return Pipeline(
        [
            Node(
                func=func if member else train_model,
                inputs=[
                    "train",
                    "validation",
                    "pixel_statistics",
                    "params:training",
                    "params:network",
                    "checkpoints",
                    "tensorboard_logs",
                ],
                outputs=["model", "history"],
                name="train_model",
                preview_fn=partial(preview_network, network) if network else None,
            )
        ],
        namespace=name,
        inputs={"train", "validation", "pixel_statistics"},
        parameters={"training": "training", "network": f"{model}.network"},
        tags=["training", model],
    )
