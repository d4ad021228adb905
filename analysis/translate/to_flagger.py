"""What Flagger needs to ask for the verdict of one configuration: hooks and a metric."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from ruamel.yaml.comments import CommentedMap

from analysis.config import SIDES, CanaryConfig
from analysis.config.fields import format_duration
from analysis.errors import ConfigError, Fault
from analysis.translate.manifests import dumped, kubernetes_name, shipped
from analysis.translate.needs import Needs, Values, needs_of

# What the hooks tell by themselves, of both sides and of each.
TOLD_OF_BOTH, TOLD_OF_A_SIDE = {"namespace", "name"}, {"workload"}
# What the shipped hooks are addressed to.
SERVICE = "http://serinus.serinus:8080"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggerOrder:
    """What is to be written.

    Attributes:
        config_name: What the service calls the configuration.
        name: Of the Canary, and of the Deployment it watches.
        namespace: Where both are.
        url: Where the service is; with a token in it, where the service asks for one.
        interval: Distance of two checks.
        values: Values that are known already: `shared`, and by side.
    """

    config_name: str
    name: str
    namespace: str
    url: str = SERVICE
    interval: timedelta = timedelta(minutes=1)
    values: Values = field(default_factory=dict)


def export(config: CanaryConfig, order: FlaggerOrder) -> str:
    """Write a Canary with its hooks, and a MetricTemplate.

    Raises:
        ConfigError: The configuration needs what Flagger cannot tell, and nobody else has told.
    """
    _check(needs_of(config).without(order.values))
    canary, template = shipped("flagger-canary")
    name = kubernetes_name(order.name)
    canary["metadata"] |= {"name": name, "namespace": order.namespace}
    canary["spec"]["targetRef"]["name"] = name
    analysis = canary["spec"]["analysis"]
    analysis["interval"] = format_duration(order.interval)
    for hook in analysis["webhooks"]:
        hook["url"] = hook["url"].replace(SERVICE, order.url.rstrip("/"))
        hook["metadata"] = CommentedMap(_metadata(order))
        hook["metadata"].fa.set_flow_style()
    template["metadata"]["namespace"] = order.namespace
    template["spec"]["provider"]["address"] = f"{order.url.rstrip('/')}/prom"
    return dumped([canary, template])


def _metadata(order: FlaggerOrder) -> dict[str, str]:
    told = {"config": order.config_name}
    told |= {name: str(value) for name, value in order.values.get("shared", {}).items()}
    for side in SIDES:
        told |= {f"{side}.{n}": str(value) for n, value in order.values.get(side, {}).items()}
    return told


def _check(left: Needs) -> None:
    faults = [
        f"needs the variable {name}, which Flagger does not tell; give --set {name}=VALUE"
        for name in left.shared
        if name not in TOLD_OF_BOTH
    ]
    faults += [
        f"needs the variable {name} of each side, and Flagger tells them apart by workload alone "
        f"(NAME-primary and NAME); write ${{workload}} in the queries, or give "
        f"--baseline {name}=VALUE and --canary {name}=VALUE"
        for name in sorted({n for side in SIDES for n in left.sides[side]} - TOLD_OF_A_SIDE)
    ]
    if faults:
        raise ConfigError(tuple(Fault(path="variables", message=text) for text in faults))
