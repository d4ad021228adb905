"""Canary analysis: the commands, the service, and for notebooks and scripts these functions.

>>> import analysis
>>> config = analysis.load_config("fixtures/recordings/canary.yaml")
>>> judged = analysis.analyze(config, "fixtures/recordings/err1-1")
>>> judged.verdict.value
'fail'

They are loaded when they are first used: `import analysis` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.config import CanaryConfig as CanaryConfig
    from analysis.config import load_config as load_config
    from analysis.notebook.analyzing import Analyzed as Analyzed
    from analysis.notebook.analyzing import analyze as analyze
    from analysis.notebook.replaying import Replayed as Replayed
    from analysis.notebook.replaying import replay as replay
    from analysis.notebook.tuning import Tuned as Tuned
    from analysis.notebook.tuning import tune as tune

_WHERE = {
    "CanaryConfig": "analysis.config",
    "load_config": "analysis.config",
    "Analyzed": "analysis.notebook.analyzing",
    "analyze": "analysis.notebook.analyzing",
    "Replayed": "analysis.notebook.replaying",
    "replay": "analysis.notebook.replaying",
    "Tuned": "analysis.notebook.tuning",
    "tune": "analysis.notebook.tuning",
}
__all__ = [
    "Analyzed",
    "CanaryConfig",
    "Replayed",
    "Tuned",
    "analyze",
    "load_config",
    "replay",
    "tune",
]


def __getattr__(name: str) -> object:
    """Load a function when it is first used."""
    import importlib

    if name not in _WHERE:
        raise AttributeError(f"analysis has no {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    """Name the functions for whoever completes them."""
    return sorted({*globals(), *__all__})
