"""Every variant at every deployment, as a replay with that variant would judge it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analysis.config import parse_config
from analysis.past.deployment import Deployments
from analysis.past.looks import Schedule
from analysis.past.opening import open_deployments
from analysis.past.tuning.edits import edited
from analysis.past.tuning.harm import Harm, harms
from analysis.past.tuning.search import variants
from analysis.past.tuning.table import table_of
from analysis.past.tuning.trials import Trials
from analysis.past.work import Work
from benchmarks.tuning.__main__ import HURRIED
from tests.support.corpus import RECORDINGS, SHOP

TEXT = SHOP.read_text(encoding="utf-8")
CONFIG = parse_config(TEXT)
EVERY_MINUTE = Schedule(every=timedelta(minutes=1))
STRICTER = parse_config(edited(TEXT, variants(CONFIG, 0.01)[1].edits))
SHORTER = parse_config(TEXT.replace("planned: 4m", "planned: 2m"))


@pytest.fixture(scope="module")
def recorded() -> Deployments:
    return open_deployments(str(RECORDINGS), None)


@pytest.mark.parametrize("name", ["err1-1", "aa-3"])
def test_a_trial_is_what_a_replay_says(recorded: Deployments, name: str) -> None:
    listed = [one for one in recorded.listed() if one.id == name]
    configs = (CONFIG, STRICTER)
    work = Trials(deployments=recorded, schedule=EVERY_MINUTE, configs=configs)

    (trial,) = work(listed)

    for config, verdict, decided_s in zip(configs, trial.verdicts, trial.decided_s, strict=True):
        (row,) = Work(deployments=recorded, schedule=EVERY_MINUTE, config=config)(listed)
        assert (verdict, decided_s) == (row.verdict, row.seconds_to_decision)


def test_a_variant_that_plans_less_watches_less(recorded: Deployments) -> None:
    listed = [one for one in recorded.listed() if one.id == "aa-3"]
    work = Trials(deployments=recorded, schedule=EVERY_MINUTE, configs=(CONFIG, SHORTER))

    (trial,) = work(listed)

    assert trial.decided_s[1] <= 120 + CONFIG.source.prometheus.lag.total_seconds()


def test_harm_is_found_in_the_copy_and_not_in_the_deployment(recorded: Deployments) -> None:
    listed = [one for one in recorded.listed() if one.id == "aa-3"]
    harm = Harm(metric="mean latency", factor=2.0)
    work = Trials(deployments=recorded, schedule=EVERY_MINUTE, configs=(CONFIG,), harms=(harm,))

    plain, copy = work(listed)

    assert (plain.harm, str(plain.verdicts[0])) == (None, "pass")
    assert (copy.harm, str(copy.verdicts[0]), copy.by[0]) == (harm, "fail", ("mean latency",))


def test_the_same_harm_is_put_in_every_time(recorded: Deployments) -> None:
    listed = [one for one in recorded.listed() if one.id == "aa-3"]
    work = Trials(
        deployments=recorded,
        schedule=EVERY_MINUTE,
        configs=(CONFIG,),
        harms=tuple(harms(CONFIG, (1.5, 3.0))),
    )

    assert work(listed) == work(listed)


def test_bad_deployments_are_not_harmed_further(recorded: Deployments) -> None:
    listed = [one for one in recorded.listed() if one.id == "err1-1"]
    work = Trials(
        deployments=recorded,
        schedule=Schedule(),
        configs=(CONFIG,),
        harms=(Harm(metric="mean latency", factor=2.0),),
    )

    assert [trial.harm for trial in work(listed)] == [None]


def test_harm_goes_into_what_compares_and_is_critical() -> None:
    assert [str(harm) for harm in harms(CONFIG, (2.0,))] == ["error ratio × 2", "mean latency × 2"]


def test_twice_no_restarts_is_no_harm() -> None:
    text = HURRIED.read_text(encoding="utf-8")

    found = [harm.metric for harm in harms(parse_config(text), (2.0,))]

    assert "restarts" in text
    assert found == ["errors", "latency mean", "memory"]


def test_a_deployment_that_cannot_be_read_counts_in_no_rate(recorded: Deployments) -> None:
    listed = list(recorded.listed())[:1]
    gone = replace(listed[0], id="gone")
    work = Trials(deployments=recorded, schedule=Schedule(), configs=(CONFIG,))

    table = table_of(work([*listed, gone]))

    assert table.ids.tolist() == [listed[0].id]
