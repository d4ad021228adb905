"""A folder of recordings: a folder or a packed file (`.zip`) each, and a list of what is known.

deployments.csv (or .parquet)   optional: `id`, and truth, fault_start, service, variables
ID/                             a recording as `serinus record` leaves it
ID.zip                          the same, packed
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from analysis.config import CanaryConfig, parse_config
from analysis.errors import ConfigError, Fault, SourceError
from analysis.past.deployment import Deployment
from analysis.past.tables import COLUMNS, SUFFIXES, Cells, read_cells, variables_of
from analysis.sources import recording as recordings
from analysis.sources.port import MetricSource
from analysis.window import as_datetime

LIST = "deployments"
PACKED = ".zip"


def folder_name(deployment: str) -> str:
    """Give the name of the folder that holds a deployment's recording, whatever its id holds."""
    name = quote(deployment, safe=" +=,@")
    return f"%2E{name[1:]}" if name.startswith(".") else name


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDeployments:
    """The recordings of a folder.

    Attributes:
        folder: Where they are.
    """

    folder: Path

    @property
    def description(self) -> str:
        """Say where they are."""
        return f"recordings in {self.folder}"

    def listed(self) -> Sequence[Deployment]:
        """List them by name, with what `deployments.csv` beside them knows.

        Raises:
            ConfigError: The list is faulty, or names a deployment that is not recorded.
            SourceError: There is no recording, or one cannot be read.
        """
        places = {unquote(place.stem if _is_packed(place) else place.name): place
                  for place in self._places()}  # fmt: skip
        if not places:
            message = f"{self.folder} holds no recordings; `serinus record` makes them"
            raise SourceError(message, code="not_recorded")
        known = _known(self.folder, places)
        return [_deployment(name, places[name], known.get(name, {})) for name in sorted(places)]

    def source(self, deployment: Deployment) -> MetricSource:
        """Read a recording.

        Raises:
            SourceError: It is not there, or damaged.
        """
        place = self._place(deployment)
        return recordings.load(place) if place.is_dir() else recordings.load_packed(place)

    def own_config(self, deployment: Deployment) -> CanaryConfig | None:
        """Read the configuration that the recording was made with.

        Raises:
            ConfigError: It is no configuration any more.
        """
        text = self.config_text(deployment)
        return None if text is None else _parsed(text)

    def config_text(self, deployment: Deployment) -> str | None:
        """Read the text of that configuration."""
        path = self._place(deployment) / "canary.yaml"
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def _place(self, deployment: Deployment) -> Path:
        place = self.folder / folder_name(deployment.id)
        packed = place.with_name(place.name + PACKED)
        return place if place.is_dir() or not packed.is_file() else packed

    def _places(self) -> Iterator[Path]:
        try:
            for place in self.folder.iterdir():
                is_recording = (place / "recording.json").is_file() or _is_packed(place)
                if is_recording and not place.name.startswith("."):
                    yield place
        except OSError as error:
            message = f"{self.folder} cannot be read: {error.strerror}"
            raise SourceError(message, code="not_recorded") from error


def _is_packed(place: Path) -> bool:
    return place.suffix == PACKED and place.is_file()


# The recordings of one folder were mostly made with one configuration.
@lru_cache(maxsize=32)
def _parsed(text: str) -> CanaryConfig:
    return parse_config(text, origin="canary.yaml of the recording")


def _known(folder: Path, places: Mapping[str, Path]) -> Mapping[str, Cells]:
    path = next((p for s in SUFFIXES if (p := folder / (LIST + s)).is_file()), None)
    if path is None:
        return {}
    known = {str(cells["id"]): cells for cells in read_cells(path, needed=("id",))}
    if missing := sorted(known.keys() - places.keys()):
        faults = [Fault(path="id", message=f"{name!r} is not recorded here") for name in missing]
        raise ConfigError(tuple(faults), origin=str(path))
    return known


def _deployment(name: str, place: Path, known: Cells) -> Deployment:
    head = recordings.read_head(place)
    fields: dict[str, Any] = {k: v for k, v in known.items() if k in COLUMNS and k != "id"}
    fields = {
        "start": as_datetime(head.window.start),
        "end": as_datetime(head.window.end),
        **fields,
    }
    variables = variables_of(known)
    return Deployment(
        id=name,
        variables={
            side: {**head.variables.get(side, {}), **own} for side, own in variables.items()
        },
        **fields,
    )
