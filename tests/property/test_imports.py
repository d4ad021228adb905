"""Whatever a canary config says, its import is a configuration of ours or says why it is none."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from analysis.config.load import parse_config
from analysis.errors import ConfigError
from analysis.translate.from_kayenta import JUDGES, from_kayenta

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=8)
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=5), st.just("replace")
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "direction": st.one_of(st.sampled_from(["increase", "decrease", "either"]), ANYTHING),
        "nanStrategy": ANYTHING,
        "critical": ANYTHING,
        "muted": ANYTHING,
        "mustHaveData": ANYTHING,
        "outliers": st.one_of(
            ANYTHING,
            st.fixed_dictionaries({"strategy": st.just("remove"), "outlierFactor": ANYTHING}),
        ),
        "effectSize": st.one_of(
            ANYTHING,
            st.dictionaries(
                st.sampled_from(["measure", "allowedIncrease", "allowedDecrease"]), ANYTHING
            ),
        ),
    },
)
TEMPLATES = st.sampled_from(
    ['PromQL:x{s="${scope}"}', "PromQL:sum(x)", 's="${scope}", z="${a.b}"', 'PromQL:x{s="${1:-2}"}']
)
METRICS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "groups": st.lists(NAMES, max_size=2),
        "query": st.fixed_dictionaries(
            {
                "type": st.sampled_from(["prometheus", "datadog"]),
                "metricName": st.just("x"),
                "customInlineTemplate": TEMPLATES,
            }
        ),
        "analysisConfigurations": st.fixed_dictionaries({"canary": SETTINGS}),
    }
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "metrics": st.lists(METRICS, min_size=1, max_size=3),
        "classifier": st.fixed_dictionaries(
            {
                "groupWeights": st.dictionaries(NAMES, st.floats(-10, 200), max_size=2),
                "scoreThresholds": st.fixed_dictionaries(
                    {"pass": st.floats(-10, 200), "marginal": st.floats(-10, 200)}
                ),
            }
        ),
    }
)


@given(DOCUMENTS, st.sampled_from(JUDGES))
def test_an_import_is_a_configuration_or_says_why_not(document: Any, judge: str) -> None:
    try:
        imported = from_kayenta(json.dumps(document), origin="x.json", judge=judge)
    except ConfigError:
        return
    assert parse_config(imported.text).name == document["name"]
