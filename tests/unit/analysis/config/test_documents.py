"""What a configuration means: its defaults, its digest, its schema."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib.resources import files
from io import StringIO
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

import judges
from analysis.config import CanaryConfig, load_config, parse_config
from analysis.config.fields import format_duration, parse_duration
from analysis.config.load import digest, json_schema
from analysis.errors import ConfigError
from analysis.lint import lint
from tests.support.builders import Document, a_config, a_document, a_metric, some_counts

STARTER = (files("analysis.config") / "starter.yaml").read_text(encoding="utf-8")


def plain(text: str) -> Any:
    """Read YAML as plain values."""
    return YAML(typ="safe", pure=True).load(StringIO(text))


# ---- defaults


def test_a_few_lines_are_a_configuration() -> None:
    config = parse_config("name: shop\nmetrics:\n- name: memory\n  query: memory\n")

    assert config.window.planned == timedelta(minutes=60)
    assert config.source.prometheus.step == timedelta(seconds=15)
    assert (config.risk.false_fail, config.risk.looks) == (0.01, judges.Looks.ANYTIME)
    assert (config.scoring.pass_, config.scoring.marginal) == (95, 75)
    assert (config.metrics[0].group, config.metrics[0].critical) == ("default", False)


INPUTS = {
    "an expression": (a_metric(), "mann_whitney", ["query"]),
    "counts": (some_counts(), "error_ratio", ["events", "total"]),
    "sums": (
        a_metric(sums={"numerator": "a", "denominator": "b"}),
        "mean_ratio",
        ["numerator", "denominator"],
    ),
    "a histogram": (a_metric(histogram="a_bucket"), "quantile_ratio", ["buckets"]),
}


@pytest.mark.parametrize(("metric", "kind", "roles"), INPUTS.values(), ids=INPUTS)
def test_a_metric_without_a_judge_gets_the_one_for_its_input(
    metric: Document, kind: str, roles: list[str]
) -> None:
    loaded = a_config(metric).metrics[0]

    assert loaded.judge.kind == kind
    assert [role for role, _ in loaded.templates("canary")] == roles


def test_a_sides_variables_stand_over_the_shared_ones() -> None:
    config = a_config(variables={"v": "shared", "zone": "a", "canary": {"v": "new"}})

    assert config.side_variables("baseline") == {"v": "shared", "zone": "a"}
    assert config.side_variables("canary") == {"v": "new", "zone": "a"}


NUMBERS = {"0": 0, "5": 5, "-3": -3, "0.5": 0.5, "'1.10'": "1.10", "7f9b": "7f9b", "yes": "yes"}


@pytest.mark.parametrize(("written", "value"), NUMBERS.items())
def test_a_variable_is_what_was_written(written: str, value: object) -> None:
    config = parse_config(
        f"name: a\nvariables:\n  x: {written} # why\n  canary: {{v: {written}}}\n"
        f"metrics: [{{name: m, query: up}}]\n"
    )

    assert config.variables == {"x": value, "canary": {"v": value}}
    assert str(value) == written.strip("'")


def test_a_parameter_in_the_configuration_wins_over_the_rollouts() -> None:
    settings = a_config(a_metric(judge={"kind": "mann_whitney", "alpha": 0.2})).metrics[0].judge

    judge = settings.create(alpha=0.01, beta=0.3, no_such_parameter=1)

    assert (judge.alpha, judge.beta) == (0.2, 0.3)  # type: ignore[attr-defined]  # of this kind


# ---- limits

LIMITS = {
    "a percentage": ("5%", 1.05, 0),
    "a percentage with a space and a fraction": (" 2.5 % ", 1.025, 0),
    "a percentage beyond 100": ("250%", 3.5, 0),
    "a ratio": (1.1, 1.1, 0),
    "nothing at all": (0, 1, 0),
    "no percent": ("0%", 1, 0),
    "an absolute part": ({"absolute": 3}, 1, 3),
    "both parts": ({"ratio": "10%", "absolute": 0.002}, 1.1, 0.002),
}


@pytest.mark.parametrize(("written", "ratio", "absolute"), LIMITS.values(), ids=LIMITS)
def test_a_tolerance_is_read(written: object, ratio: float, absolute: float) -> None:
    config = a_config(a_metric(judge={"kind": "mann_whitney", "tolerance": written}))

    judge = config.metrics[0].judge.create()

    assert judge.tolerance.ratio == pytest.approx(ratio)  # type: ignore[attr-defined]  # of this kind
    assert judge.tolerance.absolute == absolute  # type: ignore[attr-defined]  # of this kind


def test_a_margin_equal_to_the_tolerance_is_allowed() -> None:
    a_config(a_metric(judge={"kind": "mann_whitney", "tolerance": "10%", "margin": "10%"}))


# ---- digest


def test_comments_and_the_order_of_keys_do_not_change_the_digest() -> None:
    one = "name: a\nvariables: {x: 1, canary: {v: b, w: c}}\nmetrics:\n- {name: m, query: up}\n"
    other = (
        "# of another team\nmetrics:\n- query: up # all\n  name: m\n"
        "variables:\n  canary:\n    w: c\n    v: b\n  x: 1\nname: a\n"
    )

    assert digest(parse_config(one)) == digest(parse_config(other))


def test_a_default_written_out_does_not_change_the_digest() -> None:
    assert digest(a_config()) == digest(
        a_config(window={"planned": "1h"}, risk={"looks": "anytime"}, version=1)
    )


def test_the_digest_has_64_hexadecimal_digits() -> None:
    assert len(bytes.fromhex(digest(a_config()))) == 32


CHANGES: dict[str, Document] = {
    "a name": a_document(name="other"),
    "a query": a_document(a_metric(query='up{v="${v}"}')),
    "a tolerance": a_document(a_metric(judge={"kind": "mann_whitney", "tolerance": "11%"})),
    "a weight": a_document(scoring={"weights": {"default": 3}}),
    "a duration": a_document(window={"warmup": "4m"}),
    "what is critical": a_document(a_metric(critical=True)),
    "the order of metrics": a_document(a_metric("b"), a_metric()),
}


@pytest.mark.parametrize("document", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_the_meaning_changes_the_digest(document: Document) -> None:
    base = a_config() if len(document["metrics"]) == 1 else a_config(a_metric(), a_metric("b"))

    assert digest(parse_config(json.dumps(document))) != digest(base)


# ---- schema

SCHEMA = json_schema()
JUDGES: list[Document] = [
    {"kind": "mann_whitney", "tolerance": "5%", "margin": {"ratio": 1.2, "absolute": 3}},
    {"kind": "mann_whitney", "tolerance": 0, "direction": "either", "variance": "robust"},
    {"kind": "mann_whitney", "margin": None, "min_samples": 20, "confidence": 0.9},
    {"kind": "threshold", "max": 0.5, "min": None},
    {"kind": "threshold", "min": -1, "statistic": "p99.9", "relative": "ratio", "looks": "fixed"},
    {"kind": "threshold", "max": 2, "statistic": "share", "share": 0.1, "horizon": 99},
]
ACCEPTED: dict[str, Document] = {
    "the least": a_document(),
    "counts and sums": a_document(
        some_counts(judge={"kind": "error_ratio", "tolerance": {"ratio": "25%", "absolute": 0.1}}),
        a_metric("b", sums={"numerator": "a", "denominator": "b"}, pods="pod"),
    ),
    "a histogram": a_document(
        a_metric(histogram="a_bucket", pods="pod", judge={"kind": "mean_ratio"})
    ),
    "everything beside": a_document(
        a_metric(group="g", critical=True, muted=False),
        a_metric("b", muted=True),
        version=1,
        window={"planned": "90m", "warmup": "0s"},
        risk={"false_fail": 0.05, "false_pass": 0.1, "looks": "fixed"},
        scoring={"pass": 90, "marginal": 50.5, "weights": {"g": 3, "default": 0.5}},
        variables={"a": None, "b": 3, "c": 0.5, "baseline": {"v": None}, "canary": {"v": 5}},
        source={
            "prometheus": {
                "url": "http://p:9090",
                "step": "1m",
                "lag": "0s",
                "timeout": "5s",
                "deadline": "1m",
                "headers": {"X-Scope-OrgID": "shop"},
                "username": "u",
                "password_file": "/run/secrets/p",
                "ca_file": None,
            }
        },
    ),
    "the starter": plain(STARTER),
    **{f"{judge}": a_document(a_metric(judge=judge)) for judge in JUDGES},
}


@pytest.mark.parametrize("document", ACCEPTED.values(), ids=ACCEPTED)
def test_the_schema_accepts_what_the_loader_accepts(document: Document) -> None:
    parse_config(json.dumps(document))

    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)


REFUSED: dict[str, Document] = {
    "an unknown key": a_document(riks={}),
    "an unknown key inside": a_document(window={"plannd": "5m"}),
    "no metrics": a_document(metrics=[]),
    "no name": {key: value for key, value in a_document().items() if key != "name"},
    "a number for a duration": a_document(window={"planned": 30}),
    "a certain risk": a_document(risk={"false_fail": 1}),
    "an unknown judge": a_document(a_metric(judge={"kind": "man_whitney"})),
    "an unknown parameter": a_document(a_metric(judge={"kind": "mann_whitney", "alhpa": 0.1})),
    "another judge's parameter": a_document(a_metric(judge={"kind": "mann_whitney", "max": 1})),
    "a small ratio": a_document(a_metric(judge={"kind": "mann_whitney", "tolerance": 0.1})),
    "a word for a tolerance": a_document(
        a_metric(judge={"kind": "mann_whitney", "tolerance": "much"})
    ),
    "an unknown direction": a_document(a_metric(judge={"kind": "mann_whitney", "direction": "up"})),
    "a probability of 0": a_document(a_metric(judge={"kind": "mann_whitney", "alpha": 0})),
    "half of the counts": a_document(a_metric(counts={"events": "a"})),
    "a histogram that is no selector": a_document(a_metric(histogram={"buckets": "a"})),
    "a list as a variable": a_document(variables={"a": [1]}),
    "a weight of nothing": a_document(scoring={"weights": {"default": 0}}),
    "another version": a_document(version=2),
}


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED)
def test_the_schema_refuses_what_an_editor_can_know_to_be_wrong(document: Document) -> None:
    with pytest.raises(ConfigError):
        parse_config(json.dumps(document))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_describes_every_parameter_of_every_judge() -> None:
    described = {
        one["title"]: set(one["properties"]) for one in SCHEMA["$defs"]["JudgeSettings"]["oneOf"]
    }

    assert described == {kind: {"kind", *judges.parameters(kind)} for kind in judges.kinds()}


# ---- the starter


def test_the_starter_can_be_used_as_it_is() -> None:
    config = parse_config(STARTER)

    assert lint(config) == ()
    assert isinstance(config, CanaryConfig)


def test_the_starter_is_loaded_from_a_file_as_from_text(tmp_path: Any) -> None:
    path = tmp_path / "canary.yaml"
    path.write_text(STARTER, encoding="utf-8")

    assert digest(load_config(path)) == digest(parse_config(STARTER))


# ---- durations

DURATIONS = {
    "90m": timedelta(minutes=90),
    "2h": timedelta(hours=2),
    "1d": timedelta(days=1),
    "45s": timedelta(seconds=45),
    "61s": timedelta(seconds=61),
    "500ms": timedelta(milliseconds=500),
    "1500ms": timedelta(seconds=1.5),
    "0ms": timedelta(0),
}


@pytest.mark.parametrize(("text", "duration"), DURATIONS.items())
def test_a_duration_is_written_as_it_is_read(text: str, duration: timedelta) -> None:
    assert format_duration(duration) == text
    assert parse_duration(text) == duration


def test_a_duration_that_is_one_already_stays() -> None:
    assert parse_duration(timedelta(seconds=5)) == timedelta(seconds=5)
