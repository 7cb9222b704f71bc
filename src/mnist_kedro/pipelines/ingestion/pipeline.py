"""The ``ingestion`` pipeline."""

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.ingestion.nodes import ingest_mnist


def create_pipeline() -> Pipeline:
    """A file, a folder, a download or the sample in, a new version of ``mnist`` out."""
    return Pipeline(
        [
            Node(
                func=ingest_mnist,
                inputs="params:ingestion",
                outputs="mnist",
                name="ingest_mnist",
                tags="ingestion",
            )
        ]
    )
