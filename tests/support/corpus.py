"""The recorded runs of `fixtures/corpus`: their labels, their samples, and what is true of them."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[2] / "fixtures"
CORPUS = FIXTURES / "corpus"
RECORDINGS = FIXTURES / "recordings"
# The configuration for all runs; every recording keeps a copy.
SHOP = RECORDINGS / "canary.yaml"

# Bad runs that this configuration must fail, by the metric that is worse by design.
FAILED_BY: Mapping[str, str] = {
    "err1-1": "error ratio",
    "lat30-1": "mean latency",
    "crash-1": "restarts",
    "late-err": "error ratio",
}
# Good runs: nothing is worse, or no longer after the warm-up.
GOOD = ("aa-1", "aa-3", "aa-7", "warmup-1")
RECORDED = (*GOOD, *FAILED_BY)

# Of the 28 metrics of a run, those that the configuration asks for: a seventh of the samples.
ASKED = (
    "http_requests_total",
    "http_request_duration_seconds_sum",
    "http_request_duration_seconds_count",
    "process_start_time_seconds",
    "process_resident_memory_bytes",
)
# What makes a histogram of response times, in fifteen buckets: six times as many samples.
HISTOGRAM = tuple(f"http_request_duration_seconds_{part}" for part in ("bucket", "sum", "count"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A recorded run.

    Attributes:
        name: Its folder, and the value of the label `run`.
        start: First second of the run, epoch seconds.
        end: Its last second.
        is_good: Whether nothing is wrong in it.
        fault_start: When a bad one begins to be bad, epoch seconds; `None` of a good one.
    """

    name: str
    start: int
    end: int
    is_good: bool
    fault_start: float | None

    @property
    def selection(self) -> tuple[str, ...]:
        """Select the run on the command line."""
        return (f"--set=run={self.name}", f"--start={self.start}", f"--end={self.end}")


def run(name: str) -> Run:
    """Read a run's label."""
    label: dict[str, Any] = json.loads((CORPUS / name / "label.json").read_text())
    is_good = label["truth"] == "good"
    return Run(
        name=name,
        start=label["start"],
        end=label["end"],
        is_good=is_good,
        fault_start=None if is_good else label["fault_start_epoch"],
    )


def all_runs() -> list[str]:
    """Name every run of the corpus."""
    return sorted(path.parent.name for path in CORPUS.glob("*/label.json"))


def listed(names: Iterable[str]) -> str:
    """Give runs as a list of deployments, with what is known of them."""
    rows = ["id,start,end,truth,fault_start,set.run"]
    for name in names:
        one = run(name)
        truth = "good" if one.is_good else "bad"
        rows.append(f"{name},{one.start},{one.end},{truth},{one.fault_start or ''},{name}")
    return "\n".join(rows) + "\n"


def past(names: Iterable[str], metrics: Iterable[str] = ASKED) -> str:
    """Give the samples of runs as OpenMetrics text, as far as they are asked for."""
    wanted = tuple(f"{metric}{{" for metric in metrics)
    lines: list[str] = []
    for name in names:
        with lzma.open(CORPUS / name / "raw.om.xz", "rt", encoding="utf-8") as file:
            lines += (line for line in file if line.startswith(wanted))
    return "".join(lines)


def edited_shop(folder: Path, *edits: tuple[str, str]) -> Path:
    """Write the shop's configuration with some words replaced, each of which it must hold."""
    text = SHOP.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = folder / "canary.yaml"
    path.write_text(text, encoding="utf-8")
    return path
