"""The configurations that the operator put into a folder, read again when a file changes."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path

from analysis.config import CanaryConfig, load_config
from analysis.config.load import digest
from analysis.errors import ConfigError
from analysis.service import files
from analysis.service.problems import Problem, not_found

# What a caller's own configuration is called; no file may pass for one.
INLINE = "inline"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A configuration with its text.

    Attributes:
        version: Digest of what it means, whatever its comments and order.
        changed: When it was changed last, epoch seconds.
        by_caller: Whether a caller brought it, and with it its own PromQL.
    """

    config: CanaryConfig
    text: str
    version: str
    changed: float
    by_caller: bool = False


class Catalog:
    """Configurations by name."""

    def __init__(self, folder: Path) -> None:
        """Read from `folder`; it may be filled later."""
        self._folder = folder
        self._entries: dict[str, tuple[files.Stamp, Entry]] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Name the configurations, in alphabetical order."""
        found = (path.name.removesuffix(_SUFFIX) for path in self._folder.glob(f"*{_SUFFIX}"))
        return sorted(name for name in found if is_name(name))

    def get(self, name: str) -> Entry:
        """Read a configuration.

        Raises:
            Problem: There is none of this name, or it has faults.
        """
        if not is_name(name):
            raise self._unknown(name)
        path = self._folder / f"{name}{_SUFFIX}"
        try:
            stamp = files.stamp(path)
        except OSError as error:
            raise self._unknown(name) from error
        with self._lock:
            known = self._entries.get(name)
            if known is None or known[0] != stamp:
                known = self._entries[name] = stamp, _read(path, name, stamp)
        return known[1]

    def _unknown(self, name: str) -> Problem:
        names = self.names()
        known = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
        return not_found(f"configuration {name[:128]!r}", f"known are: {known or 'none'}")


def is_name(name: str) -> bool:
    """Tell whether a configuration may be called so."""
    return _NAME.fullmatch(name) is not None and name != INLINE


def _read(path: Path, name: str, stamp: files.Stamp) -> Entry:
    try:
        config = load_config(path)
        text = path.read_text(encoding="utf-8")
        return Entry(config=config, text=text, version=digest(config), changed=stamp[0] / 1e9)
    except ConfigError as error:
        # Without the path: the caller need not know where the operator keeps it.
        faults = "; ".join(f"line {f.line}: {f.path} {f.message}" for f in error.faults)
        message = f"the configuration {name!r} has faults, for its author to mend: {faults}"
        raise Problem(422, "faulty_configuration", message) from error
