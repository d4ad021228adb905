"""Many metrics at once get the answers they get alone."""

from __future__ import annotations

import numpy as np
import pytest

import judges
from judges import Sample
from tests.support.samples import a_gauge


def of_pods(seed: int, pods: int) -> Sample:
    """Draw a gauge of so many pods on each side."""
    sides = [[a_gauge(seed + 10 * pod + side) for pod in range(pods)] for side in (0, 1000)]
    return Sample.of_values(np.array(sides[0]), np.array(sides[1]))


@pytest.mark.parametrize("kind", ["mann_whitney", "mean_ratio"])
@pytest.mark.parametrize("looks", ["fixed", "anytime", "group_sequential"])
def test_pods_of_one_metric_leave_its_neighbors_as_they_are_to_the_last_bit(
    kind: str, looks: str
) -> None:
    judge = judges.create(kind, looks=looks)
    samples = [of_pods(seed, pods=1 + 2 * (seed % 2)) for seed in range(40)]

    alone = [judge.judge(sample) for sample in samples]

    assert judges.judge_many([judge] * len(samples), samples) == alone
