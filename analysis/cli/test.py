"""`serinus test`: unit tests of configurations."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from analysis.cli.output import output_option, rendered, write_file, write_out
from analysis.errors import ConfigError, Fault
from analysis.testing.outcome import Outcome, run
from analysis.testing.prepare import Prepared, load_suite
from analysis.testing.rendering import print_outcomes, to_json, to_junit

BROKEN = 1


@click.command(
    "test",
    epilog="""\b
Examples:
  serinus test canary_test.yaml
  serinus test tests/*.yaml --format junit --output canary.xml

\b
A file:
  config: canary.yaml
  tests:
    - name: five times the errors fail
      set: {namespace: shop}
      baseline: {hash: 5d4c}
      canary: {hash: 7f9b}
      input_series:
        - {series: 'http_requests_total{hash="5d4c", code="200"}', values: 0+100x240}
        - {series: 'http_requests_total{hash="5d4c", code="500"}', values: 0+1x240}
        - {series: 'http_requests_total{hash="7f9b", code="200"}', values: 0+100x240}
        - {series: 'http_requests_total{hash="7f9b", code="500"}', values: 0+5x240}
      expect: {verdict: fail, decided_by: [error ratio]}
""",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "junit"]),
    default="text",
    show_default=True,
    help="text for people, json for programs, junit for CI servers.",
)
@output_option("outcome")
@click.option(
    "--promtool",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PROGRAM",
    help="Who evaluates expressions; default: promtool on the PATH, if it is there.",
)
def command(
    files: tuple[Path, ...], *, form: str, output: Path | None, promtool: Path | None
) -> None:
    """Test configurations: given these series, is the verdict the expected one?

    Each FILE holds tests: series in promtool's notation, or a recording, and the verdict that is
    expected of them. Selectors (counts, sums, histogram, a plain query) are answered from the
    series; an expression by promtool, or by the answers that the test gives. Exit code: 0 all hold,
    1 some do not, 2 a file is wrong: then every fault is told and nothing is run.
    """
    tests = _prepared(files, _engine(promtool))
    outcomes = [_timed(test) for test in tests]
    text = _text(outcomes, form, is_terminal=output is None and sys.stdout.isatty())
    if output is None:
        write_out(text)
    else:
        write_file(output, text)
    raise click.exceptions.Exit(0 if all(one.holds for one in outcomes) else BROKEN)


def _engine(chosen: Path | None) -> Path | None:
    if chosen is None:
        found = shutil.which("promtool")
        return Path(found) if found else None
    if shutil.which(chosen) is None:
        raise ConfigError(f"{chosen} is no program that can be run", origin="--promtool")
    return chosen


def _prepared(files: tuple[Path, ...], engine: Path | None) -> list[Prepared]:
    """Make every test of every file ready, or tell every fault of every file."""
    tests: list[Prepared] = []
    faults: list[str] = []
    for file in files:
        try:
            tests += load_suite(file, engine)
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        raise ConfigError(tuple(Fault(path="", message=text) for text in faults))
    return tests


def _timed(test: Prepared) -> Outcome:
    began = time.perf_counter()
    outcome = run(test)
    return replace(outcome, seconds=time.perf_counter() - began)


def _text(outcomes: list[Outcome], form: str, *, is_terminal: bool) -> str:
    if form == "json":
        return to_json(outcomes)
    if form == "junit":
        return to_junit(outcomes)

    def show(console: Console) -> None:
        print_outcomes(outcomes, console)

    return rendered(show, is_terminal=is_terminal)
