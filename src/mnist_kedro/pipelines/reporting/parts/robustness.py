"""What becomes of predictions on digits that are not as MNIST's."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.reporting.nodes.robustness import (
    draw_out_of_distribution,
    draw_robustness,
    evaluate_corruptions,
    measure_out_of_distribution,
)


def measure_robustness(models: Sequence[str]) -> Pipeline:
    """The models on digits as bad pens and paper make them, and on what is no digit."""
    takes = {
        "test": "test",
        "reporting": "params:reporting",
        **{model: f"{model}.model" for model in models},
    }
    return Pipeline(
        [
            Node(
                func=evaluate_corruptions,
                inputs=takes,
                outputs="corruption_accuracies",
                name="evaluate_corruptions",
            ),
            Node(
                func=measure_out_of_distribution,
                inputs=takes,
                outputs="out_of_distribution_confidences",
                name="measure_out_of_distribution",
            ),
            Node(
                func=draw_robustness,
                inputs=["test", "corruption_accuracies"],
                outputs="robustness",
                name="draw_robustness",
                tags="figures",
            ),
            Node(
                func=draw_out_of_distribution,
                inputs=["test", "out_of_distribution_confidences"],
                outputs="out_of_distribution",
                name="draw_out_of_distribution",
                tags="figures",
            ),
        ],
        tags=["reporting", "robustness"],
    )
