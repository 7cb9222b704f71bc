"""Figures of predictions, training and data."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.reporting.nodes.figures import (
    draw_class_balance,
    draw_confusion_matrix,
    draw_least_confident_hits,
    draw_reliability_diagram,
    draw_risk_coverage,
    draw_sample_predictions,
    draw_training_curves,
    draw_worst_mistakes,
)


def draw_figures(models: Sequence[str], compared: Sequence[str]) -> Pipeline:
    """One figure a node; those of single predictions are of the first model."""
    shown = {models[0]: f"{models[0]}.predictions"}
    return Pipeline(
        [
            Node(
                func=draw_class_balance,
                inputs=["train", "validation", "test"],
                outputs="class_balance",
                name="draw_class_balance",
            ),
            Node(
                func=draw_training_curves,
                inputs={"train": "train", **{model: f"{model}.history" for model in models}},
                outputs="training_curves",
                name="draw_training_curves",
            ),
            Node(
                func=draw_confusion_matrix,
                inputs={"test": "test", **shown},
                outputs="confusion_matrix",
                name="draw_confusion_matrix",
            ),
            Node(
                func=draw_sample_predictions,
                inputs={"test": "test", "reporting": "params:reporting", **shown},
                outputs="sample_predictions",
                name="draw_sample_predictions",
            ),
            Node(
                func=draw_worst_mistakes,
                inputs={"test": "test", "reporting": "params:reporting", **shown},
                outputs="worst_mistakes",
                name="draw_worst_mistakes",
            ),
            Node(
                func=draw_least_confident_hits,
                inputs={"test": "test", "reporting": "params:reporting", **shown},
                outputs="least_confident_hits",
                name="draw_least_confident_hits",
            ),
            Node(
                func=draw_reliability_diagram,
                inputs={"metrics": "metrics", "test": "test", **shown},
                outputs="reliability_diagram",
                name="draw_reliability_diagram",
            ),
            Node(
                func=draw_risk_coverage,
                inputs={
                    "metrics": "metrics",
                    "test": "test",
                    **{model: f"{model}.predictions" for model in compared},
                },
                outputs="risk_coverage",
                name="draw_risk_coverage",
            ),
        ],
        tags=["reporting", "figures"],
    )
