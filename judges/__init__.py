"""Judges: arrays in, judgment out. No clock, network, disk, environment or global state.

>>> import judges
>>> judge = judges.create("mann_whitney", tolerance="10%")
>>> sample = judges.Sample.of_values([10, 11] * 15, [14, 15] * 15)
>>> judge.judge(sample).verdict
<Verdict.FAIL: 'fail'>
"""

from judges.core.errors import (
    InvalidParameterError,
    InvalidSampleError,
    JudgeError,
    UnknownJudgeError,
)
from judges.core.judgment import (
    Estimate,
    Evidence,
    Interval,
    Judgment,
    Reason,
    Scale,
    Settlement,
    Verdict,
)
from judges.core.limits import Limit
from judges.core.parameters import Direction, Looks
from judges.core.registry import Judge, create, judge_class, judge_many, kinds, parameters
from judges.core.sample import Histogram, Ratio, Sample, Values

__all__ = [
    "Direction",
    "Estimate",
    "Evidence",
    "Histogram",
    "Interval",
    "InvalidParameterError",
    "InvalidSampleError",
    "Judge",
    "JudgeError",
    "Judgment",
    "Limit",
    "Looks",
    "Ratio",
    "Reason",
    "Sample",
    "Scale",
    "Settlement",
    "UnknownJudgeError",
    "Values",
    "Verdict",
    "create",
    "judge_class",
    "judge_many",
    "kinds",
    "parameters",
]
