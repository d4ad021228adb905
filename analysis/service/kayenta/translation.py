"""A canary config of Kayenta's as a configuration of ours.

Its queries are taken as they are; `${scope}` and `${location}` stand for values, never for PromQL.
Who judges is said by `judge`: Kayenta's own judge by its name, any of ours by
`judgeConfigurations.kind`, else ours for gauges with Kayenta's limits of the effect as tolerance.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from analysis.config.load import digest, parse_config
from analysis.errors import ConfigError
from analysis.service.catalog import Entry
from analysis.service.kayenta import remote
from analysis.service.kayenta.documents import CanaryConfigDocument, CanaryMetric
from analysis.service.problems import Problem
from analysis.translate.kayenta_document import Query
from analysis.translate.kayenta_judging import mann_whitney, parameters
from analysis.translate.kayenta_queries import NotCarriedOverError, carried

KAYENTAS_JUDGE = "NetflixACAJudge"
OURS = "mann_whitney"
_GROUP = "default"


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
        ValueError: It is no query for Prometheus, or its template is missing.
    """
    try:
        return carried(Query.model_validate(metric.query), templates).promql
    except NotCarriedOverError as error:
        raise ValueError(str(error)) from error


def _judge(metric: CanaryMetric, document: CanaryConfigDocument) -> dict[str, Any]:
    given, known = dict(document.judge.judge_configurations), parameters(metric.settings)
    if kind := given.pop("kind", None):
        return {"kind": kind, "direction": known.get("direction", "either"), **given}
    if is_kayentas(document):
        return {"kind": remote.KAYENTA, **known}
    return mann_whitney(metric.settings)


def _first(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"query.{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
    return str(error)
