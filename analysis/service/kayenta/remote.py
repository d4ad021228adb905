"""Judge the series that a Kayenta sends: Serinus as its remote judge.

As Kayenta's own judge would, or, where `judge.judgeConfigurations` names a `kind` (or `judge`),
by that judge of ours with the other entries as its parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import judges
from analysis.service.kayenta import forms
from analysis.service.kayenta.documents import (
    CanaryMetric,
    JudgeChoice,
    MetricSetPair,
    RemoteRequest,
)
from analysis.translate.kayenta_judging import parameters
from judges.core import kayenta_effects as effects
from judges.core import kayenta_labels as labels
from judges.core import kayenta_score as scores
from judges.core.kayenta_labels import Label
from judges.core.sample import Array
from judges.kayenta import Kayenta

KAYENTA = "kayenta"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A metric's classification, with what is told of it."""

    label: Label
    critical: bool
    reason: str | None
    ratio: float | None
    sides: tuple[effects.Description, effects.Description]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """A judge of ours, with the parameters that hold for every metric."""

    kind: str
    parameters: Mapping[str, Any]


def judge(request: RemoteRequest) -> dict[str, Any]:
    """Judge metric set pairs as Kayenta's judge interface wants it.

    Raises:
        ValueError: A setting cannot be used.
        TypeError: The chosen judge needs more than bags of values.
    """
    config, limits = request.canary_config, request.score_thresholds
    metrics = {metric.name: metric for metric in config.metrics}
    chosen = _chosen(config.judge)
    results, classified = [], []
    for pair in request.metric_set_pair_list:
        metric = metrics.get(pair.name) or CanaryMetric(name=pair.name)
        found = _classify(pair, metric, chosen)
        results.append(_told(pair, metric, found))
        classified.append(_counted(metric, found))
    thresholds = scores.Thresholds(passing=limits.passing, marginal=limits.marginal)
    weights = config.classifier.group_weights
    return {
        "judgeName": f"Serinus {chosen.kind}",
        "results": results,
        **_scored(scores.score(classified, weights=weights, thresholds=thresholds)),
    }


def _chosen(choice: JudgeChoice) -> _Chosen:
    given = dict(choice.judge_configurations)
    named = given.pop("kind", None) or given.pop("judge", None)
    if named is None and given:
        raise ValueError(
            f"judge.judgeConfigurations has {', '.join(map(repr, given))} but no 'kind'; name one "
            f"of {', '.join(_of_values())}, or leave it empty for Kayenta's own judge"
        )
    return _Chosen(kind=str(named or KAYENTA), parameters=given)


def _of_values() -> list[str]:
    """Name the judges that need no more than values."""
    return [kind for kind in judges.kinds() if judges.Values in judges.judge_class(kind).accepts]


def _scored(score: scores.Score) -> dict[str, Any]:
    return {
        "groupScores": forms.group_scores((group.name, group.score) for group in score.groups),
        "score": {
            "score": score.score,
            "classification": str(score.grade),
            "classificationReason": score.reason or "",
        },
    }


def _classify(pair: MetricSetPair, metric: CanaryMetric, chosen: _Chosen) -> _Found:
    baseline, canary = bag(pair.values.control), bag(pair.values.experiment)
    with np.errstate(all="ignore"):  # infinities and the largest doubles, as in Kayenta
        if chosen.kind == KAYENTA:
            return _by_kayentas(pair.name, baseline, canary, metric, chosen)
        return _by_ours(pair.name, baseline, canary, metric, chosen)


def _by_kayentas(
    name: str, baseline: Array, canary: Array, metric: CanaryMetric, chosen: _Chosen
) -> _Found:
    rule = judges.create(KAYENTA, **{**chosen.parameters, **parameters(metric.settings)})
    assert isinstance(rule, Kayenta)  # noqa: S101 - what it is asked for
    baseline, canary = rule.cleaning.apply(baseline), rule.cleaning.apply(canary)
    outcome = labels.classify(baseline, canary, rule.rule)
    return _Found(
        label=outcome.label,
        critical=outcome.critical,
        reason=labels.reason(outcome, name),
        ratio=outcome.deviation,
        sides=(effects.describe(baseline), effects.describe(canary)),
    )


def _by_ours(
    name: str, baseline: Array, canary: Array, metric: CanaryMetric, chosen: _Chosen
) -> _Found:
    """Let one of our judges speak Kayenta's words; undecided is Nodata: it needs more of them."""
    own = dict(chosen.parameters)
    if "direction" in (known := parameters(metric.settings)):
        own.setdefault("direction", known["direction"])
    steps = max(len(baseline), len(canary), 1)
    sample = judges.Sample.of_values(_padded(baseline, steps), _padded(canary, steps), step_s=60.0)
    judgment = judges.create(chosen.kind, **own).judge(sample)
    sides = tuple(effects.describe(side[np.isfinite(side)]) for side in (baseline, canary))
    before, after = sides[0].mean, sides[1].mean
    label = Label.PASS if judgment.verdict is judges.Verdict.PASS else Label.NODATA
    if judgment.verdict is judges.Verdict.FAIL:
        label = Label.LOW if (after or 0.0) < (before or 0.0) else Label.HIGH
    return _Found(
        label=label,
        critical=metric.has("critical") and label in {Label.HIGH, Label.LOW},
        reason=f"{name}: {judgment.summary}",
        ratio=after / before if before and after is not None else None,
        sides=(sides[0], sides[1]),
    )


def _padded(values: Array, steps: int) -> Array:
    return np.concatenate([values, np.full(steps - len(values), np.nan)])


def bag(values: Sequence[float | None]) -> Array:
    """Make an array of values; what is null is unknown."""
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _counted(metric: CanaryMetric, found: _Found) -> scores.Classified:
    return scores.Classified(
        label=found.label,
        groups=tuple(metric.groups),
        critical=found.critical,
        muted=metric.has("muted"),
        reason=found.reason,
    )


def _told(pair: MetricSetPair, metric: CanaryMetric, found: _Found) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": pair.name,
        "id": pair.id,
        "tags": pair.tags,
        "classification": str(found.label),
        "groups": metric.groups,
        "controlMetadata": {"stats": forms.stats(found.sides[0])},
        "experimentMetadata": {"stats": forms.stats(found.sides[1])},
        "critical": found.critical,
        "muted": metric.has("muted"),
    }
    if found.reason is not None:
        told["classificationReason"] = found.reason
    if found.label is not Label.ERROR:
        told["resultMetadata"] = {"ratio": forms.number(found.ratio)}
    return told
