"""Versions of this package and of the libraries that a model's answers depend on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("numpy", "polars", "lightgbm", "catboost", "xgboost-cpu", "scikit-learn", "scipy")


def own_version() -> str:
    """Return the version of modelwright."""
    return version("modelwright")


def library_versions() -> dict[str, str]:
    """Return the installed versions of Python and of the libraries, absent ones left out."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
