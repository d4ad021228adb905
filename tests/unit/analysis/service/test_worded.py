"""What pydantic finds is told with the value, the rule and what would do."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from analysis.service import worded


class Asked(BaseModel, extra="forbid"):
    """What a caller may send."""

    id: Annotated[str, Field(pattern="^[0-9a-f]+$")] = "a"
    verdict: Literal["", "pass", "fail"] = ""
    dry: bool = False
    key: Annotated[str, Field(max_length=3)] = ""
    limit: Annotated[int, Field(le=5)] = 1


TOLD = {
    "an id that is none": (
        {"id": "x!"},
        "id: ids are made of the digits 0-9 and the letters a-f, got 'x!'",
    ),
    "a choice that there is not": (
        {"verdict": "no"},
        "verdict: is one of 'pass' or 'fail', got 'no'",
    ),
    "what is neither true nor false": ({"dry": "x"}, "dry: is true or false, got 'x'"),
    "too long a text": ({"key": "long"}, "key: has at most 3 characters, got 'long'"),
    "a bound of pydantic's own": (
        {"limit": 7},
        "limit: Input should be less than or equal to 5, got 7",
    ),
    "a key that there is not": (
        {"kee": "a"},
        "kee: is no key here; GET /openapi.json lists those that are",
    ),
}


@pytest.mark.parametrize(("sent", "told"), TOLD.values(), ids=TOLD)
def test_a_mistake_is_told_with_its_value_and_the_rule(sent: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Asked.model_validate(sent)

    found = dict(refused.value.errors()[0])

    assert worded.fault({**found, "loc": ("query", *found["loc"])}) == told  # type: ignore[misc]  # a tuple


def test_a_long_value_is_cut_and_a_body_is_not_repeated() -> None:
    long = {"type": "string_too_long", "loc": ("query", "key"), "ctx": {"max_length": 3}}

    assert len(worded.fault({**long, "input": "x" * 10_000})) < 150
    assert worded.fault({"type": "bool_parsing", "loc": ("body",), "input": {"secret": 1}}) == (
        "body: is true or false"
    )
