"""Draw networks as diagrams."""

import keras

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.networks import NetworkParameters

_STATISTICS = PixelStatistics(mean=0.0, standard_deviation=1.0)  # not shown in the drawing


def draw_network(network: NetworkParameters) -> str:
    """Draw the layers of a network and their connections as a Mermaid flowchart.

    Each node shows the type of the layer, its output shape and its number of weights
    (https://mermaid.js.org/syntax/flowchart.html).
    """
    model = network.build(_STATISTICS)
    pixels = model.inputs[0]
    names = {id(pixels): "pixels"}
    lines = ["flowchart TD", f'pixels(["pixels<br/>{_shape(pixels)}"])']
    for number, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.InputLayer):
            continue
        name = f"layer{number}"
        weights = layer.count_params()
        detail = f"<br/>{weights:,} weights" if weights else ""
        lines.append(f'{name}["{type(layer).__name__}<br/>{_shape(layer.output)}{detail}"]')
        lines += [f"{names[id(source)]} --> {name}" for source in keras.tree.flatten(layer.input)]
        names[id(layer.output)] = name
    return "\n".join(lines)


def _shape(tensor: keras.KerasTensor) -> str:
    return "×".join(f"{size}" for size in tensor.shape[1:])
