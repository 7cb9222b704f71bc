"""A network as a drawing. Importing this module imports TensorFlow."""

from mnist_kedro import quiet_tensorflow  # noqa: F401  (before all else that imports it)

# isort: split
import keras

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.networks import NetworkParameters

_ANY = PixelStatistics(mean=0.0, standard_deviation=1.0)  # they change nothing in the drawing


def draw_network(network: NetworkParameters) -> str:
    """The layers of a network and what goes from each to the next, in Mermaid's language.

    Each layer tells its type, the shape of what it hands on and its weights
    (https://mermaid.js.org/syntax/flowchart.html).
    """
    model = network.build(_ANY)
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
