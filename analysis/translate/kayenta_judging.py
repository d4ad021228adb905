"""How Kayenta judges a metric, in the words of our judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import judges

KAYENTA = "kayenta"
# Keys of `analysisConfigurations.canary` that Kayenta's judge reads.
_KNOWN = {"direction", "nanStrategy", "critical", "mustHaveData", "muted", "outliers", "effectSize"}
_DIRECTIONS = ("increase", "decrease", "either")
_FLAGS = ("critical", "mustHaveData", "muted")
_SIZES = ("allowedIncrease", "allowedDecrease", "criticalIncrease", "criticalDecrease")
_CHOICES = {
    "direction": frozenset({"increase", "decrease"}),
    "nan_strategy": frozenset({"remove", "replace"}),
    "outliers": frozenset({"keep", "remove"}),
}
Settings = Mapping[str, Any]
Told = Iterator[str]


def flag(settings: Settings, name: str) -> bool:
    """Give a setting that is true or false; a text that says so is meant so."""
    value = settings.get(name)
    return value is True or str(value).lower() == "true"


def kayenta(settings: Settings) -> dict[str, Any]:
    """Give the judge that labels as Kayenta's does, without what it does anyway."""
    return {"kind": KAYENTA, **_without_defaults(parameters(readable(settings)))}


def readable(settings: Settings) -> dict[str, Any]:
    """Give settings without what Kayenta itself could not read; a text that says true is true."""
    found = {**settings, **{name: flag(settings, name) for name in _FLAGS if name in settings}}
    for name, numbers in (("effectSize", _SIZES), ("outliers", ("outlierFactor",))):
        section = _section(settings, name)
        found[name] = {
            key: value
            for key, value in section.items()
            if key not in numbers or _number(value) is not None
        }
    return found


def _without_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    fields = judges.parameters(KAYENTA)
    return {name: value for name, value in given.items() if value != fields[name].default}


def parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Translate the settings of a metric; a word that Kayenta does not know counts as none."""
    outliers, effect = _section(given, "outliers"), _section(given, "effectSize")
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
        if value is not None and (name not in _CHOICES or _is_among(value, _CHOICES[name]))
    }


def _section(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name)
    return found if isinstance(found, Mapping) else {}


def _is_among(value: object, known: frozenset[str]) -> bool:
    return isinstance(value, str) and value in known


def mann_whitney(settings: Settings) -> dict[str, Any]:
    """Give our rank judge, with the tolerance that the effect size asks for."""
    effects = _section(settings, "effectSize")
    direction = settings.get("direction")
    found: dict[str, Any] = {"kind": "mann_whitney"}
    found["direction"] = direction if direction in _DIRECTIONS else "either"
    if effects.get("measure") != "cles" and (tolerance := _tolerance(effects, found["direction"])):
        found["tolerance"] = tolerance
    return found


def _tolerance(effects: Settings, direction: str) -> str | None:
    """Give the change that Kayenta lets through: a fall to 1/r is the same harm as a rise to r."""
    rise, fall = _number(effects.get("allowedIncrease")), _number(effects.get("allowedDecrease"))
    ratios = {
        "increase": rise,
        "decrease": 1 / fall if fall else None,
    }
    wanted = [ratios[key] for key in ratios if direction in {key, "either"}]
    beyond = [ratio - 1 for ratio in wanted if ratio is not None and ratio > 1]
    return f"{100 * max(beyond):.4g}%" if beyond else None


def remarks(settings: Settings) -> Told:
    """Say what Kayenta takes otherwise than it is written."""
    direction = settings.get("direction")
    if direction is not None and direction not in _DIRECTIONS:
        yield f"direction {direction!r} is none of Kayenta's, which takes it for either"
    if settings.get("nanStrategy") not in {None, "remove", "replace"}:
        yield f"nanStrategy {settings['nanStrategy']!r} is none of Kayenta's: taken for remove"
    for name in _FLAGS:
        if not isinstance(settings.get(name, False), bool):
            yield f"{name} is a text, over which Kayenta fails; it is read as what it says"
    sizes, outliers = _section(settings, "effectSize"), _section(settings, "outliers")
    for name in (*_SIZES, "outlierFactor"):
        value = {**sizes, **outliers}.get(name)
        if value is not None and _number(value) is None:
            yield f"{name} {value!r} is no number, over which Kayenta fails; it is left out"
    for name in sorted(settings.keys() - _KNOWN):
        yield f"{name} is no setting of Kayenta's judge; it was and is without effect"


def changes(settings: Settings, judge: str) -> Told:
    """Say what the judge does otherwise than Kayenta did."""
    effects = _section(settings, "effectSize")
    if flag(settings, "critical") and {"criticalIncrease", "criticalDecrease"} & effects.keys():
        yield (
            "critical: Kayenta fails the canary only beyond criticalIncrease or criticalDecrease; "
            "here whatever the judge calls High or Low fails it"
        )
    if judge == "kayenta":
        return
    yield (
        "the judge is ours: its tolerance is a change against the baseline that has to be shown, "
        "with stated error rates; Kayenta asked for a quarter of the estimated shift"
    )
    if effects.get("measure") == "cles":
        yield "effectSize: cles has no tolerance that means the same; the default of 10 % stands"
    if settings.get("nanStrategy") == "replace":
        yield "nanStrategy: replace is not carried over; a step without data is left out"
    if _section(settings, "outliers").get("strategy") == "remove":
        yield "outliers: remove is not carried over; ranks bear outliers without it"
    if flag(settings, "mustHaveData"):
        yield "mustHaveData is not carried over; without data a metric is inconclusive"


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]  # mypy forgets the check
