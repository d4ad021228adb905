"""The command, a server with the corpus, and a table of verdicts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analysis.cli import main
from tests.support.command import Done, clean_environment
from tests.support.corpus import all_runs, past
from tests.support.prometheus import RealPrometheus


@pytest.fixture
def serinus(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Done]:
    """Give the command, called within this process: twenty times faster than a new one."""
    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)

    def call(*words: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["serinus", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(code=ended.value.code, out=out, err=err)

    return call


@pytest.fixture(scope="session")
def corpus_url(requires_prometheus: object) -> Iterator[str]:
    """Run a real Prometheus that holds every recorded run: three seconds, once for each worker."""
    with RealPrometheus(openmetrics=past(all_runs())) as prometheus:
        yield prometheus.url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the verdict on every recorded run, asserted or not."""
    passed = terminalreporter.getreports("passed")
    lines = [value for report in passed for key, value in report.user_properties if key == "run"]
    if lines:
        terminalreporter.section("verdicts on the recorded runs")
        terminalreporter.write_line("\n".join(sorted(map(str, lines))))
