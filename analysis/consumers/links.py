"""Addresses at which a query can be seen again: in Prometheus' own pages, or in Grafana."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from analysis.errors import ConfigError
from analysis.nearest import remedy
from analysis.report import AskedQuery
from analysis.window import Window, as_datetime

PLACES = ("prometheus", "grafana")
# A rate needs four scrapes to be smooth, and Prometheus' pages show none over less than a minute.
LEAST_RATE_S, RATE_STEPS = 60.0, 4
# What a query of an address may hold as it is; everything else doubles its length.
SAFE = ":,()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where queries can be seen again.

    Attributes:
        prometheus: Address of each source's Prometheus as a browser reaches it, by the source's
            name; `""` is the only source, and the first of several unless it is named too.
        grafana: Address of Grafana; its data source may stand there as `?datasource=UID`.
    """

    prometheus: Mapping[str, str] = field(default_factory=dict, hash=False)
    grafana: str | None = None

    def for_sources(self, asked: Mapping[str, str | None]) -> Links:
        """Say of every source where its queries lead: where a link says, or where it was asked.

        Args:
            asked: Each source's own address by its name, the first one first, without user and
                password; `None` where no browser shall be led there.
        """
        first = next(iter(asked))
        given = {first: self.prometheus.get(""), **self.prometheus}
        found = {name: given.get(name) or url for name, url in asked.items()}
        return replace(self, prometheus={name: url for name, url in found.items() if url})

    def check_sources(self, names: Iterable[str]) -> None:
        """Make sure that every source a link is for exists.

        Raises:
            ConfigError: One does not.
        """
        known = [name for name in names if name]
        for name in self.prometheus.keys() - {"", *known}:
            hint = remedy(name, known) if known else "sources have no names here: prometheus=URL"
            message = f"there is no source {name!r}; {hint}"
            raise ConfigError(message, origin=f"--link prometheus.{name}")


def links_of(given: Mapping[str, str]) -> Links:
    """Check the addresses that links begin with.

    Args:
        given: Address by place: `grafana`, `prometheus`, or `prometheus.NAME` for the source NAME.

    Raises:
        ConfigError: An address is none of HTTP, or holds a password.
    """
    checked = {place: _checked(place, url) for place, url in given.items()}
    grafana = checked.pop("grafana", None)
    prometheus = {place.partition(".")[2]: url for place, url in checked.items()}
    return Links(prometheus=prometheus, grafana=grafana)


def is_place(name: str) -> bool:
    """Tell whether a link can be for a place of this name."""
    place, dot, source = name.partition(".")
    return place in PLACES and (not dot or (place == "prometheus" and bool(source)))


def _checked(place: str, url: str) -> str:
    # Whatever else stands there, a browser must never run it.
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        shown = url.rpartition("@")[2][:80]
        host = place.partition(".")[0]
        message = f"{place} must be an address such as https://{host}.example.com, got {shown!r}"
        raise ConfigError(message, origin="--link")
    if "@" in parts.netloc:
        message = f"{place} must hold no user or password: everyone who gets the report reads it"
        raise ConfigError(message, origin="--link")
    return url


def seen_again(query: AskedQuery, window: Window, links: Links) -> list[tuple[str, str]]:
    """Give the links of a query: the place's name and the address.

    A counter is linked as its rate, since its raw samples only climb.
    """
    expression = _expression(query, window)
    found = []
    if query.source in links.prometheus:
        address = _in_prometheus(links.prometheus[query.source], expression, window)
        found.append(("Prometheus", address))
    if links.grafana is not None:
        found.append(("Grafana", _in_grafana(links.grafana, expression, window)))
    return found


def _expression(query: AskedQuery, window: Window) -> str:
    over = f"{round(max(RATE_STEPS * window.step_s, LEAST_RATE_S))}s"
    match query.kind:
        case "samples":
            return f"sum(rate({query.query}[{over}]))"
        case "buckets":
            return f"histogram_quantile(0.95, sum by (le) (rate({query.query}[{over}])))"
        case _:
            return query.query


def _in_prometheus(base: str, expression: str, window: Window) -> str:
    asked = {
        "g0.expr": expression,
        "g0.tab": "0",
        "g0.range_input": f"{round(window.end - window.start)}s",
        "g0.end_input": f"{as_datetime(window.end):%Y-%m-%d %H:%M:%S}",
    }
    return f"{base.rstrip('/')}/graph?{urlencode(asked, quote_via=quote, safe=SAFE)}"


def _in_grafana(base: str, expression: str, window: Window) -> str:
    parts = urlsplit(base)
    kept = dict(parse_qsl(parts.query))
    source = kept.pop("datasource", None)
    query = {"refId": "A", "expr": expression}
    pane = {
        "queries": [query],
        "range": {"from": str(round(window.start * 1000)), "to": str(round(window.end * 1000))},
        **({"datasource": source} if source else {}),
    }
    panes = json.dumps({"a": pane}, separators=(",", ":"))
    asked = urlencode({**kept, "schemaVersion": "1", "panes": panes}, quote_via=quote, safe=SAFE)
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/explore", asked, ""))
