"""Which variants are tried."""

from __future__ import annotations

from analysis.config import CanaryConfig, parse_config
from analysis.past.tuning.edits import edited
from analysis.past.tuning.search import AS_IT_IS, Variant, variants
from judges.core.limits import Limit
from tests.support.corpus import SHOP

TEXT = SHOP.read_text(encoding="utf-8")


def tried(text: str = TEXT) -> dict[str, Variant]:
    return {variant.name: variant for variant in variants(parse_config(text), 0.01)}


def applied(name: str) -> CanaryConfig:
    return parse_config(edited(TEXT, tried()[name].edits))


def limits(config: CanaryConfig, metric: int) -> tuple[Limit, Limit]:
    judge = config.metrics[metric].judge.create()
    return getattr(judge, "tolerance"), getattr(judge, "pass_margin")  # noqa: B009 - of any judge


def test_the_configuration_as_it_is_comes_first() -> None:
    assert variants(parse_config(TEXT), 0.01)[0] is AS_IT_IS


def test_a_scale_multiplies_tolerance_and_margin_of_every_comparison() -> None:
    config = applied("tolerances × 2")

    tolerance, margin = limits(config, 0)
    assert (tolerance, margin) == (
        Limit(ratio=1.5, absolute=0.0004),
        Limit(ratio=2.0, absolute=0.004),
    )
    tolerance, margin = limits(config, 1)
    assert (round(tolerance.ratio, 9), round(margin.ratio, 9)) == (1.1, 1.3)


def test_a_bound_is_left_alone() -> None:
    assert applied("tolerances × 4").metrics[2] == parse_config(TEXT).metrics[2]


def test_a_default_margin_is_scaled_with_its_tolerance() -> None:
    tolerance, margin = limits(applied("tolerance of memory per pod × 2"), 3)

    assert (round(tolerance.ratio, 9), round(margin.ratio, 9)) == (1.3, 1.6)


def test_a_weight_doubles_against_the_others() -> None:
    weights = applied("weight of latency × 2").scoring.weights

    assert weights == {"errors": 50, "latency": 60, "resources": 20}


def test_another_length_is_not_tried_where_a_query_holds_the_length() -> None:
    assert any("planned" in name for name in tried())
    assert not any("planned" in name for name in tried(TEXT.replace("[4m]", "[${planned}]")))
