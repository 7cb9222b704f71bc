"""Convert networks to ONNX.

The only converter from Keras is tf2onnx, which Keras's own ``model.export(format="onnx")`` uses.
tf2onnx 1.17.0 (March 2026) is looking for a maintainer, and with TensorFlow 2.21 it converts our
CNN to a file that cannot be run: constants of the ``Normalization`` layer become inputs of the
graph ("Required inputs (['cnn_1/standardize_1/Sub/y:0', …]) are missing"). The networks here use
about a dozen types of layers, so this module converts each type itself.
Keras stores images as (height, width, maps), ONNX as (maps, height, width).
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import onnx
import onnx.compose
from keras import layers
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from mnist_kedro.contracts import CLASSES, IMAGE_SIDE
from mnist_kedro.errors import InputError
from mnist_kedro.lineage import RECORD, record_of
from mnist_kedro.models.capsules import EPSILON, SelfAttentionRouting
from mnist_kedro.models.gradients import connected_copy
from mnist_kedro.models.saved_model import PIXELS, PROBABILITIES

DIGIT_SCORE = "digit_score"

_OPSET, _IR = 17, 8  # versions of 2022, which all current runtimes can load


def to_onnx(model: keras.Model) -> onnx.ModelProto:
    """Convert a network: ``pixels`` ``(n, 28, 28, 1)`` uint8 → ``probabilities`` ``(n, 10)``.

    The training record, as JSON, becomes a property of the file's metadata.

    Args:
        model: a network from the catalog.

    Raises:
        InputError: if the network has a layer of an unsupported type.
    """
    converted = _convert_pixels(model, PROBABILITIES, CLASSES)
    if record := record_of(model):
        helper.set_model_props(converted, {RECORD: json.dumps(record)})
    return converted


def add_digit_detector(converted: onnx.ModelProto, detector: bytes) -> None:
    """Add a second output to a converted network: ``digit_score`` ``(n, 1)``.

    Args:
        converted: the result of :func:`to_onnx`; it is changed in place.
        detector: the serialized result of :func:`digit_detector_to_onnx`.
    """
    prefixed = onnx.compose.add_prefix(
        onnx.load_from_string(detector), "detector_", rename_inputs=False, rename_outputs=False
    )
    converted.graph.node.extend(prefixed.graph.node)
    converted.graph.initializer.extend(prefixed.graph.initializer)
    converted.graph.output.extend(prefixed.graph.output)
    onnx.checker.check_model(converted, full_check=True)


def digit_detector_to_onnx(model: keras.Model) -> onnx.ModelProto:
    """Convert the digit detector: ``pixels`` ``(n, 28, 28, 1)`` → ``digit_score`` ``(n, 1)``."""
    return _convert_pixels(model, DIGIT_SCORE, 1)


def _convert_pixels(model: keras.Model, output: str, width: int) -> onnx.ModelProto:
    model = connected_copy(model)
    graph = _Graph()
    floats = graph.add("Cast", [PIXELS], to=TensorProto.FLOAT)
    maps = graph.add("Transpose", [floats], perm=[0, 3, 1, 2])
    graph.add("Identity", [_convert_layers(graph, model, maps)], output=output)
    shape: list[str | int | None] = ["n", IMAGE_SIDE, IMAGE_SIDE, 1]
    pixels = helper.make_tensor_value_info(PIXELS, TensorProto.UINT8, shape)
    outputs = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", width])
    return _make_model(graph, model.name, pixels, outputs)


def ink_finder_to_onnx(model: keras.Model) -> onnx.ModelProto:
    """Convert the ink finder: ``levels`` → ``ink``, both ``(n, 1, height, width)``."""
    graph = _Graph()
    graph.add("Identity", [_convert_layers(graph, connected_copy(model), "levels")], output="ink")
    values = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1, "height", "width"])
        for name in ("levels", "ink")
    )
    return _make_model(graph, model.name, *values)


def _convert_layers(graph: "_Graph", model: keras.Model, maps: str) -> str:
    """Convert all layers of a model, and return the name of its output."""
    values = {id(model.inputs[0]): maps}
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        inputs = [values[id(tensor)] for tensor in keras.tree.flatten(layer.input)]
        values[id(layer.output)] = _convert(graph, layer, inputs)
    return values[id(model.outputs[0])]


def _make_model(
    graph: "_Graph", name: str, given: onnx.ValueInfoProto, returned: onnx.ValueInfoProto
) -> onnx.ModelProto:
    model = helper.make_model(
        helper.make_graph(graph.nodes, name, [given], [returned], graph.constants),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
        producer_name="mnist_kedro",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


class _Graph:
    """The nodes and constants of a graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: Sequence[str], output: str = "", **options: Any) -> str:
        """Add a node, and return the name of its output."""
        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **options))
        return output

    def add_constant(self, values: Any, dtype: type = np.float32) -> str:
        """Add a constant, and return its name."""
        name = f"constant_{len(self.constants)}"
        array = np.ascontiguousarray(keras.ops.convert_to_numpy(values).astype(dtype))
        self.constants.append(numpy_helper.from_array(array, name))
        return name


def _convert(graph: _Graph, layer: layers.Layer, inputs: list[str]) -> str:
    convert = _CONVERSIONS.get(type(layer))
    if convert is None:
        raise InputError(
            f"a layer of type {type(layer).__name__} cannot be converted to ONNX; expected one of "
            f"{', '.join(kind.__name__ for kind in _CONVERSIONS)}; "
            "add its conversion to models/onnx_export.py."
        )
    return convert(graph, layer, inputs)


def _standardize(graph: _Graph, layer: layers.Normalization, inputs: list[str]) -> str:
    deviation = np.maximum(np.sqrt(np.asarray(layer.variance)), keras.config.epsilon())
    centered = graph.add("Sub", [*inputs, graph.add_constant(np.asarray(layer.mean).reshape(()))])
    return graph.add("Div", [centered, graph.add_constant(deviation.reshape(()))])


def _crop(graph: _Graph, layer: layers.Cropping2D, inputs: list[str]) -> str:
    (top, bottom), (left, right) = layer.cropping
    _, height, width, _ = layer.input.shape
    starts = graph.add_constant(np.array([top, left]), np.int64)
    ends = graph.add_constant(np.array([height - bottom, width - right]), np.int64)
    return graph.add(
        "Slice", [*inputs, starts, ends, graph.add_constant(np.array([2, 3]), np.int64)]
    )


def _convolve(graph: _Graph, layer: layers.Conv2D, inputs: list[str]) -> str:
    kernel = np.transpose(keras.ops.convert_to_numpy(layer.kernel), (3, 2, 0, 1))
    return _activate(graph, layer, _conv(graph, layer, inputs, kernel, 1))


def _convolve_depthwise(graph: _Graph, layer: layers.DepthwiseConv2D, inputs: list[str]) -> str:
    kernel = np.transpose(keras.ops.convert_to_numpy(layer.kernel), (2, 3, 0, 1))
    maps = kernel.shape[0]
    kernel = kernel.reshape(-1, 1, *kernel.shape[2:])
    return _activate(graph, layer, _conv(graph, layer, inputs, kernel, maps))


def _conv(
    graph: _Graph, layer: Any, inputs: list[str], kernel: NDArray[np.float32], groups: int
) -> str:
    weights = [
        graph.add_constant(kernel),
        *([graph.add_constant(layer.bias)] if layer.use_bias else []),
    ]
    options: dict[str, Any] = {"auto_pad": _padding(layer), "strides": layer.strides}
    if max(layer.dilation_rate) > 1:  # runtimes do not support `auto_pad` with dilation
        around = [
            rate * (side - 1) // 2 if layer.padding == "same" else 0
            for rate, side in zip(layer.dilation_rate, kernel.shape[2:], strict=True)
        ]
        options = {"dilations": layer.dilation_rate, "pads": around * 2}
    return graph.add(
        "Conv", [*inputs, *weights], kernel_shape=kernel.shape[2:], group=groups, **options
    )


def _pool(kind: str) -> Callable[[_Graph, Any, list[str]], str]:
    def pool(graph: _Graph, layer: Any, inputs: list[str]) -> str:
        return graph.add(
            kind,
            inputs,
            kernel_shape=layer.pool_size,
            strides=layer.strides,
            auto_pad=_padding(layer),
        )

    return pool


def _padding(layer: Any) -> str:
    return {"valid": "VALID", "same": "SAME_UPPER"}[layer.padding]


def _enlarge(graph: _Graph, layer: layers.UpSampling2D, inputs: list[str]) -> str:
    scales = graph.add_constant(np.array([1, 1, *layer.size]))
    mode = {"bilinear": "linear", "nearest": "nearest"}[layer.interpolation]
    return graph.add("Resize", [*inputs, "", scales], mode=mode)


def _normalize_batch(graph: _Graph, layer: layers.BatchNormalization, inputs: list[str]) -> str:
    weights = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
    constants = [graph.add_constant(weight) for weight in weights]
    return graph.add("BatchNormalization", [*inputs, *constants], epsilon=layer.epsilon)


def _flatten(graph: _Graph, layer: layers.Flatten, inputs: list[str]) -> str:
    if len(layer.input.shape) == 4:  # Keras flattens (height, width, maps)
        inputs = [graph.add("Transpose", inputs, perm=[0, 2, 3, 1])]
    return graph.add("Flatten", inputs, axis=1)


def _reshape(graph: _Graph, layer: layers.Reshape, inputs: list[str]) -> str:
    flat = _flatten(graph, layer, inputs)
    shape = graph.add_constant(np.array([-1, *layer.output.shape[1:]]), np.int64)
    return graph.add("Reshape", [flat, shape])


def _dense(graph: _Graph, layer: layers.Dense, inputs: list[str]) -> str:
    weights = [
        graph.add_constant(layer.kernel),
        *([graph.add_constant(layer.bias)] if layer.use_bias else []),
    ]
    return _activate(graph, layer, graph.add("Gemm", [*inputs, *weights]))


def _rescale(graph: _Graph, layer: layers.Rescaling, inputs: list[str]) -> str:
    scaled = graph.add("Mul", [*inputs, graph.add_constant(np.array(layer.scale))])
    return graph.add("Add", [scaled, graph.add_constant(np.array(layer.offset))])


def _activate(graph: _Graph, layer: Any, value: str) -> str:
    names = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "linear": ""}
    kind = names[layer.activation.__name__]
    return graph.add(kind, [value]) if kind else value


def _route(graph: _Graph, layer: SelfAttentionRouting, inputs: list[str]) -> str:
    """Convert :meth:`SelfAttentionRouting.call`."""
    one, tiny = graph.add_constant(np.array(1.0)), graph.add_constant(np.array(EPSILON))

    def lengths(capsules: str, *, keep: bool) -> str:
        squares = graph.add("Mul", [capsules, capsules])
        axes = graph.add_constant(np.array([-1]), np.int64)
        sums = graph.add("ReduceSum", [squares, axes], keepdims=int(keep))
        return graph.add("Sqrt", [graph.add("Add", [sums, tiny])])

    norms = lengths(*inputs, keep=True)
    factors = graph.add("Sub", [one, graph.add("Exp", [graph.add("Neg", [norms])])])
    squashed = graph.add("Mul", [graph.add("Div", [*inputs, norms]), factors])
    votes = graph.add(
        "Einsum", [squashed, graph.add_constant(layer.votes)], equation="nid,cide->ncie"
    )
    capsule_axis = graph.add_constant(np.array([2]), np.int64)
    total = graph.add("ReduceSum", [votes, capsule_axis], keepdims=1)
    last_axis = graph.add_constant(np.array([3]), np.int64)
    agreement = graph.add("ReduceSum", [graph.add("Mul", [votes, total]), last_axis], keepdims=0)
    scaled = graph.add("Div", [agreement, graph.add_constant(np.array(layer.size**0.5))])
    weights = graph.add(
        "Add", [graph.add("Softmax", [scaled], axis=1), graph.add_constant(layer.priors)]
    )
    capsules = graph.add("Einsum", [weights, votes], equation="nci,ncie->nce")
    return lengths(capsules, keep=False)


_CONVERSIONS: dict[type, Callable[[_Graph, Any, list[str]], str]] = {
    layers.Normalization: _standardize,
    layers.Cropping2D: _crop,
    layers.Conv2D: _convolve,
    layers.DepthwiseConv2D: _convolve_depthwise,
    layers.MaxPooling2D: _pool("MaxPool"),
    layers.AveragePooling2D: _pool("AveragePool"),
    layers.GlobalAveragePooling2D: lambda graph, _, inputs: graph.add(
        "Flatten", [graph.add("GlobalAveragePool", inputs)], axis=1
    ),
    layers.UpSampling2D: _enlarge,
    layers.Concatenate: lambda graph, _, inputs: graph.add("Concat", inputs, axis=1),
    layers.BatchNormalization: _normalize_batch,
    layers.ReLU: lambda graph, _, inputs: graph.add("Relu", inputs),
    layers.Add: lambda graph, _, inputs: graph.add("Sum", inputs),
    layers.Dropout: lambda _, __, inputs: inputs[0],  # inactive after training
    layers.Flatten: _flatten,
    layers.Reshape: _reshape,
    layers.Dense: _dense,
    layers.Softmax: lambda graph, _, inputs: graph.add("Softmax", inputs, axis=-1),
    layers.Rescaling: _rescale,
    SelfAttentionRouting: _route,
}
