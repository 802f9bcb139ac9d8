"""Profile: what a table holds, what its columns mean, and what is wrong with it; nothing is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.data.conforming import conform
from modelwright.data.contract_files import load_contract, merge_contract, save_contract
from modelwright.data.inference import complete, infer
from modelwright.data.profiling import profile as describe
from modelwright.data.reading import read
from modelwright.flows._preparing import prepare, read_sealed
from modelwright.reports.terminal import profile as text_of

if TYPE_CHECKING:
    from modelwright.core.contract import Contract
    from modelwright.core.run import Run
    from modelwright.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Profiled:
    """A table, described.

    Attributes:
        contract: What the columns mean.
        description: Everything else, as plain data.
    """

    contract: Contract
    description: dict[str, Any]

    def summary(self, width: int) -> str:
        """Return the description as plain text for a terminal of this width."""
        return text_of(self.description, width=width)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``profile --json`` prints."""
        return self.description


def profile(
    source: object,
    settings: Settings | None,
    run: Run,
    *,
    query: str | None = None,
    contract: str | None = None,
    contract_out: str | None = None,
) -> Profiled:
    """Describe a table, with findings about the target where one is named.

    Args:
        source: Anything that can be read as a table.
        settings: What would be asked of it, or None: then only the columns are described.
        run: Seed.
        query: SQL query, when the source is a database.
        contract: Contract file to take in place of the inferred columns.
        contract_out: Where to write the contract, to be edited and given back.
    """
    run.say("read", "the table")
    table = read(source, query=query)
    if settings is None:
        known = infer(table)
        if contract is not None:
            known = complete(table, merge_contract(known, load_contract(contract)))
        done = Profiled(known, describe(table, conform(table.frame, known).frame, known))
    else:
        p = prepare(table, read_sealed(settings), settings, run)
        described = describe(p.table, p.frame, p.contract, task=p.task, target=p.target, findings=p.findings)
        done = Profiled(p.contract, described)
    if contract_out is not None:
        save_contract(done.contract, contract_out)
    return done
