"""The Open Inference Protocol, version 2: tensors by column name in, tensors out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from modelwright.core.contract import Kind
from modelwright.core.prediction import Cell
from modelwright.core.task import LabelType
from modelwright.service.refusals import too_large, unprocessable

if TYPE_CHECKING:
    from modelwright.service.door import Row
    from modelwright.service.limits import Limits
    from modelwright.service.scorer import Answers, Scorer

NUMBERS = ("FP64", "FP32", "FP16", "INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32", "UINT16", "UINT8")
DATATYPES = frozenset({*NUMBERS, "BOOL", "BYTES"})


class Tensor(msgspec.Struct):
    """One input: a column of n cells, or n rows of all inputs. Parameters of other servers' codecs are ignored."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Cell | list[Cell]]
    parameters: dict[str, Cell] | None = None


class Output(msgspec.Struct):
    """One output that is asked for."""

    name: str
    parameters: dict[str, Cell] | None = None


class InferRequest(msgspec.Struct):
    """The body of ``infer``."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Cell] | None = None
    outputs: list[Output] | None = None


decoder = msgspec.json.Decoder(InferRequest)


def rows_of(request: InferRequest, scorer: Scorer, limits: Limits) -> list[Row]:
    """Return the rows of a request's tensors, or raise Refused."""
    names = [tensor.name for tensor in request.inputs]
    if not names or len(set(names)) != len(names):
        raise unprocessable("a request has inputs, each named once", where="inputs")
    if len(names) > limits.columns:
        raise too_large("columns", limits.columns)
    columns: dict[str, list[Cell]] = {}
    for tensor in request.inputs:
        columns.update(_columns_of(tensor, scorer))
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) != 1:
        raise unprocessable("all inputs have as many rows", where="inputs", got=str(sorted(lengths))[:80])
    if lengths.pop() > limits.rows:
        raise too_large("rows", limits.rows)
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _columns_of(tensor: Tensor, scorer: Scorer) -> dict[str, list[Cell]]:
    where = f"inputs, {tensor.name[:60]}"
    if tensor.datatype not in DATATYPES:
        raise unprocessable(
            "a tensor has a known datatype", where=where, fix=f"use one of {', '.join(sorted(DATATYPES))}"
        )
    if not 1 <= len(tensor.shape) <= 2 or min(tensor.shape) < 0:
        raise unprocessable("a tensor's shape is [n] or [n, columns]", where=where)
    n, width = tensor.shape[0], tensor.shape[1] if len(tensor.shape) == 2 else 1
    flat: list[Any] = []
    for cell in tensor.data:
        flat += cell if isinstance(cell, list) else [cell]
    if len(flat) != n * width:
        raise unprocessable("a tensor holds as many values as its shape says", where=where, got=f"{len(flat)} values")
    if width == 1:
        return {tensor.name: flat}
    inputs = [column.name for column in scorer.contract.inputs]
    if width != len(inputs):
        rule = "a tensor of several columns has all inputs of the model, in the order of its metadata"
        raise unprocessable(rule, where=where, got=f"{width} columns", fix=f"send {len(inputs)}, or one input a column")
    return {name: flat[i::width] for i, name in enumerate(inputs)}


def answer(
    request: InferRequest, scorer: Scorer, answers: Answers, ids: list[str], *, recorded: bool
) -> dict[str, Any]:
    """Return the body of the response."""
    n = len(answers.predictions)
    outputs: list[dict[str, Any]] = [
        {"name": "prediction", "shape": [n], "datatype": _datatype(scorer), "data": answers.predictions}
    ]
    if scorer.names:
        flat = [p for row in answers.scores for p in row]
        outputs.append(
            {"name": "probabilities", "shape": [n, len(scorer.names)], "datatype": "FP64", "data": flat}
            | {"parameters": {"labels": ",".join(scorer.names)}}
        )
    outputs.append({"name": "prediction_id", "shape": [n], "datatype": "BYTES", "data": ids})
    flags = ["; ".join(row) for row in answers.flags]
    outputs.append({"name": "flags", "shape": [n], "datatype": "BYTES", "data": flags})
    if request.outputs:
        asked = [output.name for output in request.outputs]
        unknown = set(asked) - {str(o["name"]) for o in outputs}
        if unknown:
            raise unprocessable("an output that is asked for exists", where="outputs", got=sorted(unknown)[0][:60])
        outputs = [o for o in outputs if o["name"] in asked]
    body: dict[str, Any] = {"model_name": scorer.pointer.model, "model_version": scorer.version}
    if request.id is not None:
        body["id"] = request.id
    return {**body, "parameters": {"recorded": recorded}, "outputs": outputs}


def metadata(scorer: Scorer) -> dict[str, Any]:
    """Return what the protocol calls the metadata of a model."""
    inputs = [
        {"name": c.name, "datatype": "FP64" if c.kind is Kind.NUMBER else "BYTES", "shape": [-1]}
        for c in scorer.contract.inputs
    ]
    outputs = [{"name": "prediction", "datatype": _datatype(scorer), "shape": [-1]}]
    if scorer.names:
        outputs.append({"name": "probabilities", "datatype": "FP64", "shape": [-1, len(scorer.names)]})
    outputs += [{"name": name, "datatype": "BYTES", "shape": [-1]} for name in ("prediction_id", "flags")]
    return {
        "name": scorer.pointer.model,
        "versions": [scorer.version],
        "platform": "modelwright",
        "inputs": inputs,
        "outputs": outputs,
    }


def _datatype(scorer: Scorer) -> str:
    kinds = {LabelType.INTEGER: "INT64", LabelType.FLOAT: "FP64", LabelType.BOOLEAN: "BOOL"}
    return kinds.get(scorer.task.label_type, "BYTES") if scorer.names else "FP64"
