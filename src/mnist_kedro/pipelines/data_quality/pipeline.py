"""The ``data_quality`` pipeline."""

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.data_quality.nodes import (
    check_classes,
    check_content,
    check_duplicates,
    check_images,
    check_label_errors,
    check_near_duplicates,
    collect_findings,
)
from mnist_kedro.reports.data_quality import render_data_quality

# The names of the checks; the node of each saves its findings as `findings.<check>`.
CHECKS = ("classes", "content", "images", "duplicates", "near_duplicates")
LABEL_ERRORS = "label_errors"


def create_pipeline(label_errors: bool = False) -> Pipeline:
    """Create the pipeline that checks the ingested digits and renders a page with the findings.

    Args:
        label_errors: whether to search for label errors, which trains networks.
    """
    checks = [*CHECKS, LABEL_ERRORS] if label_errors else CHECKS
    nodes = [
        Node(
            func=check_classes,
            inputs="mnist",
            outputs="findings.classes",
            name="check_classes",
        ),
        Node(
            func=check_content,
            inputs="mnist",
            outputs="findings.content",
            name="check_content",
        ),
        Node(
            func=check_images,
            inputs=["mnist", "params:data_quality.examples"],
            outputs=["findings.images", "mean_digits"],
            name="check_images",
        ),
        Node(
            func=check_duplicates,
            inputs=["mnist", "params:data_quality.examples"],
            outputs="findings.duplicates",
            name="check_duplicates",
        ),
        Node(
            func=check_near_duplicates,
            inputs=["mnist", "params:data_quality.examples"],
            outputs="findings.near_duplicates",
            name="check_near_duplicates",
        ),
        Node(
            func=collect_findings,
            inputs={"mnist": "mnist"} | {check: f"findings.{check}" for check in checks},
            outputs="data_quality",
            name="collect_findings",
        ),
        Node(
            func=render_data_quality,
            inputs=["mnist", "mean_digits", "data_quality", "run"],
            outputs="data_quality_page",
            name="write_data_quality_page",
        ),
    ]
    if label_errors:
        nodes.append(
            Node(
                func=check_label_errors,
                inputs=["mnist", "params:data_quality", "params:training", "params:cnn.network"],
                outputs=["label_errors", "findings.label_errors"],
                name="check_label_errors",
                tags="label_errors",
            )
        )
    return Pipeline(nodes, tags="data_quality")
