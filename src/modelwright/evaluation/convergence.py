"""Convergence: whether training had come to rest when it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.core.ports import Curve

CONVERGED, STOPPED_EARLY, STILL_IMPROVING = "converged", "stopped early", "still improving"
NOTABLE = 0.01
"""A change counts when it is at least this share of all that the loss fell, best round against first."""
TAIL = 0.2
"""Share of the rounds that shows how training ended."""
MOST_POINTS = 200


def verdict(curve: Curve) -> str:
    """Say how training ended.

    The loss judged is the one on rows not learnt from, or on the lesson where there are no others. All that it
    fell, from the first recorded round to the best, is the yardstick; 1 % of it counts as a change.

    - ``still improving``: training was ended by time or by the number of rounds, the best round lies in the
      last fifth, and the loss fell notably over it (a straight line through it falls by more than 1 % and by
      more than twice its standard error).
    - ``stopped early``: after the best round the loss rose notably, by more than 1 % and beyond its noise: further
      rounds would overfit, and the best round was kept.
    - ``converged``: neither: the loss had become flat. Learners without rounds are solved outright and count here.

    >>> from modelwright.core.ports import Curve
    >>> verdict(Curve("log_loss", (1, 2, 3, 4, 5), (), (0.7, 0.5, 0.4, 0.45, 0.5), 3, "patience"))
    'stopped early'
    """
    losses, rounds = _judged_losses(curve)
    if len(losses) < 3:
        # One or two points have no shape; then only the reason for the end can tell.
        return STILL_IMPROVING if curve.ended in ("time", "rounds") and len(losses) > 0 else CONVERGED
    best = int(losses.argmin())
    fell = float(losses[0] - losses[best])
    if curve.ended != "patience" and best >= len(losses) * (1 - TAIL) - 1 and _falls(losses, rounds, fell):
        return STILL_IMPROVING
    return STOPPED_EARLY if _rises(losses[best:], fell) else CONVERGED


def describe(name: str, curve: Curve) -> dict[str, Any]:
    """Return a candidate's curve and verdict as plain data, thinned to 200 points.

    Returns:
        ``name``, ``verdict``, ``rounds`` (recorded round numbers), ``metric``, ``fit``, ``valid`` (losses at
        those rounds, either may be empty), ``best_round``, ``ended``.
    """
    kept = _thin(curve)
    return {
        "name": name,
        "verdict": verdict(curve),
        "rounds": [curve.rounds[i] for i in kept],
        "metric": curve.loss,
        "fit": [curve.fit[i] for i in kept if i < len(curve.fit)],
        "valid": [curve.valid[i] for i in kept if i < len(curve.valid)],
        "best_round": curve.best_round,
        "ended": curve.ended,
    }


def _judged_losses(curve: Curve) -> tuple[Floats, Floats]:
    """Return the finite losses that are judged and their rounds."""
    losses = np.array(curve.valid or curve.fit, dtype=np.float64)
    rounds = np.array(curve.rounds[: len(losses)], dtype=np.float64)
    known = np.isfinite(losses)
    return losses[known], rounds[known]


def _falls(losses: Floats, rounds: Floats, fell: float) -> bool:
    """Whether a straight line through the last fifth falls notably and beyond its noise."""
    n = max(int(len(losses) * TAIL), 3)
    x = rounds[-n:] - rounds[-n:].mean()
    y = losses[-n:] - losses[-n:].mean()
    slope = float(x @ y / (x @ x))
    noise = float(np.sqrt(((y - slope * x) @ (y - slope * x)) / max(n - 2, 1) / (x @ x)))
    drop = -slope * float(x[-1] - x[0])
    return drop > NOTABLE * fell and -slope > 2 * noise


def _rises(losses: Floats, fell: float) -> bool:
    """Whether the loss ends notably above the best round, with which ``losses`` begins."""
    steps = np.diff(losses)
    # The best of a noisy curve lies below it: by about three deviations, of which a step between two has root 2.
    noise = 3 * float(steps.std()) / np.sqrt(2) if len(steps) > 2 else 0.0
    return float(np.median(losses[-3:]) - losses[0]) > NOTABLE * max(fell, NOTABLE * abs(float(losses[0]))) + noise


def _thin(curve: Curve) -> list[int]:
    """Return at most 200 positions along the curve, the ends and the best round among them."""
    n = len(curve.rounds)
    if n <= MOST_POINTS:
        return list(range(n))
    kept = set(np.linspace(0, n - 1, MOST_POINTS - 1).round().astype(int).tolist())
    best = [i for i, r in enumerate(curve.rounds) if r == curve.best_round]
    return sorted(kept | set(best[:1]))
