"""Presets: what each traffic layer counts, and how it tells baseline and canary apart.

One YAML file a layer; what layers share stands in `shared/`. Read when asked for, and only then.
"""

from analysis.presets.catalogue import layers, load
from analysis.presets.model import Preset, PresetMetric, Separation, Sided

__all__ = ["Preset", "PresetMetric", "Separation", "Sided", "layers", "load"]
