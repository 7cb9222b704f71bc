"""The ``report`` pipeline; its nodes are the functions of ``reports/``."""

from functools import partial, update_wrapper

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.figures import Sections, figure_names
from mnist_kedro.reports import render_model_card, render_report


def create_pipeline(model: str, sections: Sections) -> Pipeline:
    """Create the pipeline from metrics, tables and figures to a page and a model card.

    Args:
        model: that the report is about, and compares with the others.
        sections: the nodes that draw its figures, by the titles of its sections.
    """
    inputs = {
        "metrics": "metrics",
        "corruptions": "corruption_accuracies",
        "confidences": "out_of_distribution_confidences",
        "layers": f"{model}.layers",
        "run": "run",
    }
    names = {section: figure_names(nodes) for section, nodes in sections.items()}
    figures = {
        f"figure_{name}": f"figures.{name}" for section in names.values() for name in section
    }
    return Pipeline(
        [
            Node(
                func=update_wrapper(partial(render_report, sections=names), render_report),
                inputs=inputs | figures,
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
