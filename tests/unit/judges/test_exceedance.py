"""What the judge of exceedances answers, and which edge it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import judges
from judges import InvalidParameterError, Judgment, Reason, Sample, Verdict
from tests.support.samples import FINE, Array, judged_buckets, judged_counts, latencies

PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
LIMITS: dict[str, Any] = {
    "tolerance": {"ratio": 1.2, "absolute": 0.001},
    "margin": {"ratio": 1.5, "absolute": 0.01},
}


def judgment_of(
    baseline: Array, canary: Array, *, grid: Array = FINE, **parameters: object
) -> Judgment:
    return judged_buckets("exceedance", baseline, canary, grid=grid, **parameters)


def counted(edges: list[float], row: list[float], **parameters: object) -> Judgment:
    side = np.tile(row, (20, 1))
    return judgment_of(side, side, grid=np.array([*edges, np.inf]), **parameters)


@pytest.mark.parametrize(
    ("level", "direction", "verdict"),
    [
        (0.2, "increase", PASS), (0.3, "increase", FAIL), (0.13, "increase", PASS),
        (0.2, "decrease", PASS), (0.3, "decrease", PASS), (0.13, "decrease", FAIL),
        (0.2, "either", PASS), (0.3, "either", FAIL), (0.13, "either", FAIL),
    ],
)  # fmt: skip
@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_harm_depends_on_the_direction(
    level: float, direction: str, verdict: Verdict, looks: str
) -> None:
    baseline, canary = latencies(1, n=60), latencies(2, n=60, level=level)

    assert judgment_of(baseline, canary, direction=direction, looks=looks).verdict is verdict


@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_it_is_the_error_ratio_of_the_requests_above_the_edge(looks: str) -> None:
    baseline, canary = latencies(1), latencies(2, level=0.21)
    counts = [(side[:, 31:].sum(axis=1), side.sum(axis=1)) for side in (baseline, canary)]

    of_edge = judgment_of(baseline, canary, edge=float(FINE[30]), looks=looks, **LIMITS)
    of_counts = judged_counts("error_ratio", counts[0], counts[1], looks=looks, **LIMITS)

    assert of_edge.verdict is of_counts.verdict
    assert (of_edge.harm, of_edge.safety) == (of_counts.harm, of_counts.safety)
    assert of_edge.estimate == of_counts.estimate
    assert of_edge.details == {**of_counts.details, "edge": FINE[30]}


def test_an_observation_on_the_edge_does_not_exceed_it() -> None:
    judgment = counted([1.0, 2.0, 3.0], [70.0, 20.0, 9.0, 1.0], edge=2.0)

    assert judgment.details["events_baseline"] == 20 * (9 + 1)


NEAREST = {
    "an edge is taken as it is": ([0.1, 0.2, 0.4], 0.2, 0.2),
    "nearest is by ratio": ([0.1, 0.2, 0.4], 0.29, 0.4),
    "beyond the last edge it is the last": ([0.1, 0.2, 0.4], 50.0, 0.4),
    "below the first it is the first": ([0.1, 0.2, 0.4], 1e-9, 0.1),
    "a positive level takes a positive edge": ([-1.0, 0.0, 8.0], 0.5, 8.0),
    "a level of zero is nearest by distance": ([-1.0, 0.2, 8.0], 0.0, 0.2),
    "so is a negative one": ([-3.0, -1.0, 8.0], -2.5, -3.0),
    "and a positive one without positive edges": ([-3.0, -1.0, 0.0], 2.0, 0.0),
}


@pytest.mark.parametrize(("edges", "asked", "taken"), NEAREST.values(), ids=NEAREST)
def test_the_nearest_edge_is_taken_and_named(
    edges: list[float], asked: float, taken: float
) -> None:
    judgment = counted(edges, [70.0, 20.0, 9.0, 1.0], edge=asked)

    assert judgment.details["edge"] == taken
    assert f"of observations exceed {taken:g}, against" in judgment.summary


USUAL = {
    "the one that 5 % exceed": ([800.0, 150.0, 40.0, 10.0], 2.0),
    "the nearest by ratio: 9 % before 2 %": ([910.0, 70.0, 15.0, 5.0], 1.0),
    "not one that nothing exceeds, where another is far": ([400.0, 600.0, 0.0, 0.0], 1.0),
}


@pytest.mark.parametrize(("row", "edge"), USUAL.values(), ids=USUAL)
def test_without_an_edge_the_one_nearest_the_baselines_p95_is_taken(
    row: list[float], edge: float
) -> None:
    assert counted([1.0, 2.0, 3.0], row).details["edge"] == edge


def test_the_canary_has_no_say_in_the_edge() -> None:
    baseline = latencies(1)
    edges = {
        judgment_of(baseline, latencies(2, level=level)).details["edge"]
        for level in (0.1, 0.2, 0.8)
    }

    assert len(edges) == 1


def test_where_within_a_bucket_the_observations_lie_is_irrelevant() -> None:
    """Of buckets that double a quantile would be a guess; the share above an edge is counted."""
    coarse = np.append(0.05 * 2.0 ** np.arange(6), np.inf)
    index = np.searchsorted(coarse, FINE)
    merged = []
    for side in (latencies(1), latencies(2, level=0.25)):
        rows = [np.bincount(index, weights=row, minlength=len(coarse)) for row in side]
        merged.append(np.array(rows, dtype=np.float64))

    judgment = judgment_of(merged[0], merged[1], grid=coarse, edge=0.4)

    assert judgment.verdict is FAIL
    assert judgment.warnings == ()


def test_harm_must_exceed_both_parts_of_the_tolerance() -> None:
    rare = [latencies(seed, level=level) for seed, level in ((1, 0.05), (2, 0.055))]
    edge = float(FINE[25])

    relative = judgment_of(*rare, edge=edge, tolerance={"ratio": 1.125})
    floored = judgment_of(*rare, edge=edge, tolerance={"ratio": 1.125, "absolute": 0.05})

    assert relative.verdict is FAIL
    assert floored.verdict is PASS


def test_by_default_the_margin_is_twice_the_ratio_and_ten_times_the_absolute() -> None:
    rule = judges.create("exceedance", tolerance={"ratio": 1.1, "absolute": 0.001})
    margin = rule.pass_margin  # type: ignore[attr-defined] # the port has no margin

    assert (margin.ratio, margin.absolute) == (pytest.approx(1.2), pytest.approx(0.01))


def test_a_histogram_without_a_finite_edge_has_nothing_to_exceed() -> None:
    judgment = counted([], [10.0])

    assert (judgment.verdict, judgment.reason) == (UNSURE, Reason.COARSE_BUCKETS)


def test_a_side_without_observations_is_named() -> None:
    judgment = judgment_of(latencies(1), 0 * latencies(2))

    assert (judgment.verdict, judgment.reason) == (UNSURE, Reason.NO_EXPOSURE)
    assert "the canary served no requests" in judgment.summary


def test_values_are_refused_for_they_have_no_buckets() -> None:
    with pytest.raises(TypeError, match=r"build the sample with Sample\.of_histograms"):
        judges.create("exceedance").judge(Sample.of_values([1.0], [2.0]))


def test_a_margin_below_the_tolerance_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="must be at least the tolerance"):
        judges.create("exceedance", tolerance=2.0, margin=1.5)
