"""Trials as arrays, variants by deployments: what choosing and validating compute on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.past.deployment import Truth
from analysis.past.tuning.trials import Trial
from judges import Verdict

Bools = NDArray[np.bool_]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """What became of every deployment under every variant.

    Attributes:
        failed: Shape (variants, deployments).
        passed: Shape (variants, deployments).
        decided_s: Seconds from the start to the verdict, shape (variants, deployments).
        detected: Failed, and not before the fault began, shape (variants, deployments).
        delay_s: Seconds from the beginning of the fault to the verdict.
        is_bad: Shape (deployments,).
        services: What was deployed, shape (deployments,).
        starts: Epoch seconds, shape (deployments,).
        labels: What was put into it; empty for a deployment as it was, shape (deployments,).
        ids: Names of the deployments themselves; a harmed copy has the one of its original.
    """

    failed: Bools
    passed: Bools
    decided_s: Array
    detected: Bools
    delay_s: Array
    is_bad: Bools
    services: NDArray[np.str_]
    starts: Array
    labels: NDArray[np.str_]
    ids: NDArray[np.str_]

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Table:
        """Give some of the deployments."""
        return Table(
            failed=self.failed[:, chosen],
            passed=self.passed[:, chosen],
            decided_s=self.decided_s[:, chosen],
            detected=self.detected[:, chosen],
            delay_s=self.delay_s[:, chosen],
            is_bad=self.is_bad[chosen],
            services=self.services[chosen],
            starts=self.starts[chosen],
            labels=self.labels[chosen],
            ids=self.ids[chosen],
        )

    @property
    def good(self) -> Bools:
        """Tell which deployments are good."""
        return ~self.is_bad


def table_of(trials: Sequence[Trial]) -> Table:
    """Lay trials out; those that some variant could not judge are left out of all."""
    judged = [trial for trial in trials if None not in trial.verdicts]
    verdicts = np.array([[str(v) for v in trial.verdicts] for trial in judged]).T
    decided = np.array([trial.decided_s for trial in judged], dtype=np.float64).T
    onset = np.array([_onset_s(trial) for trial in judged], dtype=np.float64)
    shape = (len(judged[0].verdicts) if judged else 0, len(judged))
    failed = (verdicts == str(Verdict.FAIL)).reshape(shape)
    decided = decided.reshape(shape)
    return Table(
        failed=failed,
        passed=(verdicts == str(Verdict.PASS)).reshape(shape),
        decided_s=decided,
        detected=failed & (decided >= onset),
        delay_s=decided - onset,
        is_bad=np.array([trial.deployment.truth is Truth.BAD for trial in judged], dtype=bool),
        services=np.array([trial.deployment.service for trial in judged], dtype=np.str_),
        starts=np.array([trial.deployment.start.timestamp() for trial in judged]),
        labels=np.array([str(trial.harm or "") for trial in judged], dtype=np.str_),
        ids=np.array([trial.original for trial in judged], dtype=np.str_),
    )


def _onset_s(trial: Trial) -> float:
    one = trial.deployment
    if one.fault_start is None or trial.harm is not None:
        return 0.0
    return (one.fault_start - one.start).total_seconds()
