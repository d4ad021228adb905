"""What replayed deployments tell of the whole fleet."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest
from rich.console import Console

from analysis.config import parse_config
from analysis.past.deployment import Truth
from analysis.past.fleet import Fleet, fleet
from analysis.past.fleet_json import to_json
from analysis.past.fleet_text import print_fleet
from analysis.past.looks import Schedule
from analysis.past.opening import open_deployments
from analysis.past.rows import Row
from analysis.past.work import Work
from judges import Verdict
from tests.support.corpus import RECORDINGS, SHOP


@cache
def a_row() -> Row:
    """Replay one recording; the tests change what they need of its row."""
    deployments = open_deployments(str(RECORDINGS), None)
    config = parse_config(SHOP.read_text(encoding="utf-8"))
    work = Work(deployments=deployments, schedule=Schedule(), config=config)
    (row,) = work([one for one in deployments.listed() if one.id == "aa-3"])
    return row


def open_row(service: str, number: int) -> Row:
    verdict = Verdict.INCONCLUSIVE
    return replace(
        a_row(), id=f"{service}-{number}", service=service, verdict=verdict, decided_by=("cpu",)
    )


def printed(found: Fleet) -> str:
    file = io.StringIO()
    print_fleet(found, Console(file=file, width=140))
    return file.getvalue()


def test_false_fails_are_counted_by_the_month_of_the_deployment() -> None:
    rows = [
        replace(a_row(), start=datetime(2026, month, 9, tzinfo=UTC), verdict=verdict)
        for month, verdict in ((1, Verdict.FAIL), (1, Verdict.PASS), (3, Verdict.PASS))
    ]

    months = fleet(rows).months

    assert [(f"{one.first:%Y-%m}", one.false_fails.hits, one.false_fails.of) for one in months] == [
        ("2026-01", 1, 2),
        ("2026-03", 0, 1),
    ]


@pytest.mark.parametrize(("unknown_is_good", "of"), [(False, 0), (True, 1)])
def test_what_nobody_knows_counts_as_good_only_where_that_is_said(
    unknown_is_good: bool, of: int
) -> None:
    found = fleet([replace(a_row(), truth=None)], unknown_is_good=unknown_is_good)

    assert found.months[0].false_fails.of == of


def test_bad_deployments_that_fail_are_no_false_fails() -> None:
    row = replace(a_row(), truth=Truth.BAD, verdict=Verdict.FAIL)

    assert fleet([row]).months[0].false_fails.of == 0


def test_a_service_that_stays_open_is_named_with_what_holds_it() -> None:
    found = fleet([*(open_row("cart", number) for number in range(6)), a_row()])

    assert found.services[0].name == "cart"
    assert found.services[0].cannot_decide
    assert "cart cannot decide: 6 of 6 stay open, held by cpu" in printed(found)


def test_a_few_open_deployments_condemn_no_service() -> None:
    assert not fleet([open_row("cart", 1)]).services[0].cannot_decide


def test_a_metric_that_never_decides_is_named() -> None:
    quiet = replace(a_row().metrics[0], name="quiet", verdict=Verdict.INCONCLUSIVE)
    found = fleet([replace(a_row(), metrics=(quiet,))] * 6)

    assert "quiet decided 0 of 6" in printed(found)


def test_noise_is_half_the_interval_as_a_share() -> None:
    noisy = replace(a_row().metrics[0], lower=0.5, upper=2.0)
    found = fleet([replace(a_row(), metrics=(noisy,))])

    assert found.metrics[0].noise == pytest.approx(1.0)


def test_an_interval_without_an_end_tells_of_no_noise() -> None:
    endless = replace(a_row().metrics[0], upper=None)

    assert fleet([replace(a_row(), metrics=(endless,))]).metrics[0].noise is None


def test_the_wait_that_would_do_is_that_of_nine_in_ten() -> None:
    rows = [replace(a_row(), seconds_to_decision=60.0 * minute) for minute in range(1, 11)]

    assert fleet(rows).services[0].suggested_wait_s == 600.0


def test_what_could_not_be_judged_is_counted_and_left_out() -> None:
    broken = replace(a_row(), error="gone", verdict=None)

    found = fleet([a_row(), broken])

    assert (found.deployments, found.unread) == (1, 1)
    assert "1 deployments, 1 could not be judged" in printed(found)


def test_programs_get_strict_json_with_a_schema() -> None:
    document = json.loads(to_json(fleet([a_row()])))

    assert document["schema"] == "fleet-v1"
    assert [one["metric"] for one in document["metrics"]] == [
        one.name for one in fleet([a_row()]).metrics
    ]


def test_nothing_at_all_is_told_as_nothing() -> None:
    assert "0 deployments" in printed(fleet([]))
