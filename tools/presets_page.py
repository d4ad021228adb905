"""Write docs/reference/presets.md: every layer, its ways to tell the sides apart, its metrics.

usage: python tools/presets_page.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from analysis.presets import Preset, Separation, layers, load
from analysis.presets.catalogue import descriptions

PAGE = Path(__file__).resolve().parent.parent / "docs/reference/presets.md"
HEAD = """\
# Presets

<!-- Written by tools/presets_page.py from analysis/presets/: change those. -->

What each traffic layer counts, and how its series tell baseline and canary apart.
[How to use them](../how-to/use-presets.md). `serinus presets show LAYER` shows one with its
queries, limits and sources.

- **separations** are ways to tell the sides apart, with the variables they need; those **in bold**
  differ between the sides. A controller's name (`argo-rollouts`, `flagger`, `kubernetes`,
  `feature-flag`) stands for the first separation that serves it. Through a *join* counters cannot
  be read raw: they are judged as rates.
- **metrics** in bold are recommended, and taken by `presets: LAYER`.
- An asterisk says *inferred*: deduced or recalled, not read in documentation or source.

Every query was tried on a real Prometheus, over series that were made as the sources say they are.
None was tried on a live installation of every layer: compare the names with your own series first.
"""
COLUMNS = "| layer | separations | metrics |\n| --- | --- | --- |"


def page() -> str:
    """Write the whole page."""
    presets = sorted((load(layer) for layer in layers()), key=lambda one: (one.kind, one.name))
    parts = [HEAD]
    for kind, of_kind in groupby(presets, key=lambda one: one.kind):
        listed = list(of_kind)
        parts.append(f"## {kind.capitalize()}\n\n{COLUMNS}\n" + "\n".join(map(_row, listed)) + "\n")
        parts.append("\n".join(_notes(listed)) + "\n")
    parts.append("## Variables\n\n" + "\n".join(_variables()) + "\n")
    return "\n".join(parts)


def _row(preset: Preset) -> str:
    status = "" if preset.status == "current" else f" ({preset.status})"
    partly = "" if preset.separable == "always" else "; sides partly separable"
    ways = "<br>".join(_way(name, way) for name, way in preset.separations.items())
    metrics = ", ".join(
        (f"**{name}**" if metric.recommended else name)
        + ("" if metric.certainty == "documented" else "\\*")
        for name, metric in preset.metrics.items()
    )
    return f"| `{preset.name}`{status}: {preset.title}{partly} | {ways} | {metrics} |"


def _way(name: str, way: Separation) -> str:
    variables = (
        f"**{variable}**" if variable in way.differ else variable
        for variable in sorted(way.required())
    )
    star = "" if way.certainty == "documented" else "\\*"
    joined = " (join)" if way.join else ""
    return f"`{name}`{star}{joined}: {', '.join(variables)}"


def _notes(presets: list[Preset]) -> Iterator[str]:
    for preset in presets:
        yield f"**{preset.name}**. Prerequisite: {preset.prerequisites}."
        yield ""
        yield from (f"- {_escaped(pitfall)}" for pitfall in preset.pitfalls)
        yield ""


def _variables() -> Iterator[str]:
    yield "| variable | meaning |\n| --- | --- |"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in sorted(descriptions().items()))


def _escaped(text: str) -> str:
    """Keep Markdown from reading a wildcard as emphasis."""
    return text.replace("*", "\\*")


def main() -> int:
    """Write the page; with --check only tell whether it is current."""
    if "--check" in sys.argv[1:]:
        is_current = PAGE.read_text(encoding="utf-8") == page()
        print("" if is_current else f"{PAGE.name} is not current: python tools/presets_page.py")
        return 0 if is_current else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
