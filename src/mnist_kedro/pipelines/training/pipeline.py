"""The ``training`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines import MODELS
from mnist_kedro.pipelines.training.nodes import train_model


def create_pipeline(models: Sequence[str] = MODELS) -> Pipeline:
    """The same training for each network, so that they can be compared."""
    return sum((_train(model) for model in models), Pipeline([]))


def _train(model: str) -> Pipeline:
    """Digits in, one trained model and its history out; instantiated once per model name."""
    return Pipeline(
        [
            Node(
                func=train_model,
                inputs=[
                    "train",
                    "validation",
                    "pixel_statistics",
                    "params:training",
                    "params:network",
                    "checkpoints",
                ],
                outputs=["model", "history"],
                name="train_model",
            )
        ],
        namespace=model,
        inputs={"train", "validation", "pixel_statistics"},
        parameters="training",
        tags=["training", model],
    )
