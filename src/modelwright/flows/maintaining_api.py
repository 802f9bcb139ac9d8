"""The Python API of maintaining models: the verbs with plain arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.core.settings import Settings, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.ports import Progress
    from modelwright.flows.retrain import Retrained, Retraining
    from modelwright.flows.scout import Found, Listed, Scouting
    from modelwright.flows.upgrade_check import Checked

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
    limits: dict[str, Any] = {k: given.pop(k) for k in ("budget", "effort", "seed", "threads") if k in given}
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


def upgrade_check(*models: str, **options: Any) -> Checked:
    """Replay packages under the installed versions and say which still give the same answers.

    Args:
        *models: Packages by path, or registered names; all that is registered when none is given.
        **options: ``data`` (the table with the sealed rows), ``python`` (another interpreter).

    Raises:
        ModelwrightError: A name is not registered, or there is no such interpreter.
    """
    from modelwright.flows.upgrade_check import upgrade_check as recipe

    return recipe(models, **options)


def scout(model: str, *, tell: Callable[[Progress], None] | None = None, **options: Any) -> Found:
    """Race what a champion does not use against it, on its own folds; nothing is adopted.

    Args:
        model: A registered name, or a package.
        tell: Takes progress events.
        **options: ``data`` (the champion's table), ``budget`` (such as ``"5m"``), ``threads``, ``seed``.

    Raises:
        ModelwrightError: The model is not known, or its table is not at hand.
    """
    from modelwright.flows.scout import scout as recipe

    return recipe(model, _scouting(options), tell=tell)


def adopt(
    name: str, contender: str, *, tell: Callable[[Progress], None] | None = None, **options: Any
) -> dict[str, Any]:
    """Train and register a challenger that tries a contender first; see ``scout`` for the options."""
    from modelwright.flows.scout import adopt as recipe

    return recipe(name, contender, _scouting(options), tell=tell)


def catalogue_of_methods(model: str | None = None, *, lock: str | None = None) -> Listed:
    """Return the methods that are known, with what they need, and the versions that models rest on."""
    from modelwright.flows.scout import listed

    return listed(model, lock=lock)


def _scouting(options: dict[str, Any]) -> Scouting:
    from modelwright.flows.scout import Scouting

    given = {k: v for k, v in options.items() if v is not None}
    if "budget" in given:
        given["budget"] = parse_duration(given["budget"], where="budget")
    return Scouting(**given)


def seconds_of(text: str, *, where: str) -> float:
    """Return a time such as ``1h`` in seconds."""
    return parse_duration(text, where=where)
