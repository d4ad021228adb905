"""Which variants of a configuration are tried: one knob at a time, and the main three together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product, starmap

from analysis import scoring
from analysis.config import SIDES, CanaryConfig, Metric
from analysis.config.fields import format_duration
from analysis.past.tuning.edits import Edit
from analysis.query import references
from judges.core.limits import Limit

# Harm twice as large as now, half as large, four times: a tolerance is no matter of per cents.
SCALES = (0.5, 2.0, 4.0)
LIMITS = ("tolerance", "margin")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variant:
    """A configuration to be tried.

    Attributes:
        name: What is different, for people; `as it is` where nothing is.
        edits: What makes it of the configuration.
    """

    name: str
    edits: tuple[Edit, ...]


AS_IT_IS = Variant(name="as it is", edits=())


def variants(config: CanaryConfig, budget: float) -> tuple[Variant, ...]:
    """Give what is tried, the configuration as it is first.

    Args:
        config: The configuration as it is.
        budget: Share of good rollouts that may fail.
    """
    scales, plans = list(_scales(config)), list(_plans(config))
    parts = [
        *((part,) for part in (*scales, *plans, *_risks(config, budget), *_warmups(config))),
        *product(scales, plans),  # what is less exact may be sooner
        *((part,) for part in (*_each_metric(config), *_each_group(config))),
    ]
    by_name = {variant.name: variant for variant in (AS_IT_IS, *starmap(_named, parts))}
    return tuple(by_name.values())


_Part = tuple[str, tuple[Edit, ...]]


def _named(*parts: _Part) -> Variant:
    name = ", ".join(name for name, _ in parts)
    return Variant(name=name, edits=tuple(edit for _, edits in parts for edit in edits))


def _scales(config: CanaryConfig) -> Iterator[_Part]:
    for scale in SCALES:
        edits = [
            edit for index, one in enumerate(config.metrics) for edit in _scaled(index, one, scale)
        ]
        yield f"tolerances × {scale:g}", tuple(edits)


def _risks(config: CanaryConfig, budget: float) -> Iterator[_Part]:
    now = config.risk.false_fail
    for risk in sorted({budget / 5, budget, min(5 * budget, 0.2)} - {now}):
        edit = Edit(path=("risk", "false_fail"), value=_number(risk))
        yield f"false_fail {risk:g}", (edit,)


def _plans(config: CanaryConfig) -> Iterator[_Part]:
    asked = [text for one in config.metrics for side in SIDES for _, text in one.templates(side)]
    planned = _whole(config.window.planned / 2)
    # A recording holds no answer to a question that another length would ask.
    if planned > config.window.warmup and not any("planned" in references(one) for one in asked):
        written = format_duration(planned)
        yield f"planned {written}", (Edit(path=("window", "planned"), value=written),)


def _warmups(config: CanaryConfig) -> Iterator[_Part]:
    longer = _whole(max(2 * config.window.warmup, config.window.planned / 10))
    if longer < config.window.planned / 2:
        written = format_duration(longer)
        yield f"warmup {written}", (Edit(path=("window", "warmup"), value=written),)


def _each_metric(config: CanaryConfig) -> Iterator[_Part]:
    for index, metric in enumerate(config.metrics):
        if edits := _scaled(index, metric, 2.0):
            yield f"tolerance of {metric.name} × 2", edits


def _each_group(config: CanaryConfig) -> Iterator[_Part]:
    groups = list(dict.fromkeys(metric.group for metric in config.metrics))
    if len(groups) < 2:
        return
    now = _weights_now(config)
    for group in groups:
        changed = {**now, group: _number(2 * now[group])}
        yield f"weight of {group} × 2", (Edit(path=("scoring", "weights"), value=changed),)


def _weights_now(config: CanaryConfig) -> Mapping[str, float]:
    """Give each group's weight in per cent, as the configuration would write it."""
    parts = scoring.weights(config.metrics, config.scoring)
    found: dict[str, float] = {}
    for metric in config.metrics:
        found[metric.group] = found.get(metric.group, 0.0) + 100 * parts[metric.name]
    return {group: _number(weight) for group, weight in found.items()}


def _scaled(index: int, metric: Metric, scale: float) -> tuple[Edit, ...]:
    """Scale the tolerance and the margin of a metric; nothing of one that has none."""
    judge = metric.judge.create()
    limits = {name: getattr(judge, name, None) for name in LIMITS}
    tolerance, margin = limits["tolerance"], limits["margin"]
    if metric.muted or not isinstance(tolerance, Limit) or tolerance == Limit():
        return ()
    if not isinstance(margin, Limit):
        margin = getattr(judge, "pass_margin", None)
    kind = () if "kind" in metric.judge.model_fields_set else (("kind", metric.judge.kind),)
    values: Sequence[tuple[str, object]] = [
        *kind,
        ("tolerance", _written(tolerance, scale)),
        *([("margin", _written(margin, scale))] if isinstance(margin, Limit) else []),
    ]
    return tuple(
        Edit(path=("metrics", index, "judge", name), value=value) for name, value in values
    )


def _written(limit: Limit, scale: float) -> object:
    percent = f"{100 * scale * (limit.ratio - 1):.3g}%"
    absolute = _number(scale * limit.absolute)
    if not absolute:
        return percent
    return {"ratio": _number(1 + scale * (limit.ratio - 1), 5), "absolute": absolute}


def _number(value: float, digits: int = 3) -> float | int:
    """Round to significant digits, and leave out the point of a whole number."""
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() else rounded


def _whole(duration: timedelta) -> timedelta:
    return timedelta(seconds=round(duration.total_seconds()))
