"""Find out what kind of origin a word of the command line names."""

from __future__ import annotations

from pathlib import Path

from analysis.errors import ConfigError
from analysis.past.dataset import layout
from analysis.past.dataset.reading import DatasetDeployments
from analysis.past.deployment import Deployments
from analysis.past.folder import RecordedDeployments
from analysis.past.listed import ListedDeployments, Server
from analysis.past.stored import PREFIXES, StoredDeployments
from analysis.past.tables import SUFFIXES

ORIGIN = "DEPLOYMENTS"


def open_deployments(where: str, server: Server | None) -> Deployments:
    """Open past deployments.

    Args:
        where: A folder of recordings, a dataset, a CSV or Parquet list, or the address of a
            service's database such as `sqlite:///serinus.db`.
        server: Who has the series of a list; `None` where no configuration describes one.

    Raises:
        ConfigError: It names nothing, or a list has no server.
    """
    if where.startswith(PREFIXES):
        return StoredDeployments(url=where)
    path = Path(where).absolute()  # workers of a cluster stand elsewhere
    if layout.is_dataset(path):
        return DatasetDeployments(folder=path)
    if path.is_dir():
        return RecordedDeployments(folder=path)
    if path.suffix not in SUFFIXES:
        known = "a folder of recordings or a dataset, a .csv or .parquet list, a sqlite:///FILE"
        raise ConfigError(f"{where!r} is none of: {known}", origin=ORIGIN)
    if server is None:
        message = "a list holds no configurations; give --config CONFIG"
        raise ConfigError(message, origin=ORIGIN)
    return ListedDeployments(path=path, server=server)
