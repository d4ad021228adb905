"""The forecast of a rollout for a person at a terminal: whether the plan suffices, then why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analysis.config.fields import format_duration
from analysis.config.load import short
from analysis.consumers.text import printable
from analysis.forecast import Basis, Forecast
from analysis.forecast import words as told
from analysis.outlook import MetricOutlook, Outlook
from analysis.window import as_datetime
from judges import Scale
from judges.core import wording

INDENT = 2
STYLES = {True: "green", False: "red", None: "yellow"}
MARKS = {True: "✔", False: "✘", None: "?"}
WORDS = {True: "ENOUGH", False: "TOO SHORT", None: "UNKNOWN"}
COLUMNS = ("metric", "an equal canary passes", "harm that fails", "narrowest margin", "learnt from")
NONE = "–"


def print_outlook(outlook: Outlook, console: Console) -> None:
    """Print an outlook.

    Args:
        outlook: What to show.
        console: Where; it knows whether there is color and how wide a line is.
    """
    for line in _head(outlook):
        console.print(line)
    console.print(_table(outlook))
    for metric in outlook.metrics:
        for note in _notes(metric, _length(outlook.planned_s)):
            console.print(note)
    console.print(_text(_provenance(outlook), "dim"))


def _text(words: str, style: str = "") -> Text:
    """Give words as text without markup, that moves no cursor."""
    return Text(printable(words), style=style, overflow="fold")


def _length(seconds: float) -> str:
    return format_duration(timedelta(seconds=seconds))


# ---- the head


def _head(outlook: Outlook) -> Iterator[Text]:
    style = STYLES[outlook.suffices]
    yield Text.assemble(
        (f" {_length(outlook.planned_s)}: {WORDS[outlook.suffices]} ", f"bold reverse {style}"),
        (f" {printable(outlook.name)}  ", "bold"),
        (f"{_length(outlook.warmup_s)} of warm-up included, looks {outlook.looks}", "dim"),
    )
    yield _text(_verdict(outlook), style)
    yield _text(_past(outlook), "dim")
    yield Text()


def _verdict(outlook: Outlook) -> str:
    asked, short = len(outlook.deciding), [metric.name for metric in outlook.short]
    if not short:
        return (
            f"a canary equal to the baseline passes in time: each of the metrics that a pass "
            f"needs ({asked}) decides in four rollouts of five"
        )
    longer = outlook.sufficient
    remedy = f"; window.planned: {longer} would do" if longer else ""
    return (
        f"{len(short)} of {asked} metrics that a pass needs may not decide in time: "
        f"{', '.join(short)}{remedy}"
    )


def _past(outlook: Outlook) -> str:
    edges = outlook.window.edges
    start, end = as_datetime(float(edges[0])), as_datetime(float(edges[-1]))
    times = f"{start:%Y-%m-%d %H:%M:%S}–{end:%H:%M:%S} UTC, {outlook.window.steps} steps"
    sides = (
        "the baseline, held against itself one window earlier"
        if outlook.ahead.one_side
        else "both sides"
    )
    return f"learnt from {times} of {outlook.window.step_s:g} s: {sides}; {_traffic(outlook)}"


def _traffic(outlook: Outlook) -> str:
    share = outlook.ahead.share
    if share is not None:
        return f"the canary will have {wording.percent(share)} of the traffic"
    if outlook.ahead.one_side:
        return "half of the traffic is taken to go to the canary, --share says otherwise"
    return "traffic as it was"


# ---- the table


def _table(outlook: Outlook) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in COLUMNS:
        table.add_column(name, overflow="fold")
    for metric in outlook.metrics:
        found = metric.forecast
        mark = Text(f"{MARKS[found.suffices]} ", style=f"bold {STYLES[found.suffices]}")
        named = mark + Text(printable(metric.name), style="bold" if metric.critical else "")
        cells = (_wait(found), _harm(found), _margin(found), _basis(found.basis))
        table.add_row(named, *(_text(cell) for cell in cells))
    return table


def _wait(found: Forecast) -> str:
    if found.minutes is None:
        return NONE if found.suffices is None else "never"
    requests = f", {found.requests:,.0f} requests" if found.requests is not None else ""
    return f"after {told.time(found.minutes)}{requests}"


def _harm(found: Forecast) -> str:
    harm = found.harm
    if harm is None:
        # A margin tells that evidence is weighed at all: then no harm is large enough.
        return NONE if found.margin is None else "none"
    if harm.scale is Scale.VALUE:
        return f"level {told.change(harm)}"
    level = "" if harm.level is None else f" (to {wording.amount(harm.level)})"
    return f"{told.change(harm)}{level}"


def _margin(found: Forecast) -> str:
    return NONE if found.margin is None else str(told.rounded(found.margin))


def _basis(basis: Basis) -> str:
    if not basis.steps:
        return "nothing"
    if basis.events is not None:
        return f"{basis.events:,.0f} events in {basis.steps} steps"
    worth = "" if basis.n_effective is None else f" worth {basis.n_effective:.0f}"
    return f"{basis.steps} step{'s' if basis.steps > 1 else ''}{worth}"


# ---- what helps


def _notes(metric: MetricOutlook, planned: str) -> Iterator[Padding]:
    found = metric.forecast
    remedies = "; or ".join(one.summary for one in found.remedies)
    lines = [
        (found.summary, "") if found.suffices is not True else None,
        (f"to pass within {planned}: {remedies}", "cyan") if remedies else None,
        *((f"warning: {warning}", "yellow") for warning in found.warnings),
    ]
    shown = [line for line in lines if line is not None]
    if shown:
        yield Padding(Text(printable(metric.name), style="bold"), (1, 0, 0, 0), expand=False)
    for words, style in shown:
        yield Padding(_text(words, style), (0, 0, 0, INDENT), expand=False)


def _provenance(outlook: Outlook) -> str:
    digest = short(outlook.provenance.config_digest)
    return f"serinus {outlook.provenance.version}, configuration {digest}"
