"""What was found in a table without a target: groups of rows, or odd rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Count:
    """How well one number of groups fits.

    Attributes:
        n: How many groups.
        silhouette: How much closer rows are to their own group than to the next, -1 to 1.
        stability: Mean adjusted Rand index between groups found on resamples: 1 is always the same groups.
        low: Tenth percentile of that index.
        chosen: Share of the resamples that would choose this number.
    """

    n: int
    silhouette: float
    stability: float
    low: float
    chosen: float


@dataclass(frozen=True, slots=True)
class Trait:
    """What sets rows apart: a column, what they have there, and what all rows have.

    Attributes:
        column: Its name.
        here: What these rows have, in words.
        overall: What all rows have, in words.
        strength: How far apart the two are, in standard deviations.
    """

    column: str
    here: str
    overall: str
    strength: float


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its rows, how often resamples find it again (mean Jaccard index, 0 to 1), and its traits."""

    number: int
    n_rows: int
    stability: float
    traits: tuple[Trait, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups of a table's rows.

    Attributes:
        groups: Largest first.
        counts: Every number of groups that was tried.
        n_rows: Rows of the table.
        n_judged: Rows that stability and silhouette were measured on.
        n_resamples: Resamples behind the stability.
        p_value: Chance of a silhouette as high when the columns are unrelated.
        is_clear: Whether the groups are more than chance and found again.
        sentence: What that means.
        columns: Columns that were looked at.
        assigned: Group of each row, from 1, shape (n_rows,).
        sureness: How much nearer its own centre is than the next one, 0 to 1, shape (n_rows,).
        map: Rows on the two directions of most spread: x, y, group; a sample.
    """

    groups: tuple[Group, ...]
    counts: tuple[Count, ...]
    n_rows: int
    n_judged: int
    n_resamples: int
    p_value: float
    is_clear: bool
    sentence: str
    columns: tuple[str, ...]
    assigned: Ints
    sureness: Floats
    map: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row is odd: a column, its value, what is usual, and the share of the oddness it explains."""

    column: str
    value: str
    usual: str
    share: float


@dataclass(frozen=True, slots=True)
class OddRow:
    """One odd row: its position from 0, its oddness, its p-value, and why."""

    row: int
    oddness: float
    p_value: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Oddities:
    """Odd rows of a table.

    Attributes:
        rows: Those flagged, oddest first.
        n_rows: Rows of the table.
        n_reference: Rows they were compared with.
        has_reference: Whether those are another table, of rows known to be ordinary.
        false_alarms: The share of ordinary rows that is flagged.
        n_expected: Ordinary rows expected among the flagged, if all rows were ordinary.
        n_flagged: How many rows are flagged.
        false_share: Expected share of ordinary rows among the flagged, at most 1.
        sentence: What that means.
        columns: Columns that were looked at.
        oddness: Of each row, 0 to 1, shape (n_rows,).
        p_values: Of each row, shape (n_rows,).
        flagged: Shape (n_rows,).
        usual: Histogram of the reference rows' oddness: (left end, share).
        found: Likewise of the rows'.
    """

    rows: tuple[OddRow, ...]
    n_rows: int
    n_reference: int
    has_reference: bool
    false_alarms: float
    n_expected: float
    n_flagged: int
    false_share: float
    sentence: str
    columns: tuple[str, ...]
    oddness: Floats
    p_values: Floats
    flagged: Bools
    usual: tuple[tuple[float, float], ...]
    found: tuple[tuple[float, float], ...]
