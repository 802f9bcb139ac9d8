"""The Python API of keeping a model good: the verbs with plain arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.core.settings import Settings, parse_duration
from modelwright.flows.api import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.ports import Progress
    from modelwright.flows.replay import Replayed
    from modelwright.flows.watch import Watched, Watching


def replay(
    source: object, *, target: str, time: str, tell: Callable[[Progress], None] | None = None, **options: Any
) -> Replayed:
    """Play a table in order of time as production.

    Args:
        source: Anything that can be read as a table.
        target: The column to predict.
        time: A date-time column, or year, month, day columns with commas.
        tell: Takes progress events.
        **options: ``every``, ``delay`` (times such as ``"7d"``), ``first``, ``alarms`` (accepted false ones a
            month), ``ignore``, ``metric``, ``effort``, ``seed``, ``query``, ``out`` (where the page goes).

    Raises:
        ModelwrightError: The table cannot be played, or an option is outside what it may be.
    """
    from modelwright.flows.replay import Playing, with_page
    from modelwright.flows.replay import replay as recipe

    given = {k: v for k, v in options.items() if v is not None}
    out = given.pop("out", None)
    settings = Settings.of({"target": target, "effort": given.pop("effort", 1), "seed": given.pop("seed", 0)})
    for name in ("every", "delay"):
        if name in given:
            given[name] = parse_duration(given[name], where=name)
    given["budget"] = given.pop("alarms", 1.0)
    given["ignore"] = tuple(given.get("ignore", ()))
    done = recipe(source, Playing(target, time, **given), run_of(settings, tell=tell))
    return done if out is None else with_page(done, out)


def watching_of(**options: Any) -> Watching:
    """Return how a model is watched, from plain arguments.

    Args:
        **options: ``ledger``, ``name``, ``reference``, ``window`` (such as ``"1d"``), ``alarms`` (accepted false
            ones a month), ``state``, ``metrics``, ``log``, ``value_of_error``, and lists of addresses: ``webhook``,
            ``slack``, ``teams``, ``email``.

    Raises:
        InvalidSetting: An option is outside what it may be.
    """
    from modelwright.flows.watch import Watching
    from modelwright.monitoring.delivery import Destination

    kinds = ("webhook", "slack", "teams", "email")
    going = [Destination(kind, address) for kind in kinds for address in options.pop(kind, ())]
    going += [Destination("log")] if options.pop("log", False) else []
    window = parse_duration(options.pop("window", "1d"), where="window")
    budget = options.pop("alarms", 1.0)
    return Watching(window=window, budget=budget, destinations=tuple(going), **options)


def watch(package: str, **options: Any) -> Watched:
    """Look once at a model in use; see ``watching_of`` for the options.

    Raises:
        ModelwrightError: The package, the ledger, the state or the reference rows are not at hand.
    """
    from modelwright.flows.watch import watch as recipe

    return recipe(package, watching_of(**options))
