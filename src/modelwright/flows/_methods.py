"""Methods: what is known for tables beyond what is built in, what each needs, and where it was described."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.flows.builtin import LEARNERS
from modelwright.flows.versions import LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUILT_IN, PLUG_IN, NEEDS, ELSEWHERE = "built in", "plug-in installed", "built in, needs", "needs a plug-in"


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    Attributes:
        name: As people call it.
        learner: Its name in the catalogue: built in, or what a plug-in for it would be called.
        module: The library's module to be imported, or empty.
        library: As it is installed.
        extra: Of modelwright that brings it, or empty.
        shape: For which tables it is made.
        reference: Where it was described.
    """

    name: str
    learner: str
    shape: str
    reference: str
    module: str = ""
    library: str = ""
    extra: str = ""


METHODS = (
    Method("Constant", "constant", "any: the yardstick", "–"),
    Method(
        "Ridge and penalised logistic regression",
        "linear",
        "small, wide, text",
        "Hoerl, Kennard (Technometrics 1970); le Cessie, van Houwelingen (Applied Statistics 1992)",
    ),
    Method("Nearest neighbours", "neighbours", "to 50,000 rows, few columns", "Dudani (IEEE Trans. SMC 1976)"),
    Method(
        "Random forest",
        "forest",
        "any; large models on many rows",
        "Breiman (Machine Learning 2001)",
        "sklearn",
        "scikit-learn",
    ),
    Method(
        "Extremely randomised trees",
        "forest",
        "any; large models on many rows",
        "Geurts, Ernst, Wehenkel (Machine Learning 2006)",
        "sklearn",
        "scikit-learn",
    ),
    Method("LightGBM", "lightgbm", "any", "Ke et al. (NeurIPS 2017)", "lightgbm", "lightgbm"),
    Method("XGBoost", "xgboost", "any", "Chen, Guestrin (KDD 2016)", "xgboost", "xgboost-cpu"),
    Method(
        "CatBoost",
        "catboost",
        "any; many categories",
        "Prokhorenkova et al. (NeurIPS 2018)",
        "catboost",
        "catboost",
        "catboost",
    ),
    Method(
        "Network with shared members (TabM-mini, trained as RealMLP)",
        "neural",
        "2,000 rows and more, labels",
        "Gorishniy, Kotelnikov, Babenko (ICLR 2025); Holzmüller, Grinsztajn, Steinwart (NeurIPS 2024)",
    ),
    Method(
        "TabICL",
        "foundation",
        "to 10,000 rows read, 500 columns; weights on disk",
        "Qu, Holzmüller, Varoquaux, Le Morvan (ICML 2025)",
        "tabicl",
        "tabicl",
        "foundation",
    ),
    Method(
        "TabPFN",
        "tabpfn",
        "to 10,000 rows, 500 columns; weights on disk, licence to be read",
        "Hollmann et al. (Nature 2025)",
        "tabpfn",
        "tabpfn",
    ),
    Method(
        "FT-Transformer",
        "ft-transformer",
        "many rows; a graphics card",
        "Gorishniy et al. (NeurIPS 2021)",
        "rtdl_revisiting_models",
        "rtdl_revisiting_models",
    ),
    Method(
        "RealMLP, as published",
        "realmlp",
        "1,000 rows and more",
        "Holzmüller, Grinsztajn, Steinwart (NeurIPS 2024)",
        "pytabkit",
        "pytabkit",
    ),
    Method(
        "Explainable boosting machine",
        "ebm",
        "where every effect is to be read",
        "Lou, Caruana, Gehrke, Hooker (KDD 2013)",
        "interpret",
        "interpret-core",
    ),
    Method("NGBoost", "ngboost", "whole distributions of numbers", "Duan et al. (ICML 2020)", "ngboost", "ngboost"),
    Method(
        "Support vector machine",
        "svm",
        "to 20,000 rows",
        "Cortes, Vapnik (Machine Learning 1995)",
        "sklearn",
        "scikit-learn",
    ),
    Method(
        "Gaussian process",
        "gaussian-process",
        "to 5,000 rows, smooth",
        "Rasmussen, Williams (MIT Press 2006)",
        "sklearn",
        "scikit-learn",
    ),
)
"""In the order of the list that `scout --catalogue` prints."""

RESTS_ON = {
    "lightgbm": ("lightgbm",),
    "xgboost-cpu": ("xgboost",),
    "catboost": ("catboost",),
    "scikit-learn": ("forest",),
    "numpy": ("all learners",),
    "polars": ("reading and preparing",),
    "scipy": ("intervals", "linear"),
}
"""What rests on a library, so that a change of its version may change it."""


def methods(plug_ins: Sequence[str]) -> list[dict[str, Any]]:
    """Return every method with what it needs and whether it is there, plug-ins of other names last."""
    found = [{**_told(m), "status": _status(m, plug_ins)} for m in METHODS]
    named = {m.learner for m in METHODS}
    for name in plug_ins:
        if name not in named:
            blank = {"shape": "", "reference": "", "library": "", "extra": ""}
            found.append({"name": name, "learner": name, **blank, "status": PLUG_IN})
    return found


def _told(m: Method) -> dict[str, Any]:
    known = {"name": m.name, "learner": m.learner, "shape": m.shape, "reference": m.reference}
    return {**known, "library": m.library, "extra": m.extra}


def _status(m: Method, plug_ins: Sequence[str]) -> str:
    is_there = not m.module or find_spec(m.module) is not None
    if m.learner in LEARNERS:
        install = f"modelwright[{m.extra}]" if m.extra else m.library
        return BUILT_IN if is_there else f"{NEEDS} {install}"
    if m.learner in plug_ins:
        return PLUG_IN
    return f"{ELSEWHERE} {m.learner!r}" + ("" if is_there else f" and {m.library}")


def dependencies(recorded: Mapping[str, str], lock: Path | None) -> list[dict[str, Any]]:
    """Return the libraries that models rest on: installed, allowed, locked, and as a package was made with.

    Args:
        recorded: Versions by name, of a package; empty for none.
        lock: A requirements file with pins, or None.
    """
    pins, allowed = {} if lock is None else pins_of(lock.read_text()), _allowed()
    found = []
    for name in LIBRARIES:
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = ""
        known = {"name": name, "installed": installed, "allowed": allowed.get(name, "")}
        known |= {"locked": pins.get(name, ""), "recorded": recorded.get(name, "")}
        off = [k for k in ("locked", "recorded") if known[k] and known[k] != installed]
        found.append({**known, "differs_from": off, "concerns": list(RESTS_ON.get(name, ())) if off else []})
    return found


def pins_of(text: str) -> dict[str, str]:
    r"""Return the exact versions that a requirements file pins.

    >>> pins_of("numpy==2.1.0 \\\\\n    --hash=sha256:ab\nscipy>=1.14")
    {'numpy': '2.1.0'}
    """
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE)
    return {name.lower().replace("_", "-"): pin for name, pin in found}


def _allowed() -> dict[str, str]:
    """Return what modelwright itself allows, as it was installed."""
    found: dict[str, str] = {}
    for line in requires("modelwright") or ():
        name, limits = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([^;]*)", line).groups()  # type: ignore[union-attr]
        found.setdefault(name.lower().replace("_", "-"), limits.strip())
    return found
