"""Write docs/reference/deployments.md from what was counted."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from analysis.calibration import Rate
from benchmarks.deployments import figures
from benchmarks.deployments.faults import Grade, Kind
from benchmarks.deployments.figures import FIGURES, Figure
from benchmarks.deployments.run import OURS, Row

GENERATOR = Path(__file__).parent / "generator.md"
CONFIGURATION = Path(__file__).parent / "canary.yaml"
MOST_REASONS = 8


def document(rows: Sequence[Row], rules: Sequence[str], minutes: Sequence[float]) -> str:
    """Write the page."""
    seeds = sorted({row.seed for row in rows})
    looks = f"{minutes[0]:g} to {minutes[-1]:g}"
    parts = [
        "# Simulated deployments",
        f"""Made by `make deployments`; do not edit. {len(rows)} deployments of an hour, two fifths
of them with nothing wrong, judged by one configuration at minutes {looks}. The first fail holds; a
pass counts at the end. Per cent, with 95 % Wilson intervals. Seeds
{", ".join(map(str, seeds))}; whatever there was to choose was chosen on others.
numpy {version("numpy")}, scipy {version("scipy")}.""",
        "## Goals",
        goals(rows),
        "## Rule by rule",
        RULES,
        by_rule(rows, rules),
        "## Seed by seed",
        by_seed(rows, seeds),
        "## Fault by fault",
        "Failed of all, and in brackets how many passed.",
        by_fault(rows),
        "## What kept good ones from a pass",
        reasons(rows),
        GENERATOR.read_text(encoding="utf-8").strip(),
        "## The configuration",
        CHOSEN,
        f"```yaml\n{CONFIGURATION.read_text(encoding='utf-8').strip()}\n```",
    ]
    return "\n\n".join(parts) + "\n"


RULES = """*Serinus* is the configuration below. *Kayenta* scores the same metrics with the judge
`NetflixACAJudge-v1.0`, changes from 10 % on counting, errors critical, 95 and 75 points to pass and
to be marginal. *Fixed limits* rolls back after five checks, a minute apart, of which the error rate
was above 1 % (or twice the usual) or p99 above twice the usual. *Mann-Whitney* fails where any
metric is significant at 5 %, one-sided. A rule that fails most good ones finds the bad ones too."""


CHOSEN = "Chosen on seeds 1 and 2: the margins of latency and of errors."


def goals(rows: Sequence[Row]) -> str:
    """Hold what was measured against what was promised."""
    lines = [_row("", "goal", "measured", "met"), _rule(4)]
    for figure in FIGURES:
        if figure.goal is not None:
            rate = figure.rate(rows, OURS)
            bound = "at most" if figure.at_most else "at least"
            goal = f"{bound} {100 * figure.goal:g} %"
            lines.append(_row(figure.name, goal, _share(rate), _met(figure, rate)))
    delay = figures.median_delay(rows, OURS)
    met = "yes" if delay <= figures.DELAY_GOAL else "**no**"
    goal = f"at most {figures.DELAY_GOAL:g} min"
    lines.append(_row("median from onset to fail", goal, f"{delay:.1f} min", met))
    return "\n".join(lines)


def _met(figure: Figure, rate: Rate) -> str:
    return "yes" if rate.of and figure.is_met(rate) else "**no**"


def by_rule(rows: Sequence[Row], rules: Sequence[str]) -> str:
    """Show every figure of every rule."""
    lines = [_row("", *rules), _rule(len(rules) + 1)]
    lines += [
        _row(figure.name, *(_share(figure.rate(rows, rule)) for rule in rules))
        for figure in FIGURES
    ]
    delays = (f"{figures.median_delay(rows, rule):.1f} min" for rule in rules)
    return "\n".join([*lines, _row("median from onset to fail", *delays)])


def by_seed(rows: Sequence[Row], seeds: Sequence[int]) -> str:
    """Show how much chance is left in the figures."""
    parts = [[row for row in rows if row.seed == seed] for seed in seeds]
    lines = [_row("", *map(str, seeds)), _rule(len(seeds) + 1)]
    for figure in FIGURES:
        rates = (figure.rate(part, OURS) for part in parts)
        lines.append(_row(figure.name, *(f"{rate.hits}/{rate.of}" for rate in rates)))
    delays = (f"{figures.median_delay(part, OURS):.1f} min" for part in parts)
    return "\n".join([*lines, _row("median from onset to fail", *delays)])


def by_fault(rows: Sequence[Row]) -> str:
    """Show each fault in each grade."""
    lines = [_row("", *Grade), _rule(len(Grade) + 1)]
    for kind in Kind:
        cells = (_cell([r for r in rows if (r.kind, r.grade) == (kind, grade)]) for grade in Grade)
        lines.append(_row(kind, *cells))
    return "\n".join(lines)


def _cell(rows: Sequence[Row]) -> str:
    failed = sum(figures.failed(row, row.outcomes[OURS]) for row in rows)
    passed = sum(figures.passed(row, row.outcomes[OURS]) for row in rows)
    return f"{failed}/{len(rows)}" + (f" ({passed})" if passed else "")


def reasons(rows: Sequence[Row]) -> str:
    """Name the metrics on which good deployments were left open, or failed."""
    lines = [_row("metrics", "deployments"), _rule(2)]
    found = figures.undecided_by(rows, OURS).most_common(MOST_REASONS)
    return "\n".join(lines + [_row(names, str(count)) for names, count in found])


def _share(rate: Rate) -> str:
    return str(rate) if rate.of else "–"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return "|" + " --- |" * columns
