"""The keeper: loads what is to answer, and says when it has become another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.core.errors import IncompatiblePackage, ModelwrightError
from modelwright.core.ports import Traffic
from modelwright.packaging.reading import read
from modelwright.service.configuration import read_configuration
from modelwright.service.models import Models
from modelwright.service.scorer import Scorer

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.catalogue import Catalogue
    from modelwright.core.ports import ChampionSource, Pointer
    from modelwright.service.configuration import Configuration
    from modelwright.service.counters import Counters
    from modelwright.service.logs import Log
    from modelwright.service.policy import Policy
    from modelwright.service.tokens import Keyring

State = tuple["Configuration", "Pointer", "Traffic"]


class Keeper:
    """Knows the sources. For one thread at a time.

    Args:
        source: Of the champion.
        others: Returns the source of a canary or a shadow, given what the configuration calls it and the model's name.
        catalogue: The parts that packages may hold.
        config: Path of the configuration, or None.
        keyring: Refreshed with each look.
        counters: Counts what was taken up and what could not be.
        log: Told why.
    """

    def __init__(
        self,
        source: ChampionSource,
        others: Callable[[str, str], ChampionSource],
        catalogue: Catalogue,
        config: str | Path | None,
        keyring: Keyring,
        log: Log,
    ) -> None:
        self._source, self._others, self._catalogue, self._config = source, others, catalogue, config
        self._known: dict[str, ChampionSource] = {}
        self._keyring, self._log = keyring, log
        self._state: State | None = None
        self._failed: object = None
        self._scorers: dict[tuple[Pointer, int], Scorer] = {}

    def load(self) -> Models:
        """Return the models that are to answer now.

        Raises:
            ModelwrightError: The package is not sound, or the configuration not readable.
        """
        state = self._observe()
        models = self._models(state)
        self._state = state
        return models

    def look(self, counters: Counters) -> Models | None:
        """Return new models when there are some; None when nothing changed, or what there is cannot be used."""
        self._keyring.refresh()
        state: State | None = None
        try:
            state = self._observe()
            if state in (self._state, self._failed):
                return None
            models = self._models(state)
        except ModelwrightError as error:
            self._failed = state
            counters.event("reload_failures")
            self._log.say("not taken up", code=error.code, rule=error.rule, where=error.where)
            return None
        self._state, self._failed = state, None
        counters.event("reloads")
        return models

    def _observe(self) -> State:
        config = read_configuration(self._config)
        champion = self._source.current()
        return config, champion, self._traffic(config, champion)

    def _traffic(self, config: Configuration, champion: Pointer) -> Traffic:
        """Return who answers beside the champion: as the file says, or else as the source does."""
        told = self._source.traffic() if config.canary is None or config.shadow is None else Traffic()
        canary, percent = told.canary, told.percent
        if config.canary is not None:
            canary, percent = self._other(config.canary[0], champion.model), config.canary[1]
        shadow = told.shadow if config.shadow is None else self._other(config.shadow, champion.model)
        return Traffic(canary, percent, shadow)

    def _other(self, reference: str, model: str) -> Pointer:
        """Return where a canary or a shadow lies, answering under the champion's name."""
        if reference not in self._known:
            self._known[reference] = self._others(reference, model)
        return replace(self._known[reference].current(), model=model)

    def _models(self, state: State) -> Models:
        config, pointer, traffic = state
        pointers = (pointer, traffic.canary, traffic.shadow)
        champion, canary, shadow = (None if p is None else self._scorer(p, config.policy) for p in pointers)
        assert champion is not None
        for other in (canary, shadow):
            if other is not None and other.task.labels != champion.task.labels:
                raise IncompatiblePackage(
                    "a canary and a shadow answer the champion's question", where=other.pointer.path, got="other labels"
                )
        kept = {id(s) for s in (champion, canary, shadow)}
        self._scorers = {key: s for key, s in self._scorers.items() if id(s) in kept}
        return Models(champion, canary, traffic.percent, shadow)

    def _scorer(self, pointer: Pointer, policy: Policy) -> Scorer:
        """Return the scorer of a pointer; a package that is loaded already is not read again."""
        known = next((s for (p, _), s in self._scorers.items() if p == pointer), None)
        package = known.package if known is not None else read(pointer.path, self._catalogue)
        named = replace(pointer, version=pointer.version or package.fingerprint[:12], fingerprint=package.fingerprint)
        scorer = Scorer(package, named, policy)
        self._scorers[pointer, id(scorer)] = scorer
        return scorer
