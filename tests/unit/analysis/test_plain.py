"""Plain values become strict JSON, whatever numpy made of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from analysis.plain import encoded
from tests.support.command import strict_json

KEPT: dict[str, tuple[Any, Any]] = {
    "a number of numpy's is a number": (np.float64(0.1), 0.1),
    "all digits of a number are kept": (1 / 3, 1 / 3),
    "a text of numpy's is a text": (np.str_("p99"), "p99"),
    "NaN is nothing": ([1.0, math.nan], [1.0, None]),
    "nor is NaN of numpy's": ([np.float64("nan")], [None]),
    "infinity is nothing": ({"upper": math.inf}, {"upper": None}),
    "no text is escaped but what must be": ('größer als "5"', 'größer als "5"'),
}


@pytest.mark.parametrize(("value", "read"), KEPT.values(), ids=KEPT)
def test_plain_values_are_written_strictly(value: Any, read: Any) -> None:
    assert strict_json(encoded(value).decode()) == read


def test_what_is_no_plain_value_is_refused() -> None:
    with pytest.raises(TypeError, match="ndarray is no plain value"):
        encoded({"levels": np.zeros(2)})
