"""How often each caller may call: a bucket of calls each, refilled at a steady rate.

A caller is a known token, or else an address, so that one who is refused locks nobody else out.
Each replica counts for itself.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from analysis.service.pages.refusal import tell
from analysis.service.problems import Problem
from analysis.service.tokens import Tokens

# Probes and scrapes: a busy caller behind the same address must not make us look dead.
NEVER_REFUSED = frozenset({"/healthz", "/readyz", "/metrics"})
# A bucket holds what flows in so many seconds: a controller that restarts asks for all its runs
# at once.
BURST_S = 10.0
# About 2 MB. Who calls from more addresses than this begins with a full bucket now and then.
MOST_CALLERS = 10_000
# One host of IPv6 has a whole network of this size to call from.
_OF_A_HOST = 64


@dataclass(slots=True)
class _Bucket:
    calls: float
    at: float


@dataclass(slots=True, kw_only=True)
class Rates:
    """The buckets of the callers that called last; not for several threads.

    Attributes:
        per_second: Calls a caller may make each second, over time.
        clock: Gives seconds that never go back.
    """

    per_second: float
    clock: Callable[[], float]
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    @property
    def most(self) -> float:
        """Calls that a caller may make at once."""
        return max(1.0, self.per_second * BURST_S)

    def wait_s(self, caller: str) -> float:
        """Take a call out of a caller's bucket; give the seconds to wait if there is none."""
        now = self.clock()
        bucket = self._buckets.setdefault(caller, _Bucket(self.most, now))
        self._buckets.move_to_end(caller)
        while len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        bucket.calls = min(self.most, bucket.calls + (now - bucket.at) * self.per_second)
        bucket.at = now
        if bucket.calls < 1.0:
            return (1.0 - bucket.calls) / self.per_second
        bucket.calls -= 1.0
        return 0.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Middleware that refuses calls beyond the rate, before anything is made of them.

    Attributes:
        app: What it stands before.
        rates: The buckets.
        tokens: Who is known.
    """

    app: ASGIApp
    rates: Rates
    tokens: Tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, or say when to come again."""
        if scope["type"] != "http" or scope["path"] in NEVER_REFUSED:
            await self.app(scope, receive, send)
            return
        wait_s = self.rates.wait_s(self._caller(scope))
        if wait_s > 0:
            await tell(scope, _refusal(self.rates, wait_s))(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _caller(self, scope: Scope) -> str:
        authorization = Headers(scope=scope).get("authorization")
        if authorization and self.tokens.are_asked_for:
            try:
                return f"token {self.tokens.identify(authorization).name}"
            except Problem:
                pass  # unknown: the address counts, or each guess would be a caller of its own
        return f"address {host_of(scope)}"


def host_of(scope: Scope) -> str:
    """Give the address of a caller; of IPv6 the network that a single host has."""
    host = (scope.get("client") or ("",))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if address.version == 4:
        return str(address)
    within = address.ipv4_mapped
    return str(within or ipaddress.ip_network((int(address), _OF_A_HOST), strict=False))


def _refusal(rates: Rates, wait_s: float) -> Problem:
    seconds = math.ceil(wait_s)
    message = (
        f"more than {rates.per_second:g} calls a second, after {rates.most:g} at once; call again "
        f"in {seconds} s, or let the operator raise --calls-per-second"
    )
    return Problem(429, "too_many_calls", message, headers={"Retry-After": str(seconds)})
