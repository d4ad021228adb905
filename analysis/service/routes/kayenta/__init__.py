"""`/kayenta`: the calls that Kayenta's clients make, and `POST /judge` for a Kayenta itself."""

from analysis.service.routes.kayenta import (
    configs,
    executions,
    fetching,
    judging,
    menus,
    series,
    standalone,
)

ROUTERS = (
    configs.ROUTER,
    executions.ROUTER,
    standalone.ROUTER,
    series.ROUTER,
    judging.ROUTER,
    judging.REMOTE_ROUTER,
    menus.ROUTER,
    fetching.ROUTER,
)

__all__ = ["ROUTERS"]
