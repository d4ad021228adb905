"""A fleet's past as OpenMetrics text: pods of two versions with a histogram of response times each.

Written series by series, for promtool reads a file in any order: 2,000 pods a side are 14 million
samples, a gigabyte of text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

EDGES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
# Requests of one pod within one scrape interval, by bucket: most take about 80 ms.
LOAD = np.array([0.3, 1.2, 3, 6, 6, 4.5, 4.5, 2.4, 0.9, 0.6, 0.3, 0.15, 0.09, 0.03, 0.03])
SCRAPE_S = 15
SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What is to be written.

    Attributes:
        pods: Pods a side.
        start: First scrape, epoch seconds.
        scrapes: Scrapes of each pod.
        slower: How many times as many of the canary's requests take longer than half a second.
        failing: Share of the canary's requests that fail; the baseline has a hundredth.
        restarts: Pods a side that restart once, in the middle.
        young: Pods of the canary that come only after a quarter of the time.
    """

    pods: int
    start: int
    scrapes: int = 241
    slower: float = 1.0
    failing: float = 0.01
    restarts: int = 0
    young: int = 0

    @property
    def end(self) -> int:
        """Last scrape, epoch seconds."""
        return self.start + SCRAPE_S * (self.scrapes - 1)

    def write(self, path: Path) -> None:
        """Write the past, ready for promtool."""
        with path.open("w", encoding="ascii") as file:
            file.writelines(self.series())
            file.write("# EOF\n")

    def series(self) -> Iterator[str]:
        """Give the lines of one series after the other."""
        rng = np.random.default_rng(SEED)
        times = [f" {self.start + SCRAPE_S * n}\n" for n in range(self.scrapes)]
        for side, slower, failing in (("old", 1.0, 0.01), ("new", self.slower, self.failing)):
            load = LOAD * np.where(np.arange(LOAD.size) > EDGES.index(0.5), slower, 1.0)
            for number in range(self.pods):
                pod = f'hash="{side}",pod="{side}-{number}"'
                born = self.scrapes // 4 if side == "new" and number < self.young else 0
                drawn = rng.poisson(load, (self.scrapes, load.size))
                failed = rng.binomial(drawn.sum(axis=1), failing)
                yield from self._pod(pod, number, drawn, failed, times[born:])

    def _pod(
        self,
        pod: str,
        number: int,
        drawn: NDArray[np.int64],
        failed: NDArray[np.int64],
        times: list[str],
    ) -> Iterator[str]:
        per_edge = drawn.cumsum(axis=1)
        for le, column in zip([*map(str, EDGES), "+Inf"], per_edge.T, strict=True):
            yield _lines(f'latency_bucket{{{pod},le="{le}"}} ', self._total(number, column), times)
        yield _lines(f"requests_total{{{pod}}} ", self._total(number, per_edge[:, -1]), times)
        yield _lines(f"failures_total{{{pod}}} ", self._total(number, failed), times)

    def _total(self, number: int, gains: NDArray[np.int64]) -> NDArray[np.int64]:
        total: NDArray[np.int64] = gains.cumsum()
        if number >= self.pods - self.restarts:
            middle = self.scrapes // 2
            total[middle:] -= total[middle - 1]
        return total


def _lines(head: str, values: NDArray[np.int64], times: list[str]) -> str:
    texts = map(str, values[: len(times)].tolist())
    return head + head.join(map(str.__add__, texts, times))
