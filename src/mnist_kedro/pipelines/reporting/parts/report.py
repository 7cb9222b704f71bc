"""All of it for people to read."""

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.reporting.nodes.understanding import describe_layers
from mnist_kedro.reports import FIGURES, render_model_card, render_report


def write_report(model: str) -> Pipeline:
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
