"""The feature plan: fitted once on the training rows, then the same for frames and for single records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from modelwright.core.contract import Contract
from modelwright.core.errors import UnknownName, closest
from modelwright.core.matrix import Matrix
from modelwright.core.state import State
from modelwright.core.values import reader
from modelwright.features._craft import blocks, distinct, sound
from modelwright.features._rows import compile_rows
from modelwright.features.arithmetic import SIGNS, Arithmetic
from modelwright.features.categories import Lookup, encode_levels
from modelwright.features.dates import Calendar, Gap, fit_calendar
from modelwright.features.encoding import TargetEncoding
from modelwright.features.groups import Deviation, fit_deviation
from modelwright.features.numbers import MissingCount, Numbers
from modelwright.features.recipe import recommend as recommend
from modelwright.features.text import TextFeatures, fit_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from modelwright.core.matrix import Feature
    from modelwright.features._craft import Craft
    from modelwright.features.recipe import Recipe, Step

_CRAFTS: Mapping[str, Any] = {
    "numbers": Numbers,
    "missing_count": MissingCount,
    "lookup": Lookup,
    "calendar": Calendar,
    "gap": Gap,
    "arithmetic": Arithmetic,
    "deviation": Deviation,
    "text": TextFeatures,
}
_STEPS = ("number", "category", "calendar", "gap", "text", "text_counts", "deviation", *SIGNS)


@dataclass(frozen=True)
class FeaturePlan:
    """A fitted plan: target-free crafts, and a target encoding once it has one.

    Features come in this order: numbers and booleans, then categories, dates and differences of dates by column,
    the count of missing values, texts, arithmetic on numbers, deviations from group means, and last the target
    encoding.

    Attributes:
        contract: The columns that are read, in the order in which records are read.
        crafts: Fitted steps.
        encoding: What was learnt from the target, or None.
    """

    contract: Contract
    crafts: tuple[Craft, ...]
    encoding: TargetEncoding | None = None

    @classmethod
    def fit(cls, frame: pl.DataFrame, contract: Contract, recipe: Recipe, *, seed: int) -> Self:
        """Return the plan of a recipe, fitted without looking at the target.

        Args:
            frame: Conformed training rows, at least one.
            contract: What each column means.
            recipe: Steps, such as ``recommend`` gives.
            seed: Of the text components.

        Raises:
            UnknownName: a step names no known craft.
            UnknownColumn: a step names no column of the contract.
        """
        names = _columns(recipe)
        read = Contract(tuple(replace(contract.column(name), levels=()) for name in names))
        numbers = tuple(step.column for step in recipe.steps if step.craft == "number")
        crafts: list[Craft] = [Numbers(numbers)] if numbers else []
        terms = tuple((step.craft, step.column, step.other) for step in recipe.steps if step.craft in SIGNS)
        late = ("number", "deviation", *SIGNS)
        alone = [step for step in recipe.steps if step.craft not in late]
        crafts += [_fit(step, frame, recipe, seed) for step in alone]
        if sum(frame.select(names).null_count().row(0)) if names else 0:
            crafts.append(MissingCount(names))
        plan = cls(read, tuple(sorted(crafts, key=lambda craft: isinstance(craft, TextFeatures))))
        plan = plan.with_late(Arithmetic(terms)) if terms else plan
        groups = [step for step in recipe.steps if step.craft == "deviation"]
        return plan.with_late(*(fit_deviation(frame, step.column, step.other) for step in groups))

    def with_late(self, *crafts: Craft) -> Self:
        """Return this plan with features of pairs of columns after its own; the columns are read already."""
        return replace(self, crafts=(*self.crafts, *crafts))

    def with_encoding(self, encoding: TargetEncoding | None) -> Self:
        """Return this plan with the encoding's features after its own, in place of an earlier encoding."""
        return replace(self, encoding=encoding)

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The columns of every matrix it makes."""
        return distinct([feature for craft in self._all for feature in craft.features])

    @property
    def _all(self) -> tuple[Craft, ...]:
        return self.crafts + (self.encoding.crafts if self.encoding else ())

    def matrix(self, frame: pl.DataFrame) -> Matrix:
        """Return the matrix of a conformed frame.

        >>> import polars as pl
        >>> from modelwright.core.contract import Column, Contract, Kind
        >>> contract = Contract((Column("age", Kind.NUMBER),))
        >>> rows = pl.DataFrame({"age": [31.0, None]})
        >>> plan = FeaturePlan.fit(rows, contract, recommend(contract, n_classes=2, n_rows=2), seed=0)
        >>> plan.matrix(rows).values.tolist()
        [[31.0, 0.0], [nan, 1.0]]
        """
        return Matrix(blocks(self._all, frame), self.features)

    def rows(self, records: Sequence[Mapping[str, object]]) -> Matrix:
        """Return the matrix of a few records of raw text or typed values; missing keys are missing values."""
        return Matrix(self._rows(records), self.features)

    @cached_property
    def _rows(self) -> Any:
        readers = {column.name: reader(column) for column in self.contract.columns}
        return compile_rows(readers, self._all)

    def state(self) -> State:
        """Return what is needed to do the same again."""
        parts = {f"craft_{i}": craft.state() for i, craft in enumerate(self.crafts)}
        if self.encoding:
            parts["encoding"] = self.encoding.state()
        return State("plan", {"contract": self.contract.to_dict(), "n_crafts": len(self.crafts)}, parts=parts)

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the plan a state describes, ready for its first record.

        Raises:
            InvalidPackage: the state is not sound.
        """
        with sound(state.kind):
            parts = [state.parts[f"craft_{i}"] for i in range(int(state.meta["n_crafts"]))]
            crafts = tuple(_CRAFTS[part.kind].restore(part) for part in parts)
            encoding = TargetEncoding.restore(state.parts["encoding"]) if "encoding" in state.parts else None
            plan = cls(Contract.from_dict(state.meta["contract"]), crafts, encoding)
            plan.rows([{}])  # compiles the readers, and fails here when a craft reads a column that is not there
            return plan


def _columns(recipe: Recipe) -> tuple[str, ...]:
    """Return the columns that a recipe reads, those taken as they are first: records are then cut, not picked."""
    steps = sorted(recipe.steps, key=lambda step: step.craft != "number")
    named = [name for step in steps for name in (step.column, step.other) if name]
    encoded = [name for step in recipe.encoded for name in (step.column, step.other) if name]
    return tuple(dict.fromkeys([*named, *encoded]))


def _fit(step: Step, frame: pl.DataFrame, recipe: Recipe, seed: int) -> Craft:
    match step.craft:
        case "category":
            return encode_levels(frame[step.column], max_codes=recipe.max_codes, count_from=recipe.count_from)
        case "calendar":
            return fit_calendar(frame[step.column])
        case "gap":
            return Gap(step.column, step.other)
        case "text":
            return fit_text(frame[step.column], n_components=recipe.n_components, seed=seed)
        case "text_counts":
            return fit_text(frame[step.column], n_components=0, seed=seed)
        case _:
            raise UnknownName(
                "a step is done by a known craft", where=step.column, got=step.craft, fix=closest(step.craft, _STEPS)
            )
