"""The ``reporting`` pipeline."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines import MODELS, member_names
from mnist_kedro.pipelines.reporting.nodes.evaluation import (
    average_predictions,
    collect_metrics,
    compare_models,
    evaluate_ensemble,
    evaluate_model,
    predict_digits,
)
from mnist_kedro.pipelines.reporting.nodes.figures import (
    draw_class_balance,
    draw_confusion_matrix,
    draw_reliability_diagram,
    draw_risk_coverage,
    draw_sample_predictions,
    draw_training_curves,
    draw_worst_mistakes,
)
from mnist_kedro.pipelines.reporting.nodes.robustness import (
    draw_out_of_distribution,
    draw_robustness,
    evaluate_corruptions,
    measure_out_of_distribution,
)
from mnist_kedro.pipelines.reporting.nodes.understanding import (
    describe_layers,
    draw_attributions,
    draw_embedding,
    draw_first_layer,
)
from mnist_kedro.reports import FIGURES, render_model_card, render_report


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
    compared = [*models, *ensembles]
    return sum(
        (
            *single,
            *averaged,
            _metrics(compared, evaluated),
            _figures(models, compared),
            _robustness(models),
            _understanding(models[0]),
            _report(models[0]),
        ),
        Pipeline([]),
    )


def _evaluate(model: str) -> Pipeline:
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


def _average(ensemble: str, members: Sequence[str]) -> Pipeline:
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


def _figures(models: Sequence[str], compared: Sequence[str]) -> Pipeline:
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


def _robustness(models: Sequence[str]) -> Pipeline:
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


def _understanding(model: str) -> Pipeline:
    """What one network has learned and looks at."""
    network = {model: f"{model}.model"}
    read = {"test": "test", "predictions": f"{model}.predictions", **network}
    return Pipeline(
        [
            Node(
                func=draw_first_layer,
                inputs={"test": "test", **network},
                outputs="first_layer",
                name="draw_first_layer",
            ),
            Node(
                func=draw_attributions,
                inputs=read,
                outputs="attributions",
                name="draw_attributions",
            ),
            Node(
                func=draw_embedding,
                inputs=read,
                outputs="embedding",
                name="draw_embedding",
            ),
        ],
        tags=["reporting", "understanding"],
    )


def _report(model: str) -> Pipeline:
    """All of it for people to read; it is about the first model, beside the others."""
    told = {
        "metrics": "metrics",
        "corruptions": "corruption_accuracies",
        "confidences": "out_of_distribution_confidences",
        "layers": f"{model}.layers",
        "run": "run",
    }
    return Pipeline(
        [
            Node(
                func=describe_layers,
                inputs=f"{model}.model",
                outputs=f"{model}.layers",
                name="describe_layers",
            ),
            Node(
                func=render_report,
                inputs={**told, **{figure: figure for figure in FIGURES}},
                outputs="report",
                name="write_report",
            ),
            Node(
                func=render_model_card,
                inputs=told,
                outputs="model_card",
                name="write_model_card",
            ),
        ],
        tags="reporting",
    )
