"""What became of a test: what was expected against what was observed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.engine import analyze
from analysis.errors import SourceError
from analysis.report import AnalysisReport, MetricReport
from analysis.testing.document import Bounds, Expectation, MetricExpectation
from analysis.testing.prepare import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One expectation that does not hold.

    Attributes:
        what: What was looked at, such as `verdict` or `error ratio: reason`.
        expected: As the file says.
        observed: As it came.
    """

    what: str
    expected: str
    observed: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """A test that ran.

    Attributes:
        file: The file it stands in.
        name: Its name.
        line: Where it stands.
        mismatches: What does not hold; empty where all does.
        report: The analysis; `None` where there was none.
        error: Why there was none.
        seconds: How long it took, for whoever measured it.
    """

    file: str
    name: str
    line: int | None
    mismatches: tuple[Mismatch, ...]
    report: AnalysisReport | None
    error: str | None
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether everything is as expected."""
        return self.error is None and not self.mismatches


def run(test: Prepared) -> Outcome:
    """Run a test; a source that cannot answer is an outcome too."""
    report, error = None, None
    try:
        report = analyze(test.config, test.source, test.window, test.variables)
    except SourceError as failure:
        error = str(failure)
    return Outcome(
        file=test.file,
        name=test.case.name,
        line=test.line,
        mismatches=tuple(compare(test.case.expect, report)) if report else (),
        report=report,
        error=error,
    )


def compare(expected: Expectation, report: AnalysisReport) -> Iterator[Mismatch]:
    """Tell every expectation that the report does not meet."""
    metrics = {metric.name: metric for metric in report.metrics}
    yield from _differs("verdict", str(expected.verdict), str(report.verdict))
    if expected.decided_by is not None:
        yield from _differs("decided_by", _list(expected.decided_by), _list(report.decided_by))
    if expected.reason is not None:
        first = metrics[report.decided_by[0]] if report.decided_by else None
        yield from _differs("reason", str(expected.reason), _reason(first))
    if expected.summary is not None:
        yield from _contains("summary", expected.summary, report.summary)
    if expected.score is not None:
        yield from _outside(expected.score, report.score)
    for name, wanted in expected.metrics.items():
        yield from _of_metric(wanted, metrics[name])


def _of_metric(expected: MetricExpectation, metric: MetricReport) -> Iterator[Mismatch]:
    judgment = metric.judgment
    if expected.verdict is not None:
        what = f"{metric.name}: verdict"
        yield from _differs(what, str(expected.verdict), str(judgment.verdict))
    if expected.reason is not None:
        yield from _differs(f"{metric.name}: reason", str(expected.reason), _reason(metric))
    if expected.guard is not None:
        codes = [finding.code for finding in metric.findings]
        if expected.guard not in codes:
            yield Mismatch(
                what=f"{metric.name}: guard", expected=expected.guard, observed=_list(codes)
            )
    if expected.summary is not None:
        yield from _contains(f"{metric.name}: summary", expected.summary, judgment.summary)


def _reason(metric: MetricReport | None) -> str:
    if metric is None:
        return "none: no metric decided"
    return str(metric.judgment.reason)


def _list(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names) or "none"


def _differs(what: str, expected: str, observed: str) -> Iterator[Mismatch]:
    if expected != observed:
        yield Mismatch(what=what, expected=expected, observed=observed)


def _contains(what: str, part: str, observed: str) -> Iterator[Mismatch]:
    if part not in observed:
        yield Mismatch(what=what, expected=f"…{part}…", observed=observed)


def _outside(bounds: Bounds, score: float) -> Iterator[Mismatch]:
    if not bounds.min <= score <= bounds.max:
        exact = bounds.min == bounds.max
        expected = f"{bounds.min:g}" if exact else f"{bounds.min:g} to {bounds.max:g}"
        yield Mismatch(what="score", expected=expected, observed=f"{score:g}")
