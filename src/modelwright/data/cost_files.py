"""Cost files: what each answer costs, written as TOML or JSON."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.core.cost_matrix import CostMatrix
from modelwright.core.errors import InvalidSetting, UnreadableSource

if TYPE_CHECKING:
    from modelwright.core.task import Task


def load_costs(path: str | Path, task: Task) -> CostMatrix:
    """Return the cost matrix of a file for the labels of a task.

    Raises:
        UnreadableSource: There is no such file, or it cannot be read as UTF-8 text.
        InvalidSetting: It is neither TOML nor JSON, does not fit the labels, or the task has no labels.
    """
    if not task.is_classification:
        raise InvalidSetting(
            "a cost matrix is for labels",
            where="--costs",
            got="a target of numbers",
            fix="leave it out; `report --cost-miss` tells what too high and too low estimates cost",
        )
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableSource(
            "a file of costs can be read as text", where=str(path), got=str(error), fix="check the path"
        ) from error
    try:
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        if not isinstance(data, dict):
            raise ValueError(f"{type(data).__name__} instead of an object")
    except ValueError as error:
        raise InvalidSetting(
            "a file of costs is TOML, or JSON when its name ends in .json",
            where=str(path),
            got=str(error),
            fix='write lines such as [cost."yes"] and "no" = 120',
        ) from error
    return CostMatrix.of(data, task.labels, where=str(path))
