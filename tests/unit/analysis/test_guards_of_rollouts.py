"""What guards say of a rollout as a whole: remarks, which leave every verdict as it is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from analysis.guards import Comparison, Finding, Rollout, Severity, codes, inspect_rollout
from analysis.sources.port import Series
from judges import Sample
from tests.support.builders import START, a_series, scraped

DOCS = Path(__file__).parents[3] / "docs"
N = 60
ASKED_S = 480.0  # raw samples are asked for from five minutes before a window with 3m of warm-up
SINCE = START - ASKED_S


def requests(*shares: float, total: float = 400.0) -> Sample:
    """Make counts whose canary has these shares of the requests, each as long as the others."""
    rng = np.random.default_rng(7)
    share = np.repeat(shares, N // len(shares))
    canary = rng.binomial(int(total), share).astype(float)
    return Sample.of_counts((0 * canary, total - canary), (0 * canary, canary))


def a_rollout(
    sample: Sample, *, baseline: tuple[Series, ...] = (), canary: tuple[Series, ...] = ()
) -> Rollout:
    comparison = Comparison(sample=sample, baseline=baseline, canary=canary, begin=START)
    return Rollout(comparisons={"errors": comparison}, since=SINCE, begin=START)


def pod(begin: float, *, name: str) -> Series:
    """Make a counter of a pod that is scraped every 15 s until an hour after the judging began."""
    count = int((START + 3600 - begin) // 15)
    return scraped(*range(count), start=begin, pod=name)


def test_a_weight_that_was_raised_is_remarked_on_with_its_time() -> None:
    (finding,) = inspect_rollout(a_rollout(requests(0.1, 0.5)))

    assert (finding.code, finding.severity) == ("weight_changed", Severity.NOTE)
    assert finding.summary == (
        "the canary's part of the requests went from 10 % to 50 % at 08:30:00"
    )


STEADY = {
    "a constant weight": requests(0.1),
    "a change that no rollout makes": requests(0.5, 0.53),
    "a canary without requests": requests(0.0),
    "a canary with all requests": requests(1.0),
    "a gauge": Sample.of_values(np.arange(float(N)), np.arange(float(N)) + 1),
    "too few steps": requests(0.1, 0.5).part(16, 44),
}


@pytest.mark.parametrize("sample", STEADY.values(), ids=STEADY)
def test_nothing_is_said_of_a_weight_that_stayed(sample: Sample) -> None:
    assert inspect_rollout(a_rollout(sample)) == ()


def test_a_canary_that_just_began_beside_pods_that_ran_is_remarked_on() -> None:
    old = (pod(SINCE + 3, name="a"), pod(SINCE + 9, name="b"))
    new = (pod(START - 120, name="c"), pod(START - 60, name="d"))

    (finding,) = inspect_rollout(a_rollout(requests(0.5), baseline=old, canary=new))

    assert (finding.code, finding.severity) == ("older_baseline", Severity.NOTE)
    assert finding.summary == (
        "when judging begins, the baseline's pods have been running for 8 minutes or more, the "
        "canary's newest for 1 minute"
    )


EQUALLY_OLD = {
    "both ran before": ((SINCE + 3,), (SINCE + 4,)),
    "both just began, as in an experiment": ((START - 100,), (START - 90,)),
    "a baseline pod was replaced meanwhile": ((SINCE + 3, START - 30), (START - 60,)),
    "a canary pod ran before": ((SINCE + 3,), (SINCE + 5, START - 60)),
    "nothing is known of the baseline": ((), (START - 60,)),
}


@pytest.mark.parametrize(("old", "new"), EQUALLY_OLD.values(), ids=EQUALLY_OLD)
def test_nothing_is_said_of_sides_of_an_age(old: tuple[float], new: tuple[float]) -> None:
    sides = [
        tuple(pod(begin, name=f"{side}{index}") for index, begin in enumerate(begins))
        for side, begins in (("old", old), ("new", new))
    ]

    assert inspect_rollout(a_rollout(requests(0.5), baseline=sides[0], canary=sides[1])) == ()


def test_an_expression_does_not_show_when_its_pods_began() -> None:
    aggregates = (a_series([(START + 60, 1.0)]),), (a_series([(START + 60, 2.0)]),)
    gauge = Sample.of_values(np.arange(float(N)), np.arange(float(N)) + 1)

    assert inspect_rollout(a_rollout(gauge, baseline=aggregates[0], canary=aggregates[1])) == ()


def test_every_guard_is_listed() -> None:
    assert codes() == (
        *("bucket_edges", "coverage", "little_exposure", "older_baseline", "partial_answer"),
        *("same_series", "shared_series", "side_missing", "traffic_share", "weight_changed"),
        "young_side",
    )


@pytest.mark.parametrize("code", codes())
def test_every_guard_has_a_page_that_says_how_grave_it_is(code: str) -> None:
    finding = Finding(code=code, summary="", remedy="")
    page = (DOCS / finding.page).read_text(encoding="utf-8")

    assert page.startswith(f"# {code}\n")
    assert re.search(r"^`(invalid|pass_withheld|note)`: ", page, re.MULTILINE)
    for heading in ("Finds", "With a bad canary", "What to do"):
        assert f"\n## {heading}\n" in page
    assert f"guards/{code}.md" in (DOCS / "reference" / "guards.md").read_text(encoding="utf-8")
