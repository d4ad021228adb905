"""What looks wrong in a configuration although it can be used: PromQL and statistics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import promql_parser

from analysis.config import CanaryConfig
from analysis.errors import ConfigError, Fault
from analysis.query import references, render

# A word that fits wherever a value may stand: inside quotes, as a word, and as a duration.
PLACEHOLDER = "1m"
# Fewer steps than this leave an autocorrelated gauge undecided more often than not.
FEW_STEPS = 30
_RANGE = re.compile(r"\[([^\]:]+)\]")
_COUNTER_FUNCTIONS = re.compile(r"\b(rate|irate|increase)\s*\(")


def lint(config: CanaryConfig) -> tuple[Fault, ...]:
    """Give warnings, in the order of the configuration.

    Raises:
        ConfigError: A query cannot even be rendered.
    """
    warnings = [*_of_window(config)]
    for index, metric in enumerate(config.metrics):
        path = f"metrics[{index}] ({metric.name})"
        for role, template in metric.templates():
            warnings += _of_query(f"{path}.{role}", role, template, config)
    return tuple(warnings)


def _of_window(config: CanaryConfig) -> Iterator[Fault]:
    steps = (config.window.planned - config.window.warmup) / config.source.prometheus.step
    if steps < FEW_STEPS:
        message = (
            f"the planned window has {steps:.0f} steps after warmup; autocorrelated gauges often "
            f"need {FEW_STEPS} or more to be decided"
        )
        yield Fault(path="window", message=message)


def _of_query(path: str, role: str, template: str, config: CanaryConfig) -> Iterator[Fault]:
    try:
        query = render(template, dict.fromkeys(references(template), PLACEHOLDER))
    except ConfigError as error:
        raise ConfigError((Fault(path=path, message=error.faults[0].message),)) from error
    try:
        parsed = promql_parser.parse(query)
    except ValueError as error:
        yield Fault(path=path, message=f"this may be no PromQL: {error}")
        return
    if role != "query" and not isinstance(parsed, promql_parser.VectorSelector):
        message = f"must be a plain selector of a counter, which is read raw; got {query!r}"
        raise ConfigError((Fault(path=path, message=message),))
    if role == "query":
        yield from _overlap(path, query, config.source.prometheus.step)


def _overlap(path: str, query: str, step: timedelta) -> Iterator[Fault]:
    """Warn of ranges that overlap from step to step: they correlate the steps by themselves."""
    if not _COUNTER_FUNCTIONS.search(query):
        return
    for text in _RANGE.findall(query):
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
