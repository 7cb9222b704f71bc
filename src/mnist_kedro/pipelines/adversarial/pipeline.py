"""The ``adversarial`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.adversarial.nodes import (
    attack_models,
    draw_adversarial_accuracy,
    draw_adversarial_digits,
)


def create_pipeline(models: Sequence[str]) -> Pipeline:
    """Test digits, changed just so that the trained models misread them; runs on request only.

    Args:
        models: by name; the digits that are shown are changed for the first.
    """
    first = models[0]
    return Pipeline(
        [
            Node(
                func=attack_models,
                inputs={
                    "test": "test",
                    "adversarial": "params:adversarial",
                    **{model: f"{model}.model" for model in models},
                },
                outputs="adversarial_accuracies",
                name="attack_models",
            ),
            Node(
                func=draw_adversarial_accuracy,
                inputs=["test", "adversarial_accuracies"],
                outputs="adversarial_accuracy",
                name="draw_adversarial_accuracy",
            ),
            Node(
                func=draw_adversarial_digits,
                inputs={
                    "test": "test",
                    "adversarial": "params:adversarial",
                    first: f"{first}.model",
                },
                outputs="adversarial_digits",
                name="draw_adversarial_digits",
            ),
        ],
        tags="adversarial",
    )
