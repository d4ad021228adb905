"""A Canary of Flagger's and its MetricTemplates, as a cluster or a repository holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from analysis.config.load import MOST_BYTES, validate
from analysis.errors import ConfigError, Fault


class _Document(BaseModel):
    # An API server has checked the rest of it.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Meta(_Document):
    """Name and place of a resource."""

    name: str = Field(min_length=1, max_length=200)
    namespace: str = "default"


class Reference(_Document):
    """A resource that another one names."""

    name: str
    namespace: str | None = None


class Range(_Document):
    """Where a value has to lie."""

    min: float | None = None
    max: float | None = None


class Check(_Document):
    """A metric of a Canary."""

    name: str = Field(min_length=1, max_length=200)
    interval: str = "1m"
    threshold: float | None = None
    range: Range | None = Field(default=None, alias="thresholdRange")
    query: str | None = None
    template: Reference | None = Field(default=None, alias="templateRef")
    variables: dict[str, str] = Field(default_factory=dict, alias="templateVariables")


class Analysis(_Document):
    """How a Canary is analyzed."""

    interval: str = "60s"
    threshold: int = 1
    iterations: int = 0
    max_weight: int = Field(default=0, alias="maxWeight")
    step_weight: int = Field(default=0, alias="stepWeight")
    step_weights: list[int] = Field(default_factory=list, alias="stepWeights")
    mirror: bool = False
    match: list[Any] = Field(default_factory=list)
    metrics: list[Check] = Field(default_factory=list)
    webhooks: list[dict[str, Any]] = Field(default_factory=list)
    alerts: list[Any] = Field(default_factory=list)
    affinity: dict[str, Any] | None = Field(default=None, alias="sessionAffinity")


class Service(_Document):
    """The Service of a Canary."""

    name: str | None = None


class CanarySpec(_Document):
    """What a Canary asks for."""

    target: Reference = Field(alias="targetRef")
    ingress: Reference | None = Field(default=None, alias="ingressRef")
    route: Reference | None = Field(default=None, alias="routeRef")
    service: Service = Service()
    provider: str | None = None
    metrics_server: str | None = Field(default=None, alias="metricsServer")
    analysis: Analysis


class Canary(_Document):
    """A Canary."""

    metadata: Meta
    spec: CanarySpec


class Provider(_Document):
    """Where a MetricTemplate asks."""

    type: str = "prometheus"
    address: str = ""
    secret: Reference | None = Field(default=None, alias="secretRef")
    insecure: bool = Field(default=False, alias="insecureSkipVerify")
    headers: dict[str, Any] = Field(default_factory=dict)


class TemplateSpec(_Document):
    """What a MetricTemplate asks."""

    provider: Provider = Provider()
    query: str


class MetricTemplate(_Document):
    """A MetricTemplate."""

    metadata: Meta
    spec: TemplateSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a file holds of one rollout.

    Attributes:
        canary: The Canary.
        lines: The document it was read from, with its lines.
        templates: Every MetricTemplate, by namespace and name.
    """

    canary: Canary
    lines: CommentedMap
    templates: Mapping[tuple[str, str], MetricTemplate]


def read(text: str, origin: str, name: str | None) -> Resources:
    """Read the Canary of that name, or the only one, and every MetricTemplate.

    Raises:
        ConfigError: The text is no YAML, holds no such Canary or several, or breaks a rule.
    """
    documents = list(_resources(text, origin))
    canaries = {str(_name(one)): one for one in documents if one.get("kind") == "Canary"}
    if name is None and len(canaries) == 1:
        (name,) = canaries
    if name is None or name not in canaries:
        raise ConfigError(_choice(name, list(canaries)), origin=origin)
    canary, faults = validate(canaries[name], Canary)
    templates: dict[tuple[str, str], MetricTemplate] = {}
    for document in documents:
        if document.get("kind") != "MetricTemplate":
            continue
        template, wrong = validate(document, MetricTemplate)
        faults += wrong
        if template is not None:
            templates[template.metadata.namespace, template.metadata.name] = template
    if canary is None or faults:
        raise ConfigError(tuple(faults), origin=origin)
    return Resources(canary=canary, lines=canaries[name], templates=templates)


def _choice(name: str | None, known: list[str]) -> str:
    if not known:
        return "holds no Canary of flagger.app; give its YAML, with the MetricTemplates it names"
    if name is None:
        return f"holds {len(known)} Canaries; choose one by --name: {', '.join(known)}"
    return f"holds no Canary {name!r}; there are {', '.join(known)}"


def _name(document: CommentedMap) -> object:
    metadata = document.get("metadata")
    return metadata.get("name") if isinstance(metadata, Mapping) else None


def _resources(text: str, origin: str) -> Iterator[CommentedMap]:
    """Give each resource, those of a List too."""
    if len(text.encode()) > MOST_BYTES:
        raise ConfigError(f"is larger than {MOST_BYTES:,} bytes", origin=origin)
    try:
        for document in YAML(typ="rt", pure=True).load_all(StringIO(text)):
            if not isinstance(document, CommentedMap):
                continue
            items = document.get("items") if document.get("kind") == "List" else [document]
            yield from (one for one in items or () if isinstance(one, CommentedMap))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        fault = Fault(path="", message=f"is no YAML: {error.problem}", line=line)
        raise ConfigError((fault,), origin=origin) from error
