"""Names of metrics for the menus of who edits a canary config."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from analysis.config import CanaryConfig, parse_config
from analysis.errors import ConfigError, SourceError
from analysis.service.problems import Problem
from analysis.sources.connect import label_sources
from analysis.sources.port import MetricSource

# As long as Kayenta keeps them, which asks for them all.
KEPT_S = 60.0
# What was scraped lately; a metric that is gone is nothing to compare.
_LATELY_S = 3600.0
# Names no address, and so means the service's own Prometheus.
_OWN = {"version": 1, "name": "names of metrics", "metrics": [{"name": "up", "query": "up"}]}


@dataclass(slots=True, kw_only=True)
class MetricNames:
    """The names that the service's own Prometheus knows, asked for at most once a minute.

    Attributes:
        connect: Makes the source that a configuration describes.
        clock: Gives epoch seconds.
    """

    connect: Callable[[CanaryConfig], MetricSource]
    clock: Callable[[], float]
    _names: tuple[str, ...] = ()
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def holding(self, part: str) -> list[str]:
        """Give the names that hold a text, in whatever case; all of them for an empty one.

        Raises:
            Problem: The service has no Prometheus of its own, or that does not answer.
        """
        with self._lock:
            now = self.clock()
            if not self._until - KEPT_S <= now < self._until:
                self._names, self._until = self._asked(now), now + KEPT_S
            names = self._names
        return [name for name in names if part.lower() in name.lower()]

    def _asked(self, now: float) -> tuple[str, ...]:
        try:
            sources = label_sources(self.connect(parse_config(json.dumps(_OWN))))
            since = now - _LATELY_S
            return tuple(
                name
                for source in sources.values()
                for name in source.label_values("__name__", of=None, start=since, end=now)
            )
        except ConfigError as error:
            message = f"the service has no Prometheus of its own to name metrics: {error}"
            raise Problem(400, "not_offered", message) from error
        except SourceError as error:
            raise Problem(502, "source_failed", str(error)) from error
