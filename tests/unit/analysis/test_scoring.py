"""From judgments to one verdict and a score: the rules that the module states, one by one."""

from __future__ import annotations

import math

import pytest

from analysis.config import CanaryConfig, Risk, Scoring
from analysis.scoring import Decision, Judged, budgets, decide, weights
from judges import Judgment, Looks, Reason, Verdict
from tests.support.builders import Document, a_config, a_judged, a_judgment, a_metric

PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
FALSE_FAIL = 0.01
ANYTIME = Risk(false_fail=FALSE_FAIL, looks=Looks.ANYTIME)
FIXED = Risk(false_fail=FALSE_FAIL, looks=Looks.FIXED)
# The natural logarithm of what the evidence of a lone metric must reach.
ENOUGH = -math.log(FALSE_FAIL)


def decided(
    *judged: Judged, risk: Risk = ANYTIME, passing: float = 95, marginal: float = 75
) -> Decision:
    return decide(judged, risk, Scoring.model_validate({"pass": passing, "marginal": marginal}))


def observed(verdict: Verdict) -> Judgment:
    """Judge what was seen against a bound: no evidence is weighed, for none is needed."""
    return a_judgment(verdict, p=None, kind="threshold", reason=Reason.OUT_OF_BOUNDS)


# ---- weights

METRICS = [("a", "errors"), ("b", "errors"), ("c", "latency"), ("d", "cost")]


def grouped(**weights_: float) -> CanaryConfig:
    metrics = [a_metric(name, group=group) for name, group in METRICS]
    return a_config(*metrics, scoring={"weights": weights_})


WEIGHTS: dict[str, tuple[dict[str, float], list[float]]] = {
    "without weights groups are equal": ({}, [1 / 6, 1 / 6, 1 / 3, 1 / 3]),
    "weights need not sum to 100": (
        {"errors": 2, "latency": 1, "cost": 1},
        [0.25, 0.25, 0.25, 0.25],
    ),
    "a group's weight is shared by its metrics": (
        {"errors": 50, "latency": 30, "cost": 20},
        [0.25, 0.25, 0.3, 0.2],
    ),
    "groups without a weight share what is left of 100": ({"errors": 60}, [0.3, 0.3, 0.2, 0.2]),
    "where nothing is left, each gets the smallest weight": (
        {"errors": 70, "latency": 30},
        [35 / 130, 35 / 130, 30 / 130, 30 / 130],
    ),
    "also where 100 is exceeded": ({"errors": 200, "latency": 100}, [0.25, 0.25, 0.25, 0.25]),
}


@pytest.mark.parametrize(("given", "expected"), WEIGHTS.values(), ids=WEIGHTS)
def test_weights(given: dict[str, float], expected: list[float]) -> None:
    config = grouped(**given)

    assert list(weights(config.metrics, config.scoring).values()) == pytest.approx(expected)


def test_a_muted_metric_weighs_nothing_and_leaves_its_groups_weight_to_the_others() -> None:
    config = a_config(
        a_metric("a", group="errors"),
        a_metric("b", group="errors", muted=True),
        a_metric("c", group="latency"),
        scoring={"weights": {"errors": 75, "latency": 25}},
    )

    assert weights(config.metrics, config.scoring) == {"a": 0.75, "b": 0.0, "c": 0.25}


def test_a_group_that_is_all_muted_takes_no_part() -> None:
    config = a_config(
        a_metric("a", group="errors", muted=True),
        a_metric("b", group="latency"),
        scoring={"weights": {"errors": 75, "latency": 25}},
    )

    assert weights(config.metrics, config.scoring) == {"a": 0.0, "b": 1.0}


def test_half_of_the_budget_belongs_to_the_critical_metrics() -> None:
    config = a_config(
        a_metric("a", critical=True), a_metric("b", critical=True), a_metric("c"), a_metric("d")
    )

    assert budgets(config.metrics, config.scoring) == pytest.approx(
        {"a": 0.125 + 0.25, "b": 0.125 + 0.25, "c": 0.125, "d": 0.125}
    )


BUDGETS = {
    "no metric is critical": ([{}, {}], [0.5, 0.5]),
    "every metric is critical": ([{"critical": True}] * 2, [0.5, 0.5]),
    "a muted metric": ([{}, {"muted": True}], [1, 0]),
    "a critical metric that is muted": ([{}, {"muted": True, "critical": True}], [1, 0]),
}


@pytest.mark.parametrize(("settings", "expected"), BUDGETS.values(), ids=BUDGETS)
def test_budgets(settings: list[Document], expected: list[float]) -> None:
    config = a_config(*(a_metric(f"m{n}", **one) for n, one in enumerate(settings)))

    assert list(budgets(config.metrics, config.scoring).values()) == pytest.approx(expected)


# ---- verdict


def test_a_rollout_whose_metrics_all_pass_passes() -> None:
    decision = decided(
        a_judged(a_judgment(PASS), weight=0.5, budget=0.5),
        a_judged(a_judgment(PASS), name="other", weight=0.5, budget=0.5),
    )

    assert (decision.verdict, decision.score, decision.decided_by) == (PASS, 100, ())
    assert decision.summary == "no harm beyond any margin on 2 metrics"


def test_of_one_metric_the_summary_says_so() -> None:
    assert decided(a_judged(a_judgment(PASS))).summary == "no harm beyond any margin on 1 metric"


FAILS = {
    "evidence that spends the whole budget, at any look": (ANYTIME, 0.9, ENOUGH, 1.0, FAIL),
    "evidence a little short of it": (ANYTIME, 1e-9, ENOUGH - 0.01, 1.0, UNSURE),
    "evidence that spends its part of the budget": (
        ANYTIME,
        0.9,
        ENOUGH + math.log(10),
        0.1,
        FAIL,
    ),
    "evidence short of its part": (ANYTIME, 1e-9, ENOUGH + math.log(9), 0.1, UNSURE),
    "a p-value within the budget, at one look": (FIXED, FALSE_FAIL, 0.0, 1.0, FAIL),
    "a p-value a little above it": (FIXED, FALSE_FAIL + 1e-4, 99.0, 1.0, UNSURE),
    "a p-value within its part": (FIXED, FALSE_FAIL / 10, 0.0, 0.1, FAIL),
    "a p-value above its part": (FIXED, FALSE_FAIL / 9, 99.0, 0.1, UNSURE),
    "a p-value where there is no e-value, at any look": (ANYTIME, 0.001, None, 1.0, FAIL),
}


@pytest.mark.parametrize(("risk", "p", "log_e", "budget", "verdict"), FAILS.values(), ids=FAILS)
def test_one_metric_fails_a_rollout_by_its_part_of_the_budget(
    risk: Risk, p: float, log_e: float | None, budget: float, verdict: Verdict
) -> None:
    one = a_judged(a_judgment(UNSURE, p=p, log_e=log_e), budget=budget)

    assert decided(one, risk=risk).verdict is verdict


def pair(log_e: float, *, p: float) -> list[Judged]:
    """Judge two metrics alike, each with half of the budget."""
    return [
        a_judged(a_judgment(UNSURE, p=p, log_e=log_e), name=name, weight=0.5, budget=0.5)
        for name in ("a", "b")
    ]


def test_evidence_of_several_metrics_adds_up_although_none_would_suffice() -> None:
    decision = decided(*pair(ENOUGH + 0.1, p=0.001))

    assert decision.verdict is FAIL
    assert decision.decided_by == ("a", "b")
    assert decision.log_e == pytest.approx(ENOUGH + 0.1)


def test_evidence_that_does_not_add_up_fails_nobody() -> None:
    assert decided(*pair(ENOUGH - 0.1, p=0.001)).verdict is UNSURE


def test_evidence_that_adds_up_fails_also_when_this_look_alone_would_not_show_it() -> None:
    # Harm that began late: the e-values have it, the p-values of the whole window do not.
    decision = decided(*pair(ENOUGH + 0.1, p=0.4))

    assert decision.verdict is FAIL
    assert decision.decided_by == ("a", "b")


BLAMED = {
    "the one that is far out alone": ([9.0, 0.5, 0.0, -1.0], ["m0"]),
    "three that share it, each too weak alone": ([4.0, 4.0, 3.9, -1.0], ["m0", "m1", "m2"]),
    "a weak one beside two strong ones": ([9.0, 9.0, 2.7, 0.0], ["m0", "m1", "m2"]),
    "not one that shows nothing": ([9.0, 9.0, 2.4, 0.0], ["m0", "m1"]),
}


@pytest.mark.parametrize(("logs", "named"), BLAMED.values(), ids=BLAMED)
def test_a_failed_rollout_names_those_whose_harm_is_shown(
    logs: list[float], named: list[str]
) -> None:
    """e-BH of four metrics: the k-th largest e-value must reach 4 / (k / 10)."""
    judged = [
        a_judged(a_judgment(UNSURE, p=0.001, log_e=log_e), name=f"m{i}", weight=0.25, budget=0.25)
        for i, log_e in enumerate(logs)
    ]

    decision = decided(*judged, risk=Risk(false_fail=0.05))

    assert decision.verdict is FAIL
    assert sorted(decision.decided_by) == named


def test_at_a_single_look_evidence_does_not_add_up() -> None:
    decision = decided(*pair(ENOUGH + 0.1, p=0.4), risk=FIXED)

    assert (decision.verdict, decision.log_e) == (UNSURE, None)


OBSERVED = {
    "a critical bound that was broken fails": (FAIL, True, FAIL),
    "a bound that was broken and is not critical blocks a pass": (FAIL, False, UNSURE),
    "a critical bound that was kept passes": (PASS, True, PASS),
}


@pytest.mark.parametrize(("verdict", "critical", "expected"), OBSERVED.values(), ids=OBSERVED)
def test_what_was_observed_is_decided_without_evidence(
    verdict: Verdict, *, critical: bool, expected: Verdict
) -> None:
    good = a_judged(a_judgment(PASS), name="good", critical=True)

    assert decided(good, a_judged(observed(verdict), critical=critical)).verdict is expected


BLOCKS = {
    "a critical metric that is inconclusive": (a_judgment(UNSURE), True, UNSURE),
    "an uncritical one does not": (a_judgment(UNSURE), False, PASS),
    "harm found on a critical metric that passes": (a_judgment(PASS, p=0.04), True, UNSURE),
    "harm found on an uncritical one": (a_judgment(PASS, p=0.04), False, UNSURE),
    "harm found on one that is inconclusive": (a_judgment(UNSURE, p=0.04), False, UNSURE),
    "harm just not found at 5 %": (a_judgment(PASS, p=0.051), False, PASS),
    "harm found by evidence over looks": (a_judgment(PASS, log_e=math.log(20.1)), False, UNSURE),
    "harm just not found by it": (a_judgment(PASS, log_e=math.log(19.9)), False, PASS),
    "a comparison that is not valid, on a critical metric": (
        a_judgment(UNSURE, p=None, reason=Reason.GUARD),
        True,
        UNSURE,
    ),
    "a comparison that is not valid, on an uncritical one, does not": (
        a_judgment(UNSURE, p=None, reason=Reason.GUARD),
        False,
        PASS,
    ),
    "a judge's own fail within the rollout's budget": (a_judgment(FAIL, p=0.03), False, UNSURE),
}


@pytest.mark.parametrize(("judgment", "critical", "expected"), BLOCKS.values(), ids=BLOCKS)
def test_what_blocks_a_pass(judgment: Judgment, *, critical: bool, expected: Verdict) -> None:
    good = a_judged(a_judgment(PASS), name="good", critical=True, weight=0.5, budget=0.75)
    other = a_judged(judgment, name="other", critical=critical, weight=0.5, budget=0.25)

    decision = decided(good, other)

    assert decision.verdict is expected
    assert decision.decided_by == (() if expected is PASS else ("other",))


def test_without_a_critical_metric_every_metric_must_pass() -> None:
    decision = decided(a_judged(a_judgment(PASS), name="a"), a_judged(a_judgment(UNSURE), name="b"))

    assert (decision.verdict, decision.decided_by) == (UNSURE, ("b",))


MUTED = {
    "a muted fail": a_judgment(FAIL, p=1e-9, log_e=50),
    "a muted critical bound": observed(FAIL),
    "a muted inconclusive": a_judgment(UNSURE),
}


@pytest.mark.parametrize("judgment", MUTED.values(), ids=MUTED)
def test_a_muted_metric_has_no_say(judgment: Judgment) -> None:
    muted = a_judged(judgment, name="m", weight=0, budget=0, muted=True, critical=True)

    decision = decided(a_judged(a_judgment(PASS)), muted)

    assert (decision.verdict, decision.score) == (PASS, 100)
    assert decision.summary == "no harm beyond any margin on 1 metric"
    assert [group.name for group in decision.groups] == ["default"]


# ---- score


def test_a_failing_critical_metric_leaves_nothing() -> None:
    harm = a_judgment(FAIL, p=1e-9, log_e=50)

    decision = decided(
        a_judged(harm, name="bad", critical=True, weight=0.01, budget=0.5),
        a_judged(a_judgment(PASS), weight=0.99, budget=0.5),
    )

    assert (decision.verdict, decision.score) == (FAIL, 0)


def test_a_failing_uncritical_metric_costs_its_weight_at_least() -> None:
    harm = a_judgment(FAIL, p=1e-9, log_e=50)
    good = a_judged(a_judgment(PASS), group="good", weight=0.4, budget=0.5)

    decision = decided(a_judged(harm, group="bad", name="bad", weight=0.6, budget=0.5), good)

    assert (decision.verdict, decision.score) == (FAIL, 40)


SCORES = {
    # What the groups make of it, and where the verdict stands with pass 95 and marginal 75.
    "an inconclusive rollout with hardly a blemish stays below pass": (0.02, 95, 75, 94),
    "an inconclusive rollout with many stays at marginal": (1.0, 95, 75, 75),
    "between them it is what the groups make of it, in whole points": (0.305, 95, 75, 84),
    "a pass of fractions is not reached by rounding": (0.02, 94.5, 75, 94),
    "a marginal of fractions is not fallen short of": (1.0, 95, 60.2, 61),
    "with pass at 100": (0.001, 100, 75, 99),
}


@pytest.mark.parametrize(("weight", "passing", "marginal", "score"), SCORES.values(), ids=SCORES)
def test_a_score_stands_on_the_verdicts_side(
    weight: float, passing: float, marginal: float, score: float
) -> None:
    decision = decided(
        a_judged(a_judgment(UNSURE), name="open", group="a", critical=True, weight=weight),
        a_judged(a_judgment(PASS), group="b", weight=1 - weight),
        passing=passing,
        marginal=marginal,
    )

    assert (decision.verdict, decision.score) == (UNSURE, score)


def test_a_passing_rollout_with_open_metrics_scores_pass_at_least() -> None:
    decision = decided(
        a_judged(a_judgment(PASS), name="critical", group="a", critical=True, weight=0.5),
        a_judged(a_judgment(UNSURE), group="b", weight=0.5),
    )

    assert (decision.verdict, decision.score) == (PASS, 95)


def test_a_failing_rollout_scores_below_marginal_however_well_the_rest_is() -> None:
    harm = a_judgment(FAIL, p=1e-9, log_e=50)

    decision = decided(
        a_judged(harm, name="bad", group="a", weight=0.001, budget=0.5),
        a_judged(a_judgment(PASS), group="b", weight=0.999, budget=0.5),
    )

    assert (decision.verdict, decision.score) == (FAIL, 74)


def test_groups_are_shown_as_they_are_before_the_verdict_bounds_them() -> None:
    harm = a_judgment(FAIL, p=1e-9, log_e=50)

    decision = decided(
        a_judged(harm, name="a", group="errors", critical=True, weight=0.25, budget=0.5),
        a_judged(a_judgment(PASS), name="b", group="errors", weight=0.25, budget=0.25),
        a_judged(a_judgment(UNSURE), name="c", group="latency", weight=0.5, budget=0.25),
    )

    assert [(group.name, group.weight, group.score) for group in decision.groups] == [
        ("errors", 0.5, 50),
        ("latency", 0.5, 50),
    ]


def test_a_metric_costs_its_weight_times_the_points_it_lost() -> None:
    lost = [a_judged(a_judgment(v), weight=0.3).lost for v in (PASS, UNSURE, FAIL)]

    assert lost == pytest.approx([0, 15, 30])


# ---- what is said of it


def test_the_strongest_evidence_is_named_first() -> None:
    decision = decided(
        a_judged(a_judgment(FAIL, p=1e-4, log_e=9, summary="a bit"), name="weak", budget=0.5),
        a_judged(a_judgment(FAIL, p=1e-9, log_e=9, summary="a lot"), name="strong", budget=0.5),
    )

    assert decision.decided_by == ("strong", "weak")
    assert decision.summary == "strong: a lot (and 1 more)"


def test_of_what_blocks_a_pass_the_strongest_evidence_is_named_first() -> None:
    decision = decided(
        a_judged(a_judgment(UNSURE, p=0.3), name="calm"),
        a_judged(a_judgment(UNSURE, p=0.1), name="odd"),
    )

    assert decision.decided_by == ("odd", "calm")


def test_a_lone_reason_is_told_without_a_count() -> None:
    decision = decided(a_judged(a_judgment(UNSURE, summary="too close to call")))

    assert decision.summary == "memory: too close to call"


def test_evidence_over_looks_is_as_strong_as_evidence_of_one() -> None:
    decision = decided(
        a_judged(a_judgment(UNSURE, p=0.02), name="early"),
        a_judged(a_judgment(UNSURE, p=0.9, log_e=3), name="late"),
        a_judged(a_judgment(UNSURE, p=None), name="unknown"),
        risk=FIXED,
    )

    assert decision.decided_by == ("early", "late", "unknown")


def test_what_passed_and_blocks_all_the_same_says_why() -> None:
    decision = decided(a_judged(a_judgment(PASS, p=0.01, summary="rose 12 %")))

    assert decision.summary == (
        "memory: rose 12 %; within its margin, but beyond its tolerance by a plain 5 % test"
    )


def test_the_evidence_of_the_whole_rollout_is_the_weighted_mean() -> None:
    decision = decided(
        a_judged(a_judgment(p=0.5, log_e=math.log(4)), name="a", budget=0.25),
        a_judged(a_judgment(p=0.5, log_e=math.log(2)), name="b", budget=0.5),
        a_judged(a_judgment(p=None), name="c", budget=0.25),
    )

    assert decision.log_e == pytest.approx(math.log(0.25 * 4 + 0.5 * 2))


def test_without_any_evidence_there_is_no_mean() -> None:
    assert decided(a_judged(a_judgment(p=None))).log_e is None
