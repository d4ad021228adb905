"""When past deployments are looked at, and which look settles them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from analysis.consumers.json import to_json
from analysis.engine import analyze
from analysis.errors import SourceError, TooEarlyError
from analysis.past.looks import (
    Case,
    Outcome,
    Promotion,
    Schedule,
    judge_deployments,
    window_of,
)
from analysis.sources.port import MetricSource
from judges import Looks, Verdict
from tests.support.builders import FakeSource
from tests.support.past import BEGAN, ENDED, a_deployment, a_recording, limited

FIVE = Schedule(every=timedelta(minutes=5))
TO_THE_END = replace(FIVE, promotion=Promotion.END)
LAG = timedelta(seconds=30)


def judged(schedule: Schedule, source: MetricSource, **changes: Any) -> Outcome:
    case = Case(deployment=a_deployment(**changes), config=limited(), source=source)
    (outcome,) = judge_deployments([case], schedule)
    return outcome


def test_looks_come_at_every_interval_and_when_all_data_are_there() -> None:
    found = list(FIVE.instants(a_deployment(), limited()))

    minutes = [(at - BEGAN) / timedelta(minutes=1) for at in found]
    assert minutes == [5, 10, 15, 20, 25, 30, 30.5]


def test_without_an_interval_there_is_one_look_at_the_end() -> None:
    assert list(Schedule().instants(a_deployment(), limited())) == [ENDED + LAG]


def test_risk_that_is_spent_once_allows_one_look() -> None:
    config = limited()
    risk = config.risk.model_copy(update={"looks": Looks.FIXED})
    fixed = config.model_copy(update={"risk": risk})

    assert list(FIVE.instants(a_deployment(), fixed)) == [ENDED + LAG]


def test_a_look_judges_what_a_controller_could_have_seen() -> None:
    window = window_of(a_deployment(), limited(), BEGAN + timedelta(minutes=10))

    assert window.end == (BEGAN + timedelta(minutes=10) - LAG).timestamp()


def test_a_fail_settles_a_deployment_when_it_falls() -> None:
    outcome = judged(TO_THE_END, a_recording(bad_from=12))

    assert outcome.report is not None
    assert outcome.report.verdict is Verdict.FAIL
    assert outcome.decided_at == BEGAN + timedelta(minutes=15)
    assert outcome.looks == 3


def test_a_pass_settles_it_unless_only_the_end_promotes() -> None:
    early, end = judged(FIVE, a_recording()), judged(TO_THE_END, a_recording())

    assert early.report is not None
    assert end.report is not None
    assert early.report.verdict is end.report.verdict is Verdict.PASS
    assert early.decided_at == BEGAN + timedelta(minutes=5)
    assert end.decided_at == ENDED + LAG


def test_harm_that_begins_after_the_first_pass_was_promoted_already() -> None:
    outcome = judged(FIVE, a_recording(bad_from=12))

    assert outcome.report is not None
    assert outcome.report.verdict is Verdict.PASS


def test_many_deployments_get_what_they_get_alone() -> None:
    sources = [a_recording(bad_from=step) for step in (None, 4, 12, 25)]
    cases = [
        Case(deployment=a_deployment(str(n)), config=limited(), source=source)
        for n, source in enumerate(sources)
    ]

    together = judge_deployments(cases, FIVE)
    alone = [outcome for case in cases for outcome in judge_deployments([case], FIVE)]

    def told(outcome: Outcome) -> tuple[object, ...]:
        assert outcome.report is not None
        return outcome.decided_at, outcome.looks, to_json(outcome.report)

    assert [told(one) for one in together] == [told(one) for one in alone]


def test_the_report_is_that_of_the_look() -> None:
    recording, deployment = a_recording(bad_from=12), a_deployment()
    outcome = judged(FIVE, recording)

    assert outcome.report is not None
    window = window_of(deployment, limited(), outcome.decided_at)
    live = analyze(limited(), recording, window, deployment.variables)
    assert to_json(outcome.report) == to_json(live)


def test_a_deployment_shorter_than_the_warm_up_is_undecided() -> None:
    outcome = judged(FIVE, a_recording(), end=BEGAN + timedelta(minutes=2))

    assert outcome.report is None
    assert isinstance(outcome.error, TooEarlyError)


def test_a_source_that_answers_nothing_is_an_error_of_its_deployment() -> None:
    broken = SourceError("down", code="unreachable")
    source = FakeSource({f'memory{{v="{v}"}}': broken for v in ("old", "new")})

    outcome = judged(FIVE, source)

    assert outcome.report is None
    assert outcome.error is broken
    assert outcome.looks == 7


@pytest.mark.parametrize(
    ("schedule", "name"),
    [
        (Schedule(), "once"),
        (FIVE, "5m"),
        (TO_THE_END, "5m, pass at the end"),
        (Schedule(promotion=Promotion.END), "once"),
    ],
)
def test_a_schedule_has_a_name(schedule: Schedule, name: str) -> None:
    assert str(schedule) == name
