"""What becomes of predictions on digits that are not as MNIST's."""

from collections.abc import Sequence
from functools import partial, update_wrapper

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.reporting.nodes.robustness import (
    SUITE,
    collect_corruptions,
    draw_out_of_distribution,
    draw_robustness,
    evaluate_corruptions,
    measure_out_of_distribution,
)


def measure_robustness(models: Sequence[str], corruption_parts: int = 1) -> Pipeline:
    """The models on digits as bad pens and paper make them, and on what is no digit.

    Args:
        models: by name.
        corruption_parts: nodes that share the corruptions.
    """
    takes = {
        "test": "test",
        "reporting": "params:reporting",
        **{model: f"{model}.model" for model in models},
    }
    return Pipeline(
        [
            *_corrupt(takes, corruption_parts),
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


def _corrupt(takes: dict[str, str], parts: int) -> list[Node]:
    """One node for the whole suite, or one for each part of it and one that puts them together."""
    if parts == 1:
        return [
            Node(
                func=evaluate_corruptions,
                inputs=takes,
                outputs="corruption_accuracies",
                name="evaluate_corruptions",
            )
        ]
    return [
        *(_corrupt_part(takes, part, parts) for part in range(parts)),
        Node(
            func=collect_corruptions,
            inputs=[f"corruption_accuracies_{part + 1}" for part in range(parts)],
            outputs="corruption_accuracies",
            name="collect_corruptions",
        ),
    ]


def _corrupt_part(takes: dict[str, str], part: int, parts: int) -> Node:
    """Corruptions so many apart, so that each part has some of every kind."""
    func = partial(evaluate_corruptions, corruptions=SUITE[part::parts])
    return Node(
        func=update_wrapper(func, evaluate_corruptions),
        inputs=takes,
        outputs=f"corruption_accuracies_{part + 1}",
        name=f"evaluate_corruptions_{part + 1}",
    )
