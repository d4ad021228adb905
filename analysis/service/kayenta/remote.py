"""Judge the series that a Kayenta sends: Serinus as its remote judge.

As Kayenta's own judge would, or, where `judge.judgeConfigurations` names a `kind`, by that
judge of ours with the other entries as its parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import judges
from judges.core import kayenta_effects as effects
from judges.core import kayenta_labels as labels
from judges.core import kayenta_score as scores
from judges.core.kayenta_labels import Label
from judges.core.sample import Array
from judges.kayenta import Kayenta

# 10,000 points a side of 500 metrics; Kayenta itself is limited to 11,000 by Prometheus.
MOST_POINTS = 10_000_000
_CHOICES = {
    "direction": {"increase", "decrease"},
    "nan_strategy": {"remove", "replace"},
    "outliers": {"keep", "remove"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A metric's classification, with what is told of it."""

    label: Label
    critical: bool
    reason: str | None
    ratio: float | None
    sides: tuple[effects.Description, effects.Description]


def judge(
    config: Mapping[str, Any], limits: Mapping[str, float], pairs: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Judge metric set pairs as Kayenta's judge interface wants it.

    Args:
        config: Kayenta's canary configuration.
        limits: `pass` and `marginal`.
        pairs: Values of both sides of each metric; numbers, or "NaN" and "Infinity".

    Raises:
        ValueError: A setting or a value cannot be used.
    """
    metrics = {metric["name"]: metric for metric in config.get("metrics", [])}
    chosen = dict((config.get("judge") or {}).get("judgeConfigurations") or {})
    results, classified = [], []
    for pair in pairs:
        metric = metrics.get(pair["name"], {})
        found = _classify(pair, _settings(metric), chosen)
        results.append(_told(pair, metric, found))
        classified.append(_counted(metric, found))
    weights = (config.get("classifier") or {}).get("groupWeights") or {}
    thresholds = scores.Thresholds(passing=limits["pass"], marginal=limits["marginal"])
    score = scores.score(classified, weights=weights, thresholds=thresholds)
    return {
        "judgeName": f"Serinus {chosen.get('kind', 'kayenta')}",
        "results": results,
        "groupScores": [
            {
                "name": group.name,
                "score": group.score,
                "classification": "",
                "classificationReason": "",
            }
            for group in score.groups
        ],
        "score": {
            "score": score.score,
            "classification": str(score.grade),
            "classificationReason": score.reason or "",
        },
    }


def _settings(metric: Mapping[str, Any]) -> Mapping[str, Any]:
    settings: Mapping[str, Any] = (metric.get("analysisConfigurations") or {}).get("canary") or {}
    return settings


def parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Translate the settings of a metric; a word that Kayenta does not know counts as none."""
    outliers, effect = given.get("outliers") or {}, given.get("effectSize") or {}
    measure = "cles" if effect.get("measure") == "cles" else None
    translated = {
        "direction": given.get("direction"),
        "nan_strategy": given.get("nanStrategy"),
        "critical": given.get("critical"),
        "must_have_data": given.get("mustHaveData"),
        "outliers": outliers.get("strategy"),
        "outlier_factor": outliers.get("outlierFactor"),
        "effect_size": measure,
        "allowed_increase": effect.get("allowedIncrease"),
        "allowed_decrease": effect.get("allowedDecrease"),
        "critical_increase": effect.get("criticalIncrease"),
        "critical_decrease": effect.get("criticalDecrease"),
    }
    return {
        name: value
        for name, value in translated.items()
        if value is not None and (name not in _CHOICES or value in _CHOICES[name])
    }


def _classify(
    pair: Mapping[str, Any], settings: Mapping[str, Any], chosen: Mapping[str, Any]
) -> _Found:
    baseline, canary = (bag(pair["values"].get(side) or ()) for side in ("control", "experiment"))
    if chosen.get("kind", "kayenta") != "kayenta":
        return _by_ours(pair["name"], baseline, canary, settings, chosen)
    rule = judges.create("kayenta", **parameters(settings))
    assert isinstance(rule, Kayenta)  # noqa: S101 - what it is asked for
    with np.errstate(all="ignore"):  # infinities, as in Kayenta
        baseline, canary = rule.cleaning.apply(baseline), rule.cleaning.apply(canary)
        outcome = labels.classify(baseline, canary, rule.rule)
        sides = effects.describe(baseline), effects.describe(canary)
    return _Found(
        label=outcome.label,
        critical=outcome.critical,
        reason=labels.reason(outcome, pair["name"]),
        ratio=outcome.deviation,
        sides=sides,
    )


def _by_ours(
    name: str,
    baseline: Array,
    canary: Array,
    settings: Mapping[str, Any],
    chosen: Mapping[str, Any],
) -> _Found:
    """Let one of our judges speak Kayenta's words; undecided is Nodata: it needs more of them."""
    own = {key: value for key, value in chosen.items() if key != "kind"}
    if settings.get("direction") in _CHOICES["direction"]:
        own.setdefault("direction", settings["direction"])
    steps = max(len(baseline), len(canary), 1)
    sample = judges.Sample.of_values(_padded(baseline, steps), _padded(canary, steps), step_s=60.0)
    judgment = judges.create(chosen["kind"], **own).judge(sample)
    sides = tuple(effects.describe(side[np.isfinite(side)]) for side in (baseline, canary))
    before, after = sides[0].mean, sides[1].mean
    label = Label.PASS if judgment.verdict is judges.Verdict.PASS else Label.NODATA
    if judgment.verdict is judges.Verdict.FAIL:
        label = Label.LOW if (after or 0.0) < (before or 0.0) else Label.HIGH
    return _Found(
        label=label,
        critical=bool(settings.get("critical")) and label in {Label.HIGH, Label.LOW},
        reason=f"{name}: {judgment.summary}",
        ratio=after / before if before and after is not None else None,
        sides=(sides[0], sides[1]),
    )


def _padded(values: Array, steps: int) -> Array:
    return np.concatenate([values, np.full(steps - len(values), np.nan)])


def bag(values: Sequence[float | str | None]) -> Array:
    """Read values as Kayenta writes them.

    Raises:
        ValueError: One is no number.
    """
    return np.array([math.nan if value is None else float(value) for value in values])


def _counted(metric: Mapping[str, Any], found: _Found) -> scores.Classified:
    return scores.Classified(
        label=found.label,
        groups=tuple(metric.get("groups") or ()),
        critical=found.critical,
        muted=bool(_settings(metric).get("muted")),
        reason=found.reason,
    )


def _told(pair: Mapping[str, Any], metric: Mapping[str, Any], found: _Found) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": pair["name"],
        "id": pair.get("id", ""),
        "tags": pair.get("tags") or {},
        "classification": str(found.label),
        "groups": list(metric.get("groups") or ()),
        "controlMetadata": {"stats": _stats(found.sides[0])},
        "experimentMetadata": {"stats": _stats(found.sides[1])},
        "critical": found.critical,
        "muted": bool(_settings(metric).get("muted")),
    }
    if found.reason is not None:
        told["classificationReason"] = found.reason
    if found.label is not Label.ERROR:
        told["resultMetadata"] = {"ratio": _number(found.ratio)}
    return told


def _stats(side: effects.Description) -> dict[str, Any]:
    return {
        "count": side.count,
        "mean": _number(side.mean or 0.0),
        "min": _number(side.minimum or 0.0),
        "max": _number(side.maximum or 0.0),
        "std": _number(side.deviation or 0.0),
    }


def _number(value: float | None) -> float | str:
    """Write what JSON has no number for as text, as Kayenta's own JSON does."""
    if value is None or math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
