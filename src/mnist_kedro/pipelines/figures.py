"""Create the nodes that draw figures."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, update_wrapper
from typing import Any

from kedro.pipeline import Node
from matplotlib.figure import Figure

from mnist_kedro.lineage import mark_as_checking, with_lineage

Sections = Mapping[str, Sequence[Node]]  # nodes that draw figures, by section of the report


def figure(
    plot: Callable[..., Figure], inputs: Sequence[str] | Mapping[str, str], **options: Any
) -> Node:
    """Create the node that draws a figure.

    The name of the function determines all names: ``plot_confusion_matrix`` becomes the node
    ``draw_confusion_matrix`` and the dataset ``figures.confusion_matrix``, which the catalog saves
    as ``confusion_matrix.png``. The node checks that the lineages of its inputs match.

    Args:
        plot: a function that returns a figure of the inputs; its name begins with ``plot_``.
        inputs: names of the input datasets, in the form that ``Node`` accepts.
        options: further arguments of the function, such as the name of the model.
    """
    name = plot.__name__.removeprefix("plot_")
    return Node(
        func=mark_as_checking(update_wrapper(partial(_draw, plot, options), plot)),
        inputs=dict(inputs) if isinstance(inputs, Mapping) else list(inputs),
        outputs=f"figures.{name}",
        name=f"draw_{name}",
    )


def _draw(
    plot: Callable[..., Figure], options: Mapping[str, Any], *inputs: Any, **named_inputs: Any
) -> Figure:
    return with_lineage(plot)(*inputs, **named_inputs, **options)


def figure_names(nodes: Sequence[Node]) -> list[str]:
    """Return the names of the figures, without the prefix ``figures.``."""
    return [output.removeprefix("figures.") for node in nodes for output in node.outputs]
