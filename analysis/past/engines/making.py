"""Make an engine by its name."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from analysis.errors import ConfigError
from analysis.past.engines.port import Engine


class EngineKind(StrEnum):
    """The engines there are."""

    PROCESS = "process"
    SERIAL = "serial"
    DASK = "dask"
    RAY = "ray"


def make_engine(
    kind: EngineKind, *, workers: int | None = None, scheduler: str | None = None
) -> Engine:
    """Make an engine; what it needs is imported here, and nothing that another one needs.

    Raises:
        ConfigError: A scheduler is given to an engine that has none.
    """
    if scheduler and kind not in (EngineKind.DASK, EngineKind.RAY):
        raise ConfigError(f"--scheduler is for dask and ray; the engine {kind} has none")
    match kind:
        case EngineKind.PROCESS:
            from analysis.past.engines.process import ProcessEngine

            return ProcessEngine(workers)
        case EngineKind.SERIAL:
            from analysis.past.engines.serial import SerialEngine

            return SerialEngine()
        case EngineKind.DASK:
            from analysis.past.engines.dask import DaskEngine

            return DaskEngine(scheduler=scheduler, workers=workers)
        case EngineKind.RAY:
            from analysis.past.engines.ray import RayEngine

            return RayEngine(address=scheduler, workers=workers)
    assert_never(kind)
