"""Keep the raw series of past deployments, so that they outlive a server's retention."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from analysis.config import CanaryConfig
from analysis.errors import ConfigError, SourceError, TooEarlyError
from analysis.past.deployment import Deployment
from analysis.past.looks import Schedule, window_of
from analysis.past.reading import ReadOnce
from analysis.planning import plan_all, unique_requests
from analysis.sources.keeping import Keeping
from analysis.sources.port import MetricSource, Request
from analysis.sources.recording import Recording
from analysis.window import Window

_LABELS = ("id", "truth", "fault_start", "service")


def record(
    config: CanaryConfig, server: MetricSource, deployment: Deployment, schedule: Schedule
) -> Recording:
    """Ask a server for all that any look at a deployment needs.

    Args:
        config: What to ask.
        server: Who is asked.
        deployment: Which.
        schedule: Which looks will be made: queries that hold `${window}` differ at each.

    Raises:
        ConfigError: A query cannot be rendered, both sides ask the same, or nothing is left of the
            deployment after the warm-up.
        SourceError: A query had no answer: half a recording would judge otherwise.
    """
    keeping = Keeping(server)
    try:
        window = window_of(deployment, config, deployment.end + config.lag)
    except TooEarlyError as error:
        raise ConfigError(str(error), origin=deployment.id) from error
    _ask(keeping, _requests(config, deployment, window))
    whole = keeping.recording(window, deployment.variables)
    once = ReadOnce(whole=whole, server=keeping)
    for at in schedule.instants(deployment, config):
        try:
            look = window_of(deployment, config, at)
        except TooEarlyError:
            continue
        _ask(once, _requests(config, deployment, look))
    return keeping.recording(window, deployment.variables)


def _requests(config: CanaryConfig, deployment: Deployment, window: Window) -> list[Request]:
    variables = deployment.variables
    asks = plan_all(config, window, variables)
    return unique_requests(asks)


def _ask(source: MetricSource, requests: list[Request]) -> None:
    answers = source.answer(requests).values()
    if errors := [answer for answer in answers if isinstance(answer, SourceError)]:
        raise errors[0]


def labels(deployments: Iterable[Deployment]) -> str:
    """Give what is known of recorded deployments as the list that lies beside them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_LABELS)
    for one in deployments:
        since = one.fault_start.isoformat() if one.fault_start else ""
        writer.writerow((one.id, one.truth or "", since, one.service))
    return text.getvalue()
