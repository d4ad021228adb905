"""The load of `make load`, smaller and shorter: forty rollouts for half a minute."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benchmarks.service.load import SLOWEST_S, Load, measure, page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
LOAD = Load(runs=40, every_s=5.0, lasts=timedelta(seconds=50), applications=2, workers=4)
# The promise is of 99 of 100, and `make load` holds it. Here other tests run beside: with load 23
# on two cores the 99th took 3 s. What would block polls shows in the half too.
SHARE = 0.5
# Windows grow and with them what is read of them; what leaks grows by the look.
MOST_GROWTH = 0.1


def test_many_rollouts_are_answered_by_a_service_that_does_not_grow(
    requires_prometheus: object,
) -> None:
    measured = measure(LOAD)

    assert len(measured.calls) >= LOAD.runs * 4
    assert measured.errors == []
    assert measured.bugs == 0
    assert measured.slowest(SHARE) < SLOWEST_S
    assert measured.looks >= LOAD.runs
    assert measured.growth < MOST_GROWTH
    assert f"{LOAD.runs} AnalysisRuns" in page(measured, "")
