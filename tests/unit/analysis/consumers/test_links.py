"""Links to where a query can be seen again, which give no secret away and run nothing."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from analysis.consumers.links import Links, links_of, seen_again
from analysis.errors import ConfigError
from analysis.report import AskedQuery
from tests.support.builders import START, a_window

SELECTOR = 'http_requests_total{code=~"5..", path="/a&b#c"}'
WINDOW = a_window(minutes=30, step_s=15)
BOTH = Links(
    prometheus="https://prom.example.com/base/",
    grafana="https://g.example.com/?datasource=uid&orgId=2",
)


def asked(kind: str, query: str = SELECTOR) -> AskedQuery:
    return AskedQuery(side="canary", role="query", kind=kind, query=query, series=1)


def addresses(kind: str) -> dict[str, str]:
    return dict(seen_again(asked(kind), WINDOW, BOTH))


def test_prometheus_shows_the_query_over_the_window() -> None:
    address = urlsplit(addresses("range")["Prometheus"])

    assert (address.netloc, address.path) == ("prom.example.com", "/base/graph")
    told = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert told == {
        "g0.expr": SELECTOR,
        "g0.tab": "0",
        "g0.range_input": "1800s",
        "g0.end_input": "2027-01-15 08:30:00",
    }


def test_grafana_shows_it_in_its_data_source_and_organization() -> None:
    address = urlsplit(addresses("range")["Grafana"])

    assert (address.netloc, address.path) == ("g.example.com", "/explore")
    told = parse_qs(address.query)
    pane = json.loads(told["panes"][0])["a"]
    assert told["orgId"] == ["2"]
    assert pane["datasource"] == "uid"
    assert pane["queries"][0]["expr"] == SELECTOR
    assert pane["range"] == {"from": f"{START * 1000:.0f}", "to": f"{(START + 1800) * 1000:.0f}"}


EXPRESSIONS = {
    "a counter as its rate": ("samples", f"sum(rate({SELECTOR}[60s]))"),
    "a histogram as a quantile": (
        "buckets",
        f"histogram_quantile(0.95, sum by (le) (rate({SELECTOR}[60s])))",
    ),
    "an expression as it is": ("range", SELECTOR),
}


@pytest.mark.parametrize(("kind", "expression"), EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_a_query_is_linked(kind: str, expression: str) -> None:
    asked_for = parse_qs(urlsplit(addresses(kind)["Prometheus"]).query)

    assert asked_for["g0.expr"] == [expression]


def test_without_an_address_there_is_no_link() -> None:
    assert seen_again(asked("range"), WINDOW, Links()) == []


def test_the_server_that_was_asked_is_linked_unless_another_is_named() -> None:
    assert Links().or_source("http://asked:9090").prometheus == "http://asked:9090"
    assert BOTH.or_source("http://asked:9090").prometheus == BOTH.prometheus


REFUSED = {
    "a script": ("javascript:alert(1)", "must be an address such as"),
    "a file": ("file:///etc/passwd", "must be an address such as"),
    "no host": ("https://", "must be an address such as"),
    "a password": ("https://me:secret@g.example.com", "must hold no user or password"),
}


@pytest.mark.parametrize(("url", "message"), REFUSED.values(), ids=REFUSED)
def test_an_address_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        links_of({"grafana": url})

    assert "secret" not in str(refused.value)
