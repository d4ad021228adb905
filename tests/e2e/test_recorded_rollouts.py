"""Recorded deployments with known truth, judged over HTTP from a real Prometheus."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.command import Done, run_serinus
from tests.support.corpus import FAILED_BY, GOOD, SHOP, all_runs, run

PASS, FAIL, INCONCLUSIVE = 0, 1, 3
EARLY_S = 115  # the error of late-err begins 120 s into the run

pytestmark = pytest.mark.e2e

Note = Callable[[str, object], None]


def judged(name: str, url: str, note: Note) -> Done:
    """Judge a run as a deployment pipeline would, and note its verdict for the table."""
    one = run(name)
    done = run_serinus("judge", SHOP, "--prometheus", url, *one.selection, "--format", "json")
    assert done.code in {PASS, FAIL, INCONCLUSIVE}, done.err
    report = done.report
    truth = "good" if one.is_good else "bad"
    metrics = ", ".join(report["decided_by"]) or "-"
    note("run", f"{name:<9} {truth:<5} {report['verdict']:<13} {report['score']:3.0f}  {metrics}")
    return done


@pytest.mark.parametrize(("name", "metric"), FAILED_BY.items(), ids=FAILED_BY)
def test_a_bad_deployment_fails_by_the_metric_that_is_worse(
    corpus_url: str, record_property: Note, name: str, metric: str
) -> None:
    done = judged(name, corpus_url, record_property)

    assert done.code == FAIL
    assert done.report["decided_by"] == [metric]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_deployment_never_fails(corpus_url: str, record_property: Note, name: str) -> None:
    done = judged(name, corpus_url, record_property)

    assert done.code in {PASS, INCONCLUSIVE}
    assert all(metric["guards"] == [] for metric in done.report["metrics"])


@pytest.mark.parametrize("name", sorted({*all_runs()} - {*GOOD, *FAILED_BY}))
def test_a_fault_that_little_shows_has_an_orderly_verdict(
    corpus_url: str, record_property: Note, name: str
) -> None:
    done = judged(name, corpus_url, record_property)

    assert done.code in {PASS, FAIL, INCONCLUSIVE}  # the table at the end says which
    assert done.err == ""


def test_a_fault_that_begins_late_fails_nobody_before(corpus_url: str) -> None:
    one = run("late-err")
    early = (*one.selection[:2], f"--end={one.start + EARLY_S}")

    done = run_serinus("judge", SHOP, "--prometheus", corpus_url, *early)

    assert done.code in {PASS, INCONCLUSIVE}
