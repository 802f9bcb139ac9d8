"""A raw table goes in; an honestly evaluated, documented, safely packaged model comes out.

>>> import modelwright
>>> sorted(modelwright.__all__)[:3]
['ModelwrightClassifier', 'ModelwrightError', 'ModelwrightRegressor']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.core.errors import ModelwrightError
    from modelwright.flows.api import (
        anomalies,
        approve,
        check_report,
        cluster,
        compare,
        contrast,
        diagnose,
        evaluate,
        explain,
        load,
        models,
        predict,
        profile,
        promote,
        prune,
        register,
        report,
        rollback,
        study,
        traffic,
        train,
    )
    from modelwright.flows.estimators import ModelwrightClassifier, ModelwrightRegressor
    from modelwright.flows.maintaining_api import retrain, scout, upgrade_check
    from modelwright.flows.monitoring_api import replay, watch

__all__ = [
    "ModelwrightClassifier",
    "ModelwrightError",
    "ModelwrightRegressor",
    "anomalies",
    "approve",
    "check_report",
    "cluster",
    "compare",
    "contrast",
    "diagnose",
    "evaluate",
    "explain",
    "load",
    "models",
    "predict",
    "profile",
    "promote",
    "prune",
    "register",
    "replay",
    "report",
    "retrain",
    "rollback",
    "scout",
    "study",
    "traffic",
    "train",
    "upgrade_check",
    "watch",
]

_HOMES = {
    "ModelwrightError": "modelwright.core.errors",
    "ModelwrightClassifier": "modelwright.flows.estimators",
    "ModelwrightRegressor": "modelwright.flows.estimators",
    "replay": "modelwright.flows.monitoring_api",
    "retrain": "modelwright.flows.maintaining_api",
    "scout": "modelwright.flows.maintaining_api",
    "upgrade_check": "modelwright.flows.maintaining_api",
    "watch": "modelwright.flows.monitoring_api",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the front door stays light."""
    if name not in __all__:
        message = f"module 'modelwright' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES.get(name, "modelwright.flows.api")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
