"""What notebooks and scripts call."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from functools import cache

import pytest

import analysis
from analysis.errors import ConfigError
from analysis.sources.recording import load
from analysis.window import as_datetime
from tests.support.corpus import RECORDINGS, SHOP

ONCE = timedelta(minutes=2)


@cache
def replayed() -> analysis.Replayed:
    return analysis.replay(RECORDINGS, SHOP, looks=ONCE, engine="serial")


@cache
def tuned() -> analysis.Tuned:
    return analysis.tune(SHOP, RECORDINGS, engine="serial")


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import analysis, sys; print({'numpy', 'pandas', 'scipy'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


def test_every_public_name_is_there() -> None:
    assert all(getattr(analysis, name) is not None for name in analysis.__all__)
    assert set(analysis.__all__) <= set(dir(analysis))


def test_a_misspelt_name_is_told_what_there_is() -> None:
    with pytest.raises(AttributeError, match=r"analysis has no 'analyse'; it has .*analyze"):
        _ = analysis.analyse


def test_a_look_is_shown_as_a_card_and_as_frames() -> None:
    judged = analysis.analyze(SHOP, RECORDINGS / "err1-1")

    assert judged.verdict.value == "fail"
    assert judged.to_frame().loc["error ratio", "verdict"] == "fail"
    assert set(judged.series()["side"]) == {"baseline", "canary"}
    assert "<svg" in judged._repr_html_()
    assert repr(judged).startswith("<shop: fail, score 0: error ratio: ")


def test_less_of_a_recording_can_be_judged() -> None:
    begin = as_datetime(load(RECORDINGS / "err1-1").window.start)
    first_minute = analysis.analyze(
        SHOP, RECORDINGS / "err1-1", start=begin, end=begin + timedelta(minutes=1)
    )

    assert first_minute.report.window.end - first_minute.report.window.start == 60.0


def test_a_window_that_is_none_is_refused() -> None:
    begin = as_datetime(load(RECORDINGS / "err1-1").window.start)

    with pytest.raises(ConfigError, match="is no time at all"):
        analysis.analyze(SHOP, RECORDINGS / "err1-1", start=begin, end=begin)


def test_without_a_source_the_one_of_the_configuration_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PROMETHEUS_URL", raising=False)

    with pytest.raises(ConfigError, match="PROMETHEUS_URL"):
        analysis.analyze(SHOP, variables={"run": "aa-1"})


def test_a_replay_is_a_frame_with_a_row_for_each_deployment() -> None:
    frame = replayed().to_frame()

    assert list(frame.index) == sorted(frame.index)
    assert (frame["truth"] == "bad").sum() == 4
    assert frame.loc["err1-1", "verdict"] == "fail"
    assert set(replayed().metrics()["name"]) == {
        "error ratio",
        "mean latency",
        "restarts",
        "memory per pod",
    }


def test_a_replay_is_shown_as_a_table() -> None:
    assert "good ones that failed" in replayed()._repr_html_()
    assert repr(replayed()).startswith("<8 deployments: 0 of 4 good ones failed")


def test_a_replay_tells_of_the_fleet() -> None:
    assert replayed().fleet().services[0].name == "shop"


def test_tuning_is_a_frame_a_card_and_a_figure() -> None:
    assert tuned().suggestion == "as it is"
    assert tuned().to_frame().loc["as it is", "false_fails"] == 0.0
    assert "<svg" in tuned()._repr_html_()
    assert [trace.name for trace in tuned().figure().data][:2] == ["tried", "as it is"]
    assert tuned().text == SHOP.read_text(encoding="utf-8")


def test_what_the_deployments_cannot_tell_stands_in_the_card() -> None:
    assert "cannot show that 1 % is kept" in tuned()._repr_html_()
