"""The ``robustness`` pipeline."""

from collections.abc import Sequence
from itertools import chain

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.figures import Sections, figure
from mnist_kedro.pipelines.picture_calibration.nodes import photograph_digits
from mnist_kedro.pipelines.robustness.nodes import (
    evaluate_corruptions,
    measure_out_of_distribution,
)
from mnist_kedro.plots.robustness import plot_out_of_distribution, plot_robustness


def create_pipeline(models: Sequence[str]) -> Pipeline:
    """Create the pipeline that evaluates models on images that differ from the test digits.

    These are corrupted and photographed test digits, and out-of-distribution images.
    """
    networks = {model: f"{model}.model" for model in models}
    measurements = [
        Node(
            func=photograph_digits,
            inputs=["test", "params:picture_calibration"],
            outputs="photographed_test",
            name="photograph_test_digits",
        ),
        Node(
            func=evaluate_corruptions,
            # Kedro determines the types of the parameters by the order of the inputs.
            inputs={
                "test": "test",
                "photographed_test": "photographed_test",
                "reporting": "params:reporting",
                **networks,
            },
            outputs="corruption_accuracies",
            name="evaluate_corruptions",
        ),
        Node(
            func=measure_out_of_distribution,
            inputs={
                "test": "test",
                "validation": "validation",
                "reporting": "params:reporting",
                **networks,
            },
            outputs="out_of_distribution_confidences",
            name="measure_out_of_distribution",
        ),
    ]
    figures = chain.from_iterable(create_figures().values())
    return Pipeline(measurements, tags="robustness") + Pipeline(
        list(figures), tags=["robustness", "figures"]
    )


def create_figures() -> Sections:
    """Create the nodes of the figures, by section of the report."""
    return {
        "Robustness": [
            figure(plot_robustness, ["test", "corruption_accuracies"]),
            figure(plot_out_of_distribution, ["test", "out_of_distribution_confidences"]),
        ],
    }
