"""Load: open a package, verify it, and have it answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.flows.builtin import catalogue
from modelwright.flows.predictor import Predictor
from modelwright.flows.resolve import check_same, resolve
from modelwright.packaging.reading import read

if TYPE_CHECKING:
    from pathlib import Path


def load(path: str | Path) -> Predictor:
    """Return the model of a package.

    Args:
        path: A package folder or file, or a registered name: ``churn``, ``churn@champion``, ``churn@4``.

    Raises:
        InvalidPackage: It is damaged, altered, hostile, or no package.
        UnknownModel: Nothing of that name is registered, and no package lies there.
        IncompatiblePackage: It is sound, but this version cannot run it or does not give its answers.
    """
    place = resolve(path)
    package = read(place.path, catalogue())
    check_same(place, package.fingerprint)
    return Predictor(package)
