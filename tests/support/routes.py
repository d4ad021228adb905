"""Every route of the service, from the application itself: a new one is in each list already."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi.routing import APIRoute

from analysis.service.app import ROUTERS

Route = tuple[str, str]


def every_route(*, hidden: bool = True) -> list[Route]:
    """List method and path of each route.

    Args:
        hidden: Whether to list those too that `/openapi.json` leaves out.
    """
    return sorted(set(_routes(hidden=hidden)))


def _routes(*, hidden: bool) -> Iterator[Route]:
    for router in ROUTERS:
        for route in router.routes:
            # A router within a router is unfolded by the application alone; here it would be lost.
            assert isinstance(route, APIRoute), f"list {route} in ROUTERS itself"
            if hidden or route.include_in_schema:
                for method in route.methods or ():
                    yield method, route.path
