"""The dashboard and the alert rules: PromQL about metrics that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from analysis.service.operations import Operations
from tests.support.dashboard import BOARD, filled, panels, queries, rules

EVERYTHING = {**queries(), **{f"alert {name}": text for name, text in rules().items()}}
DOCS = Path(__file__).parents[2] / "docs" / "how-to" / "operate.md"
# What Prometheus adds to every series.
TARGET = {"instance", "job"}


@pytest.fixture(scope="module")
def exposed() -> dict[str, set[str]]:
    """Give the labels of every metric that the service exposes, by name."""
    operations = Operations()
    operations.expect(["shop"], ["ops"])
    operations.called("/v1/analyses", 200, 0.1)
    families = text_string_to_metric_families(generate_latest(operations.registry).decode())
    found: dict[str, set[str]] = {}
    for sample in (sample for family in families for sample in family.samples):
        found.setdefault(sample.name, set()).update(sample.labels)
    return found


def selectors(node: promql_parser.Expr) -> Iterator[promql_parser.VectorSelector]:
    """Find the selectors of an expression."""
    match node:
        case promql_parser.VectorSelector():
            yield node
        case promql_parser.MatrixSelector():
            yield node.vector_selector
        case promql_parser.BinaryExpr():
            yield from selectors(node.lhs)
            yield from selectors(node.rhs)
        case promql_parser.Call():
            for argument in node.args:
                yield from selectors(argument)
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr():
            yield from selectors(node.expr)
        case _:  # a number or a text
            return


@pytest.mark.parametrize("text", EVERYTHING.values(), ids=EVERYTHING)
def test_every_query_asks_for_metrics_and_labels_that_the_service_has(
    exposed: dict[str, set[str]], text: str
) -> None:
    asked = list(selectors(promql_parser.parse(text)))

    assert asked
    for selector in asked:
        assert selector.name in exposed
        assert {one.name for one in selector.matchers.matchers} <= exposed[selector.name]
    known = set().union(*(exposed[str(one.name)] for one in asked)) | TARGET
    grouped = {
        name.strip()
        for group in re.findall(r"(?:by|on) \(([^)]*)\)", text)
        for name in group.split(",")
    }
    assert grouped <= known


def test_every_metric_of_ours_is_on_the_dashboard(exposed: dict[str, set[str]]) -> None:
    ours = {name for name in exposed if name.startswith("serinus_")}
    parts = ("_bucket", "_sum", "_count", "_created")
    families = {re.sub("|".join(f"{part}$" for part in parts), "", name) for name in ours}

    assert {name for name in families if name not in str(BOARD)} == set()


def test_what_a_legend_names_is_a_label_of_its_query() -> None:
    for panel in panels():
        for target in panel["targets"]:
            named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            kept = re.findall(r"(?:by|on) \(([^)]*)\)", target["expr"])
            assert named <= {name.strip() for group in kept for name in group.split(",")}


def test_panels_have_names_of_their_own_and_do_not_overlap() -> None:
    places = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in BOARD["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]

    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
    for key in ("id", "title"):
        assert len({panel[key] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def test_every_panel_asks_the_server_that_is_chosen() -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    asking = [*panels(), *BOARD["annotations"]["list"]]
    asking += [target for panel in panels() for target in panel["targets"]]

    assert all(one["datasource"] == chosen for one in asking)
    assert {one["name"] for one in BOARD["templating"]["list"]} == {"datasource", "config"}
    assert not [text for text in EVERYTHING.values() if "$" in filled(text)]


def test_every_panel_and_alert_is_explained() -> None:
    page = DOCS.read_text()

    for panel in panels():
        assert panel["description"]
        assert f"| {panel['title']} |" in page
    for name in rules():
        assert f"| `{name}` |" in page
