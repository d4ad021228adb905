"""OAuth2 client credentials: one token for all threads, renewed before it expires.

References:
    https://www.rfc-editor.org/rfc/rfc6749#section-4.4
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

import msgspec
import requests
from requests import PreparedRequest
from urllib3.exceptions import HTTPError

from analysis.errors import ConfigError
from analysis.sources.prometheus_http import bodies
from analysis.sources.prometheus_http.address import without_secrets
from analysis.sources.prometheus_http.breakdowns import of_exception
from analysis.sources.prometheus_http.credentials import BearerToken, authorized
from analysis.sources.prometheus_http.faults import ServerError, said, without

TIMEOUT_S = 10.0
MOST_BYTES = 64 * 1024  # a token is a few kB at most
# A token that says nothing of its end is asked for again as often as a careful issuer would.
UNSAID_LIFETIME_S = 300.0
# Renewed this much before its end, or a tenth of its life if that is less: clocks differ, and a
# query that waits in a queue must still be welcome.
MARGIN_S = 60.0
MARGIN_SHARE = 0.1
_PASSING = frozenset({429, 502, 503, 504})


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: float | None = None
    token_type: str = "bearer"  # noqa: S105 - the name of a scheme


class _Refused(msgspec.Struct):
    error: str
    error_description: str = ""


@dataclass(slots=True)
class _Kept:
    """The token in use, and when it is to be renewed."""

    token: str = ""
    renew_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClientCredentials:
    """A token from an authorization server.

    Attributes:
        token_url: Where tokens are issued.
        client_id: Who asks.
        secret: Reads the client's secret anew for each token, so that it may rotate.
        scopes: What the token is to allow.
        params: Further fields of the form, such as `audience`; never shown.
        in_body: Whether the client is named in the form instead of the header.
        verify: Whether to check the issuer's certificate, or a CA bundle to check it with.
        clock: Seconds that never go back.
    """

    token_url: str
    client_id: str
    secret: Callable[[], str] = field(repr=False)
    scopes: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    in_body: bool = False
    verify: bool | str = True
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    _kept: _Kept = field(default_factory=_Kept, init=False, repr=False)
    _one_by_one: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign `request`.

        Raises:
            ServerError: No token is to be had.
        """
        return authorized(request, f"Bearer {self._token()}")

    def renew(self, sent: Mapping[str, str]) -> bool:
        """Forget the token that was refused, and tell whether there was one to forget."""
        refused = sent.get("Authorization", "").removeprefix("Bearer ")
        with self._one_by_one:
            if refused and refused == self._kept.token:
                self._kept.token = ""
            return bool(refused)

    def _token(self) -> str:
        with self._one_by_one:  # whoever comes while one asks finds its token
            if not self._kept.token or self.clock() >= self._kept.renew_at:
                granted = self._ask()
                self._kept.token = granted.access_token
                self._kept.renew_at = self.clock() + _useful_s(granted.expires_in)
            return self._kept.token

    def _ask(self) -> _Granted:
        secret = self.secret()
        until = time.monotonic() + TIMEOUT_S
        with requests.Session() as session:
            session.trust_env = False
            try:
                with session.post(
                    self.token_url,
                    data=self._form(secret),
                    headers=self._headers(secret),
                    timeout=TIMEOUT_S,
                    verify=self.verify,
                    allow_redirects=False,  # the next host would get the secret
                    stream=True,
                ) as response:
                    body = bodies.read(response, MOST_BYTES, until=until).data
            except (OSError, HTTPError) as error:
                fault = of_exception(without_secrets(self.token_url), error, TIMEOUT_S)
                raise fault from None  # what requests raises may hold the form
        if response.status_code != requests.codes.ok:
            raise self._refused(response.status_code, body, secret)
        return self._granted(body)

    def _form(self, secret: str) -> dict[str, str]:
        client = {"client_id": self.client_id, "client_secret": secret} if self.in_body else {}
        scope = {"scope": " ".join(self.scopes)} if self.scopes else {}
        return {"grant_type": "client_credentials", **scope, **self.params, **client}

    def _headers(self, secret: str) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "serinus"}
        if not self.in_body:
            headers["Authorization"] = f"Basic {_basic(self.client_id, secret)}"
        return headers

    def _granted(self, body: bytes) -> _Granted:
        try:
            granted = msgspec.json.decode(body, type=_Granted, strict=False)
            BearerToken(token=granted.access_token)  # one word of printable ASCII, or an error
        except (msgspec.MsgspecError, ConfigError):
            raise self._useless("its answer holds no access_token") from None
        if granted.token_type.lower() != "bearer":
            raise self._useless(f"its token is of the type {granted.token_type!r}, not bearer")
        return granted

    def _refused(self, status: int, body: bytes, secret: str) -> ServerError:
        secrets = [
            secret,
            quote_plus(secret),
            _basic(self.client_id, secret),
            *self.params.values(),
        ]
        words = said(body, lambda text: without(text, secrets)).words
        try:
            refused = msgspec.json.decode(body, type=_Refused)
            words = without(f"{refused.error} {refused.error_description}".strip(), secrets)
        except msgspec.MsgspecError:
            pass  # a page, or nothing
        answered = f"it answered {status}" + (f": {words}" if words else "")
        return self._useless(answered, is_passing=status in _PASSING)

    def _useless(self, what: str, *, is_passing: bool = False) -> ServerError:
        return ServerError(
            f"no token from {without_secrets(self.token_url)}: {what}; "
            "check token_url, client_id, the secret and the scopes",
            code="unauthorized",
            is_passing=is_passing,
            is_final=True,
        )


def _basic(client_id: str, secret: str) -> str:
    # https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 has both encoded as in a form first.
    return base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def _useful_s(lifetime_s: float | None) -> float:
    known_s = UNSAID_LIFETIME_S if lifetime_s is None else lifetime_s
    return known_s - min(MARGIN_S, MARGIN_SHARE * known_s)
