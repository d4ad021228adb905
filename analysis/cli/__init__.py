"""The `serinus` command: the composition root, where clock, environment and files are read once.

Commands live one a file and are imported only when called, so that `--help` answers at once.
"""

from __future__ import annotations

import difflib
import importlib
import os
import signal
import sys
from importlib.metadata import version
from typing import NoReturn

import click

from analysis.errors import SerinusError

BUG, INTERRUPTED = 70, 130

# Name of each command (and of its module), with the line that `serinus --help` shows.
COMMANDS = {
    "judge": "Judge a canary against its baseline: pass, fail or inconclusive.",
    "plan": "Forecast how long a rollout will take, and what it can show.",
    "record": "Keep a deployment's raw series in a folder, to be judged again later.",
    "convert": "Keep past deployments as Parquet or npz, from wherever they are.",
    "replay": "Judge past deployments again, thousands at a time, and evaluate the verdicts.",
    "tune": "Search tolerances and risks that keep a budget of false fails.",
    "diff": "Show which verdicts flip between two configurations.",
    "report": "Show what past deployments tell of the whole fleet.",
    "serve": "Serve analyses over HTTP to Argo Rollouts, Flagger and others.",
    "check": "Check a configuration without asking any server.",
    "test": "Test configurations: given these series, is the verdict the expected one?",
    "import": "Write a configuration from Kayenta's or Flagger's.",
    "export": "Write what Argo Rollouts or Flagger need to ask for the verdict.",
    "init": "Write a commented configuration to start from.",
    "judges": "List the judges and their parameters.",
    "presets": "List traffic layers: what they count, and how they tell the sides apart.",
    "schema": "Print the JSON Schema of a configuration, for editors.",
}

# Of commands whose name no module can have.
MODULES = {"import": "import_"}

EPILOG = """\b
Start here:
  serinus init > canary.yaml
  serinus judge canary.yaml --prometheus http://localhost:9090 \\
      --baseline hash=5d4c --canary hash=7f9b --lookback 30m

\b
Exit codes: 0 pass, 1 fail, 2 usage or configuration, 3 inconclusive,
4 the metric source gave no answer, 5 the report could not be written, 70 a bug.

\b
Shell completion: eval "$(_SERINUS_COMPLETE=bash_source serinus)"
(zsh_source, fish_source for other shells).
"""


class LazyGroup(click.Group):  # click's documented way to load commands when they are called
    """A group that knows its commands by name and imports them only to run them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the commands, in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            remedy = f"did you mean '{near[0]}'?" if near else "`serinus --help` lists them"
            ctx.fail(f"there is no command '{cmd_name}'; {remedy}")
        module = importlib.import_module(f"analysis.cli.{MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; where its reader has gone, click would end with 1, which means fail."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise click.exceptions.Exit(_broken_pipe()) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "SERINUS",
        "max_content_width": 100,
    },
)
@click.version_option(version("serinus"), "-V", "--version", message="serinus %(version)s")
def group() -> None:
    """Serinus judges canaries: is the new version worse than the old one?

    It reads both versions' series from Prometheus, puts a statistical judge on each metric, and
    answers with a verdict, a score and the numbers behind them. The error rates it states hold, on
    autocorrelated and bursty data, however often you look.
    """


def main() -> NoReturn:
    """Run the command and end the process with its exit code."""
    try:
        code = group.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.exceptions.Abort:
        code = _interrupted()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except SerinusError as error:
        click.echo(f"serinus: {error}", err=True)
        code = error.exit_code
    except KeyboardInterrupt:
        code = _interrupted()
    except Exception:  # noqa: BLE001 - the boundary: whatever reaches it is our bug
        code = _bug()
    sys.exit(code if isinstance(code, int) else 0)


def _interrupted() -> int:
    click.echo("serinus: interrupted; nothing was left half-written", err=True)
    return INTERRUPTED


def _broken_pipe() -> int:
    """End as other filters do when the reader has gone, without a second error at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


def _bug() -> int:
    import traceback

    traceback.print_exc()
    click.echo(
        "serinus: this is a bug in Serinus, not in your configuration; please report it with the "
        "lines above",
        err=True,
    )
    return BUG
