"""Samples as a long CSV: `time,metric,labels,value`, a row a sample, in any order.

`time` is RFC 3339 or epoch seconds, `labels` a JSON object (`{"pod": "a"}`) or PromQL's form
(`pod="a", code="500"`), and may be empty.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import msgspec

from analysis.errors import SourceError
from analysis.sources.matching import parse_labels
from analysis.sources.openmetrics import Samples
from analysis.sources.packed_text import reading
from analysis.sources.scraped import ScrapedSource
from analysis.window import parse_instant

COLUMNS = ("time", "metric", "labels", "value")


def read_long_table(path: Path) -> ScrapedSource:
    """Read a table of samples.

    Raises:
        SourceError: It cannot be read, its columns are others, or a row is no sample.
    """
    samples = Samples()
    known: dict[tuple[str, str], int] = {}
    with reading(path, newline="") as file:
        rows = csv.reader(file, strict=True)
        try:
            places = _places(next(rows, []))
            for row in rows:
                if not row:
                    continue
                time, metric, labels, value = (row[place] for place in places)
                if (metric, labels) not in known:
                    known[metric, labels] = samples.index_of(_labels(metric, labels))
                samples.add(known[metric, labels], _time(time), float(value))
        except (ValueError, OverflowError, IndexError, csv.Error) as error:
            message = f"{path}:{rows.line_num}: {error}"
            raise SourceError(message, code="malformed") from error
    return samples.source(f"the series in {path.name}")


def _places(columns: Sequence[str]) -> list[int]:
    if sorted(columns) == sorted(COLUMNS):
        return [columns.index(name) for name in COLUMNS]
    if "start" in columns:
        raise ValueError(
            "is a list of deployments and holds no series; give it as --deployments, or fetch its "
            "series with `serinus record`"
        )
    raise ValueError(
        f"the columns are {', '.join(columns)}; needed are {', '.join(COLUMNS)}. A table with a "
        f"column for each label is a source of a configuration, which `serinus record` reads"
    )


def _time(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return parse_instant(text.strip()).timestamp()


def _labels(metric: str, text: str) -> dict[str, str]:
    """Read the labels of a row.

    Raises:
        ValueError: They have neither of the two forms.
    """
    bare = text.strip()
    if bare.startswith("{"):
        try:
            return {"__name__": metric, **msgspec.json.decode(bare, type=dict[str, str])}
        except msgspec.MsgspecError:
            bare = bare.removeprefix("{").removesuffix("}")
    return {"__name__": metric, **(parse_labels(f"{{{bare}}}") if bare else {})}
