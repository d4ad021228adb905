"""The schemas of the real projects: what they let through, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.crds import Crds, closed

TEMPLATE: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AnalysisTemplate",
    "metadata": {"name": "serinus"},
    "spec": {
        "metrics": [
            {"name": "serinus", "provider": {"web": {"url": "http://judge", "jsonBody": {"a": 1}}}}
        ]
    },
}


@pytest.mark.e2e
def test_a_template_with_a_free_body_is_let_through(requires_crds: Crds) -> None:
    assert requires_crds.faults(TEMPLATE) == []


@pytest.mark.e2e
def test_a_misspelt_field_is_refused_however_deep_it_stands(requires_crds: Crds) -> None:
    metric = {"name": "serinus", "provider": {"web": {"url": "http://judge", "jsonpath": "{$}"}}}

    (fault,) = requires_crds.faults(TEMPLATE | {"spec": {"metrics": [metric]}})

    assert fault.startswith("$.spec.metrics[0].provider.web: ")
    assert "'jsonpath' was unexpected" in fault


@pytest.mark.e2e
def test_a_number_where_a_text_stands_and_a_missing_field_are_refused(requires_crds: Crds) -> None:
    metric = {"interval": 30, "provider": {"web": {"url": "http://judge"}}}

    faults = requires_crds.faults(TEMPLATE | {"spec": {"metrics": [metric]}})

    assert sorted(fault.partition(": ")[0] for fault in faults) == [
        "$.spec.metrics[0]",
        "$.spec.metrics[0].interval",
    ]


DIALECT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "what is named is all there may be": (
        {"type": "object", "properties": {"default": {"type": "string", "default": "x"}}},
        {
            "type": "object",
            "properties": {"default": {"type": "string"}},
            "additionalProperties": False,
        },
    ),
    "what keeps unknown fields stays open": (
        {"properties": {}, "x-kubernetes-preserve-unknown-fields": True},
        {"properties": {}, "x-kubernetes-preserve-unknown-fields": True},
    ),
    "a map of texts stays one": (
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "additionalProperties": {"type": "string"}},
    ),
    "what may be null may": ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
    "a number or a text": (
        {"x-kubernetes-int-or-string": True, "anyOf": []},
        {"type": ["integer", "string"]},
    ),
}


@pytest.mark.parametrize(("node", "schema"), DIALECT.values(), ids=DIALECT)
def test_kubernetes_dialect_is_read(node: dict[str, Any], schema: dict[str, Any]) -> None:
    assert closed(node) == schema
