"""What is said to settle an open question does settle it."""

from __future__ import annotations

import re

import pytest

from judges import Verdict
from tests.support.samples import Array, a_gauge, judged

SEEDS = range(12)
NAMED = re.compile(r"a margin of ([\d.]+) % would pass now")


def sides_of(seed: int) -> tuple[Array, Array]:
    return a_gauge(seed, n=45, noise=0.4), a_gauge(seed + 100, n=45, noise=0.4)


def an_open_gauge(seed: int, kind: str, **parameters: object) -> str:
    """Give the settlement of a gauge too noisy to decide."""
    baseline, canary = sides_of(seed)
    settlement = judged(kind, baseline, canary, tolerance="2%", **parameters).settlement
    return settlement.summary if settlement is not None else ""


@pytest.mark.parametrize("kind", ["mann_whitney", "mean_ratio"])
@pytest.mark.parametrize("looks", ["fixed", "anytime", "group_sequential"])
@pytest.mark.parametrize("levels", [{}, {"confidence": 0.5}, {"beta": 0.001}], ids=str)
def test_a_margin_that_is_named_to_pass_now_does_pass(
    kind: str, looks: str, levels: dict[str, float]
) -> None:
    for seed in SEEDS:
        text = an_open_gauge(seed, kind, looks=looks, **levels)
        for named in NAMED.findall(text):
            margin = f"{max(float(named) + 1, 2)}%"
            parameters = {"tolerance": "2%", "margin": margin, "looks": looks, **levels}
            baseline, canary = sides_of(seed)

            judgment = judged(kind, baseline, canary, **parameters)

            assert judgment.verdict is Verdict.PASS


@pytest.mark.parametrize("kind", ["mann_whitney", "mean_ratio"])
def test_one_look_names_the_margin_that_its_interval_excludes(kind: str) -> None:
    assert any(NAMED.search(an_open_gauge(seed, kind)) for seed in SEEDS)


@pytest.mark.parametrize("kind", ["mann_whitney", "mean_ratio"])
def test_data_that_bound_the_effect_are_not_said_to_bound_nothing(kind: str) -> None:
    for seed in SEEDS:
        assert "bound nothing" not in an_open_gauge(seed, kind, looks="anytime")
