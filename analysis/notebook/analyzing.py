"""Judge one deployment from a notebook."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.config import CanaryConfig, load_config
from analysis.consumers.html import card, to_html
from analysis.consumers.json import to_json
from analysis.engine import analyze as _analyze
from analysis.errors import ConfigError
from analysis.report import AnalysisReport
from analysis.sources import recording as recordings
from analysis.sources.connect import open_source
from analysis.sources.port import MetricSource
from analysis.sources.recording import Recording
from analysis.window import Window, as_datetime, select_window
from judges import Verdict

if TYPE_CHECKING:
    import pandas as pd

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analyzed:
    """One look at one deployment; a notebook shows it as a card.

    Attributes:
        report: All of it.
    """

    report: AnalysisReport

    @property
    def verdict(self) -> Verdict:
        """Pass, fail or inconclusive."""
        return self.report.verdict

    @property
    def score(self) -> float:
        """0 to 100."""
        return self.report.score

    def to_frame(self) -> pd.DataFrame:
        """Give the metrics, a row each, with their judgments."""
        from analysis.frames import metrics_frame

        return metrics_frame(self.report)

    def series(self) -> pd.DataFrame:
        """Give both sides' levels in one tidy frame: a row for each metric, side and step."""
        from analysis.frames import frame_of_report

        return frame_of_report(self.report)

    def to_html(self) -> str:
        """Give the whole report as one page."""
        return to_html(self.report)

    def to_json(self) -> str:
        """Give what `serinus judge --format json` writes."""
        return to_json(self.report)

    def _repr_html_(self) -> str:
        return card(self.report)

    def __repr__(self) -> str:
        """Say it in a line, where there is no HTML."""
        return f"<{self.report.name}: {self.verdict}, score {self.score:g}: {self.report.summary}>"


def analyze(  # noqa: PLR0913 - what one look needs, all by name
    config: CanaryConfig | str | Path,
    source: MetricSource | str | Path | None = None,
    *,
    variables: Values | None = None,
    baseline: Values | None = None,
    canary: Values | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    lookback: timedelta | None = None,
    looks_back: int = 0,
) -> Analyzed:
    """Judge one deployment, with the verdict that the command and the service would give.

    Args:
        config: A configuration, or the path of one.
        source: The folder of a recording, the address of a Prometheus, or a source made elsewhere;
            default the one that the configuration describes.
        variables: Values of both sides.
        baseline: Values of the baseline, over those.
        canary: Values of the canary, over those.
        start: When the canary began, with a time zone; default: of a recording its start, else
            `lookback` before the end.
        end: Last instant; default: of a recording its end, else now less the lag.
        lookback: Length of the window without a start; default `window.planned`.
        looks_back: At how many earlier moments the evidence is drawn in `to_html`.

    Raises:
        ConfigError: The configuration or the selection cannot be meant.
        SourceError: No question could be answered.
        TooEarlyError: Nothing is left to judge yet.
    """
    config = config if isinstance(config, CanaryConfig) else load_config(Path(config))
    opened = _opened(config, source)
    given = {"baseline": {**(variables or {}), **(baseline or {})},
             "canary": {**(variables or {}), **(canary or {})}}  # fmt: skip
    now, first, lag = datetime.now(UTC), None, config.source.prometheus.lag
    if isinstance(opened, Recording):
        given = {side: {**opened.variables.get(side, {}), **given[side]} for side in given}
        now, first = as_datetime(opened.window.end), as_datetime(opened.window.start)
        lag = timedelta(0)  # what was recorded is complete
    begin = start or (None if lookback else first)
    window = _window(config, now - lag, begin, end, lookback)
    report = _analyze(config, opened, window, given, looks_back=looks_back)
    return Analyzed(report=report)


def _opened(config: CanaryConfig, source: MetricSource | str | Path | None) -> MetricSource:
    if source is None:
        return open_source(config, None, os.environ)
    if not isinstance(source, str | Path):
        return source
    if str(source).startswith(("http://", "https://")):
        return open_source(config, str(source), os.environ)
    return recordings.load(Path(source))


def _window(
    config: CanaryConfig,
    newest: datetime,
    start: datetime | None,
    end: datetime | None,
    lookback: timedelta | None,
) -> Window:
    try:
        return select_window(
            now=newest,
            start=start,
            end=end,
            lookback=lookback,
            planned=config.window.planned,
            warmup=config.window.warmup,
            step=config.source.prometheus.step,
            lag=timedelta(0),
        )
    except ValueError as error:
        raise ConfigError(str(error), origin="window") from error
