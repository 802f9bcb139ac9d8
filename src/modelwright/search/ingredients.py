"""Ingredients: what a search may audition; a study of what each one brings leaves one out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What is auditioned before the race; a run of a user auditions all of it.

    Attributes:
        features: Words of texts, and operations on pairs of numbers.
        encodings: Categories as the mean target of their levels; all that the recipe names, where not auditioned.
        groups: Distances from group means, and pairs of categories.
        shapes: Shapes of a positive target.
    """

    features: bool = True
    encodings: bool = True
    groups: bool = True
    shapes: bool = True


ALL = Ingredients()
