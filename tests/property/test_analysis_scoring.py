"""Whatever the judgments, weights and budgets add up and the score agrees with the verdict."""

from __future__ import annotations

import dataclasses
import functools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analysis.config import Metric, Risk, Scoring
from analysis.scoring import Judged, budgets, decide, weights
from judges import Evidence, Judgment, Looks, Reason, Verdict

GROUPS = ("errors", "latency", "cost")
ORDER = [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS]
CLEAN = Judgment(
    kind="mann_whitney",
    verdict=Verdict.PASS,
    reason=Reason.WITHIN_MARGIN,
    summary="well",
    harm=Evidence(p=1.0, log_e=-math.inf),
)


@functools.cache  # a configuration's models cost more to make than all else here
def a_metric(name: str, group: str, *, critical: bool, muted: bool) -> Metric:
    return Metric(name=name, group=group, critical=critical, muted=muted, query="up")


@st.composite
def metric_lists(draw: st.DrawFn) -> list[Metric]:
    """Draw metrics, of which at least one has a say."""
    metrics = [
        a_metric(
            f"m{number}",
            draw(st.sampled_from(GROUPS)),
            critical=draw(st.booleans()),
            muted=draw(st.sampled_from([False, False, True])),
        )
        for number in range(draw(st.integers(1, 6)))
    ]
    assume(not all(metric.muted for metric in metrics))
    return metrics


WEIGHTS = st.dictionaries(st.sampled_from(GROUPS), st.floats(0.001, 1e6))
EVIDENCE = st.none() | st.builds(
    Evidence, p=st.floats(0, 1), log_e=st.none() | st.floats(-100, 100) | st.floats(4, 8)
)
JUDGMENTS = st.builds(
    Judgment,
    kind=st.just("mann_whitney"),
    verdict=st.sampled_from(Verdict),
    reason=st.sampled_from(Reason),
    summary=st.just("so"),
    harm=EVIDENCE,
)


@st.composite
def scorings(draw: st.DrawFn) -> Scoring:
    """Draw thresholds as the configuration accepts them."""
    passing = draw(st.floats(0.5, 100, exclude_min=True))
    marginal = draw(st.floats(0, 100, exclude_min=True))
    assume(math.ceil(marginal) < math.ceil(passing))
    return Scoring.model_validate({"pass": passing, "marginal": marginal, "weights": draw(WEIGHTS)})


RISKS = st.builds(Risk, false_fail=st.floats(1e-6, 0.5), looks=st.sampled_from(Looks))


@st.composite
def rollouts(draw: st.DrawFn) -> tuple[list[Judged], Risk, Scoring]:
    """Draw a rollout that was judged."""
    metrics, scoring = draw(metric_lists()), draw(scorings())
    parts, shares = weights(metrics, scoring), budgets(metrics, scoring)
    judged = [
        Judged(
            metric=metric,
            judgment=draw(JUDGMENTS),
            weight=parts[metric.name],
            budget=shares[metric.name],
        )
        for metric in metrics
    ]
    return judged, draw(RISKS), scoring


Rollout = tuple[list[Judged], Risk, Scoring]


@given(metrics=metric_lists(), given_weights=WEIGHTS)
def test_weights_and_budgets_sum_to_1(
    metrics: list[Metric], given_weights: dict[str, float]
) -> None:
    scoring = Scoring(weights=given_weights)

    for parts in (weights(metrics, scoring), budgets(metrics, scoring)):
        assert math.isclose(math.fsum(parts.values()), 1)
        assert all(part >= 0 for part in parts.values())
        assert {name for name, part in parts.items() if part == 0} == {
            metric.name for metric in metrics if metric.muted
        }


@given(rollout=rollouts())
def test_the_score_never_contradicts_the_verdict(rollout: Rollout) -> None:
    judged, risk, scoring = rollout

    decision = decide(judged, risk, scoring)

    read = {
        decision.score >= scoring.pass_: Verdict.PASS,
        scoring.marginal <= decision.score < scoring.pass_: Verdict.INCONCLUSIVE,
        decision.score < scoring.marginal: Verdict.FAIL,
    }
    assert read[True] is decision.verdict
    # Argo and others read whole numbers, and cut off what stands behind the point.
    assert decision.score == int(decision.score)
    assert 0 <= decision.score <= 100


@given(rollout=rollouts())
def test_who_decided_is_named_unless_all_is_well(rollout: Rollout) -> None:
    judged, risk, scoring = rollout

    decision = decide(judged, risk, scoring)

    named = set(decision.decided_by)
    assert (decision.verdict is Verdict.PASS) == (not named)
    assert named <= {one.metric.name for one in judged if not one.metric.muted}


@given(rollout=rollouts(), other=JUDGMENTS)
def test_a_muted_metric_changes_nothing(rollout: Rollout, other: Judgment) -> None:
    judged, risk, scoring = rollout

    changed = [
        dataclasses.replace(one, judgment=other) if one.metric.muted else one for one in judged
    ]

    assert decide(changed, risk, scoring) == decide(judged, risk, scoring)


@given(rollout=rollouts(), data=st.data())
def test_mending_a_metric_never_makes_the_verdict_worse(
    rollout: Rollout, data: st.DataObject
) -> None:
    judged, risk, scoring = rollout
    mended = data.draw(st.integers(0, len(judged) - 1))

    better = [
        dataclasses.replace(one, judgment=CLEAN) if place == mended else one
        for place, one in enumerate(judged)
    ]

    verdicts = [decide(rollout, risk, scoring).verdict for rollout in (judged, better)]
    assert ORDER.index(verdicts[1]) >= ORDER.index(verdicts[0])


@given(rollout=rollouts())
def test_the_order_of_metrics_does_not_change_the_verdict(rollout: Rollout) -> None:
    judged, risk, scoring = rollout

    one, other = decide(judged, risk, scoring), decide(judged[::-1], risk, scoring)

    assert (one.verdict, one.score) == (other.verdict, other.score)
    assert one.log_e == pytest.approx(other.log_e)


@given(rollout=rollouts())
def test_a_rollout_fails_when_the_mean_evidence_of_harm_reaches_its_budget(
    rollout: Rollout,
) -> None:
    judged, risk, scoring = rollout

    decision = decide(judged, risk, scoring)

    if decision.log_e is not None and decision.log_e >= -math.log(risk.false_fail):
        assert decision.verdict is Verdict.FAIL


@given(rollout=rollouts())
def test_a_failing_critical_metric_leaves_no_score(rollout: Rollout) -> None:
    judged, risk, scoring = rollout

    decision = decide(judged, risk, scoring)

    critical = {one.metric.name for one in judged if one.metric.critical}
    if decision.verdict is Verdict.FAIL and critical & set(decision.decided_by):
        assert decision.score == 0
