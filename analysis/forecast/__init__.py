"""What to expect of a rollout, learnt from the past: how long it takes, and what it can show."""

from __future__ import annotations

from analysis.forecast.bounds import of_bounds
from analysis.forecast.counts import of_counts
from analysis.forecast.model import POWER, Basis, Forecast, Harm, Planned, Remedy
from analysis.forecast.series import Comparative, basis_of, of_series, unknown
from analysis.forecast.trials import of_trials
from judges import Judge, Judgment, Sample, Verdict
from judges.error_ratio import ErrorRatio
from judges.exceedance import Exceedance
from judges.kayenta import Kayenta
from judges.threshold import Relative, Threshold

__all__ = ["POWER", "Basis", "Forecast", "Harm", "Planned", "Remedy", "forecast"]


def forecast(judge: Judge, sample: Sample, planned: Planned) -> Forecast:
    """Forecast one metric of a rollout from what its judge makes of the past.

    Args:
        judge: The metric's judge, with its part of the budget and the planned horizon.
        sample: The past: of its sides only noise, traffic and the baseline's level are used, so
            they need not be equal.
        planned: The rollout that is planned.

    Examples:
        >>> import judges
        >>> sample = Sample.of_values([10, 11, 9] * 20, [11, 10, 9, 10] * 15, step_s=60)
        >>> judge = judges.create("mann_whitney", tolerance="10%", horizon=57)
        >>> found = forecast(judge, sample, Planned(steps=57, warmup_s=180))
        >>> found.suffices, found.minutes < 30
        (True, True)
    """
    match judge:
        case ErrorRatio() | Exceedance():
            return of_counts(judge, sample, planned)
        case Threshold():
            return _of_threshold(judge, sample, planned)
        case Kayenta():
            return _without_error_rates(judge.judge(sample), sample, planned)
        case Comparative():
            return of_series(judge, judge.judge(sample), sample, planned)
        case _:
            return of_trials(judge, judge.judge(sample), sample, planned)


def _of_threshold(judge: Threshold, sample: Sample, planned: Planned) -> Forecast:
    if judge.relative is Relative.VALUE:
        # An equal canary does what the baseline does; what the past's canary did is no matter.
        sample = Sample(baseline=sample.baseline, canary=sample.baseline, step_s=sample.step_s)
    by_kind = of_bounds if judge.statistic == "mean" else of_trials
    return by_kind(judge, judge.judge(sample), sample, planned)


def _without_error_rates(judgment: Judgment, sample: Sample, planned: Planned) -> Forecast:
    if judgment.verdict is Verdict.INCONCLUSIVE:
        return unknown(judgment)
    return Forecast(
        kind=judgment.kind,
        suffices=True,
        summary="answers at every look, and passes whatever it cannot reject; it states no error "
        "rates, so no time makes its pass surer",
        basis=basis_of(judgment),
        minutes=planned.minutes(1, sample.step_s),
    )
