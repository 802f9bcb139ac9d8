"""Counters: what happened, in memory that all workers of a service share, and the page Prometheus reads."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from modelwright.service.door import Departure

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper ends of the latency histogram, seconds."""
STATUSES = (200, 202, 400, 401, 403, 404, 405, 408, 411, 413, 415, 421, 422, 429, 431, 500, 503)
ROLES = ("champion", "canary", "shadow")
EVENTS = ("reloads", "reload_failures", "worker_starts", "recorded", "record_failures", "outcomes", "abstained")
ELSEWHERE = "(other)"
Key = tuple[str, ...]


class Counters:
    """One number per key and worker. Made before the workers are forked, so that all see the same memory.

    A worker writes only its own share and needs no lock; the page adds the shares up, so a worker that dies
    takes no count with it.

    Args:
        routes: Names of the routes.
        columns: Columns whose departures are counted by name; others count together.
        rules: The departures.
        n_workers: How many shares there are.
        beside: Gives what else the page shows, worked out elsewhere; asked at each look, so it must be quick.
    """

    def __init__(
        self,
        routes: Sequence[str],
        columns: Sequence[str],
        rules: Sequence[str],
        *,
        n_workers: int = 1,
        beside: Callable[[], bytes] = lambda: b"",
    ) -> None:
        self._beside = beside
        self._columns = frozenset(columns)
        keys: list[Key] = [("requests", route, str(status)) for route in routes for status in STATUSES]
        for route in routes:
            keys += [("seconds", route, str(end)) for end in (*BUCKETS, "+Inf")]
            keys.append(("seconds_sum", route))
        keys += [("rows", role) for role in ROLES]
        keys += [("departures", column, rule) for column in (*columns, ELSEWHERE) for rule in rules]
        keys += [("events", event) for event in EVENTS]
        keys.append(("in_flight",))
        self._places: dict[Key, int] = {key: i for i, key in enumerate(keys)}
        self._n = len(keys)
        self._memory = memoryview(mmap.mmap(-1, 8 * self._n * n_workers)).cast("d")
        self._n_workers = n_workers
        self._base = 0
        self._requests = {(r, s): self._places["requests", r, str(s)] for r in routes for s in STATUSES}
        self._first_bucket = {r: self._places["seconds", r, str(BUCKETS[0])] for r in routes}
        self.become(0)

    def become(self, worker: int) -> None:
        """Write to this worker's share from now on; nothing is in flight in a worker that begins."""
        self._base = worker * self._n
        self._memory[self._base + self._places["in_flight",]] = 0.0

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request and its latency."""
        memory, base = self._memory, self._base
        memory[base + self._requests[route, status]] += 1
        place = base + self._first_bucket[route]
        i = 0
        for end in BUCKETS:
            if seconds <= end:
                break
            i += 1
        memory[place + i] += 1
        memory[place + len(BUCKETS) + 1] += seconds

    def rows(self, role: str, n: int) -> None:
        """Count scored rows."""
        self._memory[self._base + self._places["rows", role]] += n

    def event(self, name: str, n: int = 1) -> None:
        """Count one of ``EVENTS``."""
        self._memory[self._base + self._places["events", name]] += n

    def departed(self, departures: Iterable[Departure]) -> None:
        """Count departures from the contract by column."""
        for d in departures:
            column = d.column if d.column in self._columns else ELSEWHERE
            self._memory[self._base + self._places["departures", column, d.rule]] += 1

    def in_flight(self, change: int) -> None:
        """Say that a request began (1) or ended (-1)."""
        self._memory[self._base + self._places["in_flight",]] += change

    def total(self, *key: str) -> float:
        """Return the sum over all workers."""
        place = self._places[key]
        return sum(self._memory[worker * self._n + place] for worker in range(self._n_workers))

    def page(self, models: Sequence[tuple[str, str, str, str]]) -> bytes:
        """Return the page in Prometheus' text format.

        Args:
            models: Role, name, version and fingerprint of each model that answers.
        """
        from prometheus_client import CollectorRegistry, generate_latest

        registry = CollectorRegistry()
        registry.register(_Collector(self, models))
        return bytes(generate_latest(registry)) + self._beside()

    def each(self) -> Iterable[Key]:
        """Give every key."""
        return self._places


class _Collector:
    """Tells prometheus-client the sums, as its own families of metrics."""

    def __init__(self, counters: Counters, models: Sequence[tuple[str, str, str, str]]) -> None:
        self._counters, self._models = counters, models

    def collect(self) -> Iterable[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        of = self._counters.total
        requests = CounterMetricFamily("modelwright_requests", "Requests answered.", labels=["route", "status"])
        departures = CounterMetricFamily(
            "modelwright_contract_departures", "Cells that departed from the contract.", labels=["column", "rule"]
        )
        rows = CounterMetricFamily("modelwright_rows", "Rows scored.", labels=["role"])
        for key in self._counters.each():
            family = {"requests": requests, "departures": departures, "rows": rows}.get(key[0])
            if family is not None and (value := of(*key)):
                family.add_metric(list(key[1:]), value)
        yield from (requests, departures, rows, self._latencies())
        for event in EVENTS:
            yield CounterMetricFamily(f"modelwright_{event}", f"{event.replace('_', ' ')}.", value=of("events", event))
        yield GaugeMetricFamily("modelwright_in_flight", "Requests being worked on.", value=of("in_flight"))
        info = GaugeMetricFamily(
            "modelwright_model", "The models that answer.", labels=["role", "model", "version", "fingerprint"]
        )
        for labels in self._models:
            info.add_metric(list(labels), 1.0)
        yield info

    def _latencies(self) -> Any:
        from prometheus_client.core import HistogramMetricFamily

        of = self._counters.total
        family = HistogramMetricFamily("modelwright_request_seconds", "Latency of requests.", labels=["route"])
        for route in sorted({key[1] for key in self._counters.each() if key[0] == "seconds_sum"}):
            summed, buckets = 0.0, []
            for end in (*map(str, BUCKETS), "+Inf"):
                summed += of("seconds", route, end)
                buckets.append((end, summed))
            if summed:
                family.add_metric([route], buckets, of("seconds_sum", route))
        return family
