"""What looks wrong in a configuration although it can be used: PromQL and statistics."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice, product

import promql_parser

from analysis.config import BUILT_IN, SIDES, CanaryConfig, Metric
from analysis.config.fields import format_duration
from analysis.errors import ConfigError, Fault
from analysis.query import needed, references, render
from judges.core.history import LEAST_WINDOWS

# One of these fits wherever a value may stand: as a duration, as a word, as a number.
PLACEHOLDERS = ("1m", "x", "1")
# Four variables in one query, each tried as each of them.
MOST_TRIALS = 81
# Fewer steps than this leave an autocorrelated gauge undecided more often than not.
FEW_STEPS = 30
# How the series beside the buckets are named, and counters.
_NO_BUCKETS = ("_sum", "_count", "_total")
_ONE_VALUE = {"last", "max", "min"}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')
_COUNTED_OVER = re.compile(r"\b(?:rate|irate|increase)\s*\([^\[\]]*\[([^\]:]+)\]")


def lint(config: CanaryConfig) -> tuple[Fault, ...]:
    """Give warnings, in the order of the configuration.

    Raises:
        ConfigError: With every query that cannot be rendered, and every input of counters that is
            no selector.
    """
    warnings = [*_of_window(config), *_of_variables(config), *_of_weight(config)]
    faults: list[Fault] = []
    for index, metric in enumerate(config.metrics):
        for place, role, template in _templates(metric):
            path = f"metrics[{index}] ({metric.name}).{place}"
            try:
                warnings += _of_query(path, role, template, metric, config)
                _check_table(metric, template, config)
            except ConfigError as error:
                faults += [Fault(path=path, message=fault.message) for fault in error.faults]
    if faults:
        raise ConfigError(tuple(faults))
    return tuple(warnings)


def _templates(metric: Metric) -> Iterator[tuple[str, str, str]]:
    """Give each query once, with its place and its role."""
    by_side = [metric.templates(side) for side in SIDES]
    for baseline, canary in zip(*by_side, strict=True):
        role = canary[0]
        if baseline == canary:
            yield role, *canary
        else:
            yield f"{role}.{SIDES[0]}", *baseline
            yield f"{role}.{SIDES[1]}", *canary


def _of_window(config: CanaryConfig) -> Iterator[Fault]:
    steps = (config.window.planned - config.window.warmup) / config.step
    if steps < FEW_STEPS:
        message = (
            f"the planned window has {steps:.0f} steps after warmup; autocorrelated gauges often "
            f"need {FEW_STEPS} or more to be decided"
        )
        yield Fault(path="window", message=message)
    yield from _of_history(config)


def _of_history(config: CanaryConfig) -> Iterator[Fault]:
    history = config.window.history
    enough = LEAST_WINDOWS * (config.window.planned - config.window.warmup)
    if history is not None and history < enough:
        message = (
            f"is shorter than {LEAST_WINDOWS} of the planned windows ({format_duration(enough)}), "
            f"so late looks are judged without it"
        )
        yield Fault(path="window.history", message=message)


def _of_variables(config: CanaryConfig) -> Iterator[Fault]:
    """Warn of variables whose name is nearly a declared one."""
    declared = {name for side in SIDES for name in config.side_variables(side)} | {
        *BUILT_IN,
        "planned",
    }
    undeclared = frozenset().union(
        *(needed(text) for metric in config.metrics for _, _, text in _templates(metric))
    )
    for name in sorted(undeclared - declared):
        for near in difflib.get_close_matches(name, declared, n=1):
            message = f"a query uses ${{{name}}}, which is not declared; did you mean '{near}'?"
            yield Fault(path="variables", message=message)


def _of_weight(config: CanaryConfig) -> Iterator[Fault]:
    if config.traffic is None or config.traffic.observed is None:
        return
    try:
        _parsed(config.traffic.observed, config)
    except ConfigError as error:
        raise ConfigError(error.faults[0].message, origin="traffic.observed") from error
    except ValueError as error:
        message = f"this may be no PromQL: {error}"
        yield Fault(path="traffic.observed", message=message)


def _of_query(
    path: str, role: str, template: str, metric: Metric, config: CanaryConfig
) -> Iterator[Fault]:
    try:
        query, parsed = _parsed(template, config)
    except ValueError as error:
        yield Fault(path=path, message=f"this may be no PromQL: {error}")
        return
    if role != "query" and not _is_plain(parsed):
        what = "a histogram" if role == "buckets" else "a counter"
        raise ConfigError(
            f"must be a plain selector of {what}, which is read raw, without offset or @; "
            f"got {query!r}"
        )
    if isinstance(parsed, promql_parser.VectorSelector) and role == "buckets":
        yield from _of_buckets(path, parsed)
    if role == "query" and not _looks_at_one_value(metric):
        yield from _overlap(path, query, config.step)


def _check_table(metric: Metric, template: str, config: CanaryConfig) -> None:
    """Refuse an expression of a metric whose source is a table.

    Raises:
        ConfigError: It is one.
    """
    if config.named_sources[config.source_name(metric)].table is None:
        return
    try:
        query, parsed = _parsed(template, config)
    except ValueError:
        return  # it may be no PromQL, which a warning says already
    if not _is_plain(parsed):
        raise ConfigError(
            f"must be a plain selector, for its source is a table, which evaluates nothing; "
            f"aggregate in the table; got {query!r}"
        )


def _parsed(template: str, config: CanaryConfig) -> tuple[str, object]:
    """Parse a query with the first placeholders that make PromQL of it.

    Raises:
        ConfigError: It cannot be rendered.
        ValueError: No placeholders make PromQL of it.
    """
    known = _known(config)
    unknown = sorted(references(template) - known.keys())
    failed: ValueError | None = None
    for values in islice(product(PLACEHOLDERS, repeat=len(unknown)), MOST_TRIALS):
        query = render(template, {**known, **dict(zip(unknown, values, strict=True))})
        try:
            return query, promql_parser.parse(query)
        except ValueError as error:
            failed = failed or error
    raise failed or ValueError(template)


def _known(config: CanaryConfig) -> dict[str, object]:
    given = {k: v for k, v in config.side_variables("canary").items() if v is not None}
    window = {
        "step": format_duration(config.step),
        "window": format_duration(config.window.planned - config.window.warmup),
    }
    return {**given, **window}


def _is_plain(parsed: object) -> bool:
    if not isinstance(parsed, promql_parser.VectorSelector):
        return False
    return parsed.offset is None and parsed.at is None


def _of_buckets(path: str, selector: promql_parser.VectorSelector) -> Iterator[Fault]:
    """Warn of selectors that select other things than all buckets of a histogram."""
    name = selector.name or ""
    if name.endswith(_NO_BUCKETS):
        message = f"{name} is no histogram; give its …_bucket, or the name of a native histogram"
        yield Fault(path=path, message=message)
    if any(matcher.name == "le" for matcher in selector.matchers.matchers):
        message = "selects some of the buckets only; leave le out, for all of them are needed"
        yield Fault(path=path, message=message)


def _looks_at_one_value(metric: Metric) -> bool:
    """Tell whether the judge reads off one value, to which it is all the same how steps relate."""
    judge = metric.judge
    return judge.kind == "threshold" and judge.parameters.get("statistic") in _ONE_VALUE


def _overlap(path: str, query: str, step: timedelta) -> Iterator[Fault]:
    """Warn of ranges that overlap from step to step: they correlate the steps by themselves."""
    for text in dict.fromkeys(_COUNTED_OVER.findall(_STRING.sub('""', query))):
        try:
            span = promql_parser.parse_duration(text.strip())
        except ValueError:
            continue
        if span > 1.5 * step:
            message = (
                f"rate over [{text}] overlaps from step to step ({step.total_seconds():g} s), so "
                f"that few steps are independent; counts or sums read raw samples instead"
            )
            yield Fault(path=path, message=message)
