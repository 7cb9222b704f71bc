"""The ``generation`` pipeline."""

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.generation.nodes import generate_digits


def create_pipeline() -> Pipeline:
    """Create the pipeline that generates digits from MNIST; the default run does not include it."""
    return Pipeline(
        [
            Node(
                func=generate_digits,
                inputs=["mnist", "params:generation"],
                outputs="generated_mnist",
                name="generate_digits",
            )
        ],
        tags="generation",
    )
