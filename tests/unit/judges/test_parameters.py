"""Raw values in, parameters out; every fault is named with its remedy."""

from __future__ import annotations

import re

import pytest

import judges
from judges import InvalidParameterError, Limit, UnknownJudgeError
from judges.core.limits import parse_limit
from tests.support.samples import judged

LIMITS = {
    "a percentage": ("10%", Limit(ratio=1.1)),
    "a percentage with spaces": (" 7.5 % ", Limit(ratio=1.075)),
    "a ratio": (1.25, Limit(ratio=1.25)),
    "no harm at all": (0, Limit()),
    "a ratio and a difference": (
        {"ratio": "25%", "absolute": 0.002}, Limit(ratio=1.25, absolute=0.002),
    ),
    "a difference alone": ({"absolute": 3}, Limit(absolute=3.0)),
    "a limit": (Limit(ratio=2.0), Limit(ratio=2.0)),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "limit"), LIMITS.values(), ids=LIMITS)
def test_a_limit_is_read(raw: object, limit: Limit) -> None:
    assert parse_limit(raw) == limit


REFUSED = {
    "a share that may be a ratio": ("tolerance", 0.1, "write '10%' or 1.1"),
    "a text that is no percentage": ("tolerance", "ten", "expected a percentage such as '10%'"),
    "a negative percentage": ("tolerance", "-5%", "expected a percentage"),
    "a ratio below no harm": ("tolerance", -2, "a ratio must be at least 1"),
    "an infinite ratio": ("tolerance", float("inf"), "a ratio must be at least 1"),
    "a NaN": ("tolerance", float("nan"), "a ratio must be at least 1"),
    "a truth value": ("tolerance", True, "expected a percentage"),
    "a misspelt part of a limit": ("tolerance", {"absolut": 1}, "the keys ratio and absolute"),
    "an empty limit": ("tolerance", {}, "the keys ratio and absolute"),
    "a negative difference": ("tolerance", {"absolute": -1}, "absolute must be at least 0"),
    "a difference in words": ("tolerance", {"absolute": "1"}, "a number in the metric's unit"),
    "no tolerance": ("tolerance", None, "expected a percentage"),
    "alpha is a probability": ("alpha", 5, r"must lie in \(0, 1\)"),
    "alpha is not certain": ("alpha", 0, r"must lie in \(0, 1\)"),
    "beta is a probability": ("beta", "5%", r"must lie in \(0, 1\)"),
    "a direction is known": ("direction", "up", "one of increase, decrease, either, got 'up'"),
    "looks are known": ("looks", "often", "one of anytime, group_sequential, fixed"),
    "steps are whole": ("horizon", 60.5, "a whole number"),
    "steps are at least a few": ("min_samples", 3, "at least 4"),
}


@pytest.mark.parametrize(("name", "raw", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_value_is_refused(name: str, raw: object, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message) as refused:
        judges.create("mann_whitney", **{name: raw})

    assert [parameter for parameter, _ in refused.value.problems] == [name]


def test_a_misspelt_parameter_is_named_with_its_neighbor() -> None:
    with pytest.raises(InvalidParameterError, match="no parameter 'alhpa'; did you mean 'alpha'"):
        judges.create("mann_whitney", alhpa=0.01)


def test_a_strange_parameter_is_answered_with_those_there_are() -> None:
    with pytest.raises(InvalidParameterError, match=r"it has tolerance, margin, direction"):
        judges.create("mann_whitney", zzz=1)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidParameterError) as refused:
        judges.create("mann_whitney", alhpa=0.01, beta=2, direction="up")

    assert [name for name, _ in refused.value.problems] == ["alhpa", "beta", "direction"]


def test_an_unknown_judge_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownJudgeError, match=r"did you mean 'mann_whitney'.*error_ratio"):
        judges.create("man_whitney")


@pytest.mark.parametrize("kind", judges.kinds())
def test_every_parameter_documents_itself(kind: str) -> None:
    for field in judges.parameters(kind).values():
        assert field.metadata["doc"]
        assert callable(field.metadata["parse"])
        assert field.metadata["schema"]


@pytest.mark.parametrize("kind", judges.kinds())
def test_every_judge_is_found_under_its_own_name(kind: str) -> None:
    found = judges.judge_class(kind)

    assert found.kind == kind
    assert re.fullmatch(r"[a-z_]+", kind)
    assert found.accepts


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (Limit(ratio=1.1), "10 %"),
        (Limit(absolute=0.002), "0.002"),
        (Limit(ratio=1.25, absolute=0.002), "25 % and 0.002"),
        (Limit(), "0 %"),
    ],
    ids=str,
)
def test_a_limit_is_written_as_a_person_would(limit: Limit, text: str) -> None:
    assert str(limit) == text


def test_a_decrease_is_measured_by_the_same_ratio() -> None:
    """1.25 lets 100 rise to 125 and fall to 80."""
    level = [100.0] * 20

    for canary, direction, verdict in (
        (124.9, "increase", "pass"), (125.1, "increase", "inconclusive"),
        (80.1, "decrease", "pass"), (79.9, "decrease", "inconclusive"),
    ):  # fmt: skip
        judgment = judged("mann_whitney", level, [canary] * 20, tolerance=1.25, direction=direction)

        assert judgment.verdict == verdict


def test_a_limit_covers_another_in_both_parts() -> None:
    wide = Limit(ratio=1.5, absolute=1.0)

    assert wide.covers(Limit(ratio=1.5, absolute=0.5))
    assert not wide.covers(Limit(ratio=1.6))
    assert not wide.covers(Limit(absolute=2.0))
