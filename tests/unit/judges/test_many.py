"""Many metrics at once get the answers they get alone."""

from __future__ import annotations

import numpy as np
import pytest

import judges
from judges import Sample
from judges.core import compiled
from tests.support.samples import a_gauge


def of_pods(seed: int, pods: int) -> Sample:
    """Draw a gauge of so many pods on each side."""
    sides = [[a_gauge(seed + 10 * pod + side) for pod in range(pods)] for side in (0, 1000)]
    return Sample.of_values(np.array(sides[0]), np.array(sides[1]))


def of_some_sort(rng: np.random.Generator, i: int) -> Sample:
    """Draw a gauge, now and then with a shared pattern, gaps, or values below zero."""
    n = 30 + 15 * (i % 3)
    pattern = rng.standard_normal(n) if i % 4 == 0 else np.zeros(n)
    baseline, canary = np.exp(0.2 * rng.standard_normal((2, n)) + pattern)
    baseline[: i % 5] = np.nan
    return Sample.of_values(baseline, canary - 1 if i % 7 == 0 else canary)


def of_all_sorts() -> list[Sample]:
    rng = np.random.default_rng(5)
    short = Sample.of_values(np.ones(3), np.ones(3))
    return [*(of_some_sort(rng, i) for i in range(30)), short, of_pods(1, pods=3)]


@pytest.mark.parametrize("worth", [0, 10**12], ids=["compiled", "plain"])
@pytest.mark.parametrize("looks", ["fixed", "anytime"])
def test_metrics_of_all_sorts_get_the_answers_they_get_alone(
    worth: int, looks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "WORTH_COMPILING", worth)
    samples = of_all_sorts()
    rules = [judges.create("mann_whitney", looks=looks, tolerance=t) for t in ("5%", "10%")]
    asked = [rules[i % 2] for i in range(len(samples))]

    alone = [rule.judge(sample) for rule, sample in zip(asked, samples, strict=True)]

    assert judges.judge_many(asked, samples) == alone


@pytest.mark.parametrize("kind", ["mann_whitney", "mean_ratio"])
@pytest.mark.parametrize("looks", ["fixed", "anytime", "group_sequential"])
def test_pods_of_one_metric_leave_its_neighbors_as_they_are_to_the_last_bit(
    kind: str, looks: str
) -> None:
    judge = judges.create(kind, looks=looks)
    samples = [of_pods(seed, pods=1 + 2 * (seed % 2)) for seed in range(40)]

    alone = [judge.judge(sample) for sample in samples]

    assert judges.judge_many([judge] * len(samples), samples) == alone
