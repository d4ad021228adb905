"""`/kayenta`: the calls that Kayenta's clients make, and `POST /judge` for a Kayenta itself."""

from analysis.service.routes.kayenta import configs, executions, judging, menus, series

ROUTERS = (
    configs.ROUTER,
    executions.ROUTER,
    series.ROUTER,
    judging.ROUTER,
    judging.REMOTE_ROUTER,
    menus.ROUTER,
)

__all__ = ["ROUTERS"]
