"""Tune a configuration on past deployments: try variants, choose one, say what that is worth."""

from __future__ import annotations

import contextlib
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from analysis.config import CanaryConfig, parse_config
from analysis.errors import ConfigError
from analysis.past.deployment import Deployment, Deployments, Truth
from analysis.past.engines.chunks import chunk_size, chunked
from analysis.past.engines.port import Engine, Lost
from analysis.past.looks import Schedule
from analysis.past.replaying import OnProgress, no_progress
from analysis.past.tuning.choosing import Chooser, Keeping, needed_to_show
from analysis.past.tuning.doubts import Doubt, doubts
from analysis.past.tuning.edits import edited
from analysis.past.tuning.harm import harms
from analysis.past.tuning.points import Point, on_front, point_of
from analysis.past.tuning.search import Variant, variants
from analysis.past.tuning.table import Table, table_of
from analysis.past.tuning.trials import Trial, Trials
from analysis.past.tuning.validation import HeldOut, validate

FACTORS = (2.0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a configuration is tuned for.

    Attributes:
        budget: Share of good deployments that may fail.
        schedule: When deployments are looked at.
        factors: Sizes of the harm that is put into copies of good deployments where no bad one
            is known.
    """

    budget: float
    schedule: Schedule
    factors: Sequence[float] = FACTORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What tuning came to.

    Attributes:
        budget: Share of good deployments that may fail.
        is_harmed: Whether bad deployments are harmed copies of good ones.
        deployments: How many deployments there were.
        unread: How many could not be judged.
        points: Every variant; the configuration as it is first.
        chosen: The suggestion; index 0 means: keep what you have.
        keeping: Why it is taken to keep the budget.
        held_out: What such a choice is worth on deployments held out.
        doubts: What the deployments cannot tell.
        good_needed: Good deployments that it takes to show that the budget is kept.
        text: The suggestion, as the text of a configuration.
    """

    budget: float
    is_harmed: bool
    deployments: int
    unread: int
    points: tuple[Point, ...]
    chosen: int
    keeping: Keeping
    held_out: tuple[HeldOut, ...]
    doubts: tuple[Doubt, ...]
    good_needed: int
    text: str

    @property
    def now(self) -> Point:
        """The configuration as it is."""
        return self.points[0]

    @property
    def suggestion(self) -> Point:
        """The variant that was chosen."""
        return self.points[self.chosen]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tried:
    """What became of past deployments under every variant of a configuration.

    Attributes:
        text: The configuration that was varied.
        variants: What was tried; the configuration as it is first.
        stated: `risk.false_fail` of each variant.
        is_harmed: Whether bad deployments are harmed copies of good ones.
        trials: Each deployment, and each harmed copy.
    """

    text: str
    variants: tuple[Variant, ...]
    stated: tuple[float, ...]
    is_harmed: bool
    trials: tuple[Trial, ...]

    @property
    def table(self) -> Table:
        """The trials as arrays."""
        return table_of(self.trials)

    def only(self, ids: Container[str]) -> Tried:
        """Give what became of some of the deployments and of their copies."""
        return replace(self, trials=tuple(one for one in self.trials if one.original in ids))


def tune(
    text: str,
    deployments: Deployments,
    engine: Engine,
    aim: Aim,
    *,
    progress: OnProgress = no_progress,
) -> Tuning:
    """Tune a configuration.

    Args:
        text: The configuration.
        deployments: Past deployments; those whose truth nobody knows are taken for good.
        engine: Where the work runs; entered by the caller.
        aim: What for.
        progress: Told how many deployments are done.

    Raises:
        ConfigError: The configuration is faulty, or no deployment could be judged.
        SourceError: The deployments cannot be listed.
    """
    chosen = variants(parse_config(text), aim.budget)
    tried = try_variants(text, chosen, deployments, engine, aim, progress=progress)
    return conclude(tried, aim.budget)


def try_variants(
    text: str,
    chosen: Sequence[Variant],
    deployments: Deployments,
    engine: Engine,
    aim: Aim,
    *,
    progress: OnProgress = no_progress,
) -> Tried:
    """Judge every deployment by every variant chosen; else as `tune`, whose budget comes later."""
    listed = deployments.listed()
    is_harmed = not any(one.truth is Truth.BAD for one in listed)
    now = parse_config(text)
    usable = _usable(text, chosen)
    work = Trials(
        deployments=deployments,
        schedule=aim.schedule,
        configs=tuple(usable.values()),
        harms=tuple(harms(now, aim.factors)) if is_harmed else (),
    )
    return Tried(
        text=text,
        variants=tuple(usable),
        stated=tuple(config.risk.false_fail for config in work.configs),
        is_harmed=bool(work.harms),
        trials=tuple(_all_trials(work, listed, engine, progress)),
    )


def _usable(text: str, tried: Sequence[Variant]) -> dict[Variant, CanaryConfig]:
    """Read the variants, without those whose values do not fit together."""
    found: dict[Variant, CanaryConfig] = {}
    for variant in tried:
        with contextlib.suppress(ConfigError):
            found[variant] = parse_config(edited(text, variant.edits))
    return found


def _all_trials(
    work: Trials, deployments: Sequence[Deployment], engine: Engine, progress: OnProgress
) -> list[Trial]:
    """Run every trial; a deployment whose worker is lost counts as unread."""
    chunks = list(chunked(deployments, chunk_size(len(deployments), engine.workers)))
    trials: list[Trial] = []
    done = 0
    found: list[Trial] | Lost
    for chunk, found in zip(chunks, engine.map_chunks(work, chunks), strict=True):
        trials += [work.unread(one) for one in chunk] if isinstance(found, Lost) else found
        done += len(chunk)
        progress(done, len(deployments), 0)
    return trials


def conclude(tried: Tried, budget: float) -> Tuning:
    """Choose a variant, and say what the choice is worth.

    Raises:
        ConfigError: No good deployment could be judged.
    """
    table = tried.table
    if not table.good.any():
        message = "no good deployment could be judged; `serinus replay` says why of each"
        raise ConfigError(message, origin="DEPLOYMENTS")
    sizes = [len(variant.edits) for variant in tried.variants]
    chooser = Chooser(budget=budget, stated=tried.stated, sizes=sizes)
    choice, held_out = chooser.choose(table), validate(table, chooser)
    originals = [trial for trial in tried.trials if trial.harm is None]
    found = doubts(
        choice,
        int(table.good.sum()),
        held_out,
        budget,
        is_harmed=tried.is_harmed,
        is_believed=chooser.believes(table),
    )
    return Tuning(
        budget=budget,
        is_harmed=tried.is_harmed,
        deployments=len(originals),
        unread=sum(None in trial.verdicts for trial in originals),
        points=tuple(on_front(_points(table, tried.variants, chooser))),
        chosen=choice.index,
        keeping=choice.keeping,
        held_out=held_out,
        doubts=tuple(found),
        good_needed=needed_to_show(budget),
        text=edited(tried.text, tried.variants[choice.index].edits),
    )


def _points(table: Table, tried: Sequence[Variant], chooser: Chooser) -> list[Point]:
    found = zip(tried, chooser.keepings(table), strict=True)
    return [point_of(table, index, *one) for index, one in enumerate(found)]
