"""The executed plan: what a run decided, kept in its package, and the settings with which it is repeated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import InvalidPlan
from modelwright.search.repeating import plan_of, unsound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.run import Run
    from modelwright.core.settings import Settings
    from modelwright.search.workshop import Found

FORMAT = 1
LIMITS = ("budget", "effort")
NOT_KEPT = ("out", "fresh", "threads", "memory", "name", "plan")
"""Settings that are of the place and the day, not of the model."""


def executed(
    found: Found,
    settings: Settings,
    run: Run,
    *,
    rows: Mapping[str, int],
    fitted_on: str,
    clocks: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the plan of a run as plain data.

    Args:
        found: What the search came to, before limits were applied.
        settings: What was asked.
        run: Its threads are kept, for they decide some sums on large tables.
        rows: How many of the training rows, and of all rows, were learnt from.
        fitted_on: Rows of the delivered model.
        clocks: What the delivered members' fits were told of the time.
    """
    kept = {k: v for k, v in settings.to_dict().items() if k not in NOT_KEPT}
    return {
        "format": FORMAT,
        "settings": kept,
        "threads": run.threads,
        "rows": dict(rows),
        **plan_of(found),
        "final": {"fitted_on": fitted_on, "clocks": list(clocks)},
    }


def read_plan(path: str | Path) -> dict[str, Any]:
    """Return the plan that a file, or a package, holds.

    Args:
        path: ``plan.json``, a package folder or file, or a registered name.

    Raises:
        InvalidPlan: There is none, or it is of another format.
    """
    place = Path(path)
    if place.is_file() and place.suffix == ".json":
        try:
            plan = json.loads(place.read_bytes())
        except (OSError, ValueError) as error:
            raise unsound(str(error)) from error
    else:
        from modelwright.flows.load import load

        plan = dict(load(path).package.plan)
    if not isinstance(plan, dict) or not isinstance(plan.get("settings"), dict):
        raise unsound("an older package, without a plan" if not plan else "something else")
    if plan.get("format") != FORMAT:
        rule = f"this version repeats plans of format {FORMAT}"
        raise InvalidPlan(rule, where=str(path), got=plan.get("format"), fix="use the version that left the plan")
    return plan


def planned(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings completed by those of the plan they name; what is given wins, but how long to search.

    Raises:
        InvalidPlan: The plan cannot be read.
    """
    if not values.get("plan"):
        return dict(values)
    kept = dict(read_plan(str(values["plan"]))["settings"])
    return {**kept, **{k: v for k, v in values.items() if k not in LIMITS}}
