"""`serinus record`: keep what a server says of one deployment, or of a list of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click

from analysis.cli.output import progress_bar, write_file
from analysis.cli.pace import pace
from analysis.cli.selection import Selection, selection_options
from analysis.cli.times import duration
from analysis.config import CanaryConfig
from analysis.errors import ConfigError, DeliveryError, SerinusError, SourceError
from analysis.past.deployment import Deployment
from analysis.past.folder import LIST, RecordedDeployments, folder_name
from analysis.past.looks import Schedule
from analysis.past.recording import labels, record
from analysis.past.tables import read_deployments
from analysis.planning import plan_all, unique_requests
from analysis.sources import recording as recordings
from analysis.sources.connect import open_source
from analysis.sources.keeping import Keeping


@click.command(
    "record",
    epilog="""\b
Examples:
  serinus record canary.yaml --prometheus http://prometheus:9090 --start now-1h \\
      --baseline hash=5d4c --canary hash=7f9b --output deployments/2026-11-22
  serinus record canary.yaml --prometheus http://prometheus:9090 \\
      --deployments past.csv --output deployments
""",
)
@selection_options
@click.option(
    "--deployments",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="LIST",
    help="Record a whole list, CSV or Parquet as of `serinus replay`, a folder each.",
)
@click.option(
    "--looks",
    callback=duration,
    metavar="DURATION",
    help="With --deployments: keep what looks this often ask beyond the whole, by ${window}.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder to make, or to put a list's recordings in; each appears whole or not at all.",
)
def command(
    selection: Selection, *, deployments: Path | None, looks: timedelta | None, output: Path
) -> None:
    """Record the raw series that CONFIG asks for, so that they outlive the server's retention.

    `serinus judge CONFIG --recording DIR` then gives the verdict of that moment, as often as you
    like and with any tolerances; `serinus replay DIR` does so for all recordings of a list. Given
    again, a list goes on where it ended. The exit code is 4 if some could not be recorded.
    """
    config = selection.load()
    if deployments is None:
        _record_one(selection, config, output)
        return
    _check_alone(selection)
    listed = read_deployments(deployments)
    failed = _record_all(selection, config, listed, Schedule(every=looks), output)
    _write_labels(output, listed)
    for name, error in failed.items():
        click.echo(f"serinus: not recorded: {name}: {error}", err=True)
    if failed:
        raise click.exceptions.Exit(SourceError.exit_code)


def _record_one(selection: Selection, config: CanaryConfig, output: Path) -> None:
    recordings.check_free(output)
    source = Keeping(open_source(config, selection.prometheus, os.environ))
    window, variables = selection.window(config), selection.variables()
    asks = plan_all(config, window, variables)
    with progress_bar("asking Prometheus") as progress:
        answers = source.answer(unique_requests(asks), progress=progress)
    if errors := [answer for answer in answers.values() if isinstance(answer, SourceError)]:
        raise errors[0]
    recording = source.recording(window, variables)
    recordings.save(recording, output, config_text=selection.config.read_text(encoding="utf-8"))
    points = sum(len(one.times) for a in recording.answers.values() for one in a.series)
    click.echo(f"recorded {len(recording.answers)} queries, {points:,} points in {output}")


def _check_alone(selection: Selection) -> None:
    given = {
        "--set": selection.shared,
        "--baseline": selection.baseline,
        "--canary": selection.canary,
        "--start": selection.start,
        "--end": selection.end,
        "--lookback": selection.lookback,
    }
    if named := [option for option, value in given.items() if value]:
        message = f"the list says which and when; leave out {', '.join(named)}, or --deployments"
        raise ConfigError(message, origin="--deployments")


def _record_all(
    selection: Selection,
    config: CanaryConfig,
    listed: Sequence[Deployment],
    schedule: Schedule,
    output: Path,
) -> dict[str, SerinusError]:
    """Record what is not recorded yet; what failed says why."""
    server = open_source(config, selection.prometheus, os.environ)
    text = selection.config.read_text(encoding="utf-8")
    missing = [one for one in listed if not (output / folder_name(one.id)).exists()]
    kept, failed = len(listed) - len(missing), dict[str, SerinusError]()
    with pace("recording") as show:
        show(kept, len(listed), kept)
        for done, one in enumerate(missing, start=kept + 1):
            try:
                recorded = record(config, server, one, schedule)
                recordings.save(recorded, output / folder_name(one.id), config_text=text)
            except DeliveryError:
                raise  # a full disk is full for the next one too
            except SerinusError as error:
                failed[one.id] = error
            show(done, len(listed), kept)
    return failed


def _write_labels(output: Path, listed: Sequence[Deployment]) -> None:
    """Write what is known of all that is recorded there, by this list or an earlier one."""
    try:
        known = {one.id: one for one in RecordedDeployments(folder=output).listed()}
    except SourceError:
        return  # nothing was recorded
    known |= {one.id: one for one in listed if one.id in known}
    write_file(output / f"{LIST}.csv", labels(known[name] for name in sorted(known)))
