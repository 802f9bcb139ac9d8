"""The parts that come with modelwright, and those that plug-ins add, by name."""

from __future__ import annotations

import os
from importlib.metadata import entry_points

from modelwright.core.catalogue import Catalogue

LEARNERS = {
    "constant": "modelwright.learners.constant:Constant",
    "linear": "modelwright.learners.linear:Linear",
    "neighbours": "modelwright.learners.neighbours:Neighbours",
    "forest": "modelwright.learners.forest:Forest",
    "lightgbm": "modelwright.learners.lightgbm:LightGBM",
    "catboost": "modelwright.learners.catboost:CatBoost",
    "xgboost": "modelwright.learners.xgboost:XGBoost",
    "neural": "modelwright.learners.neural:Neural",
    "foundation": "modelwright.learners.foundation:Foundation",
}
FITTED = {
    "plan": "modelwright.features.plan:FeaturePlan",
    "blend": "modelwright.learners.blend:Blend",
}


def catalogue() -> Catalogue:
    """Return every part that can be found by name; nothing is imported before it is used.

    A plug-in's learner joins by an entry point of the group ``modelwright.learners``; it cannot replace a
    built-in one.
    """
    # Threads that wait for each other sleep rather than spin: spinning makes boosting several times slower as soon
    # as something else uses a core. Read when the first such library is loaded, so it is set before any is.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    added = {e.name: e.value for e in entry_points(group="modelwright.learners")}
    return Catalogue({"learner": {**added, **LEARNERS}, "fitted": FITTED})
