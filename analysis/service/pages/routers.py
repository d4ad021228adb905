"""The routers of all pages, each by itself, so that whoever lists routes sees every one."""

from __future__ import annotations

from analysis.service.pages import (
    analysis,
    api,
    assets,
    comparison,
    configurations,
    history,
    listing,
    presets,
    retrospective,
)

ROUTERS = (
    listing.ROUTER,
    analysis.ROUTER,
    comparison.ROUTER,
    history.ROUTER,
    configurations.ROUTER,
    presets.ROUTER,
    retrospective.ROUTER,
    api.ROUTER,
    assets.ROUTER,
)
