"""Tolerance and margin: how much harm is too much."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_PERCENT = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*%\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A level of harm: the worse of a ratio and an absolute difference to the baseline.

    A canary is beyond the limit when its level is worse than both `ratio` times the baseline
    and the baseline plus `absolute`. A decrease is measured by the same ratio: 1.25 lets
    100 fall to 80.

    Attributes:
        ratio: Factor on the baseline, at least 1.
        absolute: Difference to the baseline in the metric's unit, at least 0.
    """

    ratio: float = 1.0
    absolute: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a limit on the wrong side of no harm."""
        if not 1.0 <= self.ratio < float("inf"):
            raise ValueError(f"a ratio must be at least 1, got {self.ratio!r}; 1.1 allows 10 %")
        if not 0.0 <= self.absolute < float("inf"):
            raise ValueError(f"absolute must be at least 0, got {self.absolute!r}")

    def doubled(self) -> Limit:
        """Give twice this harm."""
        return Limit(ratio=1 + 2 * (self.ratio - 1), absolute=2 * self.absolute)

    def covers(self, other: Limit) -> bool:
        """Tell whether everything within `other` is within this limit too."""
        return self.ratio >= other.ratio and self.absolute >= other.absolute

    def apply(self, baseline: Array, sign: int) -> Array:
        """Move each baseline value, shape (n,), to the worst level still within the limit.

        Args:
            baseline: The baseline's values, in the metric's unit.
            sign: +1 where an increase is bad, -1 where a decrease is.
        """
        growth = self.ratio - 1 if sign > 0 else 1 - 1 / self.ratio
        moved: Array = baseline + sign * np.maximum(growth * np.abs(baseline), self.absolute)
        return moved

    def __str__(self) -> str:
        """Write the limit as a person would: `10 %`, `10 % or 0.002`."""
        percent = f"{100 * (self.ratio - 1):.3g} %"
        if self.absolute == 0:
            return percent
        return f"{percent} and {self.absolute:.3g}" if self.ratio > 1 else f"{self.absolute:.3g}"


def parse_limit(value: object) -> Limit:
    """Read a limit as a configuration writes it.

    Args:
        value: `"10%"`, a ratio such as `1.1`, `0`, `{"ratio": …, "absolute": …}` or a `Limit`.

    Raises:
        ValueError: The value is none of these, with the rule and the remedy.

    Examples:
        >>> parse_limit("10%"), parse_limit(1.25)
        (Limit(ratio=1.1, absolute=0.0), Limit(ratio=1.25, absolute=0.0))
    """
    if isinstance(value, Limit):
        return value
    if isinstance(value, Mapping):
        return _from_mapping(value)
    return Limit(ratio=_ratio(value))


def _from_mapping(value: Mapping[object, object]) -> Limit:
    unknown = set(value) - {"ratio", "absolute"}
    if unknown or not value:
        raise ValueError(f"expected the keys ratio and absolute, got {dict(value)!r}")
    absolute = value.get("absolute", 0.0)
    if isinstance(absolute, bool) or not isinstance(absolute, int | float):
        raise ValueError(f"absolute must be a number in the metric's unit, got {absolute!r}")
    return Limit(ratio=_ratio(value.get("ratio", 1.0)), absolute=float(absolute))


def _ratio(value: object) -> float:
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value)):
        return 1 + float(match[1]) / 100
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a percentage such as '10%' or a ratio as 1.1, got {value!r}")
    if value == 0:
        return 1.0
    if 0 < value < 1:
        raise ValueError(
            f"{value!r} may mean {100 * value:g} % or a ratio below 1; "
            f"write '{100 * value:g}%' or {1 + value:g}"
        )
    return float(value)
