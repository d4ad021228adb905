"""What Kayenta would ask Prometheus, with our variables in it.

References:
    The bindings, the order of the templates and the shape of what is no `PromQL:` are those of
    kayenta-prometheus (PrometheusMetricsService).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from analysis.config import BUILT_IN
from analysis.translate.kayenta_document import Query

PROMQL = "PromQL:"
# Kayenta's placeholders, also as they are stored so that Spinnaker's own language leaves them be.
_PLACEHOLDER = re.compile(r"\$\\?\{(?P<name>[^}:]+)(?P<default>:-[^}]*)?\}")
# How Kayenta finds the instances of a scope where no template says it.
_RESOURCES = {
    "gce_instance": ('instance=~"${scope}-.{4}"', 'zone=~".+/zones/${location}-.{1}"'),
    "aws_ec2_instance": ('asg_groupName="${scope}"', 'zone=~"${location}.{1}"'),
}


class NotCarriedOverError(Exception):
    """A metric's query cannot become one of ours; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A query with our variables in it.

    Attributes:
        promql: The query.
        names: Variables it refers to.
        renamed: Placeholders whose name had to change, by the old name.
    """

    promql: str
    names: frozenset[str]
    renamed: Mapping[str, str]


def carried(query: Query, templates: Mapping[str, str]) -> Carried:
    """Give the PromQL that Kayenta would send.

    Raises:
        NotCarriedOverError: The metric lies elsewhere, or its template is missing.
    """
    if query.type != "prometheus":
        raise NotCarriedOverError(f"its query is one of {query.type}, and only Prometheus is asked")
    text = _template(query, templates)
    renamed: dict[str, str] = {}
    names: set[str] = set()

    def ours(match: re.Match[str]) -> str:
        name = _name(match["name"])
        names.add(name)
        if name != match["name"]:
            renamed[match["name"]] = name
        return f"${{{name}{match['default'] or ''}}}"

    promql = _PLACEHOLDER.sub(ours, text)
    return Carried(promql=promql.strip(), names=frozenset(names), renamed=renamed)


def _template(query: Query, templates: Mapping[str, str]) -> str:
    text = query.inline or templates.get(query.named, "")
    if query.named and not query.inline and not text:
        known = ", ".join(templates) or "none"
        raise NotCarriedOverError(f"its template {query.named!r} is not there; known are {known}")
    if text.startswith(PROMQL):
        return text.removeprefix(PROMQL)
    if not query.metric_name:
        raise NotCarriedOverError("it has neither PromQL nor a metricName")
    own = query.label_bindings
    inner = ", ".join([text, *own] if text else [*own, *_resource(query)])
    by = f" by ({', '.join(query.group_by)})" if query.group_by else ""
    return f"avg({query.metric_name}{{{inner}}}){by}"


def _resource(query: Query) -> tuple[str, ...]:
    if query.deprecated:
        raise NotCarriedOverError("it has a customFilter, over which Kayenta itself fails")
    if query.resource_type not in _RESOURCES:
        raise NotCarriedOverError(
            f"it has no template, and its resourceType {query.resource_type!r} is none of "
            f"{', '.join(_RESOURCES)}"
        )
    return _RESOURCES[query.resource_type]


def _name(text: str) -> str:
    name = re.sub(r"\W", "_", text.strip(), flags=re.ASCII)
    if not name or name[0].isdigit():
        name = f"_{name}"
    return f"{name}_" if name in {*BUILT_IN, "planned", "baseline", "canary"} else name
