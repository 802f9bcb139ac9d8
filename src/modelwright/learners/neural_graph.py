"""The graph of a network: the same arrays as an ONNX model, for run-times that speak it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import MissingLibrary
from modelwright.learners._design import CLIP
from modelwright.learners._inputs import BEND
from modelwright.learners._network import VECTOR

if TYPE_CHECKING:
    from modelwright.learners._inputs import Inputs
    from modelwright.learners._network import Network
    from modelwright.learners.neural import NeuralModel

OPSET, IR = 17, 8
"""Old enough for run-times of 2022 on, new enough for all that is used."""


def graph(model: NeuralModel) -> bytes:
    """Return the ONNX model that answers as this one does, to five digits.

    Its input ``features`` is float32 of shape (n_rows, n_features), NaN where missing, as a feature plan makes it;
    its output is ``value``, shape (n_rows,), or ``probabilities``, shape (n_rows, n_classes).

    Raises:
        MissingLibrary: The ``onnx`` package is not installed.
    """
    try:
        from onnx import TensorProto, checker, helper
    except ImportError as error:
        raise MissingLibrary(
            "a graph is written by its library", where="onnx", got=str(error), fix="pip install 'modelwright[onnx]'"
        ) from error
    pen = _Pen(helper)
    name = _answer(pen, model, _margins(pen, model))
    shape: list[str | int | None] = ["n_rows", model.n_classes] if model.n_classes else ["n_rows"]
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n_rows", model.inputs.design.n_features])
    answer = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    made = helper.make_graph(pen.nodes, "neural", [features], [answer], pen.constants)
    whole = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    checker.check_model(whole, full_check=True)
    return bytes(whole.SerializeToString())


class _Pen:
    """Writes nodes and constants; names are numbered."""

    def __init__(self, helper: Any) -> None:
        self.helper = helper
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def put(self, kind: str, *inputs: str, name: str = "", **how: Any) -> str:
        """Add a node and return the name of what comes out."""
        out = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(kind, list(inputs), [out], **how))
        return out

    def hold(self, values: Any, dtype: Any = np.float32) -> str:
        """Add a constant and return its name."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=dtype), name))
        return name

    def columns(self, at: Any) -> str:
        """Return the features at these positions."""
        return self.put("Gather", "features", self.hold(at, np.int64), axis=1)


def _margins(pen: _Pen, model: NeuralModel) -> str:
    """Return the margins of all members of all starts, shape (n_members, n_rows, n_outputs)."""
    columns = _columns(pen, model.inputs)
    told = []
    for network in model.networks:
        parts = [*columns, _vectors(pen, model.inputs, network)] if len(model.inputs.code_at) else columns
        shown = parts[0] if len(parts) == 1 else pen.put("Concat", *parts, axis=1)
        heads = pen.put("MatMul", _hidden(pen, network, shown), pen.hold(network.head))
        told.append(pen.put("Add", heads, pen.hold(network.head_bias[:, None])))
    return told[0] if len(told) == 1 else pen.put("Concat", *told, axis=0)


def _columns(pen: _Pen, inputs: Inputs) -> list[str]:
    """Return the columns that ``Inputs`` makes."""
    parts = []
    design = inputs.design
    smooth = _numbers(pen, inputs)
    if len(design.number_at):
        parts.append(smooth)
    if len(design.flag_at):
        parts.append(pen.put("Cast", pen.put("IsNaN", pen.columns(design.flag_at)), to=1))
    if len(design.level_at):
        levels = pen.put("Equal", pen.columns(design.level_at), pen.hold(design.level))
        parts.append(pen.put("Cast", levels, to=1))
    if len(inputs.piece_at):
        own = pen.put("Gather", smooth, pen.hold(inputs.piece_at, np.int64), axis=1)
        passed = pen.put("Div", pen.put("Sub", own, pen.hold(inputs.piece_low)), pen.hold(inputs.piece_width))
        parts.append(pen.put("Clip", passed, pen.hold(0.0), pen.hold(1.0)))
    return parts


def _numbers(pen: _Pen, inputs: Inputs) -> str:
    """Return scaled and bent numbers; scaling is done in doubles, for what is far from zero and varies little."""
    design = inputs.design
    if not len(design.number_at):
        return ""
    own = pen.put("Cast", pen.columns(design.number_at), to=11)
    middle, spread = pen.hold(design.middle, np.float64), pen.hold(design.spread, np.float64)
    scaled = pen.put("Cast", pen.put("Div", pen.put("Sub", own, middle), spread), to=1)
    present = pen.put("Where", pen.put("IsNaN", scaled), pen.hold(0.0), scaled)
    held = pen.put("Clip", present, pen.hold(-CLIP), pen.hold(CLIP))
    share = pen.put("Div", held, pen.hold(BEND))
    root = pen.put("Sqrt", pen.put("Add", pen.put("Mul", share, share), pen.hold(1.0)))
    return pen.put("Div", held, root)


def _vectors(pen: _Pen, inputs: Inputs, network: Network) -> str:
    """Return the vectors of each row's codes, side by side."""
    last, begin = inputs.n_codes - 1, np.cumsum(inputs.n_codes) - inputs.n_codes
    given = pen.columns(inputs.code_at)
    # Comparing with NaN is false, so what is missing is unknown, too.
    is_low = pen.put("GreaterOrEqual", given, pen.hold(0.0))
    is_known = pen.put("And", is_low, pen.put("Less", given, pen.hold(last)))
    code = pen.put("Cast", pen.put("Where", is_known, given, pen.hold(last)), to=7)
    found = pen.put("Gather", pen.hold(network.table), pen.put("Add", code, pen.hold(begin, np.int64)), axis=0)
    return pen.put("Reshape", found, pen.hold([-1, len(inputs.code_at) * VECTOR], np.int64))


def _hidden(pen: _Pen, network: Network, shown: str) -> str:
    """Return the members' hidden units, shape (n_members, n_rows, width)."""
    first = pen.put("Unsqueeze", pen.put("MatMul", shown, pen.hold(network.weights[0])), pen.hold([0], np.int64))
    gated = pen.put("Mul", first, pen.hold(network.gate[:, None]))
    hidden = pen.put("Relu", pen.put("Add", gated, pen.hold(network.biases[0][:, None])))
    for weight, bias in zip(network.weights[1:], network.biases[1:], strict=True):
        hidden = pen.put("Relu", pen.put("Add", pen.put("MatMul", hidden, pen.hold(weight)), pen.hold(bias)))
    return hidden


def _answer(pen: _Pen, model: NeuralModel, margins: str) -> str:
    """Return the name of the answer: the members' mean."""
    if model.n_classes > 2:
        return pen.put("ReduceMean", pen.put("Softmax", margins, axis=2), name="probabilities", axes=[0], keepdims=0)
    if model.n_classes:
        positive = pen.put("ReduceMean", pen.put("Sigmoid", margins), axes=[0], keepdims=0)
        negative = pen.put("Sub", pen.hold(1.0), positive)
        return pen.put("Concat", negative, positive, name="probabilities", axis=1)
    mean = pen.put("ReduceMean", margins, axes=[0, 2], keepdims=0)
    scaled = pen.put("Add", pen.put("Mul", mean, pen.hold(model.spread)), pen.hold(model.mean))
    return pen.put("Clip", scaled, pen.hold(model.low), pen.hold(model.high), name="value")
