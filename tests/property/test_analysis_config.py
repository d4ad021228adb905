"""Whatever stands in a file, it is a configuration or its faults are told."""

from __future__ import annotations

from importlib.resources import files

from hypothesis import example, given
from hypothesis import strategies as st

from analysis.config import parse_config
from analysis.config.load import digest
from analysis.errors import ConfigError

STARTER = (files("analysis.config") / "starter.yaml").read_text(encoding="utf-8")
LINES = STARTER.splitlines()
BASE = "name: shop\nmetrics:\n- name: memory\n  query: up\n"
# What YAML has a meaning for, or what numbers, dates and switches are made of.
SCRAPS = st.sampled_from(
    [
        *("", ":", ": ", "- ", "? ", "&a ", "*a", "<<: *a", "[", "]", "{", "}", ",", "#", "|", ">"),
        *('"', "'", "!!int ", "!!float ", "!!set ", "!!binary ", "!x ", "%YAML 1.1\n---\n", "---"),
        *("~", "null", "true", "1.10", "0x1f", "0o7", "1e9", ".nan", "-.inf", "2026-11-22", "5m"),
        *("\t", "\n", "\r", "\u2028", "\x85", "\ufeff", "é", "${v}", "baseline", "name", "5%"),
    ]
)


def outcome(text: str) -> str:
    """Load a text; give its digest, or its faults."""
    try:
        return digest(parse_config(text, origin="canary.yaml"))
    except ConfigError as error:
        faults = error.faults
    assert faults
    assert all(fault.message for fault in faults)
    return "\n".join(fault.message for fault in faults)


@given(text=st.text(max_size=200))
def test_no_text_is_a_surprise(text: str) -> None:
    outcome(text)


@given(scraps=st.lists(SCRAPS, max_size=30))
def test_no_yaml_is_a_surprise(scraps: list[str]) -> None:
    outcome("".join(scraps))


@given(scraps=st.lists(SCRAPS, max_size=12))
@example(["variables: ", "&a 5"])
def test_no_value_is_a_surprise(scraps: list[str]) -> None:
    for key in ("variables", "scoring", "judge", "metrics"):
        outcome(f"{BASE}{key}: {''.join(scraps)}\n")
        outcome(f"{BASE}  judge: {{kind: threshold, max: {''.join(scraps)}}}\n")


@given(
    line=st.integers(0, len(LINES) - 1),
    column=st.integers(0, 60),
    length=st.integers(0, 10),
    scrap=SCRAPS,
)
def test_no_slip_of_the_hand_in_a_real_file_is_a_surprise(
    line: int, column: int, length: int, scrap: str
) -> None:
    slipped = list(LINES)
    slipped[line] = slipped[line][:column] + scrap + slipped[line][column + length :]

    outcome("\n".join(slipped))


@given(order=st.permutations(range(6)))
def test_the_order_of_keys_does_not_change_the_digest(order: list[int]) -> None:
    parts = [
        "name: shop",
        "variables: {a: x, canary: {v: new, w: z}}",
        "window: {warmup: 1m, planned: 30m}",
        "risk: {looks: fixed, false_fail: 0.02}",
        "scoring: {marginal: 50, pass: 90}",
        "metrics: [{query: up, name: memory, critical: true}]",
    ]

    assert outcome("\n".join(parts[place] for place in order)) == outcome("\n".join(parts))
