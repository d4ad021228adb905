"""What replayed deployments tell of the fleet, for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.past.evaluation import Rate
from analysis.past.fleet import Fleet, Service

MOST_ROWS = 20


def print_fleet(found: Fleet, console: Console) -> None:
    """Print what should be looked at first, then the tables."""
    unread = f", {found.unread} could not be judged" if found.unread else ""
    console.print(Text(f"{found.deployments} deployments{unread}", style="bold"))
    for line in _remarks(found):
        console.print(f"! {line}", soft_wrap=True)
    for title, table in (
        ("over time", _months(found)),
        ("services, the undecided first", _services(found)),
        ("metrics, the noisiest first", _metrics(found)),
    ):
        console.print(f"\n{title}", style="bold")
        console.print(table)


def _remarks(found: Fleet) -> Iterator[str]:
    for service in found.services:
        if service.cannot_decide:
            by = ", ".join(service.held_open_by[:3]) or "nothing in particular"
            yield (
                f"{service.name or 'this service'} cannot decide: {_of(service.inconclusive)} stay "
                f"open, held by {by}; a longer window, a wider margin or fewer critical metrics"
            )
    for metric in found.metrics:
        if metric.hardly_decides:
            yield (
                f"{metric.name} decided {_of(metric.decided)}: widen its margin, or let it be "
                f"muted or not critical"
            )


def _months(found: Fleet) -> Table:
    table = _table("month", "good failed", "inconclusive")
    for month in found.months:
        table.add_row(f"{month.first:%Y-%m}", _rate(month.false_fails), _rate(month.inconclusive))
    return table


def _services(found: Fleet) -> Table:
    table = _table("service", "inconclusive", "good failed", "wait that would do", "held open by")
    for service in found.services[:MOST_ROWS]:
        table.add_row(
            service.name or "–",
            _rate(service.inconclusive),
            _rate(service.false_fails),
            _wait(service),
            ", ".join(service.held_open_by[:2]) or "–",
        )
    return table


def _wait(service: Service) -> str:
    wait_s = service.suggested_wait_s
    return "–" if wait_s is None else f"{wait_s / 60:.0f}m"


def _metrics(found: Fleet) -> Table:
    table = _table("metric", "decided", "noise")
    for metric in found.metrics[:MOST_ROWS]:
        noise = "–" if metric.noise is None else f"± {100 * metric.noise:.0f} %"
        table.add_row(metric.name, _rate(metric.decided), noise)
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading)
    return table


def _of(rate: Rate) -> str:
    return f"{rate.hits} of {rate.of}"


def _rate(rate: Rate) -> str:
    if rate.interval is None:
        return "–"
    low, high = rate.interval
    return f"{_of(rate)} ({100 * low:.0f} to {100 * high:.0f} %)"
