"""Fitting: whether a model is too flexible, too stiff, or about right for its table, by trying the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.core.score import Score

if TYPE_CHECKING:
    from collections.abc import Mapping

OVER, UNDER, RIGHT = "over-fits", "under-fits", "about right"


def verdict(
    simpler: Score | None, richer: Score | None, *, learnt: float, held: float, constant: float
) -> dict[str, Any]:
    """Say how a model fits.

    It over-fits if a simpler one of its kind does better on rows neither has seen, and under-fits if a more flexible
    one does. That its loss is lower on the rows it learnt from is told, but proves nothing by itself.

    Args:
        simpler: The loss of the model less that of a simpler one, paired, on held rows; above zero if the simpler
            one is better. None where there is no simpler one.
        richer: Likewise of a more flexible one.
        learnt: Mean loss on the rows learnt from.
        held: Mean loss on held rows.
        constant: Mean loss of the constant answer on held rows.
    """
    gains = {OVER: simpler, UNDER: richer}
    clear = {name: s for name, s in gains.items() if s is not None and s.low > 0}
    found = max(clear, key=lambda name: clear[name].value) if clear else RIGHT
    return {
        "verdict": found,
        "simpler": _gain(simpler),
        "richer": _gain(richer),
        "learnt": learnt,
        "held": held,
        "constant": constant,
        "sentence": _sentence(found, clear, learnt=learnt, held=held, constant=constant),
    }


def _gain(score: Score | None) -> dict[str, Any] | None:
    return None if score is None else score.to_dict()


def _sentence(found: str, clear: Mapping[str, Score], *, learnt: float, held: float, constant: float) -> str:
    gap = f"loss {learnt:.3g} on rows it learnt from, {held:.3g} on others, {constant:.3g} for the constant answer"
    if found == RIGHT:
        return (
            f"It fits about right: neither a simpler nor a more flexible model of its kind is clearly better ({gap})."
        )
    s = clear[found]
    other = "a simpler" if found == OVER else "a more flexible"
    return f"It {found}: {other} model of its kind loses {s.value:.3g} less ({s.low:.3g} to {s.high:.3g}; {gap})."
