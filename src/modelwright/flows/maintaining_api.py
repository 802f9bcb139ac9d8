"""The Python API of maintaining models: the verbs with plain arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.core.settings import Settings, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.ports import Progress
    from modelwright.flows.retrain import Retrained, Retraining

LEDGER = ".modelwright/ledger.db"


def retraining_of(**options: Any) -> Retraining:
    """Return how a model is retrained, from plain arguments.

    Args:
        **options: ``ledger`` (its address), ``data`` (the champion's table), ``why`` (``advice``, ``schedule`` or a
            reason), ``budget`` (such as ``"10m"``) or ``effort``, ``seed``, ``policy``, ``state``, ``threads``.

    Raises:
        InvalidSetting: An option is outside what it may be.
    """
    from modelwright.flows.retrain import Retraining

    given = {k: v for k, v in options.items() if v is not None}
    limits = {k: given.pop(k) for k in ("budget", "effort", "seed", "threads") if k in given}
    checked = Settings.of({"target": "any", **limits})
    for name in limits:
        given[name] = getattr(checked, name)
    if "effort" in limits:
        given["budget"] = None
    return Retraining(**{"ledger": LEDGER, **given})


def retrain(name: str, *, tell: Callable[[Progress], None] | None = None, **options: Any) -> Retrained:
    """Make a challenger from the champion's rows and the labelled ones since, and send it through the gate.

    Args:
        name: Of the registered model.
        tell: Takes progress events.
        **options: See ``retraining_of``.

    Raises:
        ModelwrightError: There is nothing to learn from, or a step failed; the job is taken up by the next call.
    """
    from modelwright.flows.retrain import retrain as recipe

    return recipe(name, retraining_of(**options), tell=tell)


def seconds_of(text: str, *, where: str) -> float:
    """Return a time such as ``1h`` in seconds."""
    return parse_duration(text, where=where)
