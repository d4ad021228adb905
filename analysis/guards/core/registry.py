"""Find guards by code: a module directly under `analysis.guards` is one guard.

A guard of single metrics has a function `inspect`, one of whole rollouts `inspect_rollout`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

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
        return _ordered(
            module.inspect(comparison) for module in _modules() if hasattr(module, "inspect")
        )


def inspect_rollout(rollout: Rollout) -> tuple[Finding, ...]:
    """Apply every guard to a rollout as a whole; the gravest findings come first."""
    with np.errstate(over="ignore"):
        return _ordered(
            module.inspect_rollout(rollout)
            for module in _modules()
            if hasattr(module, "inspect_rollout")
        )


@cache
def _modules() -> tuple[ModuleType, ...]:
    return tuple(importlib.import_module(f"analysis.guards.{code}") for code in codes())


def _ordered(found: Iterator[Finding | None]) -> tuple[Finding, ...]:
    order = list(Severity)
    some = (finding for finding in found if finding is not None)
    return tuple(sorted(some, key=lambda finding: (order.index(finding.severity), finding.code)))
