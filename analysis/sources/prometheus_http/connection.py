"""One server and one pool of connections to it, shared by a client for every thread.

requests makes no promise that a session is safe to share among threads; the pool below it is.
So every thread has its own session and client (0.1 ms to make), over one adapter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from prometheus_api_client import PrometheusConnect
from requests.adapters import HTTPAdapter

from analysis.errors import SourceError
from analysis.sources.prometheus_http import faults
from analysis.sources.prometheus_http.client import Client
from analysis.sources.prometheus_http.credentials import Auth
from analysis.sources.prometheus_http.deadline import Deadline
from analysis.sources.prometheus_http.decoding import UnreadableError, decode_list
from analysis.sources.prometheus_http.session import Limits, QuerySession

VERSION_LIMITS = Limits(  # a courtesy to the reader of a report, not worth a wait
    timeout_s=5.0, retries=0, backoff_s=0.0, answer_bytes=1024**2
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Connection:
    """How to reach a server.

    Attributes:
        url: Its address, without secrets.
        headers: Sent along with every query.
        auth: What signs a query.
        verify: Whether to check the server's certificate, or a CA bundle to check it with.
        certificate: The client's certificate.
        adapter: The pool.
        params: Sent with every query.
    """

    url: str
    headers: Mapping[str, str]
    auth: Auth | None
    verify: bool | str
    certificate: str | tuple[str, str] | None
    adapter: HTTPAdapter
    params: Mapping[str, str]

    def client(self, limits: Limits, deadline: Deadline) -> Client:
        """Make a client for one thread."""
        session = self._session(limits, deadline)
        api = PrometheusConnect(url=self.url, session=session, method="POST")
        session.mount(self.url, self.adapter)  # over the one that the constructor has mounted
        return Client(api)

    def server_version(self) -> str | None:
        """Ask the server for its version; `None` if it does not say."""
        session = self._session(VERSION_LIMITS, Deadline(VERSION_LIMITS.timeout_s))
        with suppress(SourceError, ValueError, KeyError, TypeError):
            body = session.fetch("GET", f"{self.url}/api/v1/status/buildinfo", {})
            return str(json.loads(body)["data"]["version"])
        return None

    def listed(self, path: str, limits: Limits) -> list[str]:
        """Ask an endpoint that lists names or values.

        Raises:
            SourceError: There is no answer, or one that is no such list.
        """
        session = self._session(limits, Deadline(limits.timeout_s))
        body = session.fetch("GET", self.url + path, {})
        try:
            return decode_list(body)
        except UnreadableError as error:
            raise faults.of_unreadable(self.url, path, error, page="") from error

    def _session(self, limits: Limits, deadline: Deadline) -> QuerySession:
        session = QuerySession(self.url, limits, deadline, self.params)
        session.headers["User-Agent"] = "serinus"
        session.headers.update(self.headers)
        session.auth = self.auth
        session.verify = self.verify
        session.cert = self.certificate
        session.mount(self.url, self.adapter)
        return session
