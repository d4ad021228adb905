"""The canary's part of the traffic as a source tells it, laid on the steps of the window."""

from __future__ import annotations

import numpy as np

from analysis.config.traffic import Traffic
from analysis.errors import SourceError
from analysis.guards import Weight
from analysis.pairing import values_on_grid
from analysis.sources.port import Answer, Array
from analysis.window import Window

# A gauge in percent is written in binary: 100 may come as a little more.
ROUNDING = 1e-9


def observed(traffic: Traffic, answer: Answer | SourceError, window: Window) -> Weight:
    """Read a weight; where the answer is none, the weight says why it was not seen.

    Args:
        traffic: In what unit it is, and how far requests may be off.
        answer: What the source said to `traffic.observed`.
        window: The time that is judged.
    """
    shares = _shares(traffic, answer, window)
    if isinstance(shares, str):
        nothing = np.full(1, np.nan)
        return Weight(shares=nothing, tolerance=traffic.tolerance, is_observed=True, unseen=shares)
    known = shares[np.isfinite(shares)]
    return Weight(
        shares=_settled(shares),
        tolerance=traffic.tolerance,
        is_observed=True,
        last=float(known[-1]),
        changed=_largest_change(shares, window),
    )


def _shares(traffic: Traffic, answer: Answer | SourceError, window: Window) -> Array | str:
    """Give the weight in each step as a fraction, shape (steps,), or say why there is none."""
    if isinstance(answer, SourceError):
        return f"no answer from the source: {answer}"
    if answer.warnings:
        return f"the source warned: {'; '.join(answer.warnings)}"
    if len(answer.series) != 1:
        return f"the query gave {len(answer.series) or 'no'} series, one is needed"
    (shares,) = values_on_grid(answer.series, window.edges).values / traffic.unit.whole
    known = shares[np.isfinite(shares)]
    if not known.size:
        return "the query gave no value in the judged steps"
    if known.min() < 0 or known.max() > 1 + ROUNDING:
        worst = known.max() if known.max() > 1 + ROUNDING else known.min()
        return f"the query gave {worst * traffic.unit.whole:g}, which is no {traffic.unit}"
    fractions: Array = np.minimum(shares, 1.0)
    return fractions


def _settled(shares: Array) -> Array:
    """Leave out the steps beside a change, which may hold requests of both weights.

    A change is seen with the next scrape, so it may have been before or after its step began.
    """
    before, after = np.append(shares[:1], shares[:-1]), np.append(shares[1:], shares[-1:])
    settled = (shares == before) & (shares == after)
    return np.where(settled, shares, np.nan)


def _largest_change(shares: Array, window: Window) -> tuple[float, float, float] | None:
    """Give when the weight changed by most, epoch seconds, and what it was before and after."""
    places = np.flatnonzero(np.isfinite(shares))
    moves = np.abs(np.diff(shares[places]))
    if not moves.any():
        return None
    at = int(np.argmax(moves))
    before, after = (float(shares[place]) for place in places[at : at + 2])
    return float(window.edges[places[at + 1]]), before, after
