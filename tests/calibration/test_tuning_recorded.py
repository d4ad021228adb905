"""What is tuned on one half of recorded deployments holds on the other half.

The long table is made by `make tunings`, of more services and variants.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from scipy import stats

from analysis.config import parse_config
from analysis.past.engines.serial import SerialEngine
from analysis.past.folder import RecordedDeployments
from analysis.past.looks import Schedule
from analysis.past.tuning.choosing import Keeping
from analysis.past.tuning.doubts import Doubt
from analysis.past.tuning.search import variants
from analysis.past.tuning.tuning import Aim, Tried, conclude, try_variants
from benchmarks.tuning import page
from benchmarks.tuning.__main__ import HURRIED
from benchmarks.tuning.corpus import Corpus, write
from benchmarks.tuning.halves import Halves, halved, misled

pytestmark = [pytest.mark.calibration, pytest.mark.timeout(300)]

BUDGET = 0.05
CHANCE = 1e-6
CORPUS = Corpus(seed=7, services=6, good=20, bad=5)


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """Record releases, and judge them as somebody in a hurry would: one fails many good ones."""
    folder, text = tmp_path_factory.mktemp("recorded") / "releases", HURRIED.read_text()
    write(CORPUS, folder, text)
    chosen = variants(parse_config(text), BUDGET)
    aim = Aim(budget=BUDGET, schedule=Schedule(every=timedelta(minutes=30)))
    return try_variants(text, chosen, RecordedDeployments(folder=folder), SerialEngine(), aim)


@pytest.fixture(scope="module")
def halves(tried: Tried) -> Halves:
    """Tune on one half and count on the other, twenty times."""
    return halved(tried, BUDGET)


def test_the_budget_kept_on_one_half_is_kept_on_the_other(halves: Halves) -> None:
    assert halves.false_fails.hits <= stats.binom.isf(CHANCE, halves.good, BUDGET)
    assert halves.found.hits > 0.3 * halves.bad


def test_the_configuration_as_it_is_would_break_it(halves: Halves) -> None:
    assert halves.false_fails_now.hits > stats.binom.isf(CHANCE, halves.good, BUDGET)


def test_labels_that_mean_nothing_are_not_found(tried: Tried) -> None:
    found = misled(tried, BUDGET)

    assert found.found.hits <= stats.binom.isf(CHANCE, found.bad, BUDGET)


def test_a_statement_that_does_not_hold_is_said_and_not_believed(tried: Tried) -> None:
    tuning = conclude(tried, BUDGET)

    assert Doubt.STATEMENT_BROKEN in tuning.doubts
    assert tuning.keeping is not Keeping.STATED


def test_the_page_tells_every_half_and_every_choice(tried: Tried, halves: Halves) -> None:
    text = HURRIED.read_text()
    measured = page.Measured(
        name="hurried", text=text, tried=tried, halves=[("releases", halves)], misled=[]
    )

    written = page.document([measured], "Keep what you have", 20)

    assert f"{len(tried.trials)} recorded releases of {CORPUS.services} services" in written
    assert written.count("| hurried | 5 % | releases |") == 1 + len(halves.chosen)
    assert "Keep what you have" in written
