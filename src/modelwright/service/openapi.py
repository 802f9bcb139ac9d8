"""The OpenAPI document of a service, built from the contract of the model that answers."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from modelwright.core.contract import Kind, NullPolicy
from modelwright.core.task import LabelType
from modelwright.service import bodies
from modelwright.service.routes import ROUTES

if TYPE_CHECKING:
    from modelwright.core.contract import Column
    from modelwright.service.limits import Limits
    from modelwright.service.routes import Route
    from modelwright.service.scorer import Scorer

LEVELS_MAX = 200
"""Columns with more levels list none."""
_ERRORS = {
    "400": "The body is not what its content type says",
    "401": "No token, or one that is not known",
    "403": "A token for something else",
    "404": "No such path, model or version",
    "405": "Another method",
    "413": "More bytes, rows or columns than are taken",
    "415": "A content type that is not read",
    "421": "The Host header names another service",
    "422": "Well formed, but not what is asked for, or refused by the contract's policy",
    "429": "Too many requests with this token; see Retry-After",
    "503": "Too much to do, or the answer could not be recorded; see Retry-After",
}


def document(scorer: Scorer, limits: Limits) -> dict[str, Any]:
    """Return the document: paths, and the schema of a row with types, levels, ranges and an example."""
    model = scorer.pointer.model
    paths: dict[str, Any] = {}
    for route in ROUTES:
        path = route.path.replace("{name}", model) if route.name.startswith("v2_") else route.path
        paths.setdefault(path.replace("{version}", scorer.version), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Predictions of {scorer.task.target} by {model}",
            "version": scorer.version,
            "description": f"A modelwright {version('modelwright')} service. Departures from the ranges and levels "
            "below are treated as the service's policy says: accepted and flagged unless it says otherwise.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(scorer, limits),
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": route.says, "operationId": _operation_id(route), "tags": [_tag(route)]}
    status = "202" if route.name == "labels" else "200"
    operation["responses"] = {status: _response(route)}
    refusal = "RefusalV2" if route.name.startswith("v2") else "Refusal"
    content = {"application/json": {"schema": _ref(refusal)}}
    for code, says in _ERRORS.items():
        if route.method == "POST" or code in ("401", "403", "404", "421", "429", "503"):
            operation["responses"][code] = {"description": says, "content": content}
    if route.name in ("ready", "v2_ready", "ping"):
        operation["responses"]["503"] = {"description": "The service is ending"}
    if not route.scope:
        operation["security"] = []
    if route.method == "POST":
        operation["requestBody"] = {"required": True, "content": _bodies(route)}
    return operation


def _operation_id(route: Route) -> str:
    return route.name + ("_of_version" if "{version}" in route.path else "")


def _tag(route: Route) -> str:
    return (
        "Open Inference Protocol" if route.name.startswith("v2") else "MLflow" if _is_mlflow(route) else "modelwright"
    )


def _is_mlflow(route: Route) -> bool:
    return route.name in ("ping", "invocations", "version")


def _bodies(route: Route) -> dict[str, Any]:
    names = {"predict": "Rows", "labels": "Labels", "invocations": "Invocations", "v2_infer": "Infer"}
    content: dict[str, Any] = {"application/json": {"schema": _ref(names[route.name])}}
    if route.name != "v2_infer":
        content[bodies.CSV] = {
            "schema": {"type": "string", "description": "A header and rows; blank cells are missing"}
        }
        content[bodies.PARQUET] = {"schema": {"type": "string", "format": "binary"}}
    return content


def _response(route: Route) -> dict[str, Any]:
    plain = {"metrics": "text/plain", "version": "text/plain", "page": "text/html", "ping": "application/json"}
    if route.name == "ping":
        return {"description": route.says}
    if route.name in plain:
        return {"description": route.says, "content": {plain[route.name]: {"schema": {"type": "string"}}}}
    named = {"predict": "Predictions", "labels": "Accepted"}.get(route.name)
    schema = _ref(named) if named else {"type": "object"}
    return {"description": route.says, "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas(scorer: Scorer, limits: Limits) -> dict[str, Any]:
    inputs = scorer.contract.inputs
    cell = {"type": ["string", "number", "boolean", "null"]}
    row = {
        "type": "object",
        "properties": {column.name: column_schema(column) for column in inputs},
        "required": [c.name for c in inputs if c.null_policy is NullPolicy.REFUSE],
        "examples": [{c.name: scorer.package.golden.records[0].get(c.name) for c in inputs}],
        "additionalProperties": cell,
    }
    rows = {"type": "array", "items": _ref("Row"), "maxItems": limits.rows}
    label = _label_schema(scorer)
    return {
        "Row": row,
        "Rows": _rows(rows),
        "Predictions": _predictions(scorer, label),
        "Labels": _object({"labels": {"type": "array", "maxItems": limits.rows, "items": _label(label)}}),
        "Accepted": _object({"accepted": {"type": "integer", "minimum": 0}}),
        "Invocations": {
            "oneOf": [_object({key: rows}) for key in ("dataframe_records", "instances")]
            + [
                _object(
                    {"dataframe_split": _object({"columns": _list({"type": "string"}), "data": _list(_list(cell))})}
                )
            ]
        },
        "Infer": _object({"inputs": _list(_tensor(cell))}) | {"additionalProperties": True},
        "Refusal": _object(
            {"error": _object({k: {"type": "string"} for k in ("code", "rule", "where", "found", "fix")})}
        ),
        "RefusalV2": {"type": "object", "required": ["error"]},
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _rows(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the body of ``POST /predict``."""
    explain = {"type": "boolean", "default": False, "description": "Whether the reasons of each row are told too"}
    return {**_object({"records": rows, "explain": explain}), "required": ["records"]}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _tensor(cell: dict[str, Any]) -> dict[str, Any]:
    from modelwright.service.inference_protocol import DATATYPES

    return {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 2},
            "datatype": {"enum": sorted(DATATYPES)},
            "data": _list(cell),
        },
        "required": ["name", "shape", "datatype", "data"],
    }


def _label(label: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "prediction_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "value": label,
            "time": {"type": "number", "description": "Seconds since 1970-01-01 UTC; now when absent"},
        },
        "required": ["prediction_id", "value"],
        "additionalProperties": False,
    }


def _label_schema(scorer: Scorer) -> dict[str, Any]:
    if not scorer.labels:
        return {"type": "number"}
    types = {LabelType.INTEGER: "integer", LabelType.FLOAT: "number", LabelType.BOOLEAN: "boolean"}
    return {"type": types.get(scorer.task.label_type, "string"), "enum": scorer.labels}


def _predictions(scorer: Scorer, label: dict[str, Any]) -> dict[str, Any]:
    texts = _list({"type": "string"})
    prediction = {"anyOf": [label, {"type": "null"}], "description": "null where the model abstained; see flags"}
    properties: dict[str, Any] = {
        "model": {"type": "string"},
        "version": {"type": "string"},
        "fingerprint": {"type": "string"},
        "predictions": _list(prediction),
        "prediction_ids": texts,
        "flags": _list(texts),
        "recorded": {"type": "boolean"},
    }
    properties["reasons"] = _list(_reasons(scorer, label))
    if scorer.names:
        probability = {"type": "number", "minimum": 0, "maximum": 1}
        properties["probabilities"] = _list(_object(dict.fromkeys(scorer.names, probability)))
    elif scorer.half_width is not None:
        pair = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
        properties["intervals"] = _list(pair)
    return {**_object(properties), "required": [name for name in properties if name != "reasons"]}


def _reasons(scorer: Scorer, label: dict[str, Any]) -> dict[str, Any]:
    number = {"type": "number"}
    columns = {"type": "object", "additionalProperties": number, "description": "What each column adds"}
    return _object(
        {**({"label": label} if scorer.names else {}), "start": number, "columns": columns, "answer": number}
    )


def column_schema(column: Column) -> dict[str, Any]:
    """Return the schema of one input: what was seen in training, or else what the policy decides about."""
    null = ["null"] if column.null_policy is not NullPolicy.REFUSE else []
    anything = {"type": ["string", "number", "boolean", *null]}
    match column.kind:
        case Kind.NUMBER:
            seen = {"type": "integer" if column.is_integer else "number"} | _range(column)
            other = {"type": ["number", "string", *null], "description": "Others, and numbers as text, are looked at"}
        case Kind.BOOLEAN:
            seen = {"enum": [*column.false_spellings, *column.true_spellings, False, True]}
            other = anything | {"description": "Other spellings of a truth are read too"}
        case Kind.DATETIME:
            seen = {"type": "string", "description": f"As in training: {column.datetime_format}"}
            other = {"type": ["string", "number", *null]}
        case Kind.CATEGORY if column.levels and len(column.levels) <= LEVELS_MAX:
            seen = {"enum": [level.value for level in column.levels]}
            other = anything | {"description": "Other levels are unknown; the policy says what becomes of them"}
        case _:
            return anything
    return {"title": column.name, "x-kind": column.kind.value, "anyOf": [seen, other]}


def _range(column: Column) -> dict[str, Any]:
    seen = {"minimum": column.low, "maximum": column.high}
    return {key: value for key, value in seen.items() if value is not None}
