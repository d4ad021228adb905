"""False alarms where a slow part hides under fast noise: by the window alone, and with a history.

The rows are those of the table of gauges.
"""

from __future__ import annotations

from functools import cache

import pytest
from scipy import stats

from analysis.calibration.scenarios import AR5, HIDDEN, Scenario
from benchmarks.calibration import cells
from benchmarks.calibration.gauges import DAY, TOLD, cell

pytestmark = [pytest.mark.calibration, pytest.mark.timeout(120)]

KINDS = ("mann_whitney", "mean_ratio")
CHANCE = 1e-6
REPLICATES = 400


@cache
def hits(scenario: Scenario, n: int, past: int, outcome: str) -> dict[str, int]:
    row = cell(scenario, n, past=past).only(*KINDS)
    found = cells.outcomes(row, seed=cells.REPORTED_SEED, replicates=REPLICATES)
    return {kind: int(found[f"{kind}: {outcome}"].sum()) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", TOLD)
@pytest.mark.parametrize("scenario", [HIDDEN, AR5], ids=["hidden", "AR(.5)"])
def test_with_a_history_false_alarms_keep_their_rate(scenario: Scenario, n: int, kind: str) -> None:
    alarms = hits(scenario, n, DAY, "false alarms")[kind]

    # 7.5 % is the promise of one look at a nominal 5 %, as for autocorrelations up to .5.
    assert alarms <= stats.binom.isf(CHANCE, REPLICATES, 0.075)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", TOLD)
def test_without_one_they_are_several_times_as_many(n: int, kind: str) -> None:
    without, told = (hits(HIDDEN, n, past, "false alarms")[kind] for past in (0, DAY))

    assert without >= 0.15 * REPLICATES
    assert without >= 3 * told


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", TOLD)
def test_harm_is_still_found(n: int, kind: str) -> None:
    assert hits(HIDDEN, n, DAY, "power")[kind] >= stats.binom.ppf(CHANCE, REPLICATES, 0.6)
