"""A suggestion is written into the configuration, and nothing else of it changes."""

from __future__ import annotations

import difflib

import pytest

from analysis.config import parse_config
from analysis.past.tuning.edits import Edit, edited
from analysis.past.tuning.search import variants
from tests.support.corpus import SHOP

TEXT = SHOP.read_text(encoding="utf-8")
STARTER = "analysis/config/starter.yaml"


def changed(edits: tuple[Edit, ...]) -> list[str]:
    """Give the lines that are gone and the lines that came."""
    after = edited(TEXT, edits).splitlines()
    found = difflib.unified_diff(TEXT.splitlines(), after, n=0, lineterm="")
    return [line for line in found if line[0] in "+-" and line[:3] not in ("+++", "---")]


def test_no_edit_changes_no_byte() -> None:
    assert edited(TEXT, ()) == TEXT


def test_only_the_line_of_the_value_changes_and_comments_stay() -> None:
    assert changed((Edit(path=("window", "warmup"), value="70s"),)) == [
        "-window: {planned: 4m, warmup: 35s}",
        "+window: {planned: 4m, warmup: 70s}",
    ]


def test_a_limit_is_written_on_one_line() -> None:
    limit = {"ratio": 1.5, "absolute": 0.0004}

    assert changed((Edit(path=("metrics", 0, "judge", "tolerance"), value=limit),)) == [
        "-      tolerance: {ratio: 1.25, absolute: 0.0002}",
        "+      tolerance: {ratio: 1.5, absolute: 0.0004}",
    ]


def test_a_value_that_is_not_there_yet_is_added() -> None:
    text = edited("name: shop\n", (Edit(path=("risk", "false_fail"), value=0.002),))

    assert text == "name: shop\nrisk:\n  false_fail: 0.002\n"


def test_an_edit_is_named_as_the_configuration_would_write_it() -> None:
    edit = Edit(path=("metrics", 2, "judge", "margin"), value={"ratio": 1.5, "absolute": 0.01})

    assert str(edit) == "metrics[2].judge.margin: {ratio: 1.5, absolute: 0.01}"


@pytest.mark.parametrize("variant", variants(parse_config(TEXT), 0.01), ids=lambda one: one.name)
def test_every_variant_of_the_shop_is_a_configuration(variant: object) -> None:
    edits = getattr(variant, "edits", ())

    assert parse_config(edited(TEXT, edits)).name == "shop"
