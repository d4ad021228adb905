"""Find guards by code: a module directly under `analysis.guards` is one guard.

A guard of single metrics has a function `inspect`, one of whole rollouts `inspect_rollout`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from analysis import guards
from analysis.guards.core.comparison import Comparison, Rollout
from analysis.guards.core.finding import Finding, Severity


def codes() -> tuple[str, ...]:
    """List the codes of all guards, in alphabetical order."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(guards.__path__) if not m.ispkg))


def inspect(comparison: Comparison) -> tuple[Finding, ...]:
    """Apply every guard to a metric; the gravest findings come first."""
    # What is beyond the largest double is infinite, and as good as any large number here.
    with np.errstate(over="ignore"):
        return _ordered(inspect(comparison) for inspect in _functions("inspect"))


def inspect_rollout(rollout: Rollout) -> tuple[Finding, ...]:
    """Apply every guard to a rollout as a whole; the gravest findings come first."""
    with np.errstate(over="ignore"):
        return _ordered(inspect(rollout) for inspect in _functions("inspect_rollout"))


@cache
def _functions(name: str) -> tuple[Callable[[Any], Finding | None], ...]:
    """Give the functions of a name that guards have."""
    modules = (importlib.import_module(f"analysis.guards.{code}") for code in codes())
    return tuple(getattr(module, name) for module in modules if hasattr(module, name))


def _ordered(found: Iterator[Finding | None]) -> tuple[Finding, ...]:
    order = list(Severity)
    some = (finding for finding in found if finding is not None)
    return tuple(sorted(some, key=lambda finding: (order.index(finding.severity), finding.code)))
