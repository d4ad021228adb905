"""What tuning came to, for people: the trade-off, the suggestion, what it is worth, the doubts."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.past.evaluation import Rate
from analysis.past.tuning.choosing import Keeping
from analysis.past.tuning.doubts import Doubt
from analysis.past.tuning.points import Point
from analysis.past.tuning.tuning import Tuning
from analysis.past.tuning.validation import Split

_SPLITS = {
    Split.SERVICE: "on services it was not chosen on",
    Split.DEPLOYMENT: "on deployments it was not chosen on",
    Split.TIME: "on what came after the deployments it was chosen on",
}
_KEEPING = {
    Keeping.SHOWN: "the deployments show that it keeps the budget",
    Keeping.STATED: "its own risk keeps the budget, and no deployment speaks against it",
    Keeping.BROKEN: "no variant keeps the budget; this one breaks it least",
}


def print_tuning(tuning: Tuning, console: Console) -> None:
    """Print it."""
    console.print(Text(_headline(tuning), style="bold"))
    console.print(_counted(tuning))
    console.print()
    console.print(_table(tuning))
    if tuning.is_harmed:
        console.print(_by_harm(tuning))
    console.print()
    for line in (*_suggested(tuning), *_held_out(tuning), *_doubts(tuning)):
        console.print(line, soft_wrap=True)


def _headline(tuning: Tuning) -> str:
    if tuning.chosen == 0:
        return "Keep what you have: nothing that was tried is better by more than chance"
    return f"Suggestion: {tuning.suggestion.variant.name}"


def _counted(tuning: Tuning) -> str:
    bad = "injected harm" if tuning.is_harmed else "bad"
    unread = f", {tuning.unread} could not be judged" if tuning.unread else ""
    now = tuning.now
    return (
        f"{tuning.deployments} deployments: {now.false_fails.of} good, {now.detections.of} {bad}"
        f"{unread}; budget {_percent(tuning.budget)} of the good ones"
    )


def _table(tuning: Tuning) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    found = "harm found" if tuning.is_harmed else "bad found"
    for heading in ("", "variant", "good failed", "good passed", found, "delay", "to pass"):
        table.add_column(heading, no_wrap=True)
    for point in _worth_showing(tuning):
        is_chosen = point is tuning.suggestion
        style = "bold" if is_chosen else _style(point)
        table.add_row("→" if is_chosen else " ", *_cells(point), style=style)
    return table


def _worth_showing(tuning: Tuning) -> list[Point]:
    """Give what is, what is suggested, and of the front one of those that come to the same."""
    shown = [tuning.now, *([tuning.suggestion] if tuning.chosen else [])]
    seen = {_tradeoff(point) for point in shown}
    for point in tuning.points:
        if point.on_front and _tradeoff(point) not in seen:
            seen.add(_tradeoff(point))
            shown.append(point)
    return shown


def _tradeoff(point: Point) -> tuple[int, int, int]:
    return point.false_fails.hits, point.detections.hits, point.good_passed.hits


def _style(point: Point) -> str:
    return "dim" if point.keeping is Keeping.BROKEN else ""


def _cells(point: Point) -> list[str]:
    return [
        point.variant.name,
        _rate(point.false_fails),
        _rate(point.good_passed),
        _rate(point.detections),
        _minutes(point.delay.median),
        _minutes(point.to_pass.median),
    ]


def _by_harm(tuning: Tuning) -> Table:
    """Show which harm would have been found, now and then."""
    table = Table(box=None, pad_edge=False, header_style="dim", title_justify="left")
    for heading in ("injected", "found now", "found by the suggestion"):
        table.add_column(heading)
    for name, now in tuning.now.by_harm.items():
        table.add_row(name, _rate(now), _rate(tuning.suggestion.by_harm[name]))
    return table


def _suggested(tuning: Tuning) -> Iterator[str]:
    yield f"{_KEEPING[tuning.keeping]}."
    for edit in tuning.suggestion.variant.edits:
        yield f"  {edit}"


def _held_out(tuning: Tuning) -> Iterator[str]:
    found = "harmed copies" if tuning.is_harmed else "bad ones"
    for one in tuning.held_out:
        yield (
            f"{_SPLITS[one.split]}, such choices failed {_rate(one.false_fails)} good ones and "
            f"found {_rate(one.detections)} {found}"
        )


def _doubts(tuning: Tuning) -> Iterator[str]:
    for doubt in tuning.doubts:
        if (text := said(doubt, tuning)) is not None:
            yield f"! {text}"


def said(doubt: Doubt, tuning: Tuning) -> str | None:
    """Say a doubt with its numbers; `None` where the headline says it."""
    good = tuning.now.false_fails.of
    match doubt:
        case Doubt.FEW_GOOD:
            return (
                f"{good} good deployments cannot show that {_percent(tuning.budget)} is kept: it "
                f"takes {tuning.good_needed} without a fail; until then it rests on the judges' "
                f"own error rates"
            )
        case Doubt.NO_BAD:
            return (
                "your data cannot tell what real faults would be found: no deployment is labelled "
                "bad, and what is shown is found of harm that was put in"
            )
        case Doubt.STATEMENT_BROKEN:
            return (
                "more good deployments failed than `false_fail` states, by more than chance: its "
                "judges' error rates do not hold here (`serinus judges` says what each promises), "
                "so that a budget counts as kept only where the deployments show it"
            )
        case Doubt.BUDGET_BROKEN:
            return f"nothing that was tried keeps {_percent(tuning.budget)}; look at what fails"
        case Doubt.PROMISE_BROKEN:
            return (
                "on deployments held out, choices like this one broke the budget by more than "
                "chance: your services or your times differ; tune them apart"
            )
        case Doubt.NOTHING_BETTER:
            return None


def _rate(rate: Rate) -> str:
    if rate.interval is None:
        return "–"
    low, high = rate.interval
    return f"{rate.hits} of {rate.of} ({100 * low:.0f} to {100 * high:.0f} %)"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _minutes(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds / 60:.1f} min"
