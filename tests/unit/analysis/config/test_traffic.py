"""How a weight is written."""

from __future__ import annotations

import pytest

from analysis.config.load import dumped, parse_config
from analysis.config.traffic import parse_weight
from analysis.errors import ConfigError
from tests.support.builders import a_config

WEIGHTS = {
    "percent": ("20%", 0.2),
    "percent as controllers say it": (20, 0.2),
    "one percent": (1, 0.01),
    "a fraction": (0.2, 0.2),
    "less than a percent": ("0.5%", 0.005),
    "text from a variable": ("20", 0.2),
}


@pytest.mark.parametrize(("written", "share"), WEIGHTS.values(), ids=WEIGHTS)
def test_a_weight_is_read(written: object, share: float) -> None:
    assert parse_weight(written) == pytest.approx(share)


REFUSED = {
    "no number": ("much", "expected a weight such as 20% or 0.2"),
    "no traffic for the canary": (0, "so that both sides have traffic"),
    "no traffic for the baseline": ("100%", "so that both sides have traffic"),
    "a negative one": (-5, "so that both sides have traffic"),
    "no number at all": ("nan", "so that both sides have traffic"),
    "a claim": (True, "expected a weight"),
}


@pytest.mark.parametrize(("written", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_weight_is_refused_at_the_door(written: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        a_config(traffic={"canary_weight": written})


@pytest.mark.parametrize("written", ["25%", 0.25])
def test_the_tolerance_is_read(written: object) -> None:
    config = a_config(traffic={"canary_weight": "20%", "tolerance": written})

    assert config.traffic is not None
    assert config.traffic.tolerance == 0.25


def test_a_weight_is_set_or_observed_and_never_both() -> None:
    rule = "give one of canary_weight, the weight that is set, and observed"

    with pytest.raises(ConfigError, match=rule):
        a_config(traffic={"canary_weight": "20%", "observed": "weight"})
    with pytest.raises(ConfigError, match=rule):
        a_config(traffic={})


def test_an_unknown_unit_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'percent' or 'fraction'"):
        a_config(traffic={"observed": "weight", "unit": "permille"})


def test_an_unknown_source_of_the_weight_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"traffic.source"):
        a_config(traffic={"observed": "weight", "source": "elsewhere"})


def test_an_observed_weight_can_be_written_out_and_read_back() -> None:
    config = a_config(traffic={"observed": "weight", "unit": "fraction"})

    assert parse_config(dumped(config)) == config


@pytest.mark.parametrize("written", ["much%", -0.1, "2000%"])
def test_a_tolerance_that_is_none_is_refused(written: object) -> None:
    with pytest.raises(ConfigError, match="tolerance"):
        a_config(traffic={"canary_weight": "20%", "tolerance": written})
