"""The evaluation of a replay for a person at a terminal: verdicts against the truth, then time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analysis.consumers.text import STYLES, printable
from analysis.consumers.words import MARKS
from analysis.past.evaluation import LEVEL, UNKNOWN, Evaluation, Rate, Times
from analysis.past.rows import Row
from judges import Verdict

INDENT = 2
NONE = "–"
# What more than these have in common is in the file, and a list of thousands helps nobody.
MOST_ERRORS, MOST_METRICS = 5, 10


def print_summary(evaluation: Evaluation, rows: Sequence[Row], console: Console) -> None:
    """Print an evaluation.

    Args:
        evaluation: What to show.
        rows: The rows it was made from, for those that could not be judged.
        console: Where; it knows whether there is color and how wide a line is.
    """
    console.print(_head(evaluation))
    console.print(Padding(_confusion(evaluation), (0, 0, 1, INDENT)))
    for line in (*_rates(evaluation), *_times(evaluation)):
        console.print(Padding(line, (0, 0, 0, INDENT)))
    if evaluation.deciding:
        console.print(Padding(_deciding(evaluation), (1, 0, 0, INDENT)))
    for line in _errors(rows):
        console.print(line)


def _head(evaluation: Evaluation) -> Text:
    judged = evaluation.deployments - evaluation.unread
    text = Text(f"{evaluation.deployments:,} deployments replayed", style="bold")
    if evaluation.unread:
        text.append(f", {judged:,} judged, {evaluation.unread:,} not", style="red")
    return text


def _confusion(evaluation: Evaluation) -> Table:
    table = _table("truth", *(f"{MARKS[verdict]} {verdict}" for verdict in Verdict))
    for truth, counts in evaluation.confusion.items():
        cells = [Text(f"{counts[v]:,}", style=STYLES[v] if counts[v] else "dim") for v in Verdict]
        table.add_row(truth, *cells)
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, INDENT, 0, 0), header_style="dim")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _rates(evaluation: Evaluation) -> Iterator[Text]:
    if set(evaluation.confusion) <= {UNKNOWN}:
        yield Text("no truth is known: fill the column truth (good or bad) for rates", style="dim")
        return
    yield _line("false fails", _rate(evaluation.false_fails, "good"))
    yield _line("good passed", _rate(evaluation.good_passed, "good"))
    yield _line("detected", _rate(evaluation.detections, "bad"))
    yield _line("false passes", _rate(evaluation.false_passes, "bad"))
    if evaluation.failed_before_fault:
        text = f"{evaluation.failed_before_fault:,} bad failed before their fault began"
        yield _line("no detection", text)


def _times(evaluation: Evaluation) -> Iterator[Text]:
    yield _line("to a decision", _time(evaluation.to_decision))
    if evaluation.detections.of:
        yield _line("fault to fail", _time(evaluation.delay))
        yield _line("bad served", _with_total(evaluation.exposure, "until the fail or the end"))
    if evaluation.open_wait.n:
        yield _line("left open", _with_total(evaluation.open_wait, "waited for no verdict"))


def _line(name: str, text: str) -> Text:
    return Text.assemble((f"{name:<15}", "dim"), text)


def _rate(rate: Rate, what: str) -> str:
    if rate.value is None or rate.interval is None:
        return f"{NONE} (no {what} deployment is known)"
    lower, upper = (100 * bound for bound in rate.interval)
    return (
        f"{100 * rate.value:.1f} % ({LEVEL:.0%} CI {lower:.1f} to {upper:.1f} %), "
        f"{rate.hits:,} of {rate.of:,} {what}"
    )


def _time(times: Times) -> str:
    if times.median is None or times.p90 is None:
        return NONE
    return f"median {_length(times.median)}, p90 {_length(times.p90)} ({times.n:,})"


def _with_total(times: Times, what: str) -> str:
    return f"{_length(times.total)} in all, {_time(times)}: {what}"


def _length(seconds: float) -> str:
    """Write a time with two units at most: 45s, 12m 30s, 1h 5m."""
    whole = round(seconds)
    units = {"h": whole // 3600, "m": whole // 60 % 60, "s": whole % 60}
    shown = [f"{count}{unit}" for unit, count in units.items() if count][:2]
    return " ".join(shown) or "0s"


def _deciding(evaluation: Evaluation) -> Table:
    table = _table("decided by", "failed", "of them good", "held open")
    for one in evaluation.deciding[:MOST_METRICS]:
        counts = (one.failed, one.failed_good, one.held_open)
        table.add_row(printable(one.metric), *(f"{count:,}" if count else NONE for count in counts))
    if (rest := len(evaluation.deciding) - MOST_METRICS) > 0:
        table.add_row(f"and {rest} more", "", "", "")
    return table


def _errors(rows: Sequence[Row]) -> Iterator[Text]:
    failed = [row for row in rows if row.error]
    for row in failed[:MOST_ERRORS]:
        yield Text(printable(f"not judged: {row.id}: {row.error}"), style="red", overflow="fold")
    if (rest := len(failed) - MOST_ERRORS) > 0:
        yield Text(f"not judged: {rest:,} more, in rows of their own with the error", style="red")
