"""A file of tests: every fault of it at once, and what its tests find."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from analysis.errors import ConfigError
from analysis.sources.recording import load
from analysis.testing.outcome import Outcome, run
from analysis.testing.prepare import load_suite
from analysis.testing.rendering import explanation, to_json, to_junit
from judges import Verdict
from tests.support.corpus import RECORDINGS
from tests.support.suites import CONFIG, EXPRESSION, a_case, rollout, series, write_suite


def outcome(folder: Path, **case: Any) -> Outcome:
    (test,) = load_suite(write_suite(folder, a_case(**case)), None)
    return run(test)


def differences(found: Outcome) -> dict[str, tuple[str, str]]:
    return {one.what: (one.expected, one.observed) for one in found.mismatches}


def test_a_good_canary_passes(tmp_path: Path) -> None:
    found = outcome(tmp_path, expect={"verdict": "pass", "score": 100, "decided_by": []})

    assert found.holds


def test_five_times_the_errors_fail_and_are_blamed(tmp_path: Path) -> None:
    found = outcome(
        tmp_path,
        input_series=rollout(errors="0+5x240"),
        expect={
            "verdict": "fail",
            "decided_by": ["error ratio"],
            "reason": "beyond_tolerance",
            "summary": "error ratio",
            "score": {"max": 74},
            "metrics": {
                "error ratio": "fail",
                "memory": {"verdict": "pass", "summary": "steady"},
            },
        },
    )

    assert found.holds, explanation(found)


def test_a_missing_side_is_found_by_its_guard(tmp_path: Path) -> None:
    gone = [one for one in rollout() if 'pod="b"' not in one["series"]]

    found = outcome(
        tmp_path,
        input_series=gone,
        expect={"verdict": "inconclusive", "metrics": {"memory": {"guard": "side_missing"}}},
    )

    assert differences(found) == {"verdict": ("inconclusive", "pass")}  # it is not critical


def test_what_does_not_hold_is_told_with_what_came_instead(tmp_path: Path) -> None:
    found = outcome(
        tmp_path,
        expect={
            "verdict": "fail",
            "decided_by": ["memory"],
            "reason": "beyond_tolerance",
            "summary": "no such words",
            "score": {"min": 10, "max": 50},
            "metrics": {
                "memory": {"verdict": "fail", "reason": "no_data", "guard": "side_missing"},
                "error ratio": {"summary": "nor these"},
            },
        },
    )

    assert not found.holds
    told = differences(found)
    assert told["verdict"] == ("fail", "pass")
    assert told["decided_by"] == ("memory", "none")
    assert told["reason"] == ("beyond_tolerance", "none: no metric decided")
    assert told["score"] == ("10 to 50", "100")
    assert told["memory: verdict"] == ("fail", "pass")
    assert told["memory: guard"] == ("side_missing", "none")
    assert set(told) == {
        *("verdict", "decided_by", "reason", "summary", "score"),
        *("memory: verdict", "memory: reason", "memory: guard", "error ratio: summary"),
    }


def test_only_a_part_is_judged_where_the_test_says_so(tmp_path: Path) -> None:
    late = a_case(input_series=rollout(errors="0+1x120 1000+50x120"))
    path = write_suite(tmp_path, late, late | {"window": {"start": "10m", "end": "30m"}})

    (_, test) = load_suite(path, None)
    whole, early = (run(one).report for one in load_suite(path, None))

    assert whole is not None
    assert early is not None
    assert (whole.verdict, early.verdict) == (Verdict.FAIL, Verdict.INCONCLUSIVE)
    assert (test.window.start, test.window.end) == (600.0, 1800.0)


def test_the_interval_of_a_test_wins_over_that_of_its_file_and_the_step(tmp_path: Path) -> None:
    (by_step, by_case) = load_suite(
        write_suite(tmp_path, a_case(), a_case(name="slow", interval="30s")), None
    )

    assert by_step.window.end == 240 * 15.0
    assert by_case.window.end == 240 * 30.0


ANSWERS = [
    {"metric": "cpu", "side": side, "series": '{pod="a"}', "values": "0.2x240"}
    for side in ("baseline", "canary")
]


def test_an_answer_stands_for_an_expression(tmp_path: Path) -> None:
    path = write_suite(
        tmp_path,
        a_case(answers=ANSWERS, expect={"verdict": "pass", "metrics": {"cpu": "pass"}}),
        config=CONFIG + EXPRESSION,
    )

    (test,) = load_suite(path, None)

    assert run(test).holds


def test_answers_may_be_all_there_is(tmp_path: Path) -> None:
    answers = [
        {"metric": "error ratio", "side": side, "role": role, "values": values}
        for side in ("baseline", "canary")
        for role, values in (("events", "0+1x240"), ("total", "0+101x240"))
    ]
    case = a_case(answers=answers, expect={"verdict": "pass", "metrics": {"error ratio": "pass"}})
    del case["input_series"]

    (test,) = load_suite(write_suite(tmp_path, case), None)

    assert run(test).holds


def test_a_recording_is_judged_as_the_command_does(tmp_path: Path) -> None:
    config = (RECORDINGS / "canary.yaml").read_text()
    case = a_case(
        recording=str(RECORDINGS / "err1-1"), expect={"verdict": "fail"}, baseline={}, canary={}
    )
    del case["input_series"]

    (test,) = load_suite(write_suite(tmp_path, case, config=config), None)

    assert test.window.start == load(RECORDINGS / "err1-1").window.start
    assert run(test).holds


def test_a_recording_of_something_else_is_no_analysis(tmp_path: Path) -> None:
    case = a_case(recording=str(RECORDINGS / "err1-1"))
    del case["input_series"]
    (test,) = load_suite(write_suite(tmp_path, case), None)

    found = run(test)

    assert not found.holds
    assert found.error is not None
    assert "holds no answer" in found.error


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt key is named, with its neighbor": (
        {"sett": {}},
        r"canary_test.yaml:\d+: tests\[0\].sett: is no key here; did you mean 'set'\?",
    ),
    "a misspelt verdict": (
        {"expect": {"verdict": "passs"}},
        r"tests\[0\].expect.verdict: 'passs' is no verdict; did you mean 'pass'\?",
    ),
    "a misspelt reason": (
        {"expect": {"verdict": "pass", "reason": "beyond_tolerace"}},
        "did you mean 'beyond_tolerance'",
    ),
    "a misspelt guard": (
        {"expect": {"verdict": "pass", "metrics": {"memory": {"guard": "side_mising"}}}},
        r"metrics.memory.guard: 'side_mising' is no guard; did you mean 'side_missing'\?",
    ),
    "no expectation": ({"expect": {}}, r"tests\[0\].expect.verdict: is missing"),
    "a misspelt metric": (
        {"expect": {"verdict": "pass", "metrics": {"eror ratio": "fail"}}},
        r"metrics.eror ratio: 'eror ratio' is no metric of shop; did you mean 'error ratio'\?",
    ),
    "a metric that decides and is none": (
        {"expect": {"verdict": "fail", "decided_by": ["memry"]}},
        r"decided_by\[0\]: 'memry' is no metric of shop; did you mean 'memory'",
    ),
    "bounds upside down": (
        {"expect": {"verdict": "pass", "score": {"min": 9, "max": 1}}},
        r"score: min \(9\) must not exceed max \(1\)",
    ),
    "a side that is none": (
        {"answers": [{"metric": "memory", "side": "left", "values": "1"}]},
        r"answers\[0\].side: input should be 'baseline' or 'canary'",
    ),
    "an answer to one of two queries, without saying which": (
        {"answers": [{"metric": "error ratio", "side": "canary", "values": "1"}]},
        r"answers\[0\]: role must be events or total, got None",
    ),
    "native histograms": (
        {"input_series": [{"series": "x", "values": "{{count:1}}"}]},
        r"input_series\[0\].values: native histograms",
    ),
    "a series without a name": (
        {"input_series": [{"series": '{a="b"}', "values": "1"}]},
        r"input_series\[0\].series: a scraped series has a name",
    ),
    "a series twice": (
        {"input_series": [series("up", "1x240"), series("up", "2x240")]},
        r"input_series\[1\].series: is the series of input_series\[0\] too",
    ),
    "no data": ({"input_series": []}, "give a recording, or input_series and answers; got none"),
    "two kinds of data": ({"recording": "x"}, "got recording and input_series"),
    "a recording that is not there": (
        {"recording": "x", "input_series": []},
        r"tests\[0\].recording: there is no folder .*x; `serinus record` makes one",
    ),
    "a configuration that is not there": (
        {"config": "no.yaml"},
        r"tests\[0\].config: .*no.yaml: there is no such file",
    ),
    "a window without a step": (
        {"window": {"start": "59m"}},
        r"tests\[0\].window: from 1970-01-01 .* nothing is left to judge",
    ),
    "a window upside down": ({"window": {"start": "2h", "end": "1h"}}, "end must lie after start"),
    "a variable that is missing": (
        {"canary": {}},
        r"tests\[0\]: .*the variable 'hash' has no value; give --canary hash",
    ),
    "sides that ask the same": ({"canary": {"hash": "5d4c"}}, "both sides ask the same query"),
}


@pytest.mark.parametrize(("over", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_place_and_remedy(
    tmp_path: Path, over: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_suite(write_suite(tmp_path, a_case(**over)), None)


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    path = write_suite(
        tmp_path,
        a_case(window={"start": "59m"}),
        a_case(name="b", expect={"verdict": "pass", "metrics": {"x": "fail", "y": "fail"}}),
        a_case(name="c", config="no.yaml"),
    )

    with pytest.raises(ConfigError) as caught:
        load_suite(path, None)

    assert [fault.path for fault in caught.value.faults] == [
        "tests[0].window",
        "tests[1].expect.metrics.x",
        "tests[1].expect.metrics.y",
        "tests[2].config",
    ]
    assert all(fault.line for fault in caught.value.faults)


def test_a_hash_that_yaml_takes_for_a_number_is_told(tmp_path: Path) -> None:
    path = write_suite(tmp_path, a_case())
    path.write_text(path.read_text().replace("hash: 7f9b", "hash: 12e5"))

    with pytest.raises(ConfigError, match=r"YAML reads 12e5 as 1200000\.0; put it in quotes"):
        load_suite(path, None)


def test_a_series_that_yaml_takes_for_a_number_is_told(tmp_path: Path) -> None:
    path = write_suite(tmp_path, a_case(input_series=[series("up", "0x240")]))
    path.write_text(path.read_text().replace("'0x240'", "0x240"))

    with pytest.raises(
        ConfigError, match=r"input_series\[0\].values: YAML reads 0x240 as 576; put"
    ):
        load_suite(path, None)


def test_an_expression_without_an_engine_or_an_answer_is_told_by_name(tmp_path: Path) -> None:
    path = write_suite(tmp_path, a_case(), config=CONFIG + EXPRESSION)

    with pytest.raises(ConfigError, match=r"cpu, canary: 'avg by .* put promtool on the PATH, or"):
        load_suite(path, None)


def test_two_answers_to_one_question_are_told(tmp_path: Path) -> None:
    twin = EXPRESSION.replace("name: cpu", "name: cpu again")
    answers = [*ANSWERS, *({**one, "metric": "cpu again"} for one in ANSWERS)]
    path = write_suite(tmp_path, a_case(answers=answers), config=CONFIG + EXPRESSION + twin)

    with pytest.raises(ConfigError, match="cpu again asks the same as cpu; answer it once"):
        load_suite(path, None)


@pytest.fixture
def outcomes(tmp_path: Path) -> list[Outcome]:
    wrong = a_case(name="says \u0000 <pass>", expect={"verdict": "fail", "metrics": {}})
    wrong["name"] = "says <pass> & 'fail'"
    path = write_suite(tmp_path, a_case(), wrong)
    return [run(test) for test in load_suite(path, None)]


def test_json_is_strict_and_says_what_differs(outcomes: list[Outcome]) -> None:
    document = json.loads(to_json(outcomes), parse_constant=pytest.fail)

    assert document["schema"] == "test-v1"
    assert document["holds"] is False
    good, bad = document["tests"]
    assert good["holds"] is True
    assert bad["mismatches"] == [{"what": "verdict", "expected": "fail", "observed": "pass"}]
    assert bad["observed"]["metrics"][0]["name"] == "error ratio"


def test_junit_has_a_suite_a_file_and_a_failure_a_test_that_breaks(
    outcomes: list[Outcome],
) -> None:
    root = ET.fromstring(to_junit(outcomes))

    (suite,) = root
    good, bad = suite
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "1", "0")
    assert [case.get("name") for case in suite] == ["a good canary passes", "says <pass> & 'fail'"]
    assert list(good) == []
    (failure,) = bad
    assert failure.tag == "failure"
    assert failure.get("message") == "verdict: expected fail, observed pass"
    assert "because: " in str(failure.text)
