"""The part of `canary.yaml` that says where the series are.

Credentials never stand here: they come from the environment, from files, or from a chain of them.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from analysis.config.fields import Duration, PositiveDuration, Section

SourceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][\w-]{0,62}$")]
NonEmpty = Annotated[str, StringConstraints(min_length=1)]


class Backend(StrEnum):
    """What answers under Prometheus' HTTP API."""

    PROMETHEUS = "prometheus"
    THANOS = "thanos"
    MIMIR = "mimir"
    VICTORIAMETRICS = "victoriametrics"
    GOOGLE = "google"
    AMAZON = "amazon"


# How long the newest samples are not to be had: Google's documentation tells of up to four minutes
# until a sample can be queried; VictoriaMetrics hides the newest 30 s (-search.latencyOffset).
DEFAULT_LAG = timedelta(seconds=30)
LAGS = {Backend.GOOGLE: timedelta(minutes=4)}

# Who can be told of a tenant, and then how: a header, or a part of the path.
TENANTED = frozenset({Backend.THANOS, Backend.MIMIR, Backend.VICTORIAMETRICS})


class OAuth2Settings(Section):
    """OAuth2 client credentials: a token fetched, kept, and renewed before it expires."""

    token_url: NonEmpty = Field(description="where tokens are issued; ${ENV} is expanded")
    client_id: NonEmpty = Field(description="who asks; ${ENV} is expanded")
    client_secret_env: str | None = Field(
        default=None, description="variable that holds the secret"
    )
    client_secret_file: str | None = Field(default=None, description="file that holds the secret")
    scopes: tuple[NonEmpty, ...] = Field(default=(), description="what the token is to allow")
    params: dict[str, str] = Field(
        default_factory=dict, description="further fields of the form, such as audience"
    )
    client_auth: Literal["header", "body"] = Field(
        default="header", description="where the client's id and secret are sent"
    )

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.client_secret_env is None) == (self.client_secret_file is None):
            raise ValueError("give one of client_secret_env and client_secret_file")
        return self


class SigV4Settings(Section):
    """Signatures of Amazon Web Services; the credentials come from botocore's own chain."""

    region: NonEmpty = Field(description="such as eu-central-1; ${ENV} is expanded")
    profile: str | None = Field(default=None, description="of the shared configuration files")
    service: NonEmpty = Field(default="aps", description="name of the service that is signed for")


class PrometheusSettings(Section):
    """Where the series are, and how finely they are read."""

    url: str = Field(default="${PROMETHEUS_URL:-}", description="base URL; ${ENV} is expanded")
    backend: Backend = Field(
        default=Backend.PROMETHEUS,
        description="what answers there: sets the parameters that make its answers whole and fresh",
    )
    tenant: str | None = Field(
        default=None, description="whose series, where the backend has tenants; ${ENV} is expanded"
    )
    params: dict[str, str] = Field(
        default_factory=dict, description="sent with every query; ${ENV} is expanded"
    )
    step: PositiveDuration = Field(
        default=timedelta(seconds=15), description="distance of the judged steps"
    )
    lag: Duration = Field(
        default=DEFAULT_LAG,
        description="newest data left out: scrapes still on their way; 4m for google",
    )
    timeout: PositiveDuration = Field(
        default=timedelta(seconds=30), description="longest wait for one query"
    )
    deadline: PositiveDuration = Field(
        default=timedelta(seconds=120), description="longest wait for all queries together"
    )
    max_connections: int = Field(
        default=8, ge=1, le=100, description="queries the server gets at once"
    )
    max_samples: int = Field(
        default=2_000_000,
        ge=1_000,
        description="samples read one by one; of what is more the server sends sums",
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="such as X-Scope-OrgID; ${ENV} is expanded"
    )
    bearer_token_file: str | None = Field(default=None, description="file that holds the token")
    bearer_token_env: str | None = Field(default=None, description="variable that holds the token")
    username: str | None = Field(default=None, description="for basic authentication")
    password_env: str | None = Field(default=None, description="variable that holds the password")
    password_file: str | None = Field(default=None, description="file that holds the password")
    oauth2: OAuth2Settings | None = None
    sigv4: SigV4Settings | None = None
    ca_file: str | None = Field(default=None, description="certificates to trust")
    cert_file: str | None = Field(default=None, description="certificate to show the server")
    key_file: str | None = Field(
        default=None, description="its private key; default in cert_file as well"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        self._check_ways_in()
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file needs cert_file")
        if self.tenant is not None and self.backend not in TENANTED:
            known = ", ".join(sorted(TENANTED))
            raise ValueError(f"tenant needs a backend with tenants: {known}; got {self.backend}")
        if "lag" not in self.model_fields_set:
            object.__setattr__(self, "lag", LAGS.get(self.backend, DEFAULT_LAG))
        return self

    def _check_ways_in(self) -> None:
        keys = ("bearer_token_file", "bearer_token_env", "username", "oauth2", "sigv4")
        if sum(getattr(self, key) is not None for key in keys) > 1:
            raise ValueError(f"give one of {', '.join(keys[:-1])} and {keys[-1]}")
        secrets = [self.password_env, self.password_file]
        if (self.username is None) == any(secret is not None for secret in secrets):
            raise ValueError("username needs password_env or password_file, and they need it")


class TableSettings(Section):
    """Series in a file: one row for each value, its labels in columns."""

    path: NonEmpty = Field(description="a .csv, .csv.gz or .parquet file; ${ENV} is expanded")
    time: NonEmpty = Field(
        default="time", description="column of times: RFC 3339, or seconds since 1970"
    )
    metric: NonEmpty = Field(default="metric", description="column of the metrics' names")
    value: NonEmpty = Field(default="value", description="column of the values")
    counters: Literal["increments", "cumulative"] = Field(
        default="increments",
        description="what a row of counts, sums or histogram holds: what happened since the row "
        "before, or since the beginning as a Prometheus counter does",
    )
    step: PositiveDuration = Field(
        default=timedelta(minutes=1), description="distance of the judged steps"
    )
    lag: Duration = Field(default=timedelta(0), description="newest data left out")

    @model_validator(mode="after")
    def _three_columns(self) -> Self:
        if len({self.time, self.metric, self.value}) < len(("time", "metric", "value")):
            raise ValueError("time, metric and value are three columns; give each its own name")
        return self


class SourceSettings(Section):
    """A metric source: a server, or a table."""

    prometheus: PrometheusSettings = PrometheusSettings()
    table: TableSettings | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.table is not None and "prometheus" in self.model_fields_set:
            raise ValueError("give prometheus or table; two sources stand under `sources`")
        return self

    @property
    def step(self) -> timedelta:
        """Distance of the judged steps."""
        return self.table.step if self.table is not None else self.prometheus.step

    @property
    def lag(self) -> timedelta:
        """Newest data left out."""
        return self.table.lag if self.table is not None else self.prometheus.lag
