"""`/kayenta`: the calls that Kayenta's clients make, and `POST /judge` for a Kayenta itself."""

from analysis.service.routes.kayenta import (
    absent,
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
    absent.ROUTER,  # last: what is there goes before
)

__all__ = ["ROUTERS"]
