"""The ONNX view of a model: its trees, their blend and its calibration as one graph, from matrix to scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import MissingLibrary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Array, Floats

LEQ, MEMBER = 0, 6
OPSETS = {"": 21, "ai.onnx.ml": 5}
IR_VERSION = 10
FLOOR = 1e-6
"""Probabilities below count as this in calibration, as in ``learners.calibration``."""


@dataclass(frozen=True, slots=True)
class Member:
    """One model of a blend: nodes as in ``learners.tree_nodes.TreeNodes``, its link and its weight."""

    nodes: Any
    link: str
    n_outputs: int
    weight: float


def graph(
    members: Sequence[Member],
    *,
    n_features: int,
    calibration: tuple[float, Floats] | None,
    facts: Mapping[str, str],
) -> bytes:
    """Return an ONNX file with the input ``features``, float32 (n, n_features), and the output ``scores``, float64.

    Args:
        members: Of the blend, of one link each from ``identity``, ``sigmoid``, ``softmax``.
        n_features: Columns of the matrix; NaN where missing.
        calibration: Slope and offsets, or None.
        facts: Written into the file's metadata.

    Raises:
        MissingLibrary: ``onnx`` is not installed.
    """
    try:
        from onnx import TensorProto, checker, helper
    except ImportError as error:
        fix = "pip install 'modelwright[onnx]'"
        raise MissingLibrary("an ONNX file is written with onnx", where="export", got=str(error), fix=fix) from error
    build = _Build(helper)
    x = build.add("Cast", ["features"], to=TensorProto.DOUBLE)
    total = ""
    for member in members:
        answer = build.times(_answered(build, member, x), member.weight)
        total = answer if not total else build.add("Add", [total, answer])
    is_numbers = members[0].link == "identity"
    if not is_numbers:
        total = _calibrated(build, total, calibration) if calibration else _shares(build, total)
    build.nodes.append(helper.make_node("Identity", [total], ["scores"]))
    width = 1 if is_numbers else max(2, members[0].n_outputs)
    made = helper.make_graph(
        build.nodes,
        "modelwright",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", n_features])],
        [helper.make_tensor_value_info("scores", TensorProto.DOUBLE, ["n", width])],
        build.constants,
    )
    opsets = [helper.make_opsetid(domain, number) for domain, number in OPSETS.items()]
    model = helper.make_model(made, producer_name="modelwright", opset_imports=opsets, ir_version=IR_VERSION)
    helper.set_model_props(model, dict(facts))
    checker.check_model(model)
    return bytes(model.SerializeToString())


class _Build:
    """Nodes and constants as they are added."""

    def __init__(self, helper: Any) -> None:
        self.helper = helper
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, op: str, inputs: list[str], *, domain: str = "", **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(op, inputs, [name], domain=domain, **attributes))
        return name

    def constant(self, values: Array) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def times(self, value: str, factor: float) -> str:
        return self.add("Mul", [value, self.constant(np.array([factor], dtype=np.float64))])


def _answered(build: _Build, member: Member, x: str) -> str:
    """Add one model, with its link."""
    margins = _trees(build, member.nodes, member.n_outputs, x)
    if member.link == "identity":
        return margins
    if member.link == "softmax":
        return build.add("Softmax", [margins], axis=1)
    positive = build.add("Sigmoid", [margins])
    one = build.constant(np.array([1.0]))
    return build.add("Concat", [build.add("Sub", [one, positive]), positive], axis=1)


def _shares(build: _Build, total: str) -> str:
    axes = build.constant(np.array([1], dtype=np.int64))
    return build.add("Div", [total, build.add("ReduceSum", [total, axes], keepdims=1)])


def _calibrated(build: _Build, total: str, calibration: tuple[float, Floats]) -> str:
    slope, offset = calibration
    low, high = build.constant(np.array(FLOOR)), build.constant(np.array(1.0))
    logs = build.add("Log", [build.add("Clip", [total, low, high])])
    return build.add("Softmax", [build.add("Add", [build.times(logs, slope), build.constant(offset)])], axis=1)


def _trees(build: _Build, nodes: Any, n_outputs: int, x: str) -> str:
    """Add the trees of one model: numbers are compared and summed in double, as they are in the package."""
    from onnx import numpy_helper

    bias = np.zeros(n_outputs)
    stumps = nodes.root < 0  # a tree of one leaf is a constant
    np.add.at(bias, nodes.output[stumps], nodes.leaf[~nodes.root[stumps]])
    leaf_output = _leaf_outputs(nodes)
    modes, splits, sets = _conditions(nodes)
    is_leaf = {key: (getattr(nodes, key) < 0) for key in ("left", "right")}
    ids = {key: np.where(is_leaf[key], ~getattr(nodes, key), getattr(nodes, key)) for key in ("left", "right")}
    attributes = {
        "n_targets": n_outputs,
        "aggregate_function": 1,
        "post_transform": 0,
        "tree_roots": nodes.root[~stumps].tolist(),
        "nodes_featureids": nodes.feature.tolist(),
        "nodes_modes": numpy_helper.from_array(modes, "modes"),
        "nodes_splits": numpy_helper.from_array(splits, "splits"),
        "nodes_missing_value_tracks_true": nodes.missing_left.astype(int).tolist(),
        "nodes_truenodeids": ids["left"].tolist(),
        "nodes_trueleafs": is_leaf["left"].astype(int).tolist(),
        "nodes_falsenodeids": ids["right"].tolist(),
        "nodes_falseleafs": is_leaf["right"].astype(int).tolist(),
        "leaf_targetids": leaf_output.tolist(),
        "leaf_weights": numpy_helper.from_array(nodes.leaf.astype(np.float64), "weights"),
    }
    if sets is not None:
        attributes["membership_values"] = numpy_helper.from_array(sets, "members")
    offset = build.constant(bias[None, :])
    if stumps.all():
        zero = build.add("Mul", [build.add("ReduceSum", [x, build.constant(np.array([1]))], keepdims=1), offset])
        return build.add("Add", [build.add("Sub", [zero, zero]), offset])
    return build.add("Add", [build.add("TreeEnsemble", [x], domain="ai.onnx.ml", **attributes), offset])


def _conditions(nodes: Any) -> tuple[Array, Floats, Floats | None]:
    """Return modes, bounds, and the sets of members, each ended by NaN, in the order of their nodes."""
    modes = np.full(len(nodes.feature), LEQ, dtype=np.uint8)
    splits = nodes.threshold.astype(np.float64).copy()
    sets: list[float] = []
    for node in sorted(nodes.members):
        modes[node], splits[node] = MEMBER, 0.0
        sets += [*map(float, nodes.members[node]), float("nan")]
    return modes, splits, np.array(sets, dtype=np.float64) if sets else None


def _leaf_outputs(nodes: Any) -> Array:
    """Return which output each leaf adds to."""
    output = np.zeros(len(nodes.leaf), dtype=np.int64)
    tree_of = np.zeros(len(nodes.feature), dtype=np.int64)
    for tree, first in enumerate(nodes.root):
        if first < 0:
            output[~first] = nodes.output[tree]
        else:
            tree_of[first:] = tree
    for child in (nodes.left, nodes.right):
        output[~child[child < 0]] = nodes.output[tree_of[child < 0]]
    return output
