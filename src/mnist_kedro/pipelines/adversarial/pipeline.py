"""The ``adversarial`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.adversarial.nodes import attack_models
from mnist_kedro.pipelines.figures import figure
from mnist_kedro.plots.adversarial import plot_adversarial_accuracy, plot_adversarial_digits


def create_pipeline(models: Sequence[str]) -> Pipeline:
    """Create the pipeline that attacks models with adversarial examples.

    Args:
        models: names of the models; the figure of individual digits shows the first model.
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
            figure(plot_adversarial_accuracy, ["test", "adversarial_accuracies"]),
            figure(
                plot_adversarial_digits,
                [f"{first}.model", "test", "params:adversarial"],
                name=first,
            ),
        ],
        tags="adversarial",
    )
