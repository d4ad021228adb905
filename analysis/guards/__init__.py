"""Is this comparison valid? Guards never say whether the canary is good.

A module here is one guard: its name is the code of what it finds, and its page stands under
`docs/reference/guards/`.
"""

from analysis.guards.core.comparison import Comparison, Rollout, Weight
from analysis.guards.core.finding import Finding, Severity
from analysis.guards.core.registry import codes, inspect, inspect_rollout

__all__ = [
    "Comparison",
    "Finding",
    "Rollout",
    "Severity",
    "Weight",
    "codes",
    "inspect",
    "inspect_rollout",
]
