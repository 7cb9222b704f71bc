"""The ``training`` pipeline."""

from collections.abc import Mapping
from functools import partial, update_wrapper

from kedro.pipeline import Node, Pipeline

from mnist_kedro.networks import NetworkParameters
from mnist_kedro.pipelines import member_names
from mnist_kedro.pipelines.training.nodes import preview_network, train_model


def create_pipeline(networks: Mapping[str, NetworkParameters], members: int = 1) -> Pipeline:
    """Create the pipeline that trains all networks in the same way, so that they can be compared.

    Args:
        networks: the networks, by the names of their models.
        members: number of networks per model, which differ in their seeds; Kedro-Viz groups them.
    """
    return sum(
        (_train(model, network, members) for model, network in networks.items()), Pipeline([])
    )


def _train(model: str, network: NetworkParameters, members: int) -> Pipeline:
    """Create one node for a single network, or one node per member of an ensemble."""
    return Pipeline(
        [
            Node(
                func=update_wrapper(partial(train_model, name=name, member=member), train_model),
                inputs=[
                    "train",
                    "validation",
                    "pixel_statistics",
                    "params:training",
                    f"params:{model}.network",
                    f"{name}.checkpoints",
                    "tensorboard_logs",
                    "run",
                ],
                outputs=[f"{name}.model", f"{name}.history"],
                name=f"train_{name}",
                tags=name,
                preview_fn=partial(preview_network, network),
            )
            for member, name in enumerate(member_names(model, members))
        ],
        namespace=f"{model}_ensemble" if members > 1 else None,
        prefix_datasets_with_namespace=False,
        tags=["training", model],
    )
