"""The session under prometheus-api-client: what the library leaves out of HTTP.

`PrometheusConnect` builds the requests and knows the API; this session, handed to its
constructor, sends them as form bodies (the library puts a POST's query into the URL), retries
with the server's words kept, bounds time and size, and answers with arrays.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Never

import requests
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from analysis.sources.prometheus_http import bodies, faults
from analysis.sources.prometheus_http.address import without_secrets
from analysis.sources.prometheus_http.breakdowns import of_exception
from analysis.sources.prometheus_http.credentials import Renewable, redact
from analysis.sources.prometheus_http.deadline import Deadline
from analysis.sources.prometheus_http.decoding import (
    Reply,
    UnreadableError,
    decode,
)
from analysis.sources.prometheus_http.faults import ServerError
from analysis.sources.prometheus_http.refusals import Refusal, of_refusal

CONNECT_S = 10.0  # a server that does not even accept within three SYN retries is not there
SERVER_SHARE = 0.9  # of the time given: the server gives up first, so that its words arrive
MAX_ERROR_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one request may take.

    Attributes:
        timeout_s: Seconds for one attempt, from connecting to the last byte.
        retries: Further attempts after faults that may pass.
        backoff_s: Seconds before the first retry; doubled for each further one.
        answer_bytes: Size of an answer after decompression.
    """

    timeout_s: float
    retries: int
    backoff_s: float
    answer_bytes: int


class DecodedResponse(requests.Response):
    """A successful answer whose `json()` holds a `Reply` where the API has its result."""

    def __init__(self, reply: Reply) -> None:
        """Wrap `reply` so that prometheus-api-client hands it through."""
        super().__init__()
        self.status_code = 200
        self._reply = reply

    def json(self, **_: object) -> dict[str, dict[str, Reply]]:
        """Give what prometheus-api-client unpacks."""
        return {"data": {"result": self._reply}}


class QuerySession(requests.Session):
    """One thread's session: queries in, `Reply` out, every fault a `SourceError`."""

    def __init__(
        self, url: str, limits: Limits, deadline: Deadline, params: Mapping[str, str]
    ) -> None:
        """Make a session for the server at `url`, without secrets in it.

        `params` are sent with every query.
        """
        super().__init__()
        self.trust_env = False  # no ~/.netrc, no proxies that the configuration does not know of
        self._url = url
        self._limits = limits
        self._deadline = deadline
        self._always = params
        self._sent: Mapping[str, str] = {}  # the headers of the last attempt

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Follow no redirect: the next host would get the tenant headers and a GET."""

    def request(  # type: ignore[override]  # prometheus-api-client calls in this one way
        self, method: str, url: str, *, params: Mapping[str, str], **_: object
    ) -> requests.Response:
        """Send `params` as a form, and decode the answer.

        The client's other arguments repeat this session's own settings.

        Raises:
            SourceError: There is no usable answer.
        """
        form = {**self._always, **params}
        return DecodedResponse(self._decoded(params["query"], self.fetch(method, url, form)))

    def fetch(self, method: str, url: str, form: Mapping[str, str]) -> bytes:
        """Get the body of a successful answer, asking again after faults that may pass.

        Raises:
            SourceError: There is none.
        """
        tries, has_renewed = 0, False
        while True:
            try:
                return self._attempt(method, url, form)
            except ServerError as fault:
                if not has_renewed and self._renews(fault):
                    has_renewed = True
                    continue
                if tries == self._limits.retries or not self._may_pass(fault, tries):
                    raise
                tries += 1

    def _renews(self, fault: ServerError) -> bool:
        """Tell whether other credentials than those refused can be had by now."""
        signer: object = self.auth  # any callable may stand here
        is_refusal = fault.code == "unauthorized" and not fault.is_passing
        return is_refusal and isinstance(signer, Renewable) and signer.renew(self._sent)

    def _may_pass(self, fault: ServerError, tries: int) -> bool:
        """Wait, and tell whether asking again may help."""
        pause_s = max(fault.wait_s, self._limits.backoff_s * 2**tries)
        return fault.is_passing and self._deadline.pause(pause_s)

    def _attempt(self, method: str, url: str, form: Mapping[str, str]) -> bytes:
        allowed_s = min(self._limits.timeout_s, self._deadline.left_s())
        until = time.monotonic() + allowed_s
        self._sent = {}
        if allowed_s <= 0:
            raise faults.too_slow(f"{self._url} was not asked before the time was up")
        try:
            with super().request(
                method,
                url,
                data=_timed(form, allowed_s) if form else None,
                stream=True,
                timeout=(min(CONNECT_S, allowed_s), allowed_s),
            ) as response:
                self._sent = response.request.headers
                return self._body(response, form.get("query", ""), until)
        except (OSError, HTTPError) as error:
            raise of_exception(self._url, error, allowed_s) from error

    def _body(self, response: requests.Response, query: str, until: float) -> bytes:
        is_success = response.status_code == requests.codes.ok
        limit_bytes = self._limits.answer_bytes if is_success else MAX_ERROR_BYTES
        body = bodies.read(response, limit_bytes, until=until)
        if not is_success:
            self._refuse(response, query, body.data[:limit_bytes])
        if body.is_too_large:
            raise faults.too_large(self._url, query, limit_bytes)
        return body.data

    def _refuse(self, response: requests.Response, query: str, body: bytes) -> Never:
        said = faults.said(body, self._clean)
        raise of_refusal(
            Refusal(
                url=self._url,
                query=query,
                status=response.status_code,
                words=said.words,
                kind=said.kind,
                location=without_secrets(response.headers.get("Location", "")),
                wait_s=_retry_after_s(response.headers.get("Retry-After", "")),
            )
        )

    def _decoded(self, query: str, body: bytes) -> Reply:
        try:
            return decode(body)
        except UnreadableError as error:
            said = faults.said(body, self._clean)
            if said.kind:
                raise faults.of_complaint(self._url, query, said) from error
            page = said.words if faults.is_page(body) else ""
            raise faults.of_unreadable(self._url, query, error, page) from error

    def _clean(self, words: str) -> str:
        return redact(words, self._sent)


def _timed(form: Mapping[str, str], allowed_s: float) -> dict[str, str]:
    return {**form, "timeout": f"{max(1, round(SERVER_SHARE * allowed_s * 1000))}ms"}


def _retry_after_s(value: str) -> float:
    try:
        return max(0.0, Retry().parse_retry_after(value)) if value else 0.0
    except HTTPError:  # neither seconds nor a date
        return 0.0
