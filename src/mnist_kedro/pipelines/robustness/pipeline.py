"""The ``robustness`` pipeline."""

from collections.abc import Sequence
from functools import partial, update_wrapper
from itertools import chain

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.figures import Sections, figure
from mnist_kedro.pipelines.robustness.nodes import (
    SUITE,
    collect_corruptions,
    evaluate_corruptions,
    measure_out_of_distribution,
)
from mnist_kedro.plots.robustness import plot_out_of_distribution, plot_robustness


def create_pipeline(models: Sequence[str], corruption_parts: int = 1) -> Pipeline:
    """Create the pipeline that evaluates models on corrupted and out-of-distribution images.

    Args:
        models: names of the models.
        corruption_parts: number of nodes that share the corruptions; at most one for each.
    """
    inputs = {
        "test": "test",
        "reporting": "params:reporting",
        **{model: f"{model}.model" for model in models},
    }
    measurements = [
        *_evaluate_corruptions(inputs, min(corruption_parts, len(SUITE))),
        Node(
            func=measure_out_of_distribution,
            inputs=inputs,
            outputs="out_of_distribution_confidences",
            name="measure_out_of_distribution",
        ),
    ]
    figures = chain.from_iterable(create_figures().values())
    return Pipeline(measurements, tags="robustness") + Pipeline(
        list(figures), tags=["robustness", "figures"]
    )


def create_figures() -> Sections:
    """Declare the figures."""
    return {
        "Robustness": [figure(plot_robustness, ["test", "corruption_accuracies"])],
        "Confidence": [
            figure(plot_out_of_distribution, ["test", "out_of_distribution_confidences"])
        ],
    }


def _evaluate_corruptions(inputs: dict[str, str], parts: int) -> list[Node]:
    """Create one node for all corruptions, or one for each part and one that joins the parts."""
    if parts == 1:
        return [
            Node(
                func=evaluate_corruptions,
                inputs=inputs,
                outputs="corruption_accuracies",
                name="evaluate_corruptions",
            )
        ]
    return [
        *(_evaluate_part(inputs, part, parts) for part in range(parts)),
        Node(
            func=collect_corruptions,
            inputs=[f"corruption_accuracies_{part + 1}" for part in range(parts)],
            outputs="corruption_accuracies",
            name="collect_corruptions",
        ),
    ]


def _evaluate_part(inputs: dict[str, str], part: int, parts: int) -> Node:
    """Create the node of every ``parts``-th corruption, so that all parts take about as long."""
    func = partial(evaluate_corruptions, corruptions=SUITE[part::parts])
    return Node(
        func=update_wrapper(func, evaluate_corruptions),
        inputs=inputs,
        outputs=f"corruption_accuracies_{part + 1}",
        name=f"evaluate_corruptions_{part + 1}",
    )
