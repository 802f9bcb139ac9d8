"""The MLflow view of a package: the text files that make its folder an MLflow model; MLflow is not imported."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from modelwright.core.contract import Column, Kind, NullPolicy
from modelwright.core.task import LabelType
from modelwright.packaging import _layout as layout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.contract import Contract
    from modelwright.core.manifest import Manifest
    from modelwright.core.task import Task

LOADER = "modelwright.flows.pyfunc"
"""The module MLflow asks for the model; it reads the package as any other reader does."""

EXAMPLE_ROWS = 5
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
PANDAS_NULLS = frozenset(
    ("", "#N/A", "#N/A N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null")
)
"""Spellings that pandas itself reads as missing; a column with others arrives there as text."""

OUTPUTS = {
    LabelType.TEXT: "string",
    LabelType.INTEGER: "long",
    LabelType.FLOAT: "double",
    LabelType.BOOLEAN: "boolean",
}


def views(task: Task, contract: Contract, manifest: Manifest, records: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """Return the files by name: ``MLmodel``, requirements, environment and input examples.

    They hold no time, so equal packages have equal views.

    Args:
        task: What is predicted; gives the outputs.
        contract: Gives the inputs: column names, types, and which may be left out.
        manifest: Gives the versions to install.
        records: Real rows, values as in the source; the first few become the example.
    """
    types = {c.name: input_type(c, [r.get(c.name) for r in records]) for c in contract.inputs}
    rows = [[_cell(types[name], record.get(name)) for name in types] for record in records[:EXAMPLE_ROWS]]
    example = {"columns": list(types), "data": rows}
    python = manifest.versions.get("python", "")
    environment = {"build_dependencies": ["pip"], "dependencies": [f"-r {layout.REQUIREMENTS}"]}
    return {
        layout.MLMODEL: _yaml(_mlmodel(task, contract, types, python)),
        layout.REQUIREMENTS: requirements(manifest),
        layout.PYTHON_ENV: _yaml({"python": python, **environment} if python else environment),
        layout.INPUT_EXAMPLE: _yaml(example),
        layout.SERVING_EXAMPLE: _yaml({"dataframe_split": example}),
    }


def requirements(manifest: Manifest) -> bytes:
    """Return the pinned libraries a model needs to answer, one a line, without saying where to get them."""
    libraries = {name: version for name, version in manifest.versions.items() if name != "python"}
    pins = {"modelwright": manifest.version, **dict(sorted(libraries.items()))}
    return "".join(f"{name}=={version}\n" for name, version in pins.items()).encode()


def input_type(column: Column, values: Sequence[object]) -> str:
    """Return the MLflow type under which pandas would hold this column when it reads the source.

    MLflow refuses values of another type than the signature's before the model sees them, and converts almost
    nothing. So a column is declared as it arrives: numbers are ``long`` or ``double`` only if they are spelled
    plainly; what is spelled otherwise (``1,234``, ``?``, ``Yes``) is ``string``, and the contract reads it.

    Args:
        column: The promise.
        values: Some of its values as in the source.

    >>> input_type(Column("age", Kind.NUMBER, is_integer=True), ["41", "7"])
    'long'
    """
    odd_nulls = not set(column.null_tokens) <= PANDAS_NULLS
    has_missing = column.n_missing > 0 or any(v is None for v in values)
    whole = "double" if has_missing else "long"
    if odd_nulls or column.kind is Kind.TEXT:
        return "string"
    if column.kind is Kind.NUMBER:
        plain = column.decimal == "." and not column.thousands and all(map(_is_plain_number, values))
        return (whole if _is_whole(column) else "double") if plain else "string"
    if column.kind is Kind.BOOLEAN:
        spellings = {*column.true_spellings, *column.false_spellings}
        if spellings <= {"true", "false"}:
            return "boolean"
        return whole if spellings <= {"0", "1", "0.0", "1.0"} else "string"
    if column.kind is Kind.DATETIME:
        return "double" if column.datetime_format == "unix" else "string"
    return whole if column.levels and all(WHOLE.fullmatch(level.value) for level in column.levels) else "string"


def _is_whole(column: Column) -> bool:
    ends = (column.low, column.high)
    return column.is_integer and all(end is None or abs(end) < 2**53 for end in ends)


def _is_plain_number(value: object) -> bool:
    if value is None or isinstance(value, bool | int | float):
        return not isinstance(value, bool)
    try:
        float(str(value))
    except ValueError:
        return str(value) in PANDAS_NULLS
    return True


def _cell(type_name: str, value: Any) -> Any:
    """Return one value of the example, in the type it is declared with; what does not fit is missing."""
    if value is None or (type_name != "string" and str(value) in PANDAS_NULLS):
        return None
    try:
        match type_name:
            case "string":
                return str(value)
            case "boolean":
                return str(value).strip().lower() == "true"
            case "long":
                return int(float(value))
            case _:
                return float(value) if math.isfinite(float(value)) else None
    except (ValueError, OverflowError):
        return None


def _mlmodel(task: Task, contract: Contract, types: Mapping[str, str], python: str) -> dict[str, Any]:
    inputs = [{"type": types[c.name], "name": c.name, "required": _is_required(c)} for c in contract.inputs]
    answer = OUTPUTS[task.label_type] if task.is_classification else "double"
    columns = {"prediction": answer, **{f"probability_{label}": "double" for label in task.labels}}
    outputs = [{"type": kind, "name": name, "required": True} for name, kind in columns.items()]
    flavor = {"loader_module": LOADER, "env": {"virtualenv": layout.PYTHON_ENV}}
    return {
        "flavors": {"python_function": {**flavor, "python_version": python} if python else flavor},
        "saved_input_example_info": {
            "artifact_path": layout.INPUT_EXAMPLE,
            "type": "dataframe",
            "pandas_orient": "split",
            "serving_input_path": layout.SERVING_EXAMPLE,
        },
        "signature": {"inputs": _text(inputs), "outputs": _text(outputs), "params": None},
    }


def _is_required(column: Column) -> bool:
    """Return whether the column may not be left out: it was always filled, or may not be missing."""
    return column.n_missing == 0 or column.null_policy is NullPolicy.REFUSE


def _text(value: object) -> str:
    """Return JSON in ASCII without the one control character that YAML refuses and JSON lets through."""
    return json.dumps(value, allow_nan=False).replace("\x7f", "\\u007f")


def _yaml(value: object) -> bytes:
    """Return JSON, which is YAML too as long as it is ASCII and pairs no escapes."""
    return json.dumps(value, indent=1, allow_nan=False).encode() + b"\n"
