"""Write docs/reference/tuning.md from what was counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.past.tuning.tuning import Tried
from benchmarks.tuning.halves import SPLITS, Halves, Share

TEMPLATE = """# Tuning, held against what it has not seen

Made by `make tunings`; do not edit. {count} recorded releases of {services} services, drawn as the
[simulated deployments](deployments.md) are: each service has traffic, noise and appetite of its
own, each release its mishaps. {good} are good; {bad} bad, of every fault and grade alike. All were
replayed as `serinus tune DEPLOYMENTS --looks 30m --promote end` does it, by every variant of two
configurations: a *careful* one, and a *hurried* one that fails good releases. Both stand below.

## One half against the other

{splits} times the releases are split at random. On one half the configuration is tuned, by the code
that the command runs; what it suggests is held against the other half. The same with half of the
services, so that the others are unknown to it.

| configuration | budget | halves of | good ones failed, % | failed as it is, % | \
halves that speak against the budget | bad ones found where it was tuned, % | found, % | \
found as it is, % |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{halves}

Counted on the half that was not tuned on, except where it says so; *as it is* is the configuration
untuned, on the same half. The {splits} splits share the same releases, so the 95 % Wilson intervals
are those of each release counted once. A half speaks against the budget where so
many fails have a chance below 5 % if it is kept: one half in twenty may.

| configuration | budget | halves of | suggested | because the budget is | times |
| --- | --- | --- | --- | --- | --- |
{chosen}

*Shown* means by the deployments, *stated* by the variant's own `false_fail`, which they do not
contradict; *broken* that no variant keeps it there, which the command says.

## Labels that mean nothing

The good releases alone, half of them called bad at random: {splits} times other labels, each split
into halves. There is nothing to find: what is called found are fails of good releases.

| configuration | budget | good ones failed, % | called found where it was tuned, % | \
called found on the other half, % |
| --- | --- | --- | --- | --- |
{misled}

## Only good releases

What the command says of {same} other good releases of {services} other services with the careful
configuration, none of them labelled as bad:

```text
$ serinus tune good/ --config careful.yaml --looks 30m --promote end
{said}
```

{configurations}
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One configuration, tuned on halves.

    Attributes:
        name: What the tables call it.
        text: The configuration.
        tried: What became of each release under every variant.
        halves: What was split, releases or services, and what came of it.
        misled: The same with labels that mean nothing.
    """

    name: str
    text: str
    tried: Tried
    halves: Sequence[tuple[str, Halves]]
    misled: Sequence[Halves]


def document(measured: Sequence[Measured], said: str, same: int) -> str:
    """Write the page.

    Args:
        measured: Each configuration.
        said: What the command printed of good releases alone.
        same: How many these were.
    """
    table = measured[0].tried.table
    every = [(one.name, name, found) for one in measured for name, found in one.halves]
    return TEMPLATE.replace("\\\n", "").format(
        count=len(table.ids),
        services=len(set(table.services.tolist())),
        good=int(table.good.sum()),
        bad=int(table.is_bad.sum()),
        splits=SPLITS,
        halves="\n".join(_halves(*one) for one in every),
        chosen="\n".join(row for one in every for row in _chosen(*one)),
        misled="\n".join(_misled(one.name, found) for one in measured for found in one.misled),
        same=same,
        said=said.rstrip(),
        configurations="\n\n".join(
            f"## The {one.name} configuration\n\n```yaml\n{one.text.strip()}\n```"
            for one in measured
        ),
    )


def _halves(configuration: str, name: str, found: Halves) -> str:
    return _row(
        configuration,
        f"{100 * found.budget:g} %",
        name,
        _share(found.false_fails),
        _share(found.false_fails_now),
        f"{found.broken} of {len(found.splits)}",
        f"{100 * found.promised:.1f}",
        _share(found.found),
        _share(found.found_now),
    )


def _chosen(configuration: str, name: str, found: Halves) -> Iterator[str]:
    for (variant, keeping), times in found.chosen.most_common():
        cells = (f"{100 * found.budget:g} %", name, variant, str(keeping), str(times))
        yield _row(configuration, *cells)


def _misled(configuration: str, found: Halves) -> str:
    return _row(
        configuration,
        f"{100 * found.budget:g} %",
        _share(found.false_fails),
        f"{100 * found.promised:.1f}",
        _share(found.found),
    )


def _share(share: Share) -> str:
    low, high = share.interval
    return f"{100 * share.hits / share.of:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
