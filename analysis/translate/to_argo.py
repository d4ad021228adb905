"""What Argo Rollouts needs to ask for the verdict of one configuration."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as _quoted  # noqa: N813 - used as a verb

from analysis.config import SIDES, CanaryConfig
from analysis.config.fields import format_duration
from analysis.errors import ConfigError
from analysis.translate.argo_order import FIRST_SCRAPES, ArgoOrder, Template
from analysis.translate.argo_rollout import FIELDS, rollout
from analysis.translate.manifests import dumped, kubernetes_name, shipped
from analysis.translate.needs import Needs, needs_of

# What the kayenta provider can tell: the service takes these from its scope and region.
_SCOPE, _REGION = {"hash", "scope"}, {"namespace", "location"}
# Arguments of the templates' own, which no variable may stand for.
_TAKEN = {"config", "image", "judge-url", "lookback", "planned", "prometheus-url", "token"}
_OPTIONS = {"shared": "set", "baseline": "baseline", "canary": "canary"}
_ARGUMENT = re.compile(r"{{args\.([\w-]+)}}")


def export(config: CanaryConfig, order: ArgoOrder) -> tuple[str, list[str]]:
    """Write the manifests, and say what is left for the user to fill in.

    Raises:
        ConfigError: The provider cannot tell what the configuration needs.
    """
    left = needs_of(config).without(order.values)
    template = _template(config, order, left)
    documents = [template]
    if order.strategy is not None:
        documents += rollout(config, order, template)
    return dumped(documents), list(_left_open(template, left))


def _template(config: CanaryConfig, order: ArgoOrder, left: Needs) -> CommentedMap:
    template: CommentedMap
    (template,) = shipped(f"argo-{order.template}")
    template["metadata"]["name"] = f"serinus-{kubernetes_name(config.name)}"[:63]
    if order.namespace is not None:
        template["kind"] = "AnalysisTemplate"
        template["metadata"]["namespace"] = order.namespace
    metric = template["spec"]["metrics"][0]
    fill = {
        Template.POLL: _fill_poll,
        Template.SYNC: _fill_sync,
        Template.KAYENTA: _fill_kayenta,
        Template.JOB: _fill_job,
    }[order.template]
    fill(metric, config, order, left)
    _declare(template["spec"]["args"], metric, config, order)
    return template


def _fill_poll(metric: CommentedMap, config: CanaryConfig, order: ArgoOrder, left: Needs) -> None:
    count = order.questions(config)
    metric["interval"] = format_duration(order.interval)
    metric["count"] = metric["inconclusiveLimit"] = count
    _fill_body(metric["provider"]["web"]["jsonBody"], order, left)


def _fill_sync(metric: CommentedMap, config: CanaryConfig, order: ArgoOrder, left: Needs) -> None:
    metric["initialDelay"] = format_duration(config.window.planned + FIRST_SCRAPES)
    _fill_body(metric["provider"]["web"]["jsonBody"], order, left)


def _fill_body(body: CommentedMap, order: ArgoOrder, left: Needs) -> None:
    told = _told(order, left)
    for side in SIDES:
        body[side] = CommentedMap(told[side])
    if told["shared"]:
        body["variables"] = CommentedMap(told["shared"])


def _told(order: ArgoOrder, left: Needs) -> dict[str, dict[str, str]]:
    """Give what is told of both sides and of each: what is known, and else an argument."""
    known = {key: dict(order.values.get(key, {})) for key in ("shared", *SIDES)}
    asked = {"shared": left.shared, **left.sides}
    return {
        key: {name: str(value) for name, value in known[key].items()}
        | {name: _quoted(f"{{{{args.{_argument(key, name)}}}}}") for name in asked[key]}
        for key in ("shared", *SIDES)
    }


def _fill_kayenta(
    metric: CommentedMap, config: CanaryConfig, order: ArgoOrder, left: Needs
) -> None:
    told = {*left.shared, *left.sides["baseline"], *left.sides["canary"]}
    given = {name for values in order.values.values() for name in values}
    if beyond := sorted((told | given) - _SCOPE - _REGION):
        raise ConfigError(
            f"Argo's kayenta provider tells a scope and a region alone, and the configuration "
            f"needs {', '.join(beyond)} too; export --template poll",
            origin="--template",
        )
    metric["initialDelay"] = format_duration(config.window.planned)
    provider = metric["provider"]["kayenta"]
    scheme, _, rest = order.url.partition("://")
    provider["address"] = f"{scheme}://argo:{{{{args.token}}}}@{rest}/kayenta"
    provider["threshold"]["pass"] = math.ceil(config.scoring.pass_)
    provider["threshold"]["marginal"] = math.ceil(config.scoring.marginal)


def _fill_job(metric: CommentedMap, config: CanaryConfig, order: ArgoOrder, left: Needs) -> None:
    metric["initialDelay"] = format_duration(config.window.planned + FIRST_SCRAPES)
    (container,) = metric["provider"]["job"]["spec"]["template"]["spec"]["containers"]
    told = [
        f"--{_OPTIONS[key]}={name}={value}"
        for key, values in _told(order, left).items()
        for name, value in values.items()
    ]
    words = container["args"]
    fixed = [word for word in words if not word.startswith(("--set=", "--baseline=", "--canary="))]
    words[:] = [*fixed[:3], *told, *fixed[3:]]


def _declare(
    args: CommentedSeq, metric: CommentedMap, config: CanaryConfig, order: ArgoOrder
) -> None:
    """Declare the arguments that the metric refers to, with the values that are known."""
    planned = format_duration(config.window.planned)
    values = {
        "judge-url": order.url,
        "config": order.config_name,
        "planned": planned,
        "lookback": planned,
        "prometheus-url": order.prometheus,
        "image": order.image,
    }
    used = dict.fromkeys(_arguments(metric))
    for one in [one for one in args if one["name"] not in used]:
        args.remove(one)
    present = {one["name"] for one in args}
    args.extend(CommentedMap(name=name) for name in used if name not in present)
    for one in args:
        if (value := values.get(one["name"])) is not None:
            one["value"] = value
        if one["name"] == "token":
            one["valueFrom"]["secretKeyRef"]["name"] = order.secret


def _arguments(node: Any) -> Iterator[str]:  # noqa: ANN401 - a YAML document can be anything
    """Name the arguments that are referred to, in the order of the document."""
    if isinstance(node, str):
        yield from _ARGUMENT.findall(node)
    for child in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        yield from _arguments(child)


def _asked(left: Needs) -> Iterator[tuple[str, str]]:
    yield from (("shared", name) for name in left.shared)
    yield from ((side, name) for side in SIDES for name in left.sides[side])


def _argument(key: str, name: str) -> str:
    if key == "shared":
        return f"variable-{name}" if name in _TAKEN else name
    return f"{key}-{name}"


def _left_open(template: CommentedMap, left: Needs) -> Iterator[str]:
    """Say which arguments the shipped Rollouts do not give by themselves."""
    known = {*FIELDS, *(f"{side}-hash" for side in SIDES)}
    for key, name in _asked(left):
        if (argument := _argument(key, name)) not in known:
            yield (
                f"the argument {argument} is left for the Rollout to give; "
                f"--{_OPTIONS[key]} {name}=VALUE writes it down"
            )
    if any(one["name"] == "image" and "value" not in one for one in template["spec"]["args"]):
        yield "the argument image is left for the Rollout to give; --image IMAGE writes it down"
