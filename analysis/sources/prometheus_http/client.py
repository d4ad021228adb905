"""One thread's client: a request in, its answer out, through prometheus-api-client."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import assert_never

from prometheus_api_client import PrometheusConnect

from analysis.sources.port import Answer, Request, RequestKind, Series
from analysis.sources.prometheus_http import faults, plan
from analysis.sources.prometheus_http.decoding import HISTOGRAMS, Reply, UnreadableError
from analysis.sources.prometheus_http.native import as_classic


@dataclass(frozen=True, slots=True, eq=False)
class Client:
    """A `PrometheusConnect` whose session answers with a `Reply`.

    Attributes:
        api: The library's client, used by one thread at a time.
    """

    api: PrometheusConnect

    def ask(self, request: Request) -> Answer:
        """Answer `request`, in several queries if it is long.

        Raises:
            SourceError: One of the queries was not answered usably.
        """
        began = time.monotonic()
        replies = [self._send(request.kind, query) for query in plan.queries(request)]
        return Answer(
            series=plan.join(request, map(_series, replies)),
            warnings=_once(reply.warnings for reply in replies),
            infos=_once(reply.infos for reply in replies),
            seconds=time.monotonic() - began,
        )

    def _send(self, kind: RequestKind, query: plan.Query) -> Reply:
        params = dict(query.params)  # the library would round start and end to whole seconds
        reply: Reply
        match kind:
            case RequestKind.SAMPLES | RequestKind.BUCKETS:
                reply = self.api.custom_query(query.text, params=params)
            case RequestKind.RANGE:
                span = _time(query.start_ms), _time(query.end_ms)
                reply = self.api.custom_query_range(query.text, *span, "1", params=params)
            case _:
                assert_never(kind)
        if reply.natives and kind is not RequestKind.BUCKETS:
            unusable = UnreadableError(HISTOGRAMS)
            raise faults.of_unreadable(self.api.url, query.text, unusable, page="")
        return reply


def _series(reply: Reply) -> tuple[Series, ...]:
    return (*reply.series, *chain.from_iterable(map(as_classic, reply.natives)))


def _once(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(groups)))


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, tz=UTC)
