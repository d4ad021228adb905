"""A Rollout that asks for the verdict, after the shipped examples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from analysis.config import CanaryConfig
from analysis.translate.argo_order import ArgoOrder, Strategy
from analysis.translate.manifests import kubernetes_name, shipped

# A background ends successful with the steps: they outlast it by so much.
AFTER_BACKGROUND = timedelta(minutes=9)
AFTER_EXPERIMENT = timedelta(minutes=4)
# What a Rollout knows of itself, by the name a configuration may have for it.
FIELDS = {"namespace": "metadata.namespace", "name": "metadata.name", "rollout": "metadata.name"}
# What the shipped examples call the service.
OWN = "checkout"


def rollout(config: CanaryConfig, order: ArgoOrder, template: CommentedMap) -> list[CommentedMap]:
    """Give the documents of a Rollout whose analyses refer to the template."""
    documents, analyses = _bluegreen() if order.strategy is Strategy.BLUEGREEN else _canary()
    length = order.lasts(config)
    steps = documents[0]["spec"]["strategy"].get("canary", {}).get("steps")
    if order.strategy is Strategy.EXPERIMENT:
        (step,) = shipped("argo-experiment")
        del documents[0]["spec"]["strategy"]["canary"]["analysis"]
        documents[0]["spec"]["strategy"]["canary"]["steps"] = CommentedSeq([step])
        step["experiment"]["duration"] = _minutes(length + AFTER_EXPERIMENT)
        analyses = list(step["experiment"]["analyses"])
    elif steps is not None:
        steps[-1]["pause"]["duration"] = _minutes(length + AFTER_BACKGROUND)
    for analysis in analyses:
        _refer(analysis, order, template)
    for document in documents:
        _rename(document, kubernetes_name(config.name))
        if order.namespace is not None:
            document["metadata"]["namespace"] = order.namespace
    return documents


def _bluegreen() -> tuple[list[Any], list[Any]]:
    documents = shipped("argo-rollout-bluegreen")
    return documents, [documents[0]["spec"]["strategy"]["blueGreen"]["prePromotionAnalysis"]]


def _canary() -> tuple[list[Any], list[Any]]:
    documents = shipped("argo-rollout-canary")
    canary = documents[0]["spec"]["strategy"]["canary"]
    inline = [step["analysis"] for step in canary["steps"] if "analysis" in step]
    return documents, [canary["analysis"], *inline]


def _minutes(length: timedelta) -> str:
    return f"{math.ceil(length / timedelta(minutes=1))}m"


def _refer(analysis: CommentedMap, order: ArgoOrder, template: CommentedMap) -> None:
    """Refer to the template, and give the arguments that it has no value for."""
    target = analysis if "templateName" in analysis else analysis["templates"][0]
    target["templateName"] = template["metadata"]["name"]
    if order.namespace is not None:
        del target["clusterScope"]
    declared = template["spec"]["args"]
    wanted = [one["name"] for one in declared if not {"value", "valueFrom"} & set(one)]
    args = analysis["args"]
    for one in [one for one in args if one["name"] not in wanted]:
        args.remove(one)
    present = {one["name"] for one in args}
    args.extend(_given(name) for name in wanted if name not in present)


def _given(name: str) -> CommentedMap:
    if (path := FIELDS.get(name)) is not None:
        return CommentedMap(name=name, valueFrom={"fieldRef": {"fieldPath": path}})
    made = CommentedMap(name=name, value="")
    made.yaml_add_eol_comment("give it: an empty one is refused", "value")
    return made


def _rename(node: Any, name: str) -> None:  # noqa: ANN401 - a YAML document can be anything
    """Give the example the name of the configuration instead of its own, wherever it stands."""
    if isinstance(node, Mapping):
        places: list[Any] = list(node.items())
    else:
        places = list(enumerate(node)) if isinstance(node, list) else []
    for key, value in places:
        if isinstance(value, str) and value.partition(":")[0] in {OWN, f"{OWN}-preview"}:
            node[key] = name + value.removeprefix(OWN)
        else:
            _rename(value, name)
