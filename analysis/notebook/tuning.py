"""Tune a configuration from a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.config import load_config
from analysis.notebook.replaying import opened
from analysis.past.deployment import Deployments
from analysis.past.engines.making import EngineKind, make_engine
from analysis.past.looks import Promotion, Schedule
from analysis.past.tuning.text import said
from analysis.past.tuning.tuning import FACTORS, Aim, Tuning
from analysis.past.tuning.tuning import tune as _tune

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tuned:
    """Which variants of a configuration keep a budget of false fails, and what they find.

    Attributes:
        tuning: All of it.
    """

    tuning: Tuning

    @property
    def suggestion(self) -> str:
        """What is suggested, in words; `as it is` where nothing is better by more than chance."""
        return self.tuning.suggestion.variant.name

    @property
    def text(self) -> str:
        """The suggested configuration, with the comments of the one that was tuned."""
        return self.tuning.text

    @property
    def doubts(self) -> list[str]:
        """What the deployments cannot tell."""
        return [text for one in self.tuning.doubts if (text := said(one, self.tuning))]

    def to_frame(self) -> pd.DataFrame:
        """Give the trade-off: a row for each variant."""
        from analysis.past.frames import frame_of_points

        return frame_of_points(self.tuning.points)

    def figure(self) -> go.Figure:
        """Draw the trade-off with plotly (extra `notebook`).

        Raises:
            ConfigError: plotly is not installed.
        """
        from analysis.notebook.figures import tradeoff

        return tradeoff(self.tuning)

    def _repr_html_(self) -> str:
        from analysis.notebook.cards import card_of_tuning

        return card_of_tuning(self.tuning)

    def __repr__(self) -> str:
        """Say it in a line, where there is no HTML."""
        return f"<suggestion: {self.suggestion}; {len(self.tuning.points)} variants tried>"


def tune(  # noqa: PLR0913 - what tuning needs, all by name
    config: str | Path,
    deployments: Deployments | str | Path,
    *,
    budget: float = 0.01,
    looks: timedelta | None = None,
    promote: str = Promotion.EARLY,
    harm: Sequence[float] = FACTORS,
    prometheus: str | None = None,
    engine: str = EngineKind.PROCESS,
    workers: int | None = None,
) -> Tuned:
    """Search tolerances, windows, risks and weights, as `serinus tune` does.

    Args:
        config: The path of the configuration.
        deployments: A folder of recordings, a CSV or Parquet list, or a service's database.
        budget: Share of good deployments that may fail.
        looks: Time between looks; default a single one, at the end.
        promote: `early`, at the first pass, or `end`.
        harm: Without bad deployments: how much worse the harmed copies are.
        prometheus: The server that has the series of a list.
        engine: Where the work runs.
        workers: How many at a time.

    Raises:
        ConfigError: Something that is given cannot be meant, or no good deployment can be judged.
        SourceError: The deployments cannot be listed.
    """
    chosen = load_config(Path(config))
    aim = Aim(
        budget=budget,
        schedule=Schedule(every=looks, promotion=Promotion(promote)),
        factors=tuple(harm),
    )
    text = Path(config).read_text(encoding="utf-8")
    past = opened(deployments, chosen, prometheus)
    with make_engine(EngineKind(engine), workers=workers) as running:
        return Tuned(tuning=_tune(text, past, running, aim))
