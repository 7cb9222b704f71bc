"""The ``training`` pipeline."""

from collections.abc import Mapping
from functools import partial, update_wrapper
from itertools import chain

from kedro.pipeline import Node, Pipeline

from mnist_kedro.networks import NetworkParameters
from mnist_kedro.pipelines import member_names
from mnist_kedro.pipelines.figures import Sections, figure
from mnist_kedro.pipelines.training.nodes import (
    plot_augmented_digits,
    preview_network,
    train_model,
)


def create_pipeline(networks: Mapping[str, NetworkParameters], members: int = 1) -> Pipeline:
    """Create the same training for each network, so that the networks can be compared.

    Args:
        networks: by the names of their models.
        members: networks of each kind, which differ by their seeds.
    """
    trainings = [
        _create_training(model, name, member, network)
        for model, network in networks.items()
        for member, name in enumerate(member_names(model, members))
    ]
    figures = chain.from_iterable(create_figures().values())
    return sum(trainings, Pipeline(list(figures), tags="training"))


def create_figures() -> Sections:
    """Declare the figures."""
    return {"Training": [figure(plot_augmented_digits, ["train", "params:training"])]}


def _create_training(model: str, name: str, member: int, network: NetworkParameters) -> Pipeline:
    """Create the training of one network in a namespace of its own."""
    return Pipeline(
        [
            Node(
                func=update_wrapper(partial(train_model, name=name, member=member), train_model),
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
                preview_fn=partial(preview_network, network),
            )
        ],
        namespace=name,
        inputs={"train", "validation", "pixel_statistics"},
        parameters={"training": "training", "network": f"{model}.network"},
        tags=["training", model],
    )
