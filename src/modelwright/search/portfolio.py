"""The portfolio: which candidates are tried, in which order, and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from modelwright.learners.shaped import TRANSFORMED

if TYPE_CHECKING:
    from collections.abc import Mapping

MANY_CLASSES = 12
"""From here on one boosting round costs so much that learners without rounds go first."""
MANY_CLASSES_SHARE = 0.3
"""A few models that are finished are worth more here than several that are cut short."""
SMALL_FOREST_ROWS = 10_000
"""Beyond this a forest of full depth grows to tens of megabytes; fewer trees with larger leaves say nearly as much."""
FEW_ROWS = 2_000
"""Below this, simple learners often win and everything is cheap."""
MANY_FEATURES = 500
"""Above this a tree sees a smaller share of the features: a fit is dear by its columns, and most say nothing."""
FEATURE_SHARES = {"lightgbm": 0.8, "catboost": 1.0, "xgboost": 0.9}
"""What these see where nothing is said."""
MANY_ROWS = 50_000
"""Above this, neighbours and forests cost more than they bring."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One learner with its parameters.

    Attributes:
        name: Unique in a run, shown on the leaderboard.
        learner: Catalogue name.
        params: Parameters of the learner but the learning rate and rounds, which the race sets.
        why: What it adds, a few words.
        has_rate: Whether the race sets ``learning_rate`` and ``rounds`` from the time there is.
        share: Largest share of the search time it may take.
        least_seconds: With less than this a fold's fit would say nothing.
    """

    name: str
    learner: str
    params: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    has_rate: bool = False
    share: float = 0.25
    least_seconds: float = 0.15


# Starting values are public tuned defaults (TabArena's LightGBM configurations r177, r163 and r120; the tuned
# defaults of pytabkit for CatBoost and XGBoost), re-measured in benchmarks/.
LIGHTGBM_EXTRA = Candidate(
    "lightgbm extra trees",
    "lightgbm",
    {
        "leaves": 39,
        "feature_share": 0.46,
        "row_share": 0.88,
        "extra_trees": True,
        "min_leaf": 3,
        "l1": 0.24,
        "l2": 0.36,
    },
    "random thresholds: a strong, smooth first model",
    has_rate=True,
    share=0.3,
)
LIGHTGBM = Candidate(
    "lightgbm",
    "lightgbm",
    {"leaves": 84, "feature_share": 0.53, "row_share": 0.98, "min_leaf": 3, "l2": 0.84},
    "exact thresholds",
    has_rate=True,
)
LIGHTGBM_REGULAR = Candidate(
    "lightgbm regular",
    "lightgbm",
    {"leaves": 31, "feature_share": 0.8, "row_share": 0.9, "min_leaf": 20, "l2": 1.0},
    "moderate size: safest on plenty of rows",
    has_rate=True,
)
LIGHTGBM_ORDERED = Candidate(
    "lightgbm ordered",
    "lightgbm",
    {"leaves": 31, "feature_share": 0.5, "row_share": 0.9, "min_leaf": 20, "l2": 1.0, "categories": "order"},
    "categories as numbers: seldom misled by rare levels",
    has_rate=True,
)
LIGHTGBM_SHALLOW = Candidate(
    "lightgbm shallow",
    "lightgbm",
    {"leaves": 6, "feature_share": 0.73, "row_share": 0.85, "min_leaf": 12},
    "nearly additive: wins on noisy tables",
    has_rate=True,
)
CATBOOST = Candidate("catboost", "catboost", {"depth": 7}, "symmetric trees: best untuned", has_rate=True, share=0.3)
XGBOOST = Candidate("xgboost", "xgboost", {}, "depth-wise trees", has_rate=True)
EXTRA_TREES = Candidate("extra trees", "forest", {"extra": True}, "another bias, no early stopping")
FOREST = Candidate("random forest", "forest", {"extra": False}, "bagged deep trees")
SMALL_EXTRA_TREES = replace(EXTRA_TREES, params={"extra": True, "trees": 60, "min_leaf": 4})
LINEAR = Candidate("linear", "linear", {}, "straight lines: anchors small, wide and text tables")
NEIGHBOURS = Candidate("neighbours", "neighbours", {}, "local averages")
NEURAL = Candidate("neural network", "neural", {}, "smooth functions: errs otherwise than trees", share=0.3)
SMOOTH = Candidate(
    "neural network, plain",
    "neural",
    {"width": 256, "layers": 3, "members": 1, "pieces": 0, "dropout": 0.05},
    "one network for all classes, where trees need one a class",
    share=0.35,
)
SMOOTH_SECONDS, SMOOTH_ROWS_PER_SECOND = 15.0, 1_000.0
"""Of many classes a network pays from so many seconds of search on, and one more for each so many rows."""
NEURAL_SECONDS, NEURAL_ROWS_PER_SECOND = 20.0, 300.0
"""A network may pay from so many seconds of search on, and one more for each so many rows."""
NEURAL_PLACE = 4
"""It goes behind so many candidates; on few rows, where it seldom pays, and on many, where it is dear, behind all. With
values to predict no gain was measured (docs/decisions/0011)."""


def portfolio(
    *,
    n_rows: int,
    n_classes: int,
    n_features: int,
    n_categories: int = 0,
    available: list[str],
    seconds: float = float("inf"),
    shapes: tuple[str, ...] = (),
) -> tuple[Candidate, ...]:
    """Return the candidates for a table of this shape, in the order in which they are tried.

    Args:
        n_rows: Rows to learn from.
        n_classes: Labels, 0 for regression.
        n_features: Columns of the matrix.
        n_categories: Those of them that are codes.
        available: Names of the learners that can be imported.
        seconds: What the search may take, infinite when it is counted in work units.
        shapes: Of the target that help, the best first.
    """
    if n_rows < FEW_ROWS:
        order = [LINEAR, LIGHTGBM_EXTRA, CATBOOST, LIGHTGBM_SHALLOW, EXTRA_TREES]
        order += [LIGHTGBM_REGULAR, XGBOOST, FOREST]
    elif n_classes >= MANY_CLASSES:
        dear = [replace(c, share=MANY_CLASSES_SHARE) for c in (LIGHTGBM_REGULAR, XGBOOST)]
        order = [EXTRA_TREES, *dear, LINEAR, NEIGHBOURS, CATBOOST]
        if seconds >= SMOOTH_SECONDS + n_rows / SMOOTH_ROWS_PER_SECOND:
            order.insert(2, SMOOTH)
    elif n_rows > MANY_ROWS:
        order = [LIGHTGBM_REGULAR, CATBOOST, LIGHTGBM_EXTRA, XGBOOST, LIGHTGBM, LINEAR]
    elif n_rows > SMALL_FOREST_ROWS:
        order = [LIGHTGBM_REGULAR, CATBOOST, LIGHTGBM, LIGHTGBM_EXTRA, LINEAR, EXTRA_TREES]
        order += [XGBOOST, LIGHTGBM_SHALLOW]
    else:
        order = [LIGHTGBM_EXTRA, CATBOOST, LIGHTGBM_REGULAR, LINEAR, EXTRA_TREES]
        order += [LIGHTGBM, XGBOOST, LIGHTGBM_SHALLOW]
    if n_categories and n_classes < MANY_CLASSES:
        last = CATBOOST if n_rows > SMALL_FOREST_ROWS else LIGHTGBM_REGULAR
        order.insert(order.index(last) + 1, LIGHTGBM_ORDERED)
    if n_rows <= MANY_ROWS and n_features <= 200 and NEIGHBOURS not in order:
        order.append(NEIGHBOURS)
    if n_classes and seconds >= NEURAL_SECONDS + n_rows / NEURAL_ROWS_PER_SECOND:
        is_early = FEW_ROWS <= n_rows <= MANY_ROWS
        order.insert(NEURAL_PLACE if is_early else len(order), NEURAL)
    order = _with_shapes(order, shapes)
    if n_rows > SMALL_FOREST_ROWS:
        order = [SMALL_EXTRA_TREES if c is EXTRA_TREES else c for c in order]
    known = {c.name for c in order}
    others = [
        Candidate(name, name, {}, "a plug-in") for name in available if name not in BUILT_IN and name not in known
    ]
    return tuple(narrowed(c, n_features) for c in (*order, *others) if c.learner in available)


def narrowed(candidate: Candidate, n_features: int) -> Candidate:
    """Return the candidate with a smaller share of the features each tree sees, where these are very many."""
    if n_features <= MANY_FEATURES or candidate.learner not in FEATURE_SHARES:
        return candidate
    share = candidate.params.get("feature_share", FEATURE_SHARES[candidate.learner])
    smaller = round(float(share) * (MANY_FEATURES / n_features) ** 0.5, 3)
    return replace(candidate, params={**candidate.params, "feature_share": smaller})


def _with_shapes(order: list[Candidate], shapes: tuple[str, ...]) -> list[Candidate]:
    """Return the candidates and, early among them, the first LightGBM and CatBoost by the target's shapes."""
    boosted = next((c for c in order if c.learner == LIGHTGBM.learner), LIGHTGBM_REGULAR)
    for place, shape in zip((1, 4), shapes, strict=False):
        order.insert(order.index(boosted) + place, _shaped(boosted, shape))
    shown = [shape for shape in shapes if shape in TRANSFORMED]
    if shown and CATBOOST in order:
        order.insert(order.index(CATBOOST) + 1, _shaped(CATBOOST, shown[0]))
    return order


def _shaped(candidate: Candidate, shape: str) -> Candidate:
    params = {**candidate.params, "shape": shape}
    return replace(candidate, name=f"{candidate.name}, {shape}", params=params, why="the target's shape")


BUILT_IN = frozenset(
    {"constant", "linear", "neighbours", "forest", "lightgbm", "catboost", "xgboost", "neural", "foundation"}
)
