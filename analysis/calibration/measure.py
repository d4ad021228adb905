"""Count how often a judge is right: rates with their intervals, for one look or for many."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.calibration.inject import inject
from analysis.calibration.slicing import between
from judges import InvalidSampleError, Judge, Sample, Verdict, judge_many

Rng = np.random.Generator
# A judge, or anything else that turns a sample into a verdict: a test of your own, a fixed bound.
Judging = Judge | Callable[[Sample], Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often something happened.

    Attributes:
        hits: Times it did.
        of: Times it could have, at least 1.
    """

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The rate, a fraction."""
        return self.hits / self.of

    def wilson(self, level: float = 0.95) -> tuple[float, float]:
        """Give the interval of Wilson (1927), as fractions.

        Args:
            level: Two-sided confidence level.

        Examples:
            >>> [round(bound, 3) for bound in Rate(hits=0, of=400).wilson()]
            [0.0, 0.01]
        """
        z = statistics.NormalDist().inv_cdf((1 + level) / 2)
        p, n = self.value, self.of
        centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        scale = 1 + z * z / n
        return max((centre - half) / scale, 0.0), min((centre + half) / scale, 1.0)

    def __str__(self) -> str:
        """Write percent with the interval: `4.2 (3.4 to 5.2)`."""
        low, high = (100 * bound for bound in self.wilson())
        return f"{100 * self.value:.1f} ({low:.1f} to {high:.1f})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What became of a number of samples.

    Attributes:
        failed: Those that failed at some look.
        passed: Those that passed at the last look, and had failed at none.
        inconclusive: The others.
        steps_to_fail: Steps seen at the look that failed, of each that did.
    """

    failed: Rate
    passed: Rate
    inconclusive: Rate
    steps_to_fail: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Write the three rates, in percent."""
        return f"fail {self.failed}, pass {self.passed}, inconclusive {self.inconclusive}"


def verdicts(judging: Judging, samples: Sequence[Sample]) -> list[Verdict]:
    """Give a judge's verdict, or that of any function of a sample, on each of many samples."""
    if callable(judging):
        return [judging(sample) for sample in samples]
    return [judgment.verdict for judgment in judge_many([judging] * len(samples), samples)]


def rates(judging: Judging, samples: Sequence[Sample], *, looks: Sequence[int] = ()) -> Rates:
    """Judge samples as a rollout would: stop at the first fail, believe a pass at the end only.

    Args:
        judging: A judge, or a function of a sample.
        samples: What is judged.
        looks: Steps seen at each look, ascending; none means one look, at the whole sample.

    Raises:
        InvalidSampleError: There are no samples.
    """
    if not samples:
        raise InvalidSampleError("no samples to judge; a rate needs at least one")
    last = [Verdict.INCONCLUSIVE] * len(samples)
    failed_at: dict[int, int] = {}
    for look in looks or (None,):
        left = [i for i in range(len(samples)) if i not in failed_at]
        seen = [between(samples[i], 0, look) for i in left]
        for i, part, verdict in zip(left, seen, verdicts(judging, seen), strict=True):
            last[i] = verdict
            if verdict is Verdict.FAIL:
                failed_at[i] = part.baseline.steps
    failed, passed, inconclusive = (
        Rate(hits=last.count(verdict), of=len(last))
        for verdict in (Verdict.FAIL, Verdict.PASS, Verdict.INCONCLUSIVE)
    )
    steps = tuple(failed_at[i] for i in sorted(failed_at))
    return Rates(failed=failed, passed=passed, inconclusive=inconclusive, steps_to_fail=steps)


def measure(
    judging: Judging,
    draw: Callable[[Rng], Sample],
    *,
    replicates: int = 400,
    seed: int = 0,
    looks: Sequence[int] = (),
) -> Rates:
    """Draw samples and count what a judge says of them.

    Args:
        judging: A judge, or a function of a sample.
        draw: Gives one sample.
        replicates: How many are drawn; 400 tell a rate of 5 % to within 2.5 points, 2,000 to
            within 1.
        seed: Starts the randomness.
        looks: Steps seen at each look, ascending; none means one look.

    Raises:
        InvalidSampleError: No replicates were asked for.

    Examples:
        >>> import judges
        >>> def noise(rng):
        ...     return Sample.of_values(*np.exp(0.1 * rng.standard_normal((2, 30))))
        >>> measure(judges.create("mean_ratio"), noise, replicates=50).failed.hits
        0
    """
    rng = np.random.default_rng(seed)
    return rates(judging, [draw(rng) for _ in range(replicates)], looks=looks)


def false_alarms(judging: Judging, samples: Sequence[Sample], *, looks: Sequence[int] = ()) -> Rate:
    """Give how often good deployments fail.

    Args:
        judging: A judge, or a function of a sample.
        samples: Good deployments, or windows of a good time.
        looks: Steps seen at each look, ascending; none means one look.

    Raises:
        InvalidSampleError: There are no samples.
    """
    return rates(judging, samples, looks=looks).failed


def power(
    judging: Judging,
    samples: Sequence[Sample],
    effect: float,
    *,
    since: int = 0,
    looks: Sequence[int] = (),
    seed: int = 0,
) -> Rate:
    """Give how often the same deployments fail with the canary's level multiplied by `effect`.

    Args:
        judging: A judge, or a function of a sample.
        samples: Good deployments, or windows of a good time.
        effect: Factor on the canary's level; see `inject`.
        since: First step with harm.
        looks: Steps seen at each look, ascending; none means one look.
        seed: Starts the randomness of what is injected.

    Raises:
        InvalidSampleError: There are no samples, or the effect is not a positive number.
    """
    return rates(judging, _harmed(samples, effect, since, seed), looks=looks).failed


def false_passes(
    judging: Judging,
    samples: Sequence[Sample],
    effect: float,
    *,
    looks: Sequence[int] = (),
    seed: int = 0,
) -> Rate:
    """Give how often the same deployments pass with the canary's level multiplied by `effect`.

    Args:
        judging: A judge, or a function of a sample.
        samples: Good deployments, or windows of a good time.
        effect: Factor on the canary's level; see `inject`.
        looks: Steps seen at each look, ascending; none means one look.
        seed: Starts the randomness of what is injected.

    Raises:
        InvalidSampleError: There are no samples, or the effect is not a positive number.
    """
    return rates(judging, _harmed(samples, effect, 0, seed), looks=looks).passed


def _harmed(samples: Sequence[Sample], effect: float, since: int, seed: int) -> list[Sample]:
    rng = np.random.default_rng(seed)
    return [inject(sample, effect, rng, since=since) for sample in samples]
