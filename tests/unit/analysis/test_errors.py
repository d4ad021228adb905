"""What can go wrong, told with its place."""

from __future__ import annotations

import pickle

import pytest

from analysis.errors import ConfigError, DeliveryError, Fault, SerinusError, SourceError

CODES = {SerinusError: 70, ConfigError: 2, SourceError: 4, DeliveryError: 5}


@pytest.mark.parametrize(("kind", "code"), CODES.items())
def test_each_kind_has_the_exit_code_of_who_can_mend_it(
    kind: type[SerinusError], code: int
) -> None:
    assert kind.exit_code == code


PLACES = {
    "a whole place": (
        Fault(path="a.b", message="is wrong", line=3),
        "c.yaml",
        "c.yaml:3: a.b: is wrong",
    ),
    "no line": (Fault(path="a.b", message="is wrong"), "c.yaml", "c.yaml: a.b: is wrong"),
    "no path": (Fault(path="", message="is wrong", line=3), "c.yaml", "c.yaml:3: is wrong"),
    "no file": (Fault(path="a.b", message="is wrong", line=3), "", "3: a.b: is wrong"),
    "nothing but the message": (Fault(path="", message="is wrong"), "", "is wrong"),
}


@pytest.mark.parametrize(("fault", "origin", "text"), PLACES.values(), ids=PLACES)
def test_a_fault_is_told_with_the_place_that_is_known(fault: Fault, origin: str, text: str) -> None:
    assert str(ConfigError((fault,), origin=origin)) == text


def test_each_fault_has_its_line() -> None:
    error = ConfigError((Fault(path="a", message="x"), Fault(path="b", message="y")), origin="c")

    assert str(error).splitlines() == ["c: a: x", "c: b: y"]


def test_a_message_alone_is_one_fault() -> None:
    assert ConfigError("is wrong").faults == (Fault(path="", message="is wrong"),)


def test_a_source_error_keeps_its_code_and_query() -> None:
    error = SourceError("timed out", code="timeout", query="up")

    assert (str(error), error.code, error.query) == ("timed out", "timeout", "up")


def test_an_error_of_the_source_travels_between_processes() -> None:
    error = SourceError("down", code="unreachable", query="up")

    copy = pickle.loads(pickle.dumps(error))

    assert (str(copy), copy.code, copy.query) == ("down", "unreachable", "up")
