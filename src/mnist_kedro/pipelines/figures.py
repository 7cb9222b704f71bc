"""Declare the figures that pipelines draw."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, update_wrapper
from typing import Any

from kedro.pipeline import Node
from matplotlib.figure import Figure

Sections = Mapping[str, Sequence[Node]]  # nodes of figures, by the section of the report


def figure(
    plot: Callable[..., Figure], inputs: Sequence[str] | Mapping[str, str], **options: Any
) -> Node:
    """Create the node that draws a figure.

    The name of the function determines all names: ``plot_confusion_matrix`` makes the node
    ``draw_confusion_matrix`` and the dataset ``figures.confusion_matrix``, which the catalog saves
    as ``confusion_matrix.png``.

    Args:
        plot: a function of the inputs that returns a figure; its name begins with ``plot_``.
        inputs: datasets, as of any node.
        options: further arguments of the function, such as the name of the model.
    """
    name = plot.__name__.removeprefix("plot_")
    return Node(
        func=update_wrapper(partial(plot, **options), plot) if options else plot,
        inputs=dict(inputs) if isinstance(inputs, Mapping) else list(inputs),
        outputs=f"figures.{name}",
        name=f"draw_{name}",
    )


def figure_names(nodes: Sequence[Node]) -> list[str]:
    """Return the names of figures without their namespace."""
    return [output.removeprefix("figures.") for node in nodes for output in node.outputs]
