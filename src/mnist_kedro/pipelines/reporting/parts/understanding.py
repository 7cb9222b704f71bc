"""What a network has learned."""

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.reporting.nodes.understanding import (
    draw_attributions,
    draw_embedding,
    draw_feature_maps,
    draw_first_layer,
)


def look_into(model: str) -> Pipeline:
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
                func=draw_feature_maps,
                inputs=read,
                outputs="feature_maps",
                name="draw_feature_maps",
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
