"""The Prometheus source: PromQL over HTTP, through prometheus-api-client.

It speaks to whatever has Prometheus' HTTP API: Prometheus 2 and 3, Thanos, Mimir and
VictoriaMetrics. Importing it loads requests; import it where a server is really asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from requests.adapters import HTTPAdapter

from analysis.errors import ConfigError, Fault, SourceError
from analysis.sources.port import Answer, Answers, Progress, Request, no_progress
from analysis.sources.prometheus_http import economy, plan
from analysis.sources.prometheus_http.address import header_faults, split_url
from analysis.sources.prometheus_http.connection import Connection
from analysis.sources.prometheus_http.credentials import (
    Auth,
    BasicAuth,
    BearerToken,
    BearerTokenFile,
)
from analysis.sources.prometheus_http.crew import crew
from analysis.sources.prometheus_http.deadline import Deadline
from analysis.sources.prometheus_http.faults import ServerError, too_slow
from analysis.sources.prometheus_http.growth import Form
from analysis.sources.prometheus_http.oauth2 import ClientCredentials
from analysis.sources.prometheus_http.session import Limits
from analysis.sources.prometheus_http.sigv4 import SigV4
from analysis.sources.watching import watched

__all__ = [
    "Auth",
    "BasicAuth",
    "BearerToken",
    "BearerTokenFile",
    "ClientCredentials",
    "Form",
    "PrometheusSource",
    "SigV4",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrometheusSource:
    """A server with Prometheus' HTTP API.

    Attributes:
        url: Its address, with a path prefix if it has one; a user and a password in it are
            taken out and used.
        headers: Sent along with every query, such as `X-Scope-OrgID`.
        params: Sent in the form of every query, such as Thanos' `partial_response`.
        auth: `BasicAuth`, `BearerToken`, `BearerTokenFile`, `ClientCredentials`, `SigV4`, or
            another callable that signs.
        verify: Whether to check the server's certificate, or a CA bundle to check it with.
        certificate: Client certificate: one file with certificate and key, or a file of each.
        timeout_s: Seconds for one attempt at one query.
        deadline_s: Seconds for a whole call of `answer`.
        max_connections: How many queries the server gets at once.
        retries: Further attempts after 429, 502, 503, 504 and broken connections.
        backoff_s: Seconds before the first retry, doubled for each further one; a longer
            Retry-After of the server is honored.
        max_answer_bytes: Size of one answer after decompression.
        max_samples: Samples read one by one in one call of `answer`, of requests that allow their
            samples to be summed; of what is more the server sends sums.
        form: How the server's functions treat the edges of a window.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: Auth | None = None
    verify: bool | str = True
    certificate: str | tuple[str, str] | None = None
    timeout_s: float = 30.0
    deadline_s: float = 120.0
    max_connections: int = 8
    retries: int = 3
    backoff_s: float = 0.5
    max_answer_bytes: int = 64 * 1024**2
    max_samples: int = 2_000_000
    form: Form = Form.EXTRAPOLATED
    _connection: Connection = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Take the secrets out of the address and open the shared pool of connections.

        Raises:
            ConfigError: A setting cannot be used.
        """
        url, url_auth = split_url(self.url)
        if faults := tuple(Fault(path="", message=message) for message in self._faults()):
            raise ConfigError(faults)
        connection = Connection(
            url=url,
            headers=dict(self.headers),
            auth=self.auth or url_auth,
            verify=self.verify,
            certificate=self.certificate,
            params=dict(self.params),
            adapter=HTTPAdapter(pool_maxsize=self.max_connections, pool_block=True),
        )
        object.__setattr__(self, "url", url)
        object.__setattr__(self, "_connection", connection)

    def _faults(self) -> Iterator[str]:
        yield from header_faults(self.headers)
        for name in (
            "timeout_s",
            "deadline_s",
            "max_connections",
            "max_answer_bytes",
            "max_samples",
        ):
            if not getattr(self, name) > 0:
                yield f"{name} must be above 0, got {getattr(self, name)}"
        for name in ("retries", "backoff_s"):
            if not getattr(self, name) >= 0:
                yield f"{name} must not be negative, got {getattr(self, name)}"

    @property
    def description(self) -> str:
        """Say where the server is, without secrets."""
        return f"Prometheus at {self.url}"

    def server_version(self) -> str | None:
        """Ask the server for its version; `None` if it does not say, as Mimir may not."""
        return self._connection.server_version()

    def label_values(self, label: str, *, of: str | None, start: float, end: float) -> list[str]:
        """List the values of a label; `of` a metric, or all.

        Raises:
            SourceError: There is no answer.
        """
        path = f"/api/v1/label/{quote(label, safe='')}/values"
        return self._listed(path, of=of, start=start, end=end)

    def label_names(self, *, of: str, start: float, end: float) -> list[str]:
        """List the labels of a metric.

        Raises:
            SourceError: There is no answer.
        """
        return self._listed("/api/v1/labels", of=of, start=start, end=end)

    def _listed(self, path: str, *, of: str | None, start: float, end: float) -> list[str]:
        form = {"start": f"{start:.3f}", "end": f"{end:.3f}"}
        if of is not None:
            form["match[]"] = f"{{__name__={json.dumps(of)}}}"
        return self._connection.listed(f"{path}?{urlencode(form)}", self._limits())

    def answer(self, requests: Sequence[Request], *, progress: Progress = no_progress) -> Answers:
        """Answer every request, or say of each why it could not be answered.

        Raises:
            SourceError: No request could be answered, for one reason that concerns them all.
            ValueError: A request has its times in the wrong order or a step that does not fit.
        """
        asked = tuple(dict.fromkeys(requests))
        for request in asked:
            plan.check(request)
        deadline = Deadline(self.deadline_s)

        def ask(some: Sequence[Request]) -> Answers:
            return self._outcomes(some, deadline.rest(), no_progress)

        readings = economy.readings(asked, self.max_samples, self.form, ask)
        sent = tuple(dict.fromkeys(one.sent for one in readings if one.fault is None))
        outcomes = self._outcomes(sent, deadline.rest(), progress)
        answers = {one.request: one.fault or one.answer(outcomes[one.sent]) for one in readings}
        _raise_common(tuple(answers.values()))
        return answers

    def _outcomes(
        self, asked: Sequence[Request], deadline: Deadline, progress: Progress
    ) -> Answers:
        limits = self._limits()
        hands = [
            watched(self._connection.client(limits, deadline).ask)
            for _ in asked[: self.max_connections]
        ]
        outcomes: dict[Request, Answer | SourceError] = {}
        useless = _Useless()
        with crew(asked, hands, deadline, useless) as done:
            for request, outcome in done:
                if not isinstance(outcome, (Answer, SourceError)):
                    raise outcome
                outcomes[request] = outcome
                progress(len(outcomes), len(asked))
        if useless.fault is not None:
            raise useless.fault
        return {request: outcomes.get(request, self._out_of_time()) for request in asked}

    def _limits(self) -> Limits:
        return Limits(
            timeout_s=self.timeout_s,
            retries=self.retries,
            backoff_s=self.backoff_s,
            answer_bytes=self.max_answer_bytes,
        )

    def _out_of_time(self) -> SourceError:
        return too_slow(f"{self.url} did not answer all queries within {self.deadline_s:g} s")


@dataclass(slots=True)
class _Useless:
    """Do not ask a server forty times that is down, or an account that would be locked.

    Attributes:
        fault: Why asking on is useless, once it is: nothing but faults came, the last a final one.
        has_answered: Whether the server dealt with a query, be it to refuse it.
    """

    fault: ServerError | None = None
    has_answered: bool = False

    def __call__(self, outcome: Answer | SourceError | Exception) -> bool:
        self.has_answered |= not isinstance(outcome, ServerError)
        if not self.has_answered and isinstance(outcome, ServerError) and outcome.is_final:
            self.fault = outcome
        return self.fault is not None


def _raise_common(outcomes: Sequence[Answer | SourceError]) -> None:
    faults = [outcome for outcome in outcomes if isinstance(outcome, ServerError)]
    if faults and len(faults) == len(outcomes) and len({fault.code for fault in faults}) == 1:
        raise faults[0]
