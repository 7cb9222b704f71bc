"""The ``reporting`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines import MODELS
from mnist_kedro.pipelines.reporting.nodes import (
    collect_metrics,
    compare_models,
    draw_class_balance,
    draw_confusion_matrix,
    draw_sample_predictions,
    draw_training_curves,
    draw_worst_mistakes,
    evaluate_model,
    predict_test_digits,
)


def create_pipeline(models: Sequence[str] = MODELS) -> Pipeline:
    """Models and test digits in, metrics and figures out: the only reader of the test split.

    Args:
        models: by name; the figures of single predictions are of the first.
    """
    evaluations = sum((_evaluate(model) for model in models), Pipeline([]))
    return evaluations + _metrics(models) + _figures(models)


def _evaluate(model: str) -> Pipeline:
    """One model's predictions for the test digits, and how good they are."""
    return Pipeline(
        [
            Node(
                func=predict_test_digits,
                inputs=["model", "test"],
                outputs="predictions",
                name="predict_test_digits",
            ),
            Node(
                func=evaluate_model,
                inputs=["predictions", "history", "test"],
                outputs="evaluation",
                name="evaluate_model",
            ),
        ],
        namespace=model,
        inputs={"test"},
        tags=["reporting", model],
    )


def _metrics(models: Sequence[str]) -> Pipeline:
    """All models side by side."""
    return Pipeline(
        [
            Node(
                func=compare_models,
                inputs={model: f"{model}.predictions" for model in models},
                outputs="comparison",
                name="compare_models",
            ),
            Node(
                func=collect_metrics,
                inputs={
                    "train": "train",
                    "validation": "validation",
                    "test": "test",
                    "comparison": "comparison",
                    **{model: f"{model}.evaluation" for model in models},
                },
                outputs="metrics",
                name="collect_metrics",
            ),
        ],
        tags="reporting",
    )


def _figures(models: Sequence[str]) -> Pipeline:
    """One figure a node."""
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
        ],
        tags=["reporting", "figures"],
    )
