"""A table: its cells, its columns, and how both are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from analysis.calibration import Rate
from benchmarks.calibration.cells import Cell, Measured, Results

NOTHING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column.

    Attributes:
        heading: What stands above it.
        outcomes: Whose results stand in it; the first with its interval, the others without.
        brief: Whether the first stands without its interval too.
    """

    heading: str
    outcomes: tuple[str, ...]
    brief: bool = False

    def text(self, results: Results) -> str:
        """Write the column's part of a row; a dash where nothing was measured."""
        found = [results.get(name) for name in self.outcomes]
        first, *others = found
        if first is None:
            return NOTHING
        shown = _brief(first) if self.brief else str(first)
        return " / ".join([shown, *(_brief(one) for one in others)])


def _brief(measured: Measured | None) -> str:
    if measured is None:
        return NOTHING
    return f"{100 * measured.value:.0f}" if isinstance(measured, Rate) else str(measured)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of the document.

    Attributes:
        module: The module that makes it; its code is part of what a result depends on.
        name: What `--only` calls it.
        title: Its heading.
        text: What its figures are, in Markdown.
        keys: Headings of the columns that say what a row is about.
        columns: The other columns.
        cells: Gives its rows; made when they are measured, for judges may be missing.
    """

    module: str
    name: str
    title: str
    text: str
    keys: tuple[str, ...]
    columns: tuple[Column, ...]
    cells: Callable[[], Sequence[Cell]]


def columns(*headings: str, of: Sequence[str]) -> tuple[Column, ...]:
    """Make a column for each contestant, of the same kinds of outcome."""
    return tuple(
        Column(heading=name, outcomes=tuple(f"{name}: {what}" for what in of)) for name in headings
    )


def grid(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Write a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def section(
    table: Table, cells: Sequence[Cell], measured: Mapping[str, Results], provenance: str
) -> str:
    """Write a table's section from the cells that have been measured."""
    headings = [*table.keys, *(column.heading for column in table.columns)]
    rows = [
        [*cell.key, *(column.text(measured[cell.name]) for column in table.columns)]
        for cell in cells
        if cell.name in measured
    ]
    lines = [f"## {table.title}", "", " ".join(table.text.split()), "", provenance, ""]
    return "\n".join([*lines, *grid(headings, rows)]) + "\n"
