"""A canary config of Kayenta's as a configuration of ours.

Its queries are taken as they are; `${scope}` and `${location}` stand for values, never for PromQL.
Who judges is said by `judge`: Kayenta's own judge by its name, any of ours by
`judgeConfigurations.kind`, else ours for gauges with Kayenta's limits of the effect as tolerance.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.config.load import digest, parse_config
from analysis.errors import ConfigError
from analysis.service.catalog import Entry
from analysis.service.kayenta import remote
from analysis.service.kayenta.documents import CanaryConfigDocument, CanaryMetric
from analysis.service.problems import Problem

KAYENTAS_JUDGE = "NetflixACAJudge"
OURS = "mann_whitney"
_RAW = "PromQL:"
_GROUP = "default"


class MetricQuery(BaseModel):
    """A query for Prometheus as Kayenta's clients write it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: str = ""
    metric_name: str = Field(default="", alias="metricName")
    label_bindings: list[str] | None = Field(default=None, alias="labelBindings")
    group_by: list[str] | None = Field(default=None, alias="groupByFields")
    inline: str | None = Field(default=None, alias="customInlineTemplate")
    named: str | None = Field(default=None, alias="customFilterTemplate")


def entry(document: CanaryConfigDocument, *, step_s: float, changed: float = 0.0) -> Entry:
    """Make a configuration of a canary config.

    Args:
        document: The canary config.
        step_s: Distance of its points.
        changed: When it was changed last, epoch seconds.

    Raises:
        Problem: It cannot be judged here, with every reason that is found.
    """
    metrics, faults = [], []
    for index, metric in enumerate(document.metrics):
        try:
            metrics.append(_metric(metric, document))
        except ValueError as error:
            faults.append(f"metrics[{index}] {metric.name!r}: {_first(error)}")
    if faults:
        raise Problem(400, "faulty_configuration", "; ".join(faults))
    text = json.dumps(_configuration(document, metrics, step_s))
    try:
        config = parse_config(text)
    except ConfigError as error:
        told = "; ".join(f"{fault.path} {fault.message}" for fault in error.faults)
        raise Problem(400, "faulty_configuration", f"as a configuration of ours: {told}") from error
    return Entry(config=config, text=text, version=digest(config), changed=changed, by_caller=True)


def is_kayentas(document: CanaryConfigDocument) -> bool:
    """Tell whether Kayenta's own judge is asked for, by its name."""
    is_ours = bool(document.judge.judge_configurations.get("kind"))
    return document.judge.name.startswith(KAYENTAS_JUDGE) and not is_ours


def _configuration(
    document: CanaryConfigDocument, metrics: list[dict[str, Any]], step_s: float
) -> dict[str, Any]:
    groups = {metric["group"] for metric in metrics}
    weights = document.classifier.group_weights.items()
    return {
        "version": 1,
        "name": document.name or "canary config",
        "source": {"prometheus": {"step": f"{round(1000 * step_s)}ms"}},
        "window": {"warmup": "0s"},
        # Kayenta's judge knows nothing of looks: it is asked once.
        "risk": {"looks": "fixed" if is_kayentas(document) else "anytime"},
        "scoring": {
            "weights": {group: weight for group, weight in weights if group in groups and weight}
        },
        "metrics": metrics,
    }


def _metric(metric: CanaryMetric, document: CanaryConfigDocument) -> dict[str, Any]:
    return {
        "name": metric.name,
        "group": metric.groups[0] if metric.groups else _GROUP,
        "critical": metric.has("critical"),
        "muted": metric.has("muted"),
        "query": query(metric, document.templates),
        "judge": _judge(metric, document),
    }


def query(metric: CanaryMetric, templates: Mapping[str, str]) -> str:
    """Write a metric's PromQL as Kayenta would send it, with its `${…}` in place.

    Raises:
        ValueError: It is no query for Prometheus, or one that no template tells apart by side.
    """
    asked = MetricQuery.model_validate(metric.query)
    if asked.type != "prometheus":
        raise ValueError(f"query.type must be 'prometheus' here, got {asked.type!r}")
    template = asked.inline if asked.inline is not None else _named(asked.named, templates)
    # Spinnaker's orca would expand ${…} itself, and is told not to by a backslash.
    template = template.replace("$\\{", "${").strip()
    if template.startswith(_RAW):
        return template.removeprefix(_RAW).strip()
    labels = ", ".join(one for one in (template, *(asked.label_bindings or ())) if one)
    by = f" by ({', '.join(asked.group_by)})" if asked.group_by else ""
    return f"avg({asked.metric_name}{{{labels}}}){by}"


def _named(name: str | None, templates: Mapping[str, str]) -> str:
    if name is None:
        raise ValueError(
            "give query.customInlineTemplate, such as 'PromQL:avg(up{pod=~\"${scope}-.*\"})'; "
            "resource types of clouds are not known here"
        )
    if name not in templates:
        raise ValueError(f"query.customFilterTemplate {name!r} is no key of templates")
    return templates[name]


def _judge(metric: CanaryMetric, document: CanaryConfigDocument) -> dict[str, Any]:
    given = dict(document.judge.judge_configurations)
    known = remote.parameters(metric.settings)
    direction = known.get("direction", "either")
    if kind := given.pop("kind", None):
        return {"kind": kind, "direction": direction, **given}
    if is_kayentas(document):
        return {"kind": remote.KAYENTA, **known}
    return {"kind": OURS, "direction": direction, **_tolerance(known)}


def _tolerance(known: Mapping[str, Any]) -> dict[str, Any]:
    """Take the smaller of both allowed effects for what a canary may be worse."""
    up, down = known.get("allowed_increase"), known.get("allowed_decrease")
    ratios = [float(up)] if up and up > 1 else []
    ratios += [1 / float(down)] if down and 0 < down < 1 else []
    is_ratio = known.get("effect_size", "mean_ratio") == "mean_ratio"
    return {"tolerance": {"ratio": min(ratios)}} if ratios and is_ratio else {}


def _first(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"query.{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
    return str(error)
