"""Write docs/reference/presets.md, and beside it a page for each layer.

usage: python tools/presets_page.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from analysis.config import BUILT_IN
from analysis.presets import Preset, Separation, layers, load
from analysis.presets.catalogue import descriptions
from analysis.presets.model import JOIN, SIDE, PresetMetric, Sided
from analysis.query import needed

REFERENCE = Path(__file__).resolve().parent.parent / "docs/reference"
WRITTEN = "<!-- Written by tools/presets_page.py from analysis/presets/: change those. -->"
HEAD = f"""\
# Presets

{WRITTEN}

What each traffic layer counts, and how its series tell baseline and canary apart: one page a layer.
[How to use them](../how-to/use-presets.md);
[how to choose among the layers you have](../how-to/traffic-layers.md).
`serinus presets show LAYER` tells the same in a terminal.

Every query was tried on a real Prometheus, over series that were made as the sources say they are;
[seven layers](presets-tested.md) with real traffic too. None was tried on a live installation of
every layer: compare the names with your own series first.
"""
STATUSES = {
    "current": "",
    "beta": "It is a beta, and its names may change.",
    "retired": "It is retired: nobody maintains it any more.",
}
CONTROLLERS = {
    "argo-rollouts": "Argo Rollouts",
    "flagger": "Flagger",
    "kubernetes": "plain Kubernetes",
    "feature-flag": "feature flags",
}
# What an example gives a variable that is the same on both sides.
EXAMPLES = {
    "namespace": "shop",
    "namespace_w": "shop",
    "port": '"80"',
    "target_port": '"8080"',
    "topic": "orders",
    "job": "shop/checkout",
    "group": "orders",
    "flag_key": "new-basket",
    "flag_label": "new_basket",
    "impact_metric": "orders_total",
    "impact_error_metric": "orders_failed_total",
}
OTHERS = "checkout"
# A layer that only counts who was served decides nothing: what is judged stands beside it.
BESIDE = {"flag-openfeature-hook": "flag-variant-http"}


def pages() -> Mapping[Path, str]:
    """Write every page, by its file."""
    presets = sorted((load(layer) for layer in layers()), key=lambda one: (one.kind, one.name))
    of_layers = {REFERENCE / f"presets/{one.name}.md": "\n".join(_page(one)) for one in presets}
    return {REFERENCE / "presets.md": _index(presets), **of_layers}


# ---- all layers


def _index(presets: list[Preset]) -> str:
    parts = [HEAD]
    for kind, of_kind in groupby(presets, key=lambda one: one.kind):
        rows = "\n".join(map(_row, of_kind))
        parts.append(f"## {kind.capitalize()}\n\n| layer | what it is | sides told apart by |\n")
        parts[-1] += f"| --- | --- | --- |\n{rows}\n"
    parts.append("## Variables\n\n" + "\n".join(_variables()) + "\n")
    return "\n".join(parts)


def _row(preset: Preset) -> str:
    notes = [str(preset.status)] if preset.status != "current" else []
    notes += ["sides only partly separable"] if preset.separable == "partly" else []
    noted = f" ({', '.join(notes)})" if notes else ""
    ways = ", ".join(f"`{name}`" for name in preset.separations)
    return f"| [`{preset.name}`](presets/{preset.name}.md) | {preset.title}{noted} | {ways} |"


def _variables() -> Iterator[str]:
    yield "| variable | meaning |\n| --- | --- |"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in sorted(descriptions().items()))


# ---- one layer


def _page(preset: Preset) -> Iterator[str]:
    # Forty-eight entries would hide everything else in the sidebar, and cost each page its time.
    yield "---\norphan: true\n---\n"
    yield f"# {preset.title}\n\n{WRITTEN}\n"
    told = [f"`{preset.name}`, a preset for: {preset.kind}.", STATUSES[preset.status]]
    if preset.separable == "partly":
        told.append(
            "**It tells the sides apart only where it is set up for it**: see the pitfalls."
        )
    yield " ".join(one for one in told if one)
    yield f"\nPrerequisite: {preset.prerequisites}.\n"
    if preset.pitfalls:
        yield "## Pitfalls\n"
        yield from (f"- {_escaped(text)}" for text in preset.pitfalls)
        yield ""
    yield "## How the sides are told apart\n"
    for name, way in preset.separations.items():
        yield from _way(preset, name, way)
    yield "## Metrics\n"
    yield "Those in bold are taken unless others are named; an asterisk says *inferred*.\n"
    yield "| metric | what it is | weight for a rollout | judge |\n| --- | --- | --- | --- |"
    yield from (_metric(name, metric) for name, metric in preset.metrics.items())
    yield "\nTheir queries, where `${side}` stands for the matchers of a side:\n\n```text"
    for name, metric in preset.metrics.items():
        yield from (f"{name}: {template}" for template in metric.templates())
    yield "```\n\n## Sources\n"
    yield from (f"- {_escaped(source)}" for source in preset.sources)
    yield ""


def _way(preset: Preset, name: str, way: Separation) -> Iterator[str]:
    served = ", ".join(CONTROLLERS[one] for one in way.controllers)
    told = [f"For {served}."]
    if way.note:
        told.append(f"{_escaped(way.note).rstrip('.')}.")
    if way.join:
        told.append("Through a join counters cannot be read raw: they are judged as rates.")
    if way.certainty != "documented":
        told.append("Inferred: deduced from what was read, not read itself.")
    yield f"### `{name}`\n\n{' '.join(told)}\n"
    yield f"```yaml\n{configuration(preset, name)}```\n\n```text"
    yield from _matchers(way)
    yield "```\n"


def configuration(preset: Preset, separation: str) -> str:
    """Write the shortest configuration that judges by a layer."""
    way = preset.separations[separation]
    texts = list(_asked(preset))
    lines = ["name: checkout", "variables:", *_given(way, texts)]
    if way.join or any("[${interval" in text for text in texts):
        lines.append("source: {prometheus: {step: 1m}}  # as long as the rates reach")
    own = f"layer: {preset.name}, separation: {separation}"
    if beside := BESIDE.get(preset.name):
        lines += ["presets:", f"  - {{layer: {beside}, separation: {separation}}}"]
        lines.append(f"  - {{{own}, only: [{', '.join(preset.metrics)}]}}")
    else:
        lines.append(f"presets: {{{own}}}")
    return "\n".join(lines) + "\n"


def _asked(preset: Preset) -> Iterator[str]:
    """Give every template that the configuration of a layer asks."""
    if beside := BESIDE.get(preset.name):
        yield from _asked(load(beside))
        yield str(load(beside).separations[next(iter(preset.separations))].selector)
    for metric in preset.metrics.values():
        if metric.recommended or beside:
            yield from metric.templates()


def _given(way: Separation, texts: Iterable[str]) -> Iterator[str]:
    """Give a line for each variable that has a value of its own, and one for each side."""
    asked = {name for text in texts for name in needed(text)} - {*BUILT_IN, "planned", SIDE, JOIN}
    for name in sorted((asked | way.required()) - {*way.differ}):
        yield f"  {name}: {EXAMPLES.get(name, OTHERS)}"
    if way.differ:
        sides = ", ".join(f"{name}: null" for name in way.differ)
        yield f"  baseline: {{{sides}}}  # the caller gives them: --baseline {way.differ[0]}=…"
        yield f"  canary: {{{sides}}}"


def _matchers(way: Separation) -> Iterator[str]:
    if isinstance(way.selector, Sided):
        yield f"baseline: {way.selector.baseline}"
        yield f"canary:   {way.selector.canary}"
    else:
        yield f"both: {way.selector}"


def _metric(name: str, metric: PresetMetric) -> str:
    shown = f"**{name}**" if metric.recommended else name
    star = "" if metric.certainty == "documented" else "\\*"
    needs = f"; needs {metric.requires}" if metric.requires else ""
    told, kind = _escaped(metric.title + needs), metric.judge["kind"]
    judge = f"[{kind}](../judges/{kind}.md)"
    return f"| {shown}{star} | {told} | {metric.criticality} | {judge} |"


def _escaped(text: str) -> str:
    """Keep Markdown from reading a wildcard as emphasis, and a pipe as the end of a cell."""
    return text.replace("*", "\\*").replace("|", "\\|").replace("<", "&lt;")


def main() -> int:
    """Write the pages; with --check only tell whether they are current."""
    written = pages()
    there = {REFERENCE / "presets.md", *REFERENCE.glob("presets/*.md")}
    if "--check" in sys.argv[1:]:
        stale = there ^ written.keys()
        stale |= {
            one for one in there & written.keys() if one.read_text(encoding="utf-8") != written[one]
        }
        for path in sorted(stale):
            print(f"{path.name} is not current: python tools/presets_page.py")
        return 1 if stale else 0
    (REFERENCE / "presets").mkdir(exist_ok=True)
    for path in there - written.keys():
        path.unlink()
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
