"""What a configuration wants to be told by whoever asks for a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.config import BUILT_IN, SIDES, CanaryConfig
from analysis.query import needed

# What tells the sides apart wherever it is used, declared or not.
OF_A_SIDE = ("hash", "workload", "scope")
_OF_THE_WINDOW = {*BUILT_IN, "planned"}

Values = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Names of variables that have no value yet.

    Attributes:
        shared: Those of both sides.
        sides: Those of one, by side.
    """

    shared: tuple[str, ...]
    sides: Mapping[str, tuple[str, ...]]

    def without(self, given: Values) -> Needs:
        """Give what is left to be told once these values are known."""
        kept = {
            side: tuple(name for name in names if name not in given.get(side, {}))
            for side, names in self.sides.items()
        }
        known = set(given.get("shared", {})).union(*(given.get(side, {}) for side in SIDES))
        return Needs(shared=tuple(name for name in self.shared if name not in known), sides=kept)


def needs_of(config: CanaryConfig) -> Needs:
    """Tell what has no value: variables that are null, and those that only the queries name."""
    missing = {side: _missing(config, side, _used(config, side)) for side in SIDES}
    own = {side: config.variables.get(side) for side in SIDES}
    declared = {name for block in own.values() if isinstance(block, dict) for name in block}
    shared = set.intersection(*map(set, missing.values())) - declared - set(OF_A_SIDE)
    return Needs(
        shared=tuple(sorted(shared)),
        sides={side: tuple(sorted(set(missing[side]) - shared)) for side in SIDES},
    )


def _used(config: CanaryConfig, side: str) -> set[str]:
    return {name for m in config.metrics for _, text in m.templates(side) for name in needed(text)}


def _missing(config: CanaryConfig, side: str, used: set[str]) -> set[str]:
    values = config.side_variables(side)
    null = {name for name, value in values.items() if value is None}
    return null | (used - values.keys() - _OF_THE_WINDOW)
