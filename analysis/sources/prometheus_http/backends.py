"""What answers under Prometheus' HTTP API, and what must be said so that it answers in full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from analysis.config.sources import Backend
from analysis.sources.prometheus_http.growth import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a backend wants to be asked.

    Attributes:
        params: Sent with every query.
        tenant_header: Header that names the tenant; empty where none does.
        tenant_path: Path that does, with `{tenant}` in it; empty where none does.
        form: How its functions treat the edges of a window.
    """

    params: Mapping[str, str] = field(default_factory=dict)
    tenant_header: str = ""
    tenant_path: str = ""
    form: Form = Form.EXTRAPOLATED


MANNERS: Mapping[Backend, Manners] = {
    Backend.PROMETHEUS: Manners(),
    # A store that is down makes counts smaller unless partial answers are denied, and what is
    # downsampled has no sample in a short window.
    # https://thanos.io/tip/components/query.md
    Backend.THANOS: Manners(
        params={"dedup": "true", "partial_response": "false", "max_source_resolution": "0s"},
        tenant_header="THANOS-TENANT",
    ),
    Backend.MIMIR: Manners(tenant_header="X-Scope-OrgID"),
    # A single node passes the parameters over that a cluster knows, and knows no tenants.
    # https://docs.victoriametrics.com/victoriametrics/cluster-victoriametrics/
    Backend.VICTORIAMETRICS: Manners(
        params={"nocache": "1", "deny_partial_response": "1"},
        tenant_path="/select/{tenant}/prometheus",
        form=Form.EXACT,
    ),
    Backend.GOOGLE: Manners(),
    Backend.AMAZON: Manners(),
}


def tenant_headers(backend: Backend, tenant: str | None) -> dict[str, str]:
    """Give the header that names the tenant, where one does."""
    header = MANNERS[backend].tenant_header
    return {header: tenant} if tenant and header else {}


def tenant_url(backend: Backend, url: str, tenant: str | None) -> str:
    """Give the address of the tenant, where the path names it."""
    path = MANNERS[backend].tenant_path
    if not tenant or not path:
        return url
    return url.rstrip("/") + path.format(tenant=quote(tenant, safe=":"))
