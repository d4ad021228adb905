"""What the commands on past deployments share: which, looked at when, run where."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import click

from analysis.cli.times import duration
from analysis.config import CanaryConfig
from analysis.past.deployment import Deployments
from analysis.past.engines.making import EngineKind, make_engine
from analysis.past.engines.port import Engine
from analysis.past.listed import Server
from analysis.past.looks import Promotion, Schedule
from analysis.past.opening import open_deployments


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The past deployments that the caller selected, and how to work on them."""

    deployments: str
    prometheus: str | None
    looks: timedelta | None
    promote: str
    engine: str
    workers: int | None
    scheduler: str | None

    @property
    def schedule(self) -> Schedule:
        """When deployments are looked at."""
        return Schedule(every=self.looks, promotion=Promotion(self.promote))

    def open(self, config: CanaryConfig | None) -> Deployments:
        """Open the deployments; a list needs the configuration to know its server."""
        server = None
        if config is not None:
            server = Server.of(config, self.prometheus, os.environ)
        return open_deployments(self.deployments, server)

    def make_engine(self) -> Engine:
        """Make the engine that the work runs on."""
        return make_engine(EngineKind(self.engine), workers=self.workers, scheduler=self.scheduler)


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--prometheus", metavar="URL", help="Server that has the series of a list."),
    click.option(
        "--looks",
        callback=duration,
        metavar="DURATION",
        help="Look this often from the start, as a controller would; default once, at the end.",
    ),
    click.option(
        "--promote",
        type=click.Choice([*map(str, Promotion)]),
        default=str(Promotion.EARLY),
        show_default=True,
        help="With --looks: promote at the first pass, or only at the end. A fail is always final.",
    ),
    click.option(
        "--engine",
        type=click.Choice([*map(str, EngineKind)]),
        default=str(EngineKind.PROCESS),
        show_default=True,
        help="Where the work runs; dask and ray are extras.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, 4096),
        metavar="N",
        help="How many at a time; default a process for each processor.",
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask or Ray cluster that runs already; default one on this machine.",
    ),
)


def past_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command receives them, and its argument DEPLOYMENTS, as a `Past`."""

    def with_past(**options: Any) -> Any:  # noqa: ANN401 - click passes what it parsed
        fields = {name: options.pop(name) for name in Past.__dataclass_fields__}
        return command(Past(**fields), **options)

    with_past.__doc__ = command.__doc__
    own = getattr(command, "__click_params__", [])
    for option in reversed(_OPTIONS):
        option(with_past)
    with_past.__click_params__ = own + with_past.__click_params__  # type: ignore[attr-defined]  # click keeps declared options there
    return with_past
