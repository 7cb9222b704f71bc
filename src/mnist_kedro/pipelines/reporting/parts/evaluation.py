"""How good each model is, and which is better."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.reporting.nodes.evaluation import (
    average_predictions,
    collect_metrics,
    compare_models,
    evaluate_ensemble,
    evaluate_model,
    predict_digits,
)


def evaluate_network(model: str) -> Pipeline:
    """One model's predictions, and how good those for the test digits are."""
    return Pipeline(
        [
            Node(
                func=predict_digits,
                inputs=["model", "test"],
                outputs="predictions",
                name="predict_test_digits",
            ),
            Node(
                func=predict_digits,
                inputs=["model", "validation"],
                outputs="validation_predictions",
                name="predict_validation_digits",
            ),
            Node(
                func=evaluate_model,
                inputs=[
                    "predictions",
                    "validation_predictions",
                    "history",
                    "test",
                    "params:reporting",
                ],
                outputs="evaluation",
                name="evaluate_model",
            ),
        ],
        namespace=model,
        inputs={"test", "validation"},
        parameters={"reporting"},
        tags=["reporting", model],
    )


def average_networks(ensemble: str, members: Sequence[str]) -> Pipeline:
    """The mean of several networks' probabilities, and how good it is."""
    return Pipeline(
        [
            *(
                Node(
                    func=average_predictions,
                    inputs={member: f"{member}.{predictions}" for member in members},
                    outputs=f"{ensemble}.{predictions}",
                    name=f"{ensemble}.average_{predictions}",
                )
                for predictions in ("predictions", "validation_predictions")
            ),
            Node(
                func=evaluate_ensemble,
                inputs={
                    "predictions": f"{ensemble}.predictions",
                    "validation_predictions": f"{ensemble}.validation_predictions",
                    "test": "test",
                    "reporting": "params:reporting",
                    **{member: f"{member}.evaluation" for member in members},
                },
                outputs=f"{ensemble}.evaluation",
                name=f"{ensemble}.evaluate_ensemble",
            ),
        ],
        tags=["reporting", ensemble],
    )


def compare_all(compared: Sequence[str], evaluated: Sequence[str]) -> Pipeline:
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
