"""From an answer's bytes to arrays, held against prometheus-api-client's own data frames."""

from __future__ import annotations

import json
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
from prometheus_api_client import MetricRangeDataFrame

from analysis.sources.prometheus_http.decoding import decode

SERIES, POINTS = 100, 1440  # a day, in minutes
SEED = 1
REPETITIONS = 7
START = 1_700_000_000


def body() -> bytes:
    """Word an answer as Prometheus does: numbers as text, as many digits as they need."""
    rng = np.random.default_rng(SEED)
    values = rng.lognormal(size=(SERIES, POINTS))
    result = [
        {
            "metric": {"__name__": "latency", "pod": f"pod-{n}", "job": "shop"},
            "values": [[START + 60 * k, repr(value)] for k, value in enumerate(row)],
        }
        for n, row in enumerate(values.tolist())
    ]
    data = {"resultType": "matrix", "result": result}
    return json.dumps({"status": "success", "data": data}, separators=(",", ":")).encode()


def by_library(answer: bytes) -> object:
    """Do as a user of the library does: its result, and the frame it makes of that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame: object = MetricRangeDataFrame(json.loads(answer)["data"]["result"])
        return frame


def seconds(work: Callable[[], object]) -> float:
    """Give the processor time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Print the medians and their ratio; repetitions alternate."""
    answer = body()
    works = (lambda: decode(answer), lambda: by_library(answer))
    for work in works:
        work()
    times = [[seconds(work) for work in works] for _ in range(REPETITIONS)]
    ours_s, theirs_s = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{SERIES} series of {POINTS} points, {len(answer) / 1e6:.1f} MB of JSON")
    print(f"analysis.sources:      {1000 * ours_s:6.1f} ms")
    print(f"MetricRangeDataFrame:  {1000 * theirs_s:6.1f} ms")
    print(f"ratio:                 {theirs_s / ours_s:6.1f}")


if __name__ == "__main__":
    main()
