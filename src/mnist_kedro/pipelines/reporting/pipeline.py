"""The ``reporting`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines import MODELS, member_names
from mnist_kedro.pipelines.reporting.nodes import (
    average_predictions,
    collect_metrics,
    compare_models,
    draw_class_balance,
    draw_confusion_matrix,
    draw_sample_predictions,
    draw_training_curves,
    draw_worst_mistakes,
    evaluate_ensemble,
    evaluate_model,
    predict_test_digits,
)


def create_pipeline(models: Sequence[str] = MODELS, members: int = 1) -> Pipeline:
    """Models and test digits in, metrics and figures out: the only reader of the test split.

    Args:
        models: by name; the figures of single predictions are of the first.
        members: networks of each; those of more than one are also averaged.
    """
    networks = {model: member_names(model, members) for model in models}
    single = [_evaluate(name) for names in networks.values() for name in names]
    ensembles = {f"{model}_ensemble": names for model, names in networks.items() if members > 1}
    averaged = [_average(ensemble, names) for ensemble, names in ensembles.items()]
    evaluated = [*(name for names in networks.values() for name in names), *ensembles]
    return sum(
        (*single, *averaged, _metrics([*models, *ensembles], evaluated), _figures(models)),
        Pipeline([]),
    )


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


def _average(ensemble: str, members: Sequence[str]) -> Pipeline:
    """The mean of several networks' probabilities, and how good it is."""
    return Pipeline(
        [
            Node(
                func=average_predictions,
                inputs={member: f"{member}.predictions" for member in members},
                outputs=f"{ensemble}.predictions",
                name=f"{ensemble}.average_predictions",
            ),
            Node(
                func=evaluate_ensemble,
                inputs={
                    "predictions": f"{ensemble}.predictions",
                    "test": "test",
                    **{member: f"{member}.evaluation" for member in members},
                },
                outputs=f"{ensemble}.evaluation",
                name=f"{ensemble}.evaluate_ensemble",
            ),
        ],
        tags=["reporting", ensemble],
    )


def _metrics(compared: Sequence[str], evaluated: Sequence[str]) -> Pipeline:
    """All models side by side; of an ensemble's members the first is compared with the others."""
    return Pipeline(
        [
            Node(
                func=compare_models,
                inputs={model: f"{model}.predictions" for model in compared},
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
                    **{model: f"{model}.evaluation" for model in evaluated},
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
