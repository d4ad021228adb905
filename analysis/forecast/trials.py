"""The forecast of a judge that gives no standard error: what it says of stretches of the past."""

from __future__ import annotations

from collections import Counter

import numpy as np

from analysis.forecast import words
from analysis.forecast.model import POWER, Forecast, Planned
from analysis.forecast.search import soonest
from analysis.forecast.series import basis_of, unknown
from judges import Histogram, Judge, Judgment, Ratio, Reason, Sample, Values, Verdict
from judges.core import wording
from judges.core.sample import Side

# Stretches overlap by half; so many say all that the past has to say.
MOST_STRETCHES = 40
# A recording of a whole rollout may lack its last steps.
NEARLY = 0.9
# Reasons that more steps overcome; any other holds for every stretch.
OPEN = (Reason.UNDECIDED, Reason.TOO_FEW_EFFECTIVE_SAMPLES)
SHORT = "the past is shorter than the planned window; a longer one tells more"


def of_trials(judge: Judge, judgment: Judgment, sample: Sample, planned: Planned) -> Forecast:
    """Forecast a judge by what it says of stretches of the past.

    Args:
        judge: The judge.
        judgment: What it says of the whole past.
        sample: The past.
        planned: The rollout that is planned.
    """
    if judgment.verdict is Verdict.INCONCLUSIVE and judgment.reason not in OPEN:
        return unknown(judgment)
    past = sample.baseline.steps
    length = min(planned.steps, past)
    verdicts = _verdicts(judge, sample, length)
    suffices = _is_enough(verdicts)
    needed = soonest(
        lambda n: _is_enough(_verdicts(judge, sample, n)),
        least=1 if suffices else length,
        most=past,
    )
    is_longer = needed is not None and needed > planned.steps
    return Forecast(
        kind=judge.kind,
        suffices=suffices if suffices or length >= NEARLY * planned.steps else None,
        summary=_summary(verdicts, length * sample.step_s / 60),
        basis=basis_of(judgment),
        minutes=None if needed is None else planned.minutes(needed, sample.step_s),
        remedies=(words.longer(needed, sample.step_s, planned),) if needed and is_longer else (),
        warnings=(SHORT,) if length < NEARLY * planned.steps else (),
    )


def _is_enough(verdicts: Counter[Verdict]) -> bool:
    return verdicts[Verdict.PASS] >= POWER * verdicts.total()


def _summary(verdicts: Counter[Verdict], minutes: float) -> str:
    tried = verdicts.total()
    return (
        f"passes {verdicts[Verdict.PASS]} of {tried} stretch{'es' if tried > 1 else ''} of the "
        f"past, {wording.duration(minutes)} long"
    )


def _verdicts(judge: Judge, sample: Sample, length: int) -> Counter[Verdict]:
    """Count what the judge says of stretches of this length, spread evenly over the past."""
    last = sample.baseline.steps - length
    count = min(MOST_STRETCHES, 1 + 2 * last // length)
    starts = sorted({round(start) for start in np.linspace(0, last, count)})
    return Counter(judge.judge(_stretch(sample, start, start + length)).verdict for start in starts)


def _stretch(sample: Sample, start: int, end: int) -> Sample:
    baseline, canary = (_cut(side, slice(start, end)) for side in (sample.baseline, sample.canary))
    return Sample(baseline=baseline, canary=canary, step_s=sample.step_s)


def _cut(side: Side, steps: slice) -> Side:
    match side:
        case Values():
            return Values(values=side.values[:, steps])
        case Ratio():
            return Ratio(numerator=side.numerator[:, steps], denominator=side.denominator[:, steps])
        case Histogram():
            return Histogram(
                edges=side.edges,
                counts=side.counts[:, steps],
                totals=None if side.totals is None else side.totals[:, steps],
                exponential=side.exponential,
            )
