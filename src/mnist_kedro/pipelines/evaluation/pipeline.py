"""The ``evaluation`` pipeline."""

from collections.abc import Sequence
from itertools import chain

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines import member_names
from mnist_kedro.pipelines.evaluation.nodes import (
    average_predictions,
    collect_metrics,
    compare_models,
    evaluate_ensemble,
    evaluate_model,
    predict_digits,
)
from mnist_kedro.pipelines.figures import Sections, figure
from mnist_kedro.plots.balance import plot_class_balance
from mnist_kedro.plots.calibration import plot_reliability_diagram
from mnist_kedro.plots.confusion import plot_confusion_matrix
from mnist_kedro.plots.digits import (
    plot_least_confident_hits,
    plot_sample_predictions,
    plot_test_digits,
    plot_worst_mistakes,
)
from mnist_kedro.plots.selective import plot_risk_coverage
from mnist_kedro.plots.training_curves import plot_training_curves


def create_pipeline(models: Sequence[str], members: int = 1) -> Pipeline:
    """Create the pipeline that evaluates models on the test split.

    Args:
        models: names of the models; figures of individual predictions show the first model.
        members: number of networks per model; more than one are also evaluated as an ensemble.
    """
    networks = {model: member_names(model, members) for model in models}
    every = [name for names in networks.values() for name in names]
    ensembles = {f"{model}_ensemble": names for model, names in networks.items() if members > 1}
    figures = chain.from_iterable(create_figures([*models, *ensembles]).values())
    return sum(
        (
            *(_evaluate_network(name) for name in every),
            *(_evaluate_ensemble(ensemble, names) for ensemble, names in ensembles.items()),
            _compare(compared=[*models, *ensembles], evaluated=[*every, *ensembles]),
        ),
        Pipeline(list(figures), tags=["evaluation", "figures"]),
    )


def create_figures(models: Sequence[str]) -> Sections:
    """Create the figures' nodes; figures of individual predictions show the first model."""
    model = models[0]
    predictions = ["test", f"{model}.predictions"]
    all_predictions = {name: f"{name}.predictions" for name in models}
    trained = [name for name in models if not name.endswith("_ensemble")]
    return {
        "Mistakes": [
            figure(plot_worst_mistakes, [*predictions, "params:reporting"], model=model),
            figure(plot_confusion_matrix, predictions, model=model),
            figure(plot_sample_predictions, [*predictions, "params:reporting"], model=model),
            figure(plot_test_digits, predictions, model=model),
        ],
        "Confidence": [
            figure(plot_risk_coverage, {"test": "test", "metrics": "metrics"} | all_predictions),
            figure(plot_reliability_diagram, [*predictions, "metrics"], model=model),
            figure(plot_least_confident_hits, [*predictions, "params:reporting"], model=model),
        ],
        "Training": [
            figure(
                plot_training_curves,
                {"train": "train"} | {name: f"{name}.history" for name in trained},
            ),
            figure(plot_class_balance, ["train", "validation", "test"]),
        ],
    }


def _evaluate_network(name: str) -> Pipeline:
    """Create the nodes that evaluate one network, in its namespace."""
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
        namespace=name,
        inputs={"test", "validation"},
        parameters={"reporting"},
        tags=["evaluation", name],
    )


def _evaluate_ensemble(ensemble: str, members: Sequence[str]) -> Pipeline:
    """Create the nodes that average the probabilities of networks, and evaluate the average."""
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
        tags=["evaluation", ensemble],
    )


def _compare(compared: Sequence[str], evaluated: Sequence[str]) -> Pipeline:
    """Create the nodes that compare some models, and collect the metrics of all models."""
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
        tags="evaluation",
    )
