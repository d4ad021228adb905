"""Replay past deployments from a notebook."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.config import CanaryConfig, load_config
from analysis.past.deployment import Deployments
from analysis.past.engines.making import EngineKind, make_engine
from analysis.past.evaluation import Evaluation, Rate, evaluate
from analysis.past.fleet import Fleet, fleet
from analysis.past.listed import Server
from analysis.past.looks import Promotion, Schedule
from analysis.past.opening import open_deployments
from analysis.past.replaying import replay as _replay
from analysis.past.results import Results
from analysis.past.rows import Row
from analysis.past.work import Work

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replayed:
    """What a configuration would have said about past deployments.

    Attributes:
        rows: One for each deployment.
    """

    rows: Sequence[Row]

    @property
    def evaluation(self) -> Evaluation:
        """Rates against the truth, times to a decision, who decided."""
        return evaluate(self.rows)

    def fleet(self, *, unknown_is_good: bool = False) -> Fleet:
        """Tell of the fleet: false fails over time, who cannot decide, what is noisy."""
        return fleet(self.rows, unknown_is_good=unknown_is_good)

    def to_frame(self) -> pd.DataFrame:
        """Give a row for each deployment, indexed by its id."""
        from analysis.past.frames import frame_of_rows

        return frame_of_rows(self.rows)

    def metrics(self) -> pd.DataFrame:
        """Give a row for each metric of each deployment."""
        from analysis.past.frames import metrics_of_rows

        return metrics_of_rows(self.rows)

    def _repr_html_(self) -> str:
        from analysis.notebook.cards import card_of_replay

        return card_of_replay(self.evaluation)

    def __repr__(self) -> str:
        """Say it in a line, where there is no HTML."""
        found = self.evaluation
        return (
            f"<{found.deployments} deployments: {_of(found.false_fails)} good ones failed, "
            f"{_of(found.detections)} bad ones found>"
        )


def _of(rate: Rate) -> str:
    return f"{rate.hits} of {rate.of}"


def replay(  # noqa: PLR0913 - what a replay needs, all by name
    deployments: Deployments | str | Path,
    config: CanaryConfig | str | Path | None = None,
    *,
    looks: timedelta | None = None,
    promote: str = Promotion.EARLY,
    prometheus: str | None = None,
    engine: str = EngineKind.PROCESS,
    workers: int | None = None,
    output: str | Path | None = None,
) -> Replayed:
    """Judge past deployments again, as `serinus replay` does.

    Args:
        deployments: A folder of recordings, a CSV or Parquet list, or a service's database.
        config: How; default the configuration that is kept with each.
        looks: Time between looks; default a single one, at the end.
        promote: `early`, at the first pass, or `end`.
        prometheus: The server that has the series of a list.
        engine: Where the work runs: `process`, `serial`, `dask` or `ray`.
        workers: How many at a time.
        output: A file that keeps the rows, so that an interrupted replay goes on.

    Raises:
        ConfigError: Something that is given cannot be meant.
        SourceError: The deployments cannot be listed.
    """
    chosen = loaded(config)
    work = Work(
        deployments=opened(deployments, chosen, prometheus),
        schedule=Schedule(every=looks, promotion=Promotion(promote)),
        config=chosen,
    )
    results = Results(Path(output)) if output else None
    listed = work.deployments.listed()
    with make_engine(EngineKind(engine), workers=workers) as running:
        return Replayed(rows=_replay(work, listed, running, results=results))


def loaded(config: CanaryConfig | str | Path | None) -> CanaryConfig | None:
    """Read a configuration that is given as a path."""
    return load_config(Path(config)) if isinstance(config, str | Path) else config


def opened(
    deployments: Deployments | str | Path, config: CanaryConfig | None, prometheus: str | None
) -> Deployments:
    """Open past deployments that are given as a place."""
    if not isinstance(deployments, str | Path):
        return deployments
    server = Server.of(config, prometheus, os.environ) if config else None
    return open_deployments(str(deployments), server)
