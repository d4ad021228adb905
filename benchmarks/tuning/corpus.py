"""Recorded releases of simulated services: good ones, and bad ones of every fault and grade."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import numpy as np

from analysis.config import parse_config
from analysis.past.deployment import Deployment as Past
from analysis.past.deployment import Truth
from analysis.past.folder import LIST, folder_name
from analysis.past.recording import labels
from analysis.sources import recording as recordings
from analysis.window import as_datetime
from benchmarks.deployments.draw import released
from benchmarks.deployments.exposed import Recorded
from benchmarks.deployments.faults import Grade, Kind
from benchmarks.deployments.recorded import recording_of
from benchmarks.deployments.scraped import LAG_S
from benchmarks.deployments.world import SCRAPE_S, Mishaps, World

BEGAN = 1_700_000_400.0  # a multiple of the step
APART_S = 6 * 3600.0
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Releases of services; each service has its traffic and noise, each release its luck.

    Attributes:
        seed: Of all that is drawn.
        services: How many.
        good: Good releases of each.
        bad: Bad releases of each, whose faults go through all kinds and grades over the services.
    """

    seed: int
    services: int
    good: int
    bad: int

    @property
    def releases(self) -> Iterator[tuple[int, int]]:
        """Number them: by service, then by release, in the order of time."""
        return product(range(self.services), range(self.good + self.bad))

    def recorded(self, service: int, number: int) -> Recorded:
        """Draw one release."""
        world = World.draw(np.random.default_rng([self.seed, service]))
        rng = np.random.default_rng([self.seed, service, number])
        world = replace(world, mishaps=Mishaps.draw(rng))
        deployment = released(
            f"{service:02}-{number:03}", world, self._labels(service)[number], rng
        )
        # Services take turns.
        place = number * self.services + service
        return Recorded(deployment=deployment, start=BEGAN + APART_S * place)

    def _labels(self, service: int) -> list[tuple[Kind, Grade] | None]:
        cells = list(product(Kind, Grade))
        faults = [cells[(service * self.bad + n) % len(cells)] for n in range(self.bad)]
        labels = [*faults, *[None] * self.good]
        order = np.random.default_rng([self.seed, service, 1_000_000]).permutation(len(labels))
        return [labels[place] for place in order]


def past_of(one: Recorded) -> Past:
    """Describe a release as `serinus replay` knows it."""
    fault = one.deployment.fault
    start = as_datetime(one.start)
    return Past(
        id=one.deployment.name,
        start=start,
        end=as_datetime(one.start + HOUR_S - LAG_S),
        truth=Truth.BAD if fault else Truth.GOOD,
        fault_start=start + timedelta(seconds=fault.onset * SCRAPE_S) if fault else None,
        service=f"service {one.deployment.name.split('-')[0]}",
    )


def write(corpus: Corpus, folder: Path, config_text: str) -> None:
    """Record every release into a folder, as `serinus record` does it, with what is known of it."""
    config = parse_config(config_text)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for release in corpus.releases:
        one = corpus.recorded(*release)
        past = past_of(one)
        place = folder / folder_name(past.id)
        recordings.save(recording_of(one, past, config), place, config_text=config_text)
        written.append(past)
    (folder / f"{LIST}.csv").write_text(labels(written), encoding="utf-8")
