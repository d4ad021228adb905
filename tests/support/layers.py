"""Traffic layers in a Prometheus: every metric of every preset, with one side at a time.

Each case has a stretch of time to itself, for the same series mean different things in different
cases. Of every decoy there is plenty, so that a query that lets one in is far off.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.presets import Preset, Separation, load
from analysis.presets.forms import as_expression
from analysis.query import render
from tests.support.builders import START

CASES = Path(__file__).resolve().parents[2] / "fixtures/presets/cases.json"
SIDES = ("baseline", "canary")
SCRAPE_S, WINDOW_S, MINUTE_S = 15, 300, 60
FROM_S, UNTIL_S, SLOT_S = 705, 1020, 720  # what ends is not seen any more five minutes later
# CloudWatch's series are asked for ten minutes late, so theirs begin earlier.
LATE_FROM_S, LATE_SLOT_S = 0, 1500
ASKED_AT_S = UNTIL_S + 7  # between two scrapes
DECOY_GAIN, DECOY_LEVEL = 1000, 1e6
INTERVAL = {"interval": "5m", "planned": "5m", "step": "15s"}

_EQUAL = re.compile(r"(\w+)=~?\"")
Labels = Mapping[str, str]
# Layer, separation, metrics, sides.
Wanted = tuple[str, str, tuple[str, ...], tuple[str, ...]]


@functools.cache
def cases() -> dict[str, Any]:
    """Read what is known of the layers' series."""
    document: dict[str, Any] = json.loads(CASES.read_text(encoding="utf-8"))
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a preset asks of one side, and the right answer.

    Attributes:
        form: `value`, `events`, `total` or `buckets`.
        template: The preset's query, with `${side}` and `${join}`.
        expected: A number, or one an edge.
    """

    metric: str
    form: str
    side: str
    template: str
    expected: float | Mapping[str, float]

    def query(self, way: Separation, values: Mapping[str, object], side: str = "") -> str:
        """Write the query as it is sent, of its own side or of another."""
        return render(way.filled(self.template, side or self.side), {**values, **INTERVAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A stretch of time that shows some metrics of a layer for some of its sides."""

    layer: str
    separation: str
    metrics: tuple[str, ...]
    sides: tuple[str, ...]
    start: float

    @property
    def asked_at(self) -> float:
        """When queries are evaluated, epoch seconds."""
        return self.start + ASKED_AT_S

    @property
    def way(self) -> Separation:
        return load(self.layer).separations[self.separation]

    @property
    def case(self) -> dict[str, Any]:
        found: dict[str, Any] = cases()["separations"][self.layer][self.separation]
        return found

    def values(self, side: str) -> dict[str, object]:
        """Give the variables of a side."""
        return {**self.case["values"], **self.case[side]["values"]}

    def questions(self) -> Iterator[Question]:
        """Ask everything of the sides that are there."""
        preset = load(self.layer)
        for metric in self.metrics:
            for form, template in forms(preset, metric):
                answers = cases()["metrics"][self.layer][metric].get(form)
                for side in self.sides if answers else ():
                    yield Question(
                        metric=metric,
                        form=form,
                        side=side,
                        template=template,
                        expected=answers[side],
                    )


def forms(preset: Preset, name: str) -> Iterator[tuple[str, str]]:
    """Give the expression of a metric, and the increases of each raw input."""
    metric = preset.metrics[name]
    yield "value", as_expression(metric)
    if metric.counts is not None:
        events, total = (_increase(metric.counts[role]) for role in ("events", "total"))
        yield "events", f"{events} or 0 * {total}"
        yield "total", total
    if metric.histogram is not None:
        yield "buckets", _increase(metric.histogram, " by (le) ")


def _increase(selector: str, by: str = "") -> str:
    return f"sum{by}(increase({selector}[${{interval}}])${{join}})"


def one_side(layers: Sequence[str], *, every_pair: bool = False) -> Iterator[Wanted]:
    """Want the metrics of layers, of each side alone.

    Every metric of a layer is there for one way to tell the sides apart and for one that needs a
    join, and every way for one metric; a metric's query and a way's matchers do not know of each
    other.

    Args:
        layers: Whose metrics.
        every_pair: Every metric for every way instead.
    """
    for layer in layers:
        for separation, bundles in _pairs(layer, every_pair=every_pair):
            for metrics in bundles:
                yield from ((layer, separation, metrics, (side,)) for side in SIDES)


def both_sides(layers: Sequence[str]) -> Iterator[Wanted]:
    """Want the metrics of layers, of both sides together, where counters can be read raw."""
    for layer in layers:
        for separation, way in load(layer).separations.items():
            if way.join is None:
                yield from ((layer, separation, metrics, SIDES) for metrics in _bundles(layer))


def laid_out(wanted: Iterable[Wanted]) -> list[Slot]:
    """Lay what is wanted out in time, one after another."""
    found: list[Slot] = []
    start = START
    for layer, separation, metrics, sides in wanted:
        found.append(
            Slot(layer=layer, separation=separation, metrics=metrics, sides=sides, start=start)
        )
        kinds = {one["kind"] for name in metrics for one in _series(layer, name)}
        start += LATE_SLOT_S if "minute" in kinds else SLOT_S
    return found


def _pairs(layer: str, *, every_pair: bool) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    seen: set[bool] = set()
    for name, way in load(layer).separations.items():
        is_first_of_its_sort = (way.join is None) not in seen
        seen.add(way.join is None)
        bundles = _bundles(layer)
        yield name, bundles if every_pair or is_first_of_its_sort else [bundles[0][:1]]


def _bundles(layer: str) -> list[tuple[str, ...]]:
    """Group the metrics of a layer so that no two in a group need other series of one name."""
    bundles: list[tuple[list[str], dict[str, set[str]]]] = []
    for name in cases()["metrics"][layer]:
        needed: dict[str, set[str]] = {}
        for series in _series(layer, name):
            for exposed in _names(series):
                needed.setdefault(exposed, set()).add(json.dumps(series, sort_keys=True))
        for names, known in bundles:
            if all(known.get(metric, wanted) == wanted for metric, wanted in needed.items()):
                names.append(name)
                known.update(needed)
                break
        else:
            bundles.append(([name], needed))
    return [tuple(names) for names, _ in bundles]


def openmetrics(found: Sequence[Slot]) -> str:
    """Write the series of all slots as OpenMetrics text."""
    lines: list[str] = []
    for slot in found:
        lines += _lines(slot)
    return "\n".join([*lines, "# EOF\n"])


def _series(layer: str, metric: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cases()["metrics"][layer][metric]["series"]
    return found


def _names(series: Mapping[str, Any]) -> list[str]:
    name = series["metric"]
    return (
        [f"{name}_{part}" for part in ("bucket", "count", "sum")] if "edges" in series else [name]
    )


@dataclass(slots=True)
class _Writer:
    """Writes each series once."""

    start: float
    lines: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def write(self, name: str, labels: Labels, *, level: float, gain: float, minute: bool) -> None:
        text = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
        series = f"{name}{{{text}}}"
        if series in self.seen:
            return
        self.seen.add(series)
        every, since = (MINUTE_S, LATE_FROM_S) if minute else (SCRAPE_S, FROM_S)
        first = int(self.start) + since
        self.lines += [
            f"{series} {level + gain * n} {first + every * n}"
            for n in range((UNTIL_S - since) // every + 1)
        ]


def _lines(slot: Slot) -> list[str]:
    writer = _Writer(start=slot.start)
    case = slot.case
    described = [series for name in slot.metrics for series in _series(slot.layer, name)]
    for series in described:
        for side in slot.sides:
            _write(writer, series, case[side]["labels"], side)
        for labels in _decoys(slot):
            _write(writer, series, labels, None)
    for beside in case["beside"]:
        writer.write(
            beside["metric"], beside["labels"], level=beside["value"], gain=0, minute=False
        )
    return writer.lines


def _decoys(slot: Slot) -> Iterator[Labels]:
    """Give labels of other traffic: those described, and each side's with one label another."""
    own = [slot.case[side]["labels"] for side in SIDES]
    asked = [render(slot.way.filled("${side}", side), slot.values(side)) for side in SIDES]
    # Of what a side must not be, another value may well be the other side.
    positive = set(_EQUAL.findall(asked[0])) & set(_EQUAL.findall(asked[1]))
    altered = [
        {**labels, name: "zz-other"} for labels in own for name in labels if name in positive
    ]
    yield from (labels for labels in [*slot.case["decoys"], *altered] if labels not in own)


def _write(writer: _Writer, series: Mapping[str, Any], side: Labels, name: str | None) -> None:
    labels = {**series["labels"], **side}
    if "edges" in series:
        _write_histogram(writer, series, labels, name)
        return
    kind = series["kind"]
    value = None if name is None else series.get(name)
    if kind == "gauge unless 0" and value == 0:
        return
    if kind in {"counter", "stray counter"}:
        gain = series.get("decoy", DECOY_GAIN) if value is None else value
        writer.write(series["metric"], labels, level=0, gain=gain, minute=False)
    else:
        level = series.get("decoy", DECOY_LEVEL) if value is None else value
        writer.write(series["metric"], labels, level=level, gain=0, minute=kind == "minute")


def _write_histogram(
    writer: _Writer, series: Mapping[str, Any], labels: Labels, name: str | None
) -> None:
    edges = series["edges"]
    if name is None or series["kind"] == "other histogram":
        gains, total = [DECOY_GAIN] * len(edges), float(DECOY_GAIN)
    else:
        gains, total = (cases()["histogram"][name][key] for key in ("cumulative", "sum"))
    for edge, gain in zip(edges, gains, strict=True):
        bucket = {**labels, "le": str(edge)}
        writer.write(f"{series['metric']}_bucket", bucket, level=0, gain=gain, minute=False)
    writer.write(f"{series['metric']}_count", labels, level=0, gain=gains[-1], minute=False)
    writer.write(f"{series['metric']}_sum", labels, level=0, gain=total, minute=False)
