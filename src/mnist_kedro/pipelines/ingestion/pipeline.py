"""The ``ingestion`` pipeline."""

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.ingestion.nodes import ingest_mnist


def create_pipeline() -> Pipeline:
    """Create the pipeline that reads MNIST from a file, a download or the sample into ``mnist``."""
    return Pipeline(
        [
            Node(
                func=ingest_mnist,
                inputs=["params:ingestion", "source_store"],
                outputs="mnist",
                name="ingest_mnist",
                tags="ingestion",
            )
        ]
    )
