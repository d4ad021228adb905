"""The port through which recorded deployments are kept, and the folder of recordings behind it."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from analysis.config import SIDES
from analysis.errors import DeliveryError, SourceError
from analysis.past.deployment import Deployment
from analysis.past.folder import LIST, RecordedDeployments, folder_name
from analysis.past.tables import COLUMNS
from analysis.sources import recording as recordings
from analysis.sources.recording import Recording


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """A deployment with all that is kept of it.

    Attributes:
        deployment: Which.
        recording: Its series.
        config_text: The configuration it was judged or recorded with, as YAML; `None` where there
            is none.
    """

    deployment: Deployment
    recording: Recording
    config_text: str | None


class Target(Protocol):
    """Where recorded deployments are kept."""

    def names(self) -> frozenset[str]:
        """Give the ids of the deployments that are there already.

        Raises:
            DeliveryError: Something else stands there.
        """

    def add(self, kept: Kept) -> None:
        """Keep a deployment; it may be there only after `finish`.

        Raises:
            DeliveryError: It cannot be written.
        """

    def finish(self, listed: Sequence[Deployment]) -> None:
        """Write what is left to write.

        Args:
            listed: What is known of all that were to be kept, whether they are there or not.

        Raises:
            DeliveryError: It cannot be written.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderTarget:
    """A folder of recordings.

    Attributes:
        folder: Where they go, a folder each, with a list of what is known of them.
    """

    folder: Path

    def names(self) -> frozenset[str]:
        """Give the ids of the recordings that are there.

        Raises:
            ConfigError: The list beside them is faulty.
            DeliveryError: A file or something else is there.
        """
        if not self.folder.exists():
            return frozenset()
        if not self.folder.is_dir():
            raise DeliveryError(f"{self.folder} is a file; choose another --output")
        names = frozenset(one.id for one in self._there())
        if not names and any(self.folder.iterdir()):
            raise DeliveryError(f"{self.folder} holds no recordings; choose another --output")
        return names

    def add(self, kept: Kept) -> None:
        """Write a recording.

        Raises:
            DeliveryError: It cannot be written.
        """
        place = self.folder / folder_name(kept.deployment.id)
        recordings.save(kept.recording, place, config_text=kept.config_text)

    def finish(self, listed: Sequence[Deployment]) -> None:
        """Write down what is known of all that are recorded there, now or earlier.

        Raises:
            DeliveryError: It cannot be written.
        """
        known = {one.id: one for one in self._there()}
        known |= {one.id: one for one in listed if one.id in known}
        if not known:
            return
        path = self.folder / f"{LIST}.csv"
        temporary = path.with_name(f".{path.name}-{os.getpid()}")
        try:
            temporary.write_text(_table([known[name] for name in sorted(known)]), encoding="utf-8")
            temporary.replace(path)
        except OSError as error:
            raise DeliveryError(f"cannot write {path}: {error.strerror}") from error
        finally:
            temporary.unlink(missing_ok=True)

    def _there(self) -> Sequence[Deployment]:
        try:
            return RecordedDeployments(folder=self.folder).listed()
        except SourceError:
            return ()


def _table(deployments: Sequence[Deployment]) -> str:
    """Give a list as `read_deployments` reads it, with a column for each variable."""
    rows = [_cells(one) for one in deployments]
    variables = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    text = io.StringIO()
    writer = csv.DictWriter(text, [*COLUMNS, *variables], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _cells(one: Deployment) -> dict[str, str]:
    # The recording beside it has the values that no column can have.
    variables = {
        f"{side}.{name}": value
        for side in SIDES
        for name, value in one.variables.get(side, {}).items()
        if name.isidentifier() and value.strip() == value != ""
    }
    return {
        "id": one.id,
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
        "truth": one.truth or "",
        "fault_start": one.fault_start.isoformat() if one.fault_start else "",
        "service": one.service,
        **variables,
    }
