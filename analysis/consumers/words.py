"""What a person on call is told: what failed, by how much, how sure that is, what to do."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.charts import Unit, level
from analysis.consumers.units import unit_of
from analysis.report import AnalysisReport, MetricReport
from analysis.window import as_datetime
from judges import Evidence, Reason, Scale, Verdict
from judges.core import wording

MARKS = {Verdict.PASS: "✔", Verdict.FAIL: "✘", Verdict.INCONCLUSIVE: "?"}
HEADLINES = {
    Verdict.PASS: "No harm found",
    Verdict.FAIL: "The canary is worse",
    Verdict.INCONCLUSIVE: "Not decided",
}
OUTCOMES = {Verdict.PASS: "fine", Verdict.FAIL: "worse", Verdict.INCONCLUSIVE: "open"}
REASONS = {
    Reason.BEYOND_TOLERANCE: "worse than tolerated",
    Reason.WITHIN_MARGIN: "no harm beyond the margin",
    Reason.UNDECIDED: "not enough evidence either way",
    Reason.OUT_OF_BOUNDS: "beyond its bound",
    Reason.WITHIN_BOUNDS: "within its bound",
    Reason.NO_DATA: "no data",
    Reason.NO_EXPOSURE: "no requests",
    Reason.TOO_FEW_SAMPLES: "too few steps so far",
    Reason.TOO_FEW_EFFECTIVE_SAMPLES: "too little independent data so far",
    Reason.TOO_FEW_EVENTS: "too few events so far",
    Reason.TOO_FEW_PODS: "too few pods",
    Reason.COARSE_BUCKETS: "buckets too coarse",
    Reason.STEADY_WITHIN_TOLERANCE: "steady and within tolerance",
    Reason.STEADY_DIFFERENCE: "a steady difference, which chance cannot be told from",
    Reason.NOT_COMPARABLE: "the sides cannot be compared",
    Reason.SOURCE: "no answer from the source",
    Reason.GUARD: "the comparison is not valid",
}
# From a ratio of so much on, "× 10" says it better than "+900 %".
TIMES = 3.0
# So many metrics are named; the rest is counted.
MOST_ADVICE = 4
# A metric that passed for itself, and yet keeps the rollout from passing.
SUSPECT = "within its margin, but by a plain 5 % test worse than tolerated"


def ordered(report: AnalysisReport) -> list[MetricReport]:
    """Give the metrics as they matter: what decided first, then worse, open, fine, and muted."""
    places = {name: place for place, name in enumerate(report.decided_by)}
    ranks = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 2}

    def rank(metric: MetricReport) -> tuple[bool, float, int]:
        return metric.muted, places.get(metric.name, math.inf), ranks[metric.judgment.verdict]

    return sorted(report.metrics, key=rank)


# ---- one metric


def levels(metric: MetricReport, unit: Unit) -> str:
    """Write both levels: `0.08 % → 0.79 %`; of a fixed bound the bound, where it is known."""
    estimate = metric.judgment.estimate
    if estimate is not None and estimate.scale is Scale.VALUE:
        return allowed(metric, unit).removeprefix("allowed is ")
    if estimate is None or (estimate.baseline is None and estimate.canary is None):
        return ""
    return f"{level(estimate.baseline, unit)} → {level(estimate.canary, unit)}"


def change(metric: MetricReport, unit: Unit) -> str:
    """Write how far the canary is from the baseline; nothing where there is no estimate."""
    estimate = metric.judgment.estimate
    if estimate is None or estimate.value is None:
        return ""
    return effect(estimate.value, estimate.scale, unit)


def change_with_interval(metric: MetricReport, unit: Unit) -> str:
    """Write the same with the interval: `×10.5 (×5.09 to ×25.1)`."""
    estimate, text = metric.judgment.estimate, change(metric, unit)
    if not text or estimate is None or (interval := estimate.interval) is None:
        return text
    lower, upper = (
        None if end is None else effect(end, estimate.scale, unit)
        for end in (interval.lower, interval.upper)
    )
    if lower is None and upper is None:
        return f"{text} (the data bound nothing)"
    if lower is None or upper is None:
        return f"{text} ({f'up to {upper}' if lower is None else f'{lower} or more'})"
    return f"{text} ({lower} to {upper})"


def allowed(metric: MetricReport, unit: Unit) -> str:
    """Write what is tolerated: `+26 % is tolerated`; nothing where no limit is known."""
    estimate, limits = metric.judgment.estimate, metric.limits
    if estimate is None or limits is None:
        return ""
    ends = (limits.tolerance.lower, limits.tolerance.upper)
    told = [effect(end, estimate.scale, unit) for end in ends if end is not None]
    if estimate.scale is Scale.VALUE:
        bounds = zip(("at least", "at most"), ends, strict=True)
        told = [
            f"{name} {effect(end, estimate.scale, unit)}" for name, end in bounds if end is not None
        ]
        return f"allowed is {' and '.join(told)}" if told else ""
    return f"{' to '.join(told)} is tolerated" if told else ""


def effect(value: float, scale: Scale, unit: Unit) -> str:
    """Write an effect on its scale.

    Examples:
        >>> effect(1.33, Scale.RATIO, Unit.PLAIN), effect(10.5, Scale.RATIO, Unit.PLAIN)
        ('+33 %', '×10.5')
        >>> effect(-0.02, Scale.DIFFERENCE, Unit.SECONDS), effect(6.0, Scale.VALUE, Unit.PLAIN)
        ('−20 ms', '6')
    """
    match scale:
        case Scale.VALUE:
            return _minus(level(value, unit))
        case Scale.DIFFERENCE:
            return _signed(level(value, unit), value)
        case Scale.RATIO:
            if value >= TIMES:
                return f"×{level(value)}"
            return _signed(wording.percent(value - 1).replace(".0 %", " %"), value - 1)


def _signed(text: str, value: float) -> str:
    return f"+{text}" if value > 0 and text.strip("0. %") else _minus(text)


def _minus(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text


def outcome(metric: MetricReport) -> str:
    """Say in a few words what became of a metric."""
    return REASONS[metric.judgment.reason]


def evidence(found: Evidence | None, level_: float | None) -> str:
    """Write evidence for one claim, and how much of what a verdict asks for that is.

    Args:
        found: The evidence; nothing is written where there is none.
        level_: Error rate that the claim may have; `None` where it is not known.
    """
    if found is None:
        return ""
    text = f"p {found.p:.2g}"
    if found.log_e is None:
        return text
    text += f", log e {found.log_e:.2f}"
    if level_ is None or not 0 < level_ < 1:
        return text
    share = max(found.log_e, 0.0) / -math.log(level_)
    return f"{text} ({100 * share:.0f} % of what a verdict asks for)"


# ---- the whole rollout


def when(report: AnalysisReport) -> str:
    """Say which time was judged, in UTC, and how much of the plan that is."""
    window = report.window
    start, end = as_datetime(window.start), as_datetime(float(window.edges[-1]))
    ends = f"{end:%H:%M:%S}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M:%S}"
    seen, planned = (
        _minutes(s) for s in (float(window.edges[-1]) - window.start, report.planned_s)
    )
    return f"{start:%Y-%m-%d %H:%M:%S} to {ends} UTC, {seen} of {planned} planned minutes"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.3g}"


def in_short(report: AnalysisReport) -> str:
    """Say in one sentence with its numbers what decided; the judges' own words stand elsewhere."""
    deciding = [metric for metric in ordered(report) if metric.name in report.decided_by]
    if not deciding or (text := _in_short(deciding[0])) is None:
        return report.summary
    first, more = deciding[0], len(deciding) - 1
    if report.verdict is Verdict.INCONCLUSIVE:
        is_suspect = first.judgment.verdict is Verdict.PASS
        text = f"{SUSPECT if is_suspect else outcome(first)}: {text}"
    return f"{first.name}: {text}{f' (and {more} more)' if more else ''}"


def _in_short(metric: MetricReport) -> str | None:
    """Tell both levels, the change and what is tolerated; `None` where one of them is unknown."""
    estimate, unit = metric.judgment.estimate, unit_of(metric)
    if estimate is None or estimate.value is None or metric.limits is None:
        return None
    limit = allowed(metric, unit)
    tolerated = f"; {limit}" if limit else ""
    if estimate.scale is Scale.VALUE or estimate.baseline is None or estimate.canary is None:
        return f"{change_with_interval(metric, unit)}{tolerated}"
    baseline, canary = level(estimate.baseline, unit), level(estimate.canary, unit)
    moved = change_with_interval(metric, unit)
    return f"{canary}, against {baseline} at the baseline: {moved}{tolerated}"


def sureness(report: AnalysisReport) -> str:
    """Say how often a verdict like this one is wrong."""
    often = "" if report.looks == "fixed" else ", however often it is judged"
    match report.verdict:
        case Verdict.FAIL:
            rate = _rate(report.false_fail)
            return (
                f"A canary as good as its baseline is failed in at most {rate} of rollouts{often}."
            )
        case Verdict.PASS:
            levels_ = [m.limits.pass_level for m in report.metrics if m.limits and not m.muted]
            if (most := max([one for one in levels_ if one is not None], default=None)) is None:
                return "Every bound held in what was seen; no error rate belongs to that."
            return (
                f"A canary that is worse by the margin passes in at most {_rate(most)} of "
                f"rollouts{often}."
            )
        case Verdict.INCONCLUSIVE:
            return "The data so far neither show harm nor exclude it."


def _rate(fraction: float) -> str:
    return f"{100 * fraction:.3g} %"


def advice(report: AnalysisReport) -> list[str]:
    """Say what to do now, the most urgent first."""
    match report.verdict:
        case Verdict.FAIL:
            return [_roll_back(report)]
        case Verdict.PASS:
            return ["Promote the canary."]
        case Verdict.INCONCLUSIVE:
            return _to_decide(report)


def _roll_back(report: AnalysisReport) -> str:
    names = [f"“{name}”" for name in report.decided_by]
    more = len(names) - MOST_ADVICE
    shown = [*names[:MOST_ADVICE], *([f"{more} more"] if more > 0 else [])]
    return f"Roll the canary back. Where to look: {_listed(shown)}."


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _to_decide(report: AnalysisReport) -> list[str]:
    """Say of what is open how it can be closed, each remedy once."""
    deciding = [metric for metric in ordered(report) if metric.name in report.decided_by]
    remedies = [f"“{one.name}”: {text}" for one in deciding for text in to_settle(one)]
    shown = list(dict.fromkeys(remedies)) or ["Do not promote yet: judge again with more data."]
    more = len(shown) - MOST_ADVICE
    return [*shown[:MOST_ADVICE], *([f"and {more} more, below"] if more > 0 else [])]


def to_settle(metric: MetricReport) -> list[str]:
    """Say what would settle a metric that is open; nothing where it is not."""
    judgment = metric.judgment
    if judgment.verdict is not Verdict.INCONCLUSIVE:
        return []
    if metric.findings:
        return [finding.remedy for finding in metric.findings]
    if judgment.reason is Reason.SOURCE:
        return ["mend the query or the source; what the server said stands below"]
    settlement = judgment.settlement
    if settlement is None:
        return []
    is_wait = settlement.minutes is not None
    return [f"wait for {settlement.summary}" if is_wait else settlement.summary]


# ---- the score


def score_told(report: AnalysisReport) -> str:
    """Say how the score came about: which metric cost how many points, and what bounded it."""
    costs = [(metric.name, metric.lost) for metric in ordered(report) if metric.lost > 0]
    left = 100 - sum(lost for _, lost in costs)
    text = "100: no metric cost a point" if not costs else f"100 {_costs(costs)} = {_points(left)}"
    if _is_critical_fail(report):
        return f"{text}; a critical metric failed, and takes what is left"
    if math.floor(left + 1e-9) == report.score:
        return text if _points(left) == f"{report.score:g}" else f"{text}, in whole points"
    bounds = f"marginal {report.marginal_score:g}, pass {report.pass_score:g}"
    return f"{text}; held at {report.score:g}, where {report.verdict} stands ({bounds})"


def _costs(costs: Sequence[tuple[str, float]]) -> str:
    told = [f"− {_points(lost)} ({name})" for name, lost in costs[:MOST_ADVICE]]
    if rest := costs[MOST_ADVICE:]:
        told.append(f"− {_points(sum(lost for _, lost in rest))} ({len(rest)} more)")
    return " ".join(told)


def _points(points: float) -> str:
    return f"{max(points, 0.0):.3g}"


def _is_critical_fail(report: AnalysisReport) -> bool:
    """Tell whether a critical metric is among those that failed the rollout."""
    critical = {metric.name for metric in report.metrics if metric.critical}
    return report.verdict is Verdict.FAIL and bool(critical & set(report.decided_by))
