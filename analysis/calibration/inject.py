"""Harm of known size, put into the canary of a good deployment.

Simulated worlds are only as bad as their author thought of. Harm put into one's own data keeps
their noise, their gaps and their daily pattern, and leaves no doubt about what should be found.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import assert_never

import numpy as np

from judges import InvalidSampleError, Ratio, Sample, Values
from judges.core.sample import Array, Histogram, Side

Rng = np.random.Generator


def inject(sample: Sample, effect: float, rng: Rng, *, since: int = 0) -> Sample:
    """Multiply the canary's level by `effect`.

    * Values are multiplied.
    * Events, whole numbers among requests, are added at a constant share of the requests, as a new
      defect adds them, or thinned; any other numerator, such as seconds spent, is multiplied.
    * Observations in a histogram move up or down as if each had been multiplied; within a bucket
      they are taken to lie evenly, as Prometheus takes them. Those above the last finite edge move
      down by the same law, as if that bucket were as wide as the one below it.

    Args:
        sample: Both sides; the baseline stays as it is.
        effect: Factor on the canary's level, above 0; 1 changes nothing.
        rng: Source of randomness, where whole events or observations are moved.
        since: First step with harm, counted from 0.

    Raises:
        InvalidSampleError: The effect is not a positive number.

    Examples:
        >>> sample = Sample.of_values([10, 10, 10], [10, 10, 10])
        >>> inject(sample, 1.5, np.random.default_rng(1), since=1).canary.series()
        array([10., 15., 15.])
    """
    if not 0 < effect < math.inf:
        raise InvalidSampleError(
            f"an effect is a factor above 0, got {effect!r}; 1.2 adds a fifth, 0.8 takes one away"
        )
    return replace(sample, canary=_harmed(sample, effect, rng, since))


def _harmed(sample: Sample, effect: float, rng: Rng, since: int) -> Side:
    canary = sample.canary
    match canary:
        case Values():
            return replace(canary, values=_scaled(canary.values, effect, since))
        case Ratio():
            return replace(canary, numerator=_numerator(sample, canary, effect, rng, since))
        case Histogram():
            totals = None if canary.totals is None else _scaled(canary.totals, effect, since)
            return replace(canary, counts=_moved(canary, effect, rng, since), totals=totals)
        case _:
            assert_never(canary)


def _scaled(values: Array, effect: float, since: int) -> Array:
    scaled = np.array(values)
    scaled[:, since:] *= effect
    return scaled


def _numerator(sample: Sample, canary: Ratio, effect: float, rng: Rng, since: int) -> Array:
    if not _are_events(canary):
        return _scaled(canary.numerator, effect, since)
    events = np.array(canary.numerator)
    late = events[:, since:]
    if effect < 1:
        late[:] = _thinned(late, effect, rng)
    else:
        added = (effect - 1) * _usual_rate(sample) * canary.denominator[:, since:]
        late[:] = np.minimum(late + _drawn(added, rng), canary.denominator[:, since:])
    return events


def _are_events(side: Ratio) -> bool:
    """Tell whether the numerator counts some of what the denominator counts."""
    known = np.isfinite(side.numerator) & np.isfinite(side.denominator)
    events, total = side.numerator[known], side.denominator[known]
    return bool(((events == np.floor(events)) & (events >= 0) & (events <= total)).all())


def _usual_rate(sample: Sample) -> float:
    """Give the events per request of both sides together: of a good pair they have one rate."""
    sums = [side.sums() for side in (sample.baseline, sample.canary) if isinstance(side, Ratio)]
    events, total = (float(np.nansum([side[part] for side in sums])) for part in (0, 1))
    return events / total if total > 0 else 0.0


def _thinned(counts: Array, share: float, rng: Rng) -> Array:
    known = np.isfinite(counts)
    kept = rng.binomial(np.where(known, counts, 0).astype(np.int64), share)
    return np.where(known, kept, np.nan)


def _drawn(means: Array, rng: Rng) -> Array:
    return rng.poisson(np.nan_to_num(np.maximum(means, 0.0), nan=0.0)).astype(np.float64)


def _moved(side: Histogram, effect: float, rng: Rng, since: int) -> Array:
    """Draw for each observation of a bucket where the same observation, multiplied, falls."""
    counts = np.array(side.counts)
    late = counts[:, since:]
    known = np.isfinite(late)
    whole = np.rint(np.where(known, late, 0)).astype(np.int64)
    moves = _moves(side.edges, effect)
    moved = [rng.multinomial(whole[..., bucket], row) for bucket, row in enumerate(moves)]
    late[:] = np.where(known, np.sum(moved, axis=0), np.nan)
    return counts


def _moves(edges: Array, effect: float) -> Array:
    """Give the share of each bucket (row) that falls into each (column) when multiplied."""
    finite = edges[:-1]
    if not len(finite):
        return np.ones((1, 1))
    # As in Prometheus the first bucket begins at 0, unless its own edge lies below.
    lower = np.concatenate(([min(0.0, float(finite[0]))], finite))
    upper = np.append(finite, 2 * finite[-1] - lower[-2])
    low, width = (effect * part[:, np.newaxis] for part in (lower, upper - lower))
    # A bucket without width holds one value, and all of it moves to where that value belongs.
    reached = np.where(width > 0, (edges - low) / np.where(width > 0, width, 1.0), edges >= low)
    shares: Array = np.diff(np.clip(reached, 0.0, 1.0), axis=1, prepend=0.0)
    return shares
