"""What the service counts about itself, for its own Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from analysis.store import Look, Record, Status

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Operations:
    """The metrics of one process.

    Attributes:
        registry: What `/metrics` shows.
        seconds: How long looks take, queries included.
        delay: How long looks were due before they were begun.
        under_way: Looks that are made at this moment or wait for a worker.
        bugs: Looks that ended in an error of ours.
    """

    def __init__(self) -> None:
        """Begin to count."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.under_way = Gauge(
            "serinus_looks_under_way", "Looks made or waiting for a worker.", registry=self.registry
        )
        self.seconds = self._times("look", "Seconds a look took, queries included.")
        self.delay = self._times("look_delay", "Seconds a look was due before it was begun.")
        self.bugs = self._counts("bugs", "Looks that ended in an error of Serinus.")
        self._looks = self._counts("looks", "Looks, by their result.", "config", "result")
        self._verdicts = self._counts("verdicts", "Final verdicts.", "config", "verdict")
        self._notices = self._counts("notices", "Notices sent.", "target", "result")
        self._query_seconds = self._times("query", "Seconds Prometheus took to answer a query.")
        self._queries = self._counts("queries", "Queries of Prometheus.", "result")
        self._call_seconds = self._times("call", "Seconds a call took to be answered.", "route")
        self._calls = self._counts("calls", "Calls of the API.", "route", "status")

    def _counts(self, what: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"serinus_{what}", help_text, labels, registry=self.registry)

    def _times(self, what: str, help_text: str, *labels: str) -> Histogram:
        name = f"serinus_{what}_seconds"
        return Histogram(name, help_text, labels, buckets=_SECONDS, registry=self.registry)

    def expect(self, configs: Iterable[str], targets: Iterable[str]) -> None:
        """Begin at 0 what is known to come: a counter that begins at 1 has not increased."""
        for config in configs:
            self._expect(config)
        for target in targets:
            for result in ("heard", "not_heard"):
                self._notices.labels(target, result)
        for result in ("answered", "failed"):
            self._queries.labels(result)

    def _expect(self, config: str) -> None:
        for verdict in ("pass", "fail", "inconclusive"):
            self._verdicts.labels(config, verdict)
            self._looks.labels(config, verdict)
        self._looks.labels(config, "running")

    def answered(self, seconds: float) -> None:
        """Count a query that was answered."""
        self._queries.labels("answered").inc()
        self._query_seconds.observe(seconds)

    def refused(self, queries: int) -> None:
        """Count queries that were not answered."""
        self._queries.labels("failed").inc(queries)

    def called(self, route: str, status: int, seconds: float) -> None:
        """Count a call; `route` as the API describes it, not as it was called."""
        self._calls.labels(route, str(status)).inc()
        self._call_seconds.labels(route).observe(seconds)

    def noticed(self, target: str, *, heard: bool) -> None:
        """Count a notice that was sent."""
        self._notices.labels(target, "heard" if heard else "not_heard").inc()

    def looked(self, record: Record, look: Look) -> None:
        """Count a look that was kept."""
        self._expect(record.config)  # one that was added since the start
        self._looks.labels(record.config, look.verdict or "running").inc()
        if look.status is Status.COMPLETED and look.verdict:
            self._verdicts.labels(record.config, look.verdict).inc()
