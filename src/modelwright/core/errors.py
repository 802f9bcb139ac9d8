"""Every error raised on purpose: a rule, a place, what was found, and how to fix it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ModelwrightError(Exception):
    """Root of the family: catch this to catch everything raised on purpose.

    Args:
        rule: What must hold, as a sentence without a full stop.
        where: The file, column, option or row that broke it.
        got: What was found there; shown with ``repr`` unless it is text already.
        fix: What to do about it.

    >>> print(InvalidSetting("a budget is a time above zero", where="--budget", got="0s", fix="try 60s"))
    MW601 a budget is a time above zero
      where: --budget
      found: 0s
      fix: try 60s
    """

    code = "MW000"

    def __init__(self, rule: str, *, where: str = "", got: object = None, fix: str = "") -> None:
        self.rule, self.where, self.got, self.fix = rule, where, got, fix
        found = "" if got is None else got if isinstance(got, str) else repr(got)
        parts = (("where", where), ("found", found), ("fix", fix))
        super().__init__("\n".join([f"{self.code} {rule}"] + [f"  {k}: {v}" for k, v in parts if v]))

    def to_dict(self) -> dict[str, str]:
        """Return the error as plain data, the form ``--json`` prints."""
        found = "" if self.got is None else self.got if isinstance(self.got, str) else repr(self.got)
        return {"code": self.code, "rule": self.rule, "where": self.where, "found": found, "fix": self.fix}


class UnreadableSource(ModelwrightError):
    """A file, folder, query or address could not be read as a table."""

    code = "MW101"


class EmptySource(ModelwrightError):
    """A source was read and holds no rows or no columns."""

    code = "MW102"


class InvalidTable(ModelwrightError):
    """A table was read but its shape is not usable: duplicate names, ragged rows."""

    code = "MW103"


class MissingLibrary(ModelwrightError):
    """An optional library is needed for what was asked and is not installed."""

    code = "MW104"


class InvalidContract(ModelwrightError):
    """A contract file is malformed or disagrees with the table it is used on."""

    code = "MW201"


class ContractBroken(ModelwrightError):
    """Rows to be scored break the contract in a way its policy does not forgive."""

    code = "MW202"


class UnknownColumn(ModelwrightError):
    """A column was named that the table does not have."""

    code = "MW203"


class InvalidTask(ModelwrightError):
    """What is asked cannot be learnt from this table: the target or the options contradict it."""

    code = "MW301"


class InvalidTarget(ModelwrightError):
    """The target column cannot be learnt: constant, empty, or a class too rare to split."""

    code = "MW302"


class UnknownName(ModelwrightError):
    """No learner, metric or other named part has this name."""

    code = "MW401"


class SearchFailed(ModelwrightError):
    """No candidate could be trained at all."""

    code = "MW402"


class InvalidPlan(ModelwrightError):
    """A file is no executed plan, or one whose run cannot be repeated here."""

    code = "MW403"


class OutOfReach(ModelwrightError):
    """No model on the front is within the limits."""

    code = "MW404"


class OutOfMemory(ModelwrightError):
    """A fit would take more memory than the run was given."""

    code = "MW405"


class InvalidPackage(ModelwrightError):
    """A model package is missing parts, was altered, or is not a package."""

    code = "MW501"


class IncompatiblePackage(ModelwrightError):
    """A sound package that these versions cannot run: other format, other answers."""

    code = "MW502"


class InvalidSetting(ModelwrightError):
    """An option or a line of ``modelwright.toml`` is outside what it may be."""

    code = "MW601"


class UnwritableOutput(ModelwrightError):
    """The place to write to cannot be written, or its ending names no known format."""

    code = "MW602"


class InvalidEvidence(ModelwrightError):
    """A measured value and its interval or count contradict each other."""

    code = "MW701"


class LedgerUnavailable(ModelwrightError):
    """The record of predictions cannot be opened, read or written."""

    code = "MW901"


class InvalidOutcome(ModelwrightError):
    """An outcome that is handed in names no prediction, or is no value of the target."""

    code = "MW902"


class ServiceUnavailable(ModelwrightError):
    """A service cannot start: its address is taken, or it would be open to strangers."""

    code = "MW903"


class NotExportable(ModelwrightError):
    """A model has a part that the format asked for cannot express, or whose answers differ there."""

    code = "MW904"


class WatchUnavailable(ModelwrightError):
    """The state of watching cannot be read or written, or the rows a model was judged on are not at hand."""

    code = "MW951"


class NothingToLearn(ModelwrightError):
    """A model cannot be retrained: its rows are not at hand, or too few outcomes are known since it learnt."""

    code = "MW952"


class NumbersDisagree(ModelwrightError):
    """A number in a package or a document is not the one that its source gives."""

    code = "MW711"


class NotComparable(ModelwrightError):
    """Two models answer different questions, so there is nothing to compare."""

    code = "MW712"


class InvalidName(ModelwrightError):
    """A model, a version or an alias is called in a way nothing can be called."""

    code = "MW801"


class UnknownModel(ModelwrightError):
    """No model, version or alias of this name is registered."""

    code = "MW802"


class RegistryUnavailable(ModelwrightError):
    """The registry cannot be opened, read or written."""

    code = "MW803"


class InvalidPolicy(ModelwrightError):
    """A policy file is malformed, or asks for what cannot be."""

    code = "MW804"


class NotAllowed(ModelwrightError):
    """A person, or a state of things, forbids what was asked: approving one's own model, going back to nothing."""

    code = "MW805"


class BrokenAudit(ModelwrightError):
    """The audit log was altered, cut or mixed with another."""

    code = "MW806"


def closest(name: str, known: Iterable[str]) -> str:
    """Return a fix that offers the nearest known names, or all of them when none is near.

    >>> closest("chrun", ["Churn", "tenure"])
    "did you mean 'Churn'?"
    """
    known = list(known)
    lowered = {k.lower(): k for k in known}
    near = [lowered[m] for m in get_close_matches(name.lower(), lowered, n=3, cutoff=0.6)]
    if near:
        return f"did you mean {' or '.join(repr(n) for n in near)}?"
    shown = ", ".join(repr(k) for k in known[:12])
    return f"use one of {shown}{' …' if len(known) > 12 else ''}"
