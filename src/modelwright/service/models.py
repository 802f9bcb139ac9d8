"""The models that answer: champion, and by configuration a canary and a shadow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.service.scorer import Scorer


@dataclass(frozen=True, slots=True)
class Models:
    """Replaced as a whole, so that a request sees one state of it.

    Attributes:
        champion: Answers.
        canary: Answers a part of the requests in its place, or None.
        canary_percent: Which part, 0 to 100.
        shadow: Is asked everything beside it; its answers are recorded and not given. Or None.
    """

    champion: Scorer
    canary: Scorer | None = None
    canary_percent: float = 0.0
    shadow: Scorer | None = None

    def choose(self, draw: int) -> tuple[Scorer, str]:
        """Return who answers a request, and as what; ``draw`` counts requests, so that the share is exact."""
        if self.canary is not None and (draw * 7919 % 10_000) < 100 * self.canary_percent:
            return self.canary, "canary"
        return self.champion, "champion"

    def listed(self) -> list[tuple[str, str, str, str]]:
        """Return role, name, version and fingerprint of each."""
        known = (("champion", self.champion), ("canary", self.canary), ("shadow", self.shadow))
        return [
            (role, scorer.pointer.model, scorer.version, scorer.package.fingerprint)
            for role, scorer in known
            if scorer is not None
        ]

    def named(self, version: str | None) -> Scorer | None:
        """Return the one that answers under a version; the champion when None."""
        if version is None or version == self.champion.version:
            return self.champion
        return self.canary if self.canary is not None and version == self.canary.version else None
