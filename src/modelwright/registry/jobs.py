"""Jobs: long work on a registered model that one process at a time does, and that another takes up when it dies.

The record of a model's latest job is a tag of the model, so whoever shares the registry sees it, whatever the store.
It is read and changed under the writers' lock. A tracking server has no such lock: there a claim is looked at once more
after a moment, and of two claims the later one holds.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import ModelwrightError, NotAllowed
from modelwright.registry.version import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from modelwright.registry.registry import Registry

SETTLING_SECONDS = 1.0
"""So long after a claim over HTTP it is looked at again."""
BEATS = 4
"""A lease is renewed so many times before it would run out."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work and how far it is.

    Attributes:
        id: The same for the same work: model, champion, rows and options.
        model: Name of the model.
        kind: ``retrain``.
        facts: What was asked and what came of it so far, plain data, a few hundred characters.
        begun: Seconds since 1970-01-01 UTC.
        holder: Who works on it.
        until: When the holder's right to it ends unless renewed.
        attempts: How many processes have worked on it.
        ended: When it was through, or None.
        outcome: How it ended.
    """

    id: str
    model: str
    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    begun: float = 0.0
    holder: str = ""
    until: float = 0.0
    attempts: int = 1
    ended: float | None = None
    outcome: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it is through."""
        return self.ended is not None

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


class Jobs:
    """The jobs of one kind in a registry.

    Args:
        registry: Where the records are.
        kind: Of the jobs.
        holder: Names this process among all that share the registry.
        seconds: How long a right lasts that is not renewed: after a crash so long nobody takes the job up.
        clock: Seconds since 1970-01-01 UTC.
    """

    def __init__(
        self, registry: Registry, kind: str, *, holder: str, seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._registry, self._kind, self._holder = registry, kind, holder
        self._seconds, self._clock = seconds, clock

    def latest(self, model: str) -> Job | None:
        """Return the latest job of a model, or None."""
        return _job(self._registry.model_tags(model).get(self._key, ""))

    def claim(self, draft: Job) -> tuple[Job, bool]:
        """Begin a job, or take up the one that was left unfinished.

        Args:
            draft: What would be begun.

        Returns:
            The job that counts, and whether this process has the right to it: not while another works on one, and
            not when this very job is over already.
        """
        is_mine = False

        def change(text: str) -> str | None:
            nonlocal is_mine
            known, now = _job(text), self._clock()
            is_mine = False
            if known is not None and not known.is_over:
                if known.holder != self._holder and known.until > now:
                    return None
                is_mine = True
                again = known.attempts + (known.holder != self._holder)
                return _text(replace(known, holder=self._holder, until=now + self._seconds, attempts=again))
            if known is not None and known.id == draft.id:
                return None
            is_mine = True
            return _text(replace(draft, holder=self._holder, begun=now, until=now + self._seconds))

        found = _job(self._registry.change_tag(draft.model, self._key, change))
        assert found is not None
        if is_mine and not self._registry.has_lock:
            time.sleep(SETTLING_SECONDS)
            found = self.latest(draft.model) or found
            is_mine = found.holder == self._holder
        return found, is_mine

    def update(self, job: Job, **facts: Any) -> Job:
        """Add to the facts of a job that this process has the right to, and renew the right.

        Raises:
            NotAllowed: Another process has taken it up meanwhile.
        """
        return self._change(job, lambda j: replace(j, facts={**j.facts, **facts}, until=self._clock() + self._seconds))

    def end(self, job: Job, outcome: str, **facts: Any) -> Job:
        """Note that a job is through, and how it ended.

        Raises:
            NotAllowed: Another process has taken it up meanwhile.
        """
        now = self._clock()
        return self._change(
            job, lambda j: replace(j, facts={**j.facts, **facts}, until=now, ended=now, outcome=outcome)
        )

    def check(self, job: Job) -> None:
        """Check that this process still has the right to a job; to be asked under the writers' lock.

        Raises:
            NotAllowed: Another process has taken it up meanwhile.
        """
        known = self.latest(job.model)
        if known is None or known.id != job.id or known.holder != self._holder or known.is_over:
            raise self._lost(job)

    @contextmanager
    def kept(self, job: Job) -> Iterator[None]:
        """Renew the right while the block runs."""
        is_done = threading.Event()

        def beat() -> None:
            while not is_done.wait(self._seconds / BEATS):
                try:
                    self.update(job)
                except NotAllowed:
                    return
                except ModelwrightError:
                    continue  # a store that cannot be reached for a moment; the right lasts a while longer

        thread = threading.Thread(target=beat, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_done.set()
            thread.join()

    @property
    def _key(self) -> str:
        return f"{PREFIX}job.{self._kind}"

    def _change(self, job: Job, changed: Callable[[Job], Job]) -> Job:
        def change(text: str) -> str:
            known = _job(text)
            if known is None or known.id != job.id or known.holder != self._holder or known.is_over:
                raise self._lost(job)
            return _text(changed(known))

        found = _job(self._registry.change_tag(job.model, self._key, change))
        assert found is not None
        return found

    def _lost(self, job: Job) -> NotAllowed:
        return NotAllowed(
            "one process at a time works on a model",
            where=job.model,
            got=f"another has taken up the job {job.id}",
            fix="nothing is to be done: it is being finished there",
        )


def _text(job: Job) -> str:
    return json.dumps(job.to_dict(), ensure_ascii=False)


def _job(text: str) -> Job | None:
    """Return the job that a tag holds; anyone with the store may write tags, so what is no job counts as none."""
    try:
        data = json.loads(text) if text else None
        return None if not isinstance(data, dict) else Job(**data)
    except (ValueError, TypeError):
        return None
