"""Carry deployments from where they are to where they are to be kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from analysis.errors import ConfigError, DeliveryError, SerinusError
from analysis.past.dataset.target import Kept, Target
from analysis.past.deployment import Deployment, Deployments
from analysis.sources.recording import Recording

# (done, in all, how many of those done were kept from an earlier run)
OnProgress = Callable[[int, int, int], None]

ON_A_SERVER = (
    "is a list, its series are still on the server; "
    "`serinus record CONFIG --deployments LIST --output DIR` fetches them"
)


def convert(
    origin: Deployments, target: Target, *, progress: OnProgress
) -> Mapping[str, SerinusError]:
    """Keep what is not kept yet; give what failed, by deployment, with the reason.

    Raises:
        ConfigError: The list of deployments is faulty, or the series are still on a server.
        DeliveryError: The target cannot be written: it would be full for the next one too.
        SourceError: The list cannot be read.
    """
    listed = origin.listed()
    there = target.names()
    missing = [one for one in listed if one.id not in there]
    kept, failed = len(listed) - len(missing), dict[str, SerinusError]()
    progress(kept, len(listed), kept)
    try:
        for done, one in enumerate(missing, start=kept + 1):
            try:
                whole = _read(origin, one)
            except SerinusError as error:
                failed[one.id] = error
            else:
                target.add(whole)
            progress(done, len(listed), kept)
    except DeliveryError:
        raise
    except BaseException:
        target.finish(listed)  # an interruption loses nothing that was read
        raise
    target.finish(listed)
    return failed


def _read(origin: Deployments, deployment: Deployment) -> Kept:
    recording = origin.source(deployment)
    if not isinstance(recording, Recording):
        raise ConfigError(ON_A_SERVER, origin=origin.description)
    text = origin.config_text(deployment)
    return Kept(deployment=deployment, recording=recording, config_text=text)
