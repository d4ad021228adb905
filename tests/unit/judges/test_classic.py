"""The textbook test, held to scipy's and to published numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from scipy import stats

from judges import Verdict
from judges.core import classic, shifts
from judges.core.ranks import Pairs, RankMethod
from judges.core.shifts import Shifts
from tests.support.samples import Array, a_gauge, judged

REFERENCE = Path(__file__).parents[3] / "fixtures" / "reference" / "rank_estimates.json"
Draw = Callable[[int, int, int], tuple[Array, Array]]
SIZES = [(4, 4), (5, 10), (10, 5), (15, 15), (30, 30), (40, 40), (1, 7), (60, 80)]


def published(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(REFERENCE.read_text(encoding="utf-8"))[name]
    return found | {side: np.array(found[side]) for side in ("baseline", "canary")}


def continuous(seed: int, n: int, m: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(n), rng.standard_normal(m) + rng.normal()


def tied(seed: int, n: int, m: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 6, n).astype(float), rng.integers(0, 8, m).astype(float)


@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize("seed", range(4))
def test_the_exact_p_is_scipys(seed: int, n: int, m: int) -> None:
    baseline, canary = continuous(seed, n, m)

    for first, second in ((baseline, canary), (canary, baseline)):
        expected = stats.mannwhitneyu(second, first, alternative="greater", method="exact").pvalue

        assert classic.p_greater(first, second, exact=True) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize("draw", [continuous, tied])
@pytest.mark.parametrize("seed", range(4))
def test_the_asymptotic_p_is_scipys_with_ties_and_continuity(
    draw: Draw, seed: int, n: int, m: int
) -> None:
    baseline, canary = draw(seed, n, m)

    for first, second in ((baseline, canary), (canary, baseline)):
        expected = stats.mannwhitneyu(
            second, first, alternative="greater", method="asymptotic", use_continuity=True
        )

        assert classic.u_statistic(first, second) == expected.statistic
        assert classic.p_greater(first, second, exact=False) == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(
    ("draw", "n", "exact"),
    [(continuous, 40, True), (continuous, 41, False), (tied, 20, False)],
    ids=["few and untied", "many", "tied"],
)
def test_the_exact_null_is_used_where_it_is_right_and_cheap(
    draw: Draw, n: int, exact: bool
) -> None:
    assert classic.use_exact(*draw(0, n, n)) is exact


def test_a_null_without_spread_gives_no_evidence() -> None:
    assert classic.p_greater(np.ones(9), np.ones(9)) == 1.0


@pytest.mark.parametrize("direction", ["increase", "decrease", "either"])
@pytest.mark.parametrize(
    ("n", "resolution", "method"),
    [(20, 1e-9, "exact"), (20, 10, "asymptotic"), (60, 1e-9, "asymptotic")],
    ids=["few", "tied", "many"],
)
def test_the_judge_with_classic_variance_gives_scipys_p(
    direction: str, n: int, resolution: float, method: str
) -> None:
    sides = (a_gauge(1, n=n), a_gauge(2, n=n, level=107))
    baseline, canary = (np.ceil(side / resolution) * resolution for side in sides)
    alternative = {"increase": "greater", "decrease": "less", "either": "two-sided"}[direction]
    expected = stats.mannwhitneyu(
        canary, baseline, alternative=cast(Any, alternative), method=cast(Any, method)
    )

    judgment = judged(
        "mann_whitney", baseline, canary, variance="classic", tolerance=0, direction=direction
    )

    assert judgment.harm is not None
    assert judgment.harm.p == pytest.approx(expected.pvalue, rel=1e-9)


def test_the_null_distribution_sums_to_one_and_is_symmetric() -> None:
    for n, m in SIZES:
        null = classic.null_distribution(n, m)

        assert len(null) == n * m + 1
        assert null.sum() == pytest.approx(1)
        np.testing.assert_allclose(null, null[::-1])


def test_the_interval_is_the_published_one() -> None:
    case = published("permeability")
    baseline, canary = case["baseline"], case["canary"]

    interval = classic.interval(baseline, canary, level=case["level"])

    assert classic.u_statistic(baseline, canary) == case["u"]
    assert classic.p_greater(baseline, canary) == pytest.approx(case["p_greater"], abs=5e-5)
    assert interval == pytest.approx(case["interval"], abs=1e-12)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("permeability", RankMethod.PLACEMENTS),
        ("depression", RankMethod.SIGNED_RANKS),
        ("membrane", RankMethod.SIGNED_RANKS),
    ],
)
def test_the_hodges_lehmann_estimate_is_the_published_one(name: str, method: RankMethod) -> None:
    case = published(name)

    baseline, canary = np.array(case["baseline"]), np.array(case["canary"])
    if method is RankMethod.PLACEMENTS:
        estimate = shifts.median_difference(baseline, canary)
    else:
        pair = Pairs.of(baseline[np.newaxis], canary[np.newaxis])
        estimate = float(Shifts.of(pair, np.array([True])).middle()[0])

    assert estimate == pytest.approx(case["estimate"], abs=1e-12)


@pytest.mark.parametrize("n", [15, 40, 60, 250])
@pytest.mark.parametrize("draw", [continuous, tied])
def test_the_interval_holds_what_the_test_does_not_reject(draw: Draw, n: int) -> None:
    baseline, canary = draw(5, n, n)
    level = 0.95

    lower, upper = classic.interval(baseline, canary, level=level)

    assert lower is not None
    assert upper is not None
    for bound, outward in ((lower, -1), (upper, 1)):
        for distance, inside in ((-1e-6, True), (1e-6, False)):
            moved = baseline + bound + outward * distance
            ends = (canary, moved) if outward > 0 else (moved, canary)
            rejected = classic.p_greater(*ends) <= (1 - level) / 2
            assert rejected is not inside


def test_five_steps_cannot_bound_an_effect_at_high_confidence() -> None:
    assert classic.interval(np.arange(3.0), np.arange(3.0) + 0.5, level=0.95) == (None, None)


def test_a_classic_judgment_fails_and_passes_and_says_so() -> None:
    slow = judged("mann_whitney", a_gauge(1), a_gauge(2, level=200), variance="classic")
    alike = judged("mann_whitney", a_gauge(1), a_gauge(2), variance="classic")

    assert (slow.verdict, alike.verdict) == (Verdict.FAIL, Verdict.PASS)
    assert slow.autocorrelation is None
    assert slow.details["variance"] == "classic"
