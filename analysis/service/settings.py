"""What the operator of the service decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analysis.consumers.links import Links
from analysis.service.notices.targets import Address, Target
from analysis.service.permits import Permits


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of one process of the service.

    Attributes:
        configs: Folder of configurations: `checkout.yaml` is the configuration `checkout`.
        database_url: In SQLAlchemy's form.
        tokens: File of token hashes; `None` lets everybody in.
        notices: Who is told of verdicts, by name.
        public_url: Address that callers and people reach the service by; empty: as they called.
        links: Where a browser sees the queries of a page again.
        workers: Looks under way at once.
        look_every_s: Seconds between the looks of a running analysis.
        budget_s: Seconds a synchronous call waits for its look before it answers `running`.
        patience_s: Seconds after its planned end that an analysis waits for an answering source.
        again_s: Seconds after its end from which on the key of an analysis that began when it was
            first asked for begins another: a rollout that is resumed or retried has the same key.
        retention_days: Days after which an analysis that has ended is removed.
        calls_per_second: Calls that one caller may make, over time. 200 analyses that Argo polls
            every 10 s are 20 of them.
        most_body_bytes: Size of a request's body.
        most_series_bytes: Size of a body that holds series: a remote judge's, or uploaded ones.
            200 metrics of a day in minutes are about 12 MB.
        inline: Whether callers may bring their own configuration, and with it their own PromQL.
        permits: Which Prometheus a configuration may ask.
    """

    configs: Path
    database_url: str = "sqlite:///serinus.db"
    tokens: Path | None = None
    notices: Mapping[str, tuple[Target, Address]] = field(default_factory=dict)
    public_url: str = ""
    links: Links = field(default_factory=Links)
    workers: int = 8
    look_every_s: float = 30.0
    budget_s: float = 8.0
    patience_s: float = 600.0
    again_s: float = 900.0
    retention_days: float = 90.0
    calls_per_second: float = 50.0
    most_body_bytes: int = 1_000_000
    most_series_bytes: int = 16_000_000
    inline: bool = False
    permits: Permits = field(default_factory=Permits)
