"""`serinus convert`: carry recorded deployments from one form into another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import click

from analysis.cli.pace import pace
from analysis.cli.times import duration
from analysis.config import load_config
from analysis.errors import ConfigError, SerinusError, SourceError
from analysis.past.dataset.converting import ON_A_SERVER, convert
from analysis.past.dataset.importing import Imported, is_import, open_series
from analysis.past.dataset.target import FolderTarget, Target
from analysis.past.dataset.writing import DatasetTarget
from analysis.past.deployment import Deployments
from analysis.past.looks import Schedule
from analysis.past.opening import open_deployments


class Form(StrEnum):
    """How recorded deployments are kept."""

    PARQUET = "parquet"
    NPZ = "npz"


@click.command(
    "convert",
    epilog="""\b
Examples:
  serinus convert deployments --output past.dataset            # recordings into Parquet
  serinus convert past.dataset --to npz --output deployments   # and back
  serinus convert sqlite:///serinus.db --output past.dataset   # what the service has judged
  serinus convert metrics.om --config canary.yaml --deployments past.csv --output past.dataset
  serinus convert answers.yaml --config canary.yaml --deployments past.csv --output past.dataset
""",
)
@click.argument("source", metavar="SOURCE")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Where they are kept; one that is there already is added to.",
)
@click.option(
    "--to",
    "form",
    type=click.Choice([*map(str, Form)]),
    default=str(Form.PARQUET),
    show_default=True,
    help="parquet: a dataset, the extra replay; npz: a folder for each, without any extra.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="CONFIG",
    help="Of bare series: the configuration whose queries they answer.",
)
@click.option(
    "--deployments",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="LIST",
    help="Of bare series: when and which, CSV or Parquet as of `serinus replay`.",
)
@click.option(
    "--looks",
    callback=duration,
    metavar="DURATION",
    help="Of bare series: keep what looks this often ask beyond the whole, by ${window}.",
)
def command(
    *,
    source: str,
    output: Path,
    form: str,
    config: Path | None,
    deployments: Path | None,
    looks: timedelta | None,
) -> None:
    """Keep the deployments of SOURCE in another form: a Parquet dataset, or a folder of recordings.

    SOURCE is a folder of recordings, a dataset, or the database of a service; or bare series that
    become recordings with --config and --deployments: OpenMetrics (.om, .txt), a long CSV (time,
    metric, labels, value), or saved answers of Prometheus' API listed in a .yaml. .gz and .xz
    are unpacked. Given again, the command goes on where it ended. The exit code is 4 if some could
    not be converted.
    """
    origin = _origin(source, config, deployments, looks)
    failed = _convert(origin, _target(Form(form), output, origin))
    for name, error in failed.items():
        click.echo(f"serinus: not converted: {name}: {error}", err=True)
    if failed:
        raise click.exceptions.Exit(_exit_code(failed))


def _origin(
    source: str, config: Path | None, deployments: Path | None, looks: timedelta | None
) -> Deployments:
    if not is_import(source):
        given = {"--config": config, "--deployments": deployments, "--looks": looks}
        if named := [option for option, value in given.items() if value is not None]:
            message = f"{source!r} knows its deployments; leave out {', '.join(named)}"
            raise ConfigError(message, origin="SOURCE")
        if source.endswith(".parquet"):
            raise ConfigError(ON_A_SERVER, origin=source)
        return open_deployments(source, None)
    if config is None or deployments is None:
        message = f"{source!r} holds bare series; give --config CONFIG and --deployments LIST"
        raise ConfigError(message, origin="SOURCE")
    return Imported(
        path=deployments,
        config=load_config(config),
        text=config.read_text(encoding="utf-8"),
        schedule=Schedule(every=looks),
        series=open_series(Path(source)),
    )


def _target(form: Form, output: Path, origin: Deployments) -> Target:
    if form is Form.NPZ:
        return FolderTarget(folder=output)
    return DatasetTarget(folder=output, origin=origin.description)


def _convert(origin: Deployments, target: Target) -> Mapping[str, SerinusError]:
    with pace("converting") as show:
        return convert(origin, target, progress=show)


def _exit_code(failed: Mapping[str, SerinusError]) -> int:
    """Give the code of a mistake only where nothing else went wrong."""
    only_config = all(isinstance(error, ConfigError) for error in failed.values())
    return ConfigError.exit_code if only_config else SourceError.exit_code
