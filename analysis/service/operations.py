"""What the service counts about itself, for its own Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from analysis.store import Look, Record, Status

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Operations:
    """The metrics of one process.

    Attributes:
        registry: What `/metrics` shows.
        seconds: How long looks take, queries included.
        under_way: Looks that are made at this moment or wait for a worker.
        bugs: Looks that ended in an error of ours.
    """

    def __init__(self) -> None:
        """Begin to count."""
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "serinus_look_seconds",
            "Seconds a look took, queries included.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.under_way = Gauge(
            "serinus_looks_under_way", "Looks made or waiting for a worker.", registry=self.registry
        )
        self.bugs = Counter(
            "serinus_bugs", "Looks that ended in an error of Serinus.", registry=self.registry
        )
        self._looks = Counter(
            "serinus_looks", "Looks, by their result.", ["config", "result"], registry=self.registry
        )
        self._verdicts = Counter(
            "serinus_verdicts", "Final verdicts.", ["config", "verdict"], registry=self.registry
        )

        self._notices = Counter(
            "serinus_notices", "Notices sent.", ["target", "result"], registry=self.registry
        )

    def noticed(self, target: str, *, heard: bool) -> None:
        """Count a notice that was sent."""
        self._notices.labels(target, "heard" if heard else "not_heard").inc()

    def looked(self, record: Record, look: Look) -> None:
        """Count a look that was kept."""
        self._looks.labels(record.config, look.verdict or "running").inc()
        if look.status is Status.COMPLETED and look.verdict:
            self._verdicts.labels(record.config, look.verdict).inc()
