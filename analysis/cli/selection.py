"""The options that select a deployment: which configuration, which sides, which time."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from analysis.cli.times import duration, instant, resolve
from analysis.config import CanaryConfig, load_config
from analysis.errors import ConfigError
from analysis.planning import known_variables
from analysis.sources.recording import Recording
from analysis.window import Window, as_datetime, select_window

Variables = dict[str, dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the caller selected, as written."""

    config: Path
    prometheus: str | None
    shared: tuple[str, ...]
    baseline: tuple[str, ...]
    canary: tuple[str, ...]
    start: str | None
    end: str | None
    lookback: timedelta | None

    def load(self) -> CanaryConfig:
        """Read the configuration, and make sure that it knows the variables that are given."""
        config = load_config(self.config)
        _check_known(self.variables(), config)
        return config

    def variables(self) -> Variables:
        """Give the variables of each side: those of `--set`, and the side's own over them."""
        shared = assignments("--set", self.shared)
        return {
            "baseline": {**shared, **assignments("--baseline", self.baseline)},
            "canary": {**shared, **assignments("--canary", self.canary)},
        }

    def window(self, config: CanaryConfig) -> Window:
        """Choose the window, reading the clock once."""
        now = datetime.now(UTC)
        return self._window(config, now, lag=config.lag)

    def recorded_window(self, config: CanaryConfig, recording: Recording) -> Window:
        """Choose the window within a recording: the whole of it unless told otherwise."""
        first, last = as_datetime(recording.window.start), as_datetime(recording.window.end)
        begin = None if self.start or self.lookback else first
        return self._window(config, last, lag=timedelta(0), begin=begin)

    def _window(
        self, config: CanaryConfig, now: datetime, *, lag: timedelta, begin: datetime | None = None
    ) -> Window:
        try:
            return select_window(
                now=now,
                start=resolve(self.start, now) if self.start else begin,
                end=resolve(self.end, now) if self.end else None,
                lookback=self.lookback,
                planned=config.window.planned,
                warmup=config.window.warmup,
                step=config.step,
                lag=lag,
            )
        except ValueError as error:
            raise ConfigError(str(error), origin="window") from error


def _check_known(given: Variables, config: CanaryConfig) -> None:
    """Refuse what no query would use: a misspelling would silently leave a default in its place."""
    known = known_variables(config)
    for name in sorted({name for values in given.values() for name in values} - known):
        near = difflib.get_close_matches(name, known, n=1)
        remedy = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(sorted(known))}"
        raise ConfigError(f"no query uses the variable '{name}'; {remedy}", origin=config.name)


def assignments(option: str, texts: tuple[str, ...]) -> dict[str, object]:
    """Read variables as they are given on the command line.

    Raises:
        ConfigError: One is not NAME=VALUE.
    """
    values: dict[str, object] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name.isidentifier():
            raise ConfigError(f"expected NAME=VALUE, got {text!r}", origin=option)
        values[name] = value
    return values


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("config", type=click.Path(path_type=Path)),
    click.option("--prometheus", metavar="URL", help="Server to ask, over source.prometheus.url."),
    click.option(
        "--set", "shared", multiple=True, metavar="NAME=VALUE", help="Variable of both sides."
    ),
    click.option(
        "--baseline", multiple=True, metavar="NAME=VALUE", help="Variable of the baseline."
    ),
    click.option("--canary", multiple=True, metavar="NAME=VALUE", help="Variable of the canary."),
    click.option(
        "--start",
        callback=instant,
        metavar="TIME",
        help="When the canary began: RFC 3339, epoch seconds, or now-30m.",
    ),
    click.option(
        "--end", callback=instant, metavar="TIME", help="Last instant; default now less lag."
    ),
    click.option(
        "--lookback",
        callback=duration,
        metavar="DURATION",
        help="Length of the window when there is no --start; default window.planned.",
    ),
)


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that select a deployment; the command receives them as a `Selection`."""

    def with_selection(**options: Any) -> Any:  # noqa: ANN401 - click passes what it parsed
        fields = {name: options.pop(name) for name in Selection.__dataclass_fields__}
        return command(Selection(**fields), **options)

    with_selection.__doc__ = command.__doc__
    for option in reversed(_OPTIONS):
        option(with_selection)
    # Options of the command itself were declared first; show them after the selection.
    params = getattr(command, "__click_params__", [])
    with_selection.__click_params__ = params + with_selection.__click_params__  # type: ignore[attr-defined]  # click keeps declared options there
    return with_selection
