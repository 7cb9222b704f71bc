"""The ``report`` pipeline; its nodes are the functions of ``reports/``."""

from collections.abc import Sequence
from functools import partial, update_wrapper

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines import evaluation, interpretation, robustness
from mnist_kedro.pipelines.figures import figure_names
from mnist_kedro.reports import DRAWN_BY_THE_PAGE, render_model_card, render_report


def create_pipeline(models: Sequence[str]) -> Pipeline:
    """Create the pipeline that writes the report and the model card.

    Args:
        models: names of the models; the report compares the first with the others.
    """
    model = models[0]
    inputs = {
        "metrics": "metrics",
        "corruptions": "corruption_accuracies",
        "confidences": "out_of_distribution_confidences",
        "layers": f"{model}.layers",
        "run": "run",
    }
    sections: dict[str, list[str]] = {}  # names of the figures
    for part in (
        evaluation.create_figures(models),
        robustness.create_figures(),
        interpretation.create_figures(model),
    ):
        for section, nodes in part.items():
            sections.setdefault(section, []).extend(figure_names(nodes))
    digits = {
        "test": "test",
        "predictions": f"{model}.predictions",
        "embedded_digits": f"{model}.embedded_digits",
    }
    figures = {
        f"figure_{name}": f"figures.{name}"
        for names in sections.values()
        for name in names
        if name not in DRAWN_BY_THE_PAGE
    }
    return Pipeline(
        [
            Node(
                func=update_wrapper(partial(render_report, sections=sections), render_report),
                inputs=inputs | digits | figures,
                outputs="report",
                name="write_report",
            ),
            Node(
                func=render_model_card,
                inputs=inputs,
                outputs="model_card",
                name="write_model_card",
            ),
        ],
        tags="report",
    )
