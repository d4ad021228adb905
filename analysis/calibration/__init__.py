"""Measure a judge's error rates: on simulated worlds, or on your own good deployments.

>>> import judges
>>> import numpy as np
>>> from analysis import calibration
>>> judge = judges.create("mean_ratio", tolerance="5%")
>>> good = calibration.scenarios.GAUGES[0].samples(np.random.default_rng(1), 50, steps=60)
>>> print(calibration.false_alarms(judge, good))
0.0 (0.0 to 7.1)
>>> calibration.power(judge, good, effect=1.3).value
1.0
"""

from analysis.calibration import scenarios, traffic
from analysis.calibration.inject import inject
from analysis.calibration.measure import (
    Judging,
    Rate,
    Rates,
    false_alarms,
    false_passes,
    measure,
    power,
    rates,
    verdicts,
)
from analysis.calibration.slicing import between, windows

__all__ = [
    "Judging",
    "Rate",
    "Rates",
    "between",
    "false_alarms",
    "false_passes",
    "inject",
    "measure",
    "power",
    "rates",
    "scenarios",
    "traffic",
    "verdicts",
    "windows",
]
