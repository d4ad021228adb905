"""Tune on one half of what was tried, and count on the other half what that was worth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from analysis.past.deployment import Truth
from analysis.past.tuning.choosing import LEVEL, Keeping
from analysis.past.tuning.search import Variant
from analysis.past.tuning.trials import Trial
from analysis.past.tuning.tuning import Tried, conclude

SPLITS = 20
SEED = 20261126


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Some of many, which need not be whole numbers: means over splits of the same deployments.

    Attributes:
        hits: How many.
        of: Of how many.
    """

    hits: float
    of: float

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval at 95 %.

        References:
            E. B. Wilson, JASA 22 (1927), 209-212.
        """
        z = float(stats.norm.isf((1 - LEVEL) / 2))
        p, n = self.hits / self.of, self.of
        middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What was chosen on one half, there and on the other half.

    Attributes:
        variant: What was chosen.
        keeping: Why it was taken to keep the budget.
        good: Good ones of the other half.
        bad: Bad ones of the other half.
        false_fails: Good ones of the other half that failed.
        false_fails_now: The same under the configuration as it is.
        found: Bad ones of the other half that were found.
        found_now: The same under the configuration as it is.
        promised: Share of the bad ones found on the half that was tuned on; `None` without any.
    """

    variant: str
    keeping: Keeping
    good: int
    bad: int
    false_fails: int
    false_fails_now: int
    found: int
    found_now: int
    promised: float | None

    def breaks(self, budget: float) -> bool:
        """Tell whether so many fails of good ones are more than chance within the budget."""
        return bool(stats.binom.sf(self.false_fails - 1, self.good, budget) < 1 - LEVEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """What all splits of the same deployments came to.

    Attributes:
        budget: Share of good deployments that may fail.
        good: Good deployments in all.
        bad: Bad deployments in all.
        splits: Each of them.
    """

    budget: float
    good: int
    bad: int
    splits: Sequence[Split]

    @property
    def false_fails(self) -> Share:
        """Good ones that failed on the half not tuned on."""
        return self._of_good([one.false_fails for one in self.splits])

    @property
    def false_fails_now(self) -> Share:
        """Good ones that the configuration as it is fails there."""
        return self._of_good([one.false_fails_now for one in self.splits])

    @property
    def found(self) -> Share:
        """Bad ones that were found there."""
        return self._of_bad([one.found for one in self.splits])

    @property
    def found_now(self) -> Share:
        """Bad ones that the configuration as it is finds there."""
        return self._of_bad([one.found_now for one in self.splits])

    @property
    def promised(self) -> float:
        """The share of bad ones found where it was tuned, mean over the splits."""
        return float(np.mean([one.promised or 0.0 for one in self.splits]))

    @property
    def broken(self) -> int:
        """Splits in which the other half speaks against the budget."""
        return sum(one.breaks(self.budget) for one in self.splits)

    @property
    def chosen(self) -> Counter[tuple[str, Keeping]]:
        """What was chosen, and how often."""
        return Counter((one.variant, one.keeping) for one in self.splits)

    def _of_good(self, hits: Sequence[int]) -> Share:
        return _once(hits, [one.good for one in self.splits], self.good)

    def _of_bad(self, hits: Sequence[int]) -> Share:
        return _once(hits, [one.bad for one in self.splits], self.bad)


def _once(hits: Sequence[int], of: Sequence[int], different: int) -> Share:
    """Count each deployment once, in however many splits it was met."""
    return Share(hits=sum(hits) * different / sum(of), of=different)


def among(tried: Tried, variants: Sequence[Variant]) -> Tried:
    """Give what became of deployments under some of the variants."""
    names = {one.name for one in variants}
    kept = [n for n, one in enumerate(tried.variants) if one.name in names]
    return replace(
        tried,
        variants=tuple(tried.variants[n] for n in kept),
        stated=tuple(tried.stated[n] for n in kept),
        trials=tuple(_under(trial, kept) for trial in tried.trials),
    )


def _under(trial: Trial, kept: Sequence[int]) -> Trial:
    return replace(
        trial,
        verdicts=tuple(trial.verdicts[n] for n in kept),
        decided_s=tuple(trial.decided_s[n] for n in kept),
        by=tuple(trial.by[n] for n in kept),
    )


def halved(tried: Tried, budget: float, *, by_service: bool = False) -> Halves:
    """Split the deployments, or the services, at random into halves, again and again."""
    rng = np.random.default_rng([SEED, int(by_service)])
    halves = (_half(tried, rng, by_service=by_service) for _ in range(SPLITS))
    return _of_splits(tried, budget, [_split(tried, half, budget) for half in halves])


def misled(tried: Tried, budget: float) -> Halves:
    """Do so with labels that mean nothing: half of the good ones, at random, are called bad."""
    rng = np.random.default_rng([SEED, 2])
    labeled = [_mislabeled(tried, rng) for _ in range(SPLITS)]
    splits = [_split(one, _half(one, rng, by_service=False), budget) for one in labeled]
    return _of_splits(labeled[0], budget, splits)


def _of_splits(tried: Tried, budget: float, splits: Sequence[Split]) -> Halves:
    table = tried.table
    return Halves(
        budget=budget, good=int(table.good.sum()), bad=int(table.is_bad.sum()), splits=splits
    )


def _half(tried: Tried, rng: np.random.Generator, *, by_service: bool) -> Collection[str]:
    places = {
        one.original: one.deployment.service if by_service else one.original for one in tried.trials
    }
    names = sorted(set(places.values()))
    half = set(rng.permutation(names)[: len(names) // 2].tolist())
    return {name for name, place in places.items() if place in half}


def _split(tried: Tried, half: Collection[str], budget: float) -> Split:
    """Tune on a half as the command does on a whole; count on the other."""
    tuning = conclude(tried.only(half), budget)
    others = {one.original for one in tried.trials} - set(half)
    rest, index = tried.only(others).table, tuning.chosen
    return Split(
        variant=tuning.suggestion.variant.name,
        keeping=tuning.keeping,
        good=int(rest.good.sum()),
        bad=int(rest.is_bad.sum()),
        false_fails=int(rest.failed[index, rest.good].sum()),
        false_fails_now=int(rest.failed[0, rest.good].sum()),
        found=int(rest.detected[index, rest.is_bad].sum()),
        found_now=int(rest.detected[0, rest.is_bad].sum()),
        promised=tuning.suggestion.detections.value,
    )


def _mislabeled(tried: Tried, rng: np.random.Generator) -> Tried:
    good = [one for one in tried.trials if one.deployment.truth is not Truth.BAD]
    is_bad = rng.permutation(len(good)) < len(good) // 2
    trials = (
        replace(one, deployment=replace(one.deployment, truth=Truth.BAD if bad else Truth.GOOD))
        for one, bad in zip(good, is_bad, strict=True)
    )
    return replace(tried, trials=tuple(trials))
