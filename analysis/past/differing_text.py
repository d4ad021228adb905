"""A difference between two configurations, for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.past.differing import Difference, Flip, MetricChange
from analysis.past.evaluation import Evaluation, Rate
from judges import Verdict

_STYLES = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.INCONCLUSIVE: "yellow"}
_BETTER = {True: "better", False: "WORSE", None: ""}


def print_difference(found: Difference, console: Console) -> None:
    """Print it: the counts, each flip with its reason, the rates."""
    total, changed = sum(found.counts.values()), len(found.flips)
    console.print(Text(f"{changed} of {total} verdicts change", style="bold"))
    if found.sooner or found.later:
        console.print(f"of the others {found.sooner} fall sooner, {found.later} later")
    for flip in found.flips:
        _print_flip(flip, console)
    if found.after.false_fails.of or found.after.detections.of:
        console.print()
        console.print(_rates(found.before, found.after))


def _print_flip(flip: Flip, console: Console) -> None:
    line = Text(f"\n{flip.after.id}  ", style="bold")
    line.append_text(_worded(flip.before.verdict)).append(" → ")
    line.append_text(_worded(flip.after.verdict))
    if flip.after.truth is not None:
        better = _BETTER[flip.is_better]
        line.append(f"  ({flip.after.truth}: {better})", style="red" if better == "WORSE" else "")
    console.print(line)
    console.print(f"  {flip.after.reason}", soft_wrap=True)
    for change in flip.metrics:
        console.print(f"  {_changed(change)}", soft_wrap=True)


def _worded(verdict: Verdict | None) -> Text:
    if verdict is None:
        return Text("not judged", style="dim")
    return Text(str(verdict), style=_STYLES[verdict])


def _changed(change: MetricChange) -> str:
    """Say of a metric what it was, what it is, and why."""
    if change.after is None:
        return f"{change.name}: is gone"
    was = change.before.verdict if change.before else "not there"
    return f"{change.name}: {was} → {change.after.verdict}: {change.after.summary}"


def _rates(before: Evaluation, after: Evaluation) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "before", "after"):
        table.add_column(heading)
    table.add_row("good failed", _rate(before.false_fails), _rate(after.false_fails))
    table.add_row("good passed", _rate(before.good_passed), _rate(after.good_passed))
    table.add_row("bad failed", _rate(before.detections), _rate(after.detections))
    table.add_row("bad passed", _rate(before.false_passes), _rate(after.false_passes))
    return table


def _rate(rate: Rate) -> str:
    return f"{rate.hits} of {rate.of}"
