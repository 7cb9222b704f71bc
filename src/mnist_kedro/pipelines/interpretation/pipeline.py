"""The ``interpretation`` pipeline."""

from itertools import chain

from kedro.pipeline import Node, Pipeline

from mnist_kedro.pipelines.figures import Sections, figure
from mnist_kedro.pipelines.interpretation.nodes import describe_layers, embed_test_digits
from mnist_kedro.plots.augmentation import plot_augmented_digits
from mnist_kedro.plots.interpretation import (
    plot_attributions,
    plot_embedding,
    plot_feature_maps,
    plot_first_layer,
)


def create_pipeline(model: str) -> Pipeline:
    """Create the pipeline that visualizes a model's training digits and what it has learned."""
    layers = Node(
        func=describe_layers,
        inputs=f"{model}.model",
        outputs=f"{model}.layers",
        name="describe_layers",
    )
    embedding = Node(
        func=embed_test_digits,
        inputs=[f"{model}.model", "test", f"{model}.predictions"],
        outputs=f"{model}.embedded_digits",
        name="embed_test_digits",
    )
    figures = chain.from_iterable(create_figures(model).values())
    return Pipeline([layers, embedding, *figures], tags="interpretation")


def create_figures(model: str) -> Sections:
    """Create the nodes of the figures, by section of the report."""
    network = f"{model}.model"
    predictions = f"{model}.predictions"
    return {
        "Mistakes": [figure(plot_attributions, [network, "test", predictions], name=model)],
        "Training": [figure(plot_augmented_digits, ["train", f"{model}.history"])],
        "What it has learned": [
            figure(plot_first_layer, [network, "test"], name=model),
            figure(plot_feature_maps, [network, "test", predictions], name=model),
            figure(plot_embedding, ["test", f"{model}.embedded_digits"], name=model),
        ],
    }
