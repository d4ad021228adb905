"""A budget that tuning keeps on one half of the deployments, it keeps on the other half."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.past.tuning.choosing import Chooser
from analysis.past.tuning.table import Table

pytestmark = pytest.mark.calibration

BUDGET = 0.01
CORPORA, SPLITS = 30, 20
GOOD, BAD = 500, 150
# What each variant states, what it really does to good ones, and what it finds: the more it finds
# the more it fails. Statements hold, as those of the judges do.
STATED = np.array([0.01, 0.002, 0.05, 0.01, 0.01, 0.05, 0.05, 0.2])
FALSE_FAILS = np.array([0.004, 0.001, 0.02, 0.01, 0.008, 0.012, 0.04, 0.15])
FOUND = np.array([0.60, 0.50, 0.75, 0.68, 0.64, 0.70, 0.85, 0.95])
CHOOSER = Chooser(budget=BUDGET, stated=STATED.tolist(), sizes=[*range(len(STATED))])


def a_corpus(rng: np.random.Generator, *, bad: int = BAD) -> Table:
    """Draw deployments; one that is hard to judge is so under every variant."""
    is_bad = np.arange(GOOD + bad) >= GOOD
    luck = rng.uniform(size=GOOD + bad)
    rates = np.where(is_bad, FOUND[:, np.newaxis], FALSE_FAILS[:, np.newaxis])
    failed = luck < rates
    decided = np.full(failed.shape, 600.0)
    return Table(
        failed=failed,
        passed=~failed & ~is_bad,
        decided_s=decided,
        detected=failed & is_bad,
        delay_s=decided,
        is_bad=is_bad,
        services=np.array(["shop"] * len(luck)),
        starts=np.arange(len(luck), dtype=float),
        labels=np.array([""] * len(luck)),
        ids=np.array([str(number) for number in range(len(luck))]),
    )


def test_what_is_chosen_on_one_half_keeps_the_budget_on_the_other() -> None:
    rng = np.random.default_rng(20261126)
    fails = of = 0
    for _ in range(CORPORA):
        corpus = a_corpus(rng)
        for _ in range(SPLITS):
            half = rng.permutation(GOOD + BAD) < (GOOD + BAD) // 2
            chosen, rest = CHOOSER.choose(corpus.only(half)).index, corpus.only(~half)
            fails += int(rest.failed[chosen, rest.good].sum())
            of += int(rest.good.sum())

    # Splits of one corpus share its luck: as many independent deployments as there were drawn.
    share = GOOD * CORPORA / of
    assert fails * share <= stats.binom.isf(1e-6, GOOD * CORPORA, BUDGET)


def test_more_is_found_than_by_the_configuration_as_it_is() -> None:
    rng = np.random.default_rng(20261127)
    gains = []
    for _ in range(CORPORA):
        corpus = a_corpus(rng)
        half = rng.permutation(GOOD + BAD) < (GOOD + BAD) // 2
        chosen, rest = CHOOSER.choose(corpus.only(half)).index, corpus.only(~half)
        found = rest.detected[:, rest.is_bad].mean(axis=1)
        gains.append(found[chosen] - found[0])

    assert np.mean(gains) > 0


def test_without_bad_deployments_the_configuration_stays_as_it_is() -> None:
    rng = np.random.default_rng(20261128)

    chosen = [CHOOSER.choose(a_corpus(rng, bad=0)).index for _ in range(CORPORA)]

    # What passes significantly more good ones may be preferred; nothing finds more of nothing.
    assert all(FALSE_FAILS[index] <= FALSE_FAILS[0] for index in chosen)
