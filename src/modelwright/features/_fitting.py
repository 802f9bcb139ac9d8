"""The numerical fits behind text features: a truncated singular value decomposition and linear scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.machine import one_thread
from modelwright.features._vocabulary import on_grid

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Singles

_OVERSAMPLING = 8
_POWER_ROUNDS = 2
_MAX_ROUNDS = 40
_MAX_STEPS = 20
_LARGEST = 100.0  # of a coefficient: sums stay exact
# Texts have length one, where a logistic regression is usually given C around 4, a ridge regression alpha 1.
_PENALTY, _RIDGE = 1 / 4, 1.0


def leading_directions(rows: Any, n_components: int, *, seed: int) -> Singles:
    """Return the leading right singular vectors of a sparse matrix, shape (n_terms, n_components or fewer).

    Randomised subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4); the entry of largest size of each
    vector is made positive.
    """
    n_components = min(n_components, *(n - 1 for n in rows.shape))
    if n_components < 1:
        return np.zeros((rows.shape[1], 0), dtype=np.float32)
    width = min(n_components + _OVERSAMPLING, *rows.shape)
    with one_thread():
        sample = rows @ np.random.default_rng(seed).standard_normal((rows.shape[1], width))
        for _ in range(_POWER_ROUNDS):
            sample = rows @ (rows.T @ np.linalg.qr(sample)[0])
        basis = np.linalg.qr(sample)[0]
        outer, inner = np.linalg.qr(rows.T @ basis)  # first narrow, then decompose: ten times faster
        directions = outer @ np.linalg.svd(inner)[0][:, :n_components]
    # Rounded before the choice, so that two entries of one size do not swap by their last bits.
    largest = np.abs(on_grid(directions, 20)).argmax(axis=0)
    signs = np.where(directions[largest, np.arange(n_components)] < 0, -1.0, 1.0)
    signed: Singles = (directions * signs).astype(np.float32)
    return signed


def log_odds(rows: Any, target: Floats, weight: Floats) -> tuple[Singles, float]:
    """Return coefficients (n_terms,) and intercept of a logistic regression with ridge penalty.

    Args:
        rows: Sparse array, each row of length one (or zero).
        target: 0 and 1.
        weight: Row weights of mean about one.
    """
    from scipy.optimize import minimize

    n_terms = rows.shape[1]
    # Half a row of either answer keeps the odds finite where one of them is missing.
    mean = (float(weight @ target) + 0.5) / (float(weight.sum()) + 1)
    start = float(np.log(mean / (1 - mean)))
    if not n_terms or not target.any() or target.all():
        return np.zeros(n_terms, dtype=np.float32), start

    def loss(parameters: Floats) -> tuple[float, Floats]:
        coefficients, scores = parameters[:-1], rows @ parameters[:-1] + parameters[-1]
        slopes = ((np.tanh(scores / 2) + 1) / 2 - target) * weight
        total = weight @ (np.logaddexp(0, scores) - target * scores) + _PENALTY / 2 * (coefficients @ coefficients)
        return float(total), np.append(rows.T @ slopes + _PENALTY * coefficients, slopes.sum())

    with one_thread():
        first = np.append(np.zeros(n_terms), start)
        found = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": _MAX_ROUNDS, "ftol": 1e-4}).x
    return np.clip(found[:-1], -_LARGEST, _LARGEST).astype(np.float32), float(found[-1])


def expected_values(rows: Any, targets: Floats, weight: Floats) -> tuple[Singles, Floats]:
    """Return coefficients (n_terms, n_targets) and intercepts of ridge regressions, all found at once.

    Conjugate gradients on the normal equations (Hestenes & Stiefel 1952); stopped early they shrink a little more.

    Args:
        rows: Sparse array, each row of length one (or zero).
        targets: Shape (n_rows, n_targets), of mean about zero and deviation about one.
        weight: Row weights of mean about one.
    """
    total = max(float(weight.sum()), 1e-300)
    means, mean_row = weight @ targets / total, rows.T @ weight / total

    def curvature(steps: Floats) -> Floats:
        moved = rows @ steps - mean_row @ steps
        product: Floats = rows.T @ (moved * weight[:, np.newaxis]) + _RIDGE * steps
        return product

    with one_thread():
        residual = rows.T @ ((targets - means) * weight[:, np.newaxis])
        found, step = np.zeros_like(residual), residual.copy()
        size = first = (residual**2).sum(axis=0)
        for _ in range(_MAX_STEPS):
            if not (size > 1e-6 * first).any():
                break
            curved = curvature(step)
            length = size / np.maximum((step * curved).sum(axis=0), 1e-300)
            found, residual = found + length * step, residual - length * curved
            size, before = (residual**2).sum(axis=0), size
            step = residual + size / np.maximum(before, 1e-300) * step
        found = np.clip(found, -_LARGEST, _LARGEST)
        return found.astype(np.float32), means - mean_row @ found
