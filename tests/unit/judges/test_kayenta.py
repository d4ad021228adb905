"""Decision for decision what Kayenta's judge says, held to outputs of that judge."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import judges
from judges import InvalidParameterError, Judgment, Reason, Sample, Scale, Verdict
from judges.core import kayenta_cleaning as cleaning
from judges.core import kayenta_effects as effects
from judges.core import kayenta_labels as labels
from judges.core import kayenta_score as scores
from judges.core.kayenta_labels import Label, Limits, Outcome, Rule
from judges.core.kayenta_shift import QUANTILES, Bags, Shift, TiedError, find_root, shift_between
from judges.core.parameters import Direction
from judges.kayenta import Kayenta
from tests.support.samples import Array, a_gauge, faults, judged, judged_counts

REFERENCE = Path(__file__).parents[3] / "fixtures" / "reference" / "kayenta_cases.json"
CASES: list[dict[str, Any]] = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]
HERE = {
    "classify", "mann_whitney", "wilcoxon_diff", "normal_quantile", "cles", "mean_ratio",
    "percentile_r7", "iqr_outliers", "score", "judge",
}  # fmt: skip
LEFT_OUT = {
    "mean_inequality_classifier": "in Kayenta's source, but its judge never calls it",
    "prometheus_query": "queries are the source's work, not the judge's",
    "aggregate_judgement": "several judgments of one run are the service's work",
    "judgement_windows": "windows are the service's work",
}
PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
BASELINE, ALIKE, SLOWER = a_gauge(1, n=60), a_gauge(2, n=60), a_gauge(2, n=60, level=150)


def of_kind(kind: str) -> list[Any]:
    """Give the cases of a kind, each under its name."""
    found = [case for case in CASES if case["kind"] == kind]
    return [pytest.param(case, id=f"{i} {case['name']}") for i, case in enumerate(found)]


def bag(values: list[float | str]) -> Array:
    return np.array([float(value) for value in values])


def bags_of(case: Mapping[str, Any]) -> tuple[Array, Array]:
    return bag(case["baseline"]), bag(case["canary"])


def sample_of(baseline: Array, canary: Array) -> Sample:
    """Hold bags of any two sizes: every value is a pod in a single step."""
    return Sample.of_values(baseline.reshape(-1, 1), canary.reshape(-1, 1))


def number(value: float | None) -> float:
    """Write an undefined number as Kayenta does."""
    return math.nan if value is None else value


def the_same(expected: float | str) -> object:
    """Expect a double to the last bit; NaN for NaN."""
    return pytest.approx(float(expected), rel=0, abs=0, nan_ok=True)


def is_random(case: Mapping[str, Any]) -> bool:
    """Tell whether the recorded numbers hold noise: the original adds it to two constants."""
    return all(len(set(case[side])) == 1 for side in ("baseline", "canary"))


def test_no_case_is_left_out_without_a_reason() -> None:
    assert {case["kind"] for case in CASES} == HERE | LEFT_OUT.keys()


def rule_of(given: Mapping[str, Any]) -> Rule:
    """Read a case of the classifier, whose tolerance and level are not those of the judge."""
    measure = effects.Measure(given.get("effectSizeMeasure", "mean_ratio"))
    allowed, severe = (
        Limits(
            increase=given.get(f"{name}Increase", measure.neutral),
            decrease=given.get(f"{name}Decrease", measure.neutral),
        )
        for name in ("allowed", "critical")
    )
    return Rule(
        allowed=allowed,
        severe=severe,
        direction=Direction(given["direction"]),
        measure=measure,
        nan_strategy=cleaning.NanStrategy(given["nanStrategy"]),
        critical=given.get("critical", False),
        tolerance=given["tolerance"],
        confidence=given["confLevel"],
    )


@pytest.mark.parametrize("case", of_kind("classify"))
def test_the_classifier_answers_as_the_original_and_its_own_tests(case: dict[str, Any]) -> None:
    baseline, canary = bags_of(case)
    oracle, promised = case["oracle"], dict(case["expected"])
    outcome = labels.classify(baseline, canary, rule_of(case["judge_params"]))
    reason = labels.reason(outcome, case["metric_name"])

    assert outcome.label == oracle["classification"]
    assert outcome.critical is oracle["critical"]
    assert reason == oracle.get("reason")
    if not is_random(case):
        assert number(outcome.deviation) == the_same(oracle["deviation"])
    if outcome.shift and not is_random(case):
        assert number(outcome.effect) == the_same(oracle["effectSize"])

    assert promised.pop("classification", outcome.label) == outcome.label
    assert promised.pop("critical", outcome.critical) is outcome.critical
    assert number(outcome.deviation) == the_same(
        promised.pop("deviation", number(outcome.deviation))
    )
    assert promised.pop("reason_not_empty", True) is True
    assert promised == {}


@pytest.mark.parametrize(
    "case", [case for case in of_kind("classify") if not is_random(case.values[0])]
)
def test_the_shift_of_every_classified_case_is_the_originals_to_the_last_bit(
    case: dict[str, Any],
) -> None:
    if not case["baseline"] or not case["canary"]:
        assert "mwError" in case["oracle"]
        return
    found = shift_between(*bags_of(case), confidence=case["judge_params"]["confLevel"])

    assert_shift(found, case["oracle"])


def assert_shift(found: Shift, oracle: Mapping[str, float]) -> None:
    assert (found.lower, found.upper, found.estimate) == (oracle["lo"], oracle["hi"], oracle["est"])


@pytest.mark.parametrize("case", of_kind("mann_whitney"))
def test_the_shift_is_the_originals(case: dict[str, Any]) -> None:
    expected = case["expected"]
    baseline, canary = bags_of(case)
    level = case["judge_params"]["confLevel"]
    found = shift_between(baseline, canary, confidence=level)

    assert_shift(found, case["oracle"])
    assert found.lower == pytest.approx(expected["ciLower"], abs=expected["abs_tol"])
    assert found.upper == pytest.approx(expected["ciUpper"], abs=expected["abs_tol"])
    assert found.estimate == pytest.approx(
        expected["estimate"], abs=expected.get("estimate_abs_tol", expected["abs_tol"])
    )
    if "muMin" in expected:
        bags, z = Bags.of(baseline, canary), QUANTILES[level]
        low, high = bags.ends()
        at_ends = {"Lower": bags.deviate(low), "Upper": bags.deviate(high)}

        assert (low, high) == (the_same(expected["muMin"]), the_same(expected["muMax"]))
        for end, deviate in at_ends.items():
            for sign, quantile in (("pos", -z), ("neg", z)):
                assert deviate - quantile == pytest.approx(
                    expected[f"f{end}_zq_{sign}"], abs=expected["abs_tol"]
                )


@pytest.mark.parametrize("case", of_kind("wilcoxon_diff"))
def test_the_rank_sums_deviate_is_the_originals(case: dict[str, Any]) -> None:
    given, expected = case["judge_params"], case["expected"]
    deviate = Bags.of(*bags_of(case)).deviate(given["mu"]) - given["quantile"]

    assert deviate == pytest.approx(expected["value"], abs=expected["abs_tol"])
    assert deviate == the_same(case["oracle"]["wd"])


@pytest.mark.parametrize("case", of_kind("normal_quantile"))
def test_the_normal_quantiles_are_the_originals(case: dict[str, Any]) -> None:
    level, expected = round(1 - 2 * case["judge_params"]["p"], 12), case["expected"]

    assert QUANTILES[level] == pytest.approx(expected["value"], abs=expected["abs_tol"])
    assert {str(known): z for known, z in QUANTILES.items()} == json.loads(
        REFERENCE.read_text(encoding="utf-8")
    )["z"]


@pytest.mark.parametrize("case", of_kind("mean_ratio") + of_kind("cles"))
def test_effects_are_sized_as_in_the_original(case: dict[str, Any]) -> None:
    expected = case["expected"]
    size = effects.size(effects.Measure(case["kind"]), *bags_of(case))

    assert number(size) == pytest.approx(
        float(expected["value"]), abs=expected.get("abs_tol", 1e-12), nan_ok=True
    )


@pytest.mark.parametrize("case", of_kind("percentile_r7"))
def test_percentiles_are_the_originals(case: dict[str, Any]) -> None:
    in_order = np.sort(bag(case["canary"]))

    for percent, value in case["expected"]["percentiles"].items():
        found = cleaning.percentile(in_order, float(percent) / 100)

        assert found == pytest.approx(value, abs=case["expected"]["abs_tol"])


@pytest.mark.parametrize("q", [0.0, 0.01, 0.3, 0.99, 1.0])
@pytest.mark.parametrize("n", [1, 2, 7, 101])
def test_percentiles_are_numpys(n: int, q: float) -> None:
    in_order = np.sort(a_gauge(3, n=n))

    assert cleaning.percentile(in_order, q) == pytest.approx(np.quantile(in_order, q), rel=1e-12)


@pytest.mark.parametrize("case", of_kind("iqr_outliers"))
def test_outliers_are_the_originals(case: dict[str, Any]) -> None:
    given = case["judge_params"]
    found = cleaning.far_out(
        bag(case["canary"]), given["outlierFactor"], widened=given["reduceSensitivity"]
    )

    assert found.tolist() == case["expected"]["is_outlier"]


def test_what_lies_within_the_inner_98_percent_is_no_outlier() -> None:
    """Three in a hundred are far out of constant quartiles; the widening keeps all but the top."""
    values = np.concatenate((np.zeros(97), [7.0, 8.0, 9.0]))

    assert np.flatnonzero(cleaning.far_out(values, 3.0, widened=False)).tolist() == [97, 98, 99]
    assert np.flatnonzero(cleaning.far_out(values, 3.0)).tolist() == [99]


def test_outliers_lie_beyond_the_quartiles_on_either_side() -> None:
    """The quartiles, fourth and tenth of thirteen, are 0 and 8: what stays lies in -8 to 16."""
    values = np.array([-8.1, -8.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 8.0, 9.0, 16.0, 16.1])

    found = cleaning.far_out(values, 1.0, widened=False)

    assert np.flatnonzero(found).tolist() == [0, 12]


@pytest.mark.parametrize("case", of_kind("score"))
def test_scores_are_the_originals(case: dict[str, Any]) -> None:
    results = [
        scores.Classified(
            label=Label(one["classification"]),
            groups=tuple(one["groups"]),
            critical=one["critical"],
        )
        for one in case["metric_results"]
    ]
    thresholds = scores.Thresholds(passing=95, marginal=75)
    found = scores.score(
        results, weights=case["judge_params"]["groupWeights"], thresholds=thresholds
    )

    assert found.score == case["expected"]["summaryScore"]


def parameters_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Translate a metric's settings, and like the original read an unknown word as the default."""
    effect, outliers = given.get("effectSize", {}), given.get("outliers", {})
    known = {"direction": ("increase", "decrease", "either"), "nanStrategy": ("remove", "replace")}
    words = {name: given[name] for name in known if given.get(name) in known[name]}
    translated = {
        "direction": words.get("direction"),
        "nan_strategy": words.get("nanStrategy"),
        "critical": given.get("critical"),
        "must_have_data": given.get("mustHaveData"),
        "outliers": outliers.get("strategy"),
        "outlier_factor": outliers.get("outlierFactor"),
        "effect_size": effect.get("measure"),
        "allowed_increase": effect.get("allowedIncrease"),
        "allowed_decrease": effect.get("allowedDecrease"),
        "critical_increase": effect.get("criticalIncrease"),
        "critical_decrease": effect.get("criticalDecrease"),
    }
    return {name: value for name, value in translated.items() if value is not None}


def judges_of(case: Mapping[str, Any]) -> dict[str, tuple[Kayenta, Array, Array]]:
    """Give the judge and the bags of each metric of a case, by name."""
    found = {}
    for name, settings in case["judge_params"]["analysisConfigurations"].items():
        judge = judges.create("kayenta", **parameters_of(settings["canary"]))
        assert isinstance(judge, Kayenta)
        sides = (
            bag(case[side][name] if isinstance(case[side], dict) else case[side])
            for side in ("baseline", "canary")
        )
        found[name] = (judge, next(sides), next(sides))
    return found


def infinities(case: Mapping[str, Any]) -> int:
    """Count the canary's infinite values."""
    return sum(value == "Infinity" for value in case["canary"])


def assert_result(
    expected: Mapping[str, Any],
    outcome: Outcome,
    sides: tuple[effects.Description, effects.Description],
) -> None:
    """Hold one metric's classification to what the original returned."""
    assert outcome.label == expected["classification"]
    assert outcome.critical is expected["critical"]
    assert labels.reason(outcome, expected["name"]) == expected.get("classificationReason")
    ratio = expected.get("resultMetadata", {}).get("ratio")
    assert (ratio is None) is (outcome.label is Label.ERROR)
    if ratio is not None:
        assert number(outcome.deviation) == the_same(ratio)
    for name, side in zip(("control", "experiment"), sides, strict=True):
        assert statistics_of(side) == {
            key: the_same(value) for key, value in expected[f"{name}Stats"].items()
        }


def statistics_of(side: effects.Description) -> dict[str, float]:
    """Write a description as Kayenta does, where no data are zeros."""
    numbers = {
        "min": side.minimum, "max": side.maximum, "mean": side.mean, "std": side.deviation,
    }  # fmt: skip
    return {"count": side.count} | {key: value or 0.0 for key, value in numbers.items()}


@pytest.mark.parametrize(
    "case", [case for case in of_kind("judge") if "nondeterministic" not in case.values[0]]
)
def test_the_pipeline_answers_as_the_original(case: dict[str, Any]) -> None:
    given, expected, results = case["judge_params"], case["expected"], []
    for one in expected["results"]:
        judge, *sides = judges_of(case)[one["name"]]
        with np.errstate(invalid="ignore"):  # one case holds an infinity
            baseline, canary = (judge.cleaning.apply(side) for side in sides)
            outcome = labels.classify(baseline, canary, judge.rule)
            assert_result(one, outcome, (effects.describe(baseline), effects.describe(canary)))
        results.append(
            scores.Classified(
                label=outcome.label,
                groups=tuple(given["groups"][one["name"]]),
                critical=outcome.critical,
                muted=one["muted"],
                reason=labels.reason(outcome, one["name"]),
            )
        )
    thresholds = scores.Thresholds(
        passing=given["thresholds"]["pass"], marginal=given["thresholds"]["marginal"]
    )
    score = scores.score(results, weights=given["groupWeights"], thresholds=thresholds)

    assert score.score == expected["score"]["score"]
    assert score.grade == expected["score"]["classification"]
    assert (score.reason or "") == expected["score"]["classificationReason"]
    assert {group.name: group.score for group in score.groups} == expected["groupScores"]


@pytest.mark.parametrize("case", of_kind("judge"))
def test_the_judge_itself_answers_as_the_original(case: dict[str, Any]) -> None:
    for one in case["expected"]["results"]:
        judge, baseline, canary = judges_of(case)[one["name"]]
        judgment = judge.judge(sample_of(baseline, canary))

        assert faults(judgment) == []
        assert judgment.details["critical"] is one["critical"]
        assert judgment.details["baseline_count"] == one["controlStats"]["count"]
        if "nondeterministic" in case:
            assert judgment.details["label"] in ("High", "Low", "Error")
            continue
        assert judgment.details["label"] == one["classification"]
        # A sample knows no infinity: it counts as unknown, and is removed.
        missing = infinities(case)
        assert judgment.details["canary_count"] == one["experimentStats"]["count"] - missing
        if "resultMetadata" in one and not missing:
            deviation = judgment.details["deviation"]
            assert not isinstance(deviation, str)
            assert number(deviation) == the_same(one["resultMetadata"]["ratio"])


def labelled(label: str) -> Judgment:
    """Give a judgment with this label."""
    nothing, steady = np.full(60, np.nan), np.zeros(60)
    one = np.where(np.arange(60) == 30, 5.0, np.nan)
    return {
        "Pass": judged("kayenta", BASELINE, ALIKE),
        "High": judged("kayenta", BASELINE, SLOWER),
        "Low": judged("kayenta", SLOWER, BASELINE),
        "Nodata": judged("kayenta", BASELINE, nothing),
        "NodataFailMetric": judged("kayenta", nothing, BASELINE, must_have_data=True),
        "Error": judged("kayenta", steady, one),
    }[label]


VERDICTS = {
    "Pass": (PASS, Reason.WITHIN_BOUNDS),
    "High": (FAIL, Reason.OUT_OF_BOUNDS),
    "Low": (FAIL, Reason.OUT_OF_BOUNDS),
    "Nodata": (UNSURE, Reason.NO_DATA),
    "NodataFailMetric": (FAIL, Reason.NO_DATA),
    "Error": (UNSURE, Reason.NOT_COMPARABLE),
}


@pytest.mark.parametrize("label", list(Label))
def test_every_label_has_its_verdict(label: str) -> None:
    judgment = labelled(label)

    assert judgment.details["label"] == label
    assert (judgment.verdict, judgment.reason) == VERDICTS[label]
    assert judgment.summary.startswith(f"{label}: ")


def test_it_claims_no_evidence() -> None:
    judgment = labelled("High")

    assert (judgment.harm, judgment.safety, judgment.settlement) == (None, None, None)


CHANGED = "High: shift 1 (98 % bounds 0.8 to 1.2, 0.25 from 0 needed)"
SUMMARIES = {
    "a change": (
        [1.0, 1.1, 1.2], [2.0, 2.1, 2.2], {},
        f"{CHANGED}, mean ratio 1.91, which counts from 1 up and from 1 down",
    ),
    "a limit of the effect in one direction": (
        [1.0, 1.1, 1.2], [2.0, 2.1, 2.2],
        {"direction": "increase", "effect_size": "cles", "allowed_increase": 0.8},
        f"{CHANGED}, P(canary > baseline) 1, which counts from 0.8 up",
    ),
    "no ratio to a mean of 0": (
        [-0.1, 0.0, 0.1], [0.9, 1.0, 1.1], {"direction": "increase"},
        f"{CHANGED}, mean ratio undefined, which counts always",
    ),
    "identical sides": ([1, 2], [2, 1], {}, "Pass: both sides hold the same values"),
    "one value": ([1, np.nan], [1, 1], {}, "Pass: both sides are constant and equal"),
    "a side without data": ([np.nan], [1], {}, "Nodata: no data of the baseline"),
    "no data": ([], [], {}, "Nodata: no data of the baseline and the canary"),
    "nothing to test": (
        [0, 0, 0], [5, np.nan, np.nan], {},
        "Error: a side moved onto the other ties every value, which leaves nothing to test",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("baseline", "canary", "given", "summary"), SUMMARIES.values(), ids=SUMMARIES
)
def test_the_summary_holds_what_decided(
    baseline: list[float], canary: list[float], given: dict[str, object], summary: str
) -> None:
    assert judged("kayenta", baseline, canary, **given).summary == summary


def test_the_estimate_is_the_shift_that_was_tested() -> None:
    estimate = labelled("High").estimate

    assert estimate is not None
    assert estimate.scale is Scale.DIFFERENCE
    assert estimate.value == pytest.approx(50, rel=0.1)
    assert estimate.baseline == pytest.approx(BASELINE.mean())
    assert estimate.canary == pytest.approx(SLOWER.mean())
    assert estimate.interval is not None
    assert estimate.interval.level == 0.98
    assert estimate.interval.excludes(0)


def test_bounds_in_the_wrong_order_are_no_interval() -> None:
    """Where values lie nearer than 1e-4 each search stops at its own distance from the root."""
    [case] = [case for case in CASES if case["name"].endswith("CLES Effect Size: Pass")]
    judgment = Kayenta().judge(sample_of(*bags_of(case)))
    lower, upper = judgment.details["shift_lower"], judgment.details["shift_upper"]

    assert isinstance(lower, float)
    assert isinstance(upper, float)
    assert lower > upper
    assert judgment.estimate is not None
    assert judgment.estimate.interval is None


def test_pods_of_a_side_make_one_bag() -> None:
    apart = judged("kayenta", BASELINE, SLOWER)
    pods = judged("kayenta", BASELINE.reshape(4, 15), SLOWER.reshape(4, 15))

    assert pods == apart
    assert pods.n == 60


def test_time_plays_no_part() -> None:
    shuffled = np.random.default_rng(5).permutation(SLOWER)

    for one, other in ((BASELINE, ALIKE), (BASELINE, SLOWER)):
        label = judged("kayenta", one, other).details["label"]
        assert judged("kayenta", one[::-1], other[::-1]).details["label"] == label
    assert judged("kayenta", shuffled, SLOWER).summary == "Pass: both sides hold the same values"


def test_quotients_of_counters_are_bags_of_quotients() -> None:
    ones = np.ones(60)
    quotients = judged_counts("kayenta", (BASELINE, ones), (2 * SLOWER, 2 * ones))

    assert quotients == judged("kayenta", BASELINE, SLOWER)


def test_unknown_values_are_removed_or_replaced_by_zero() -> None:
    holes = np.where(np.arange(60) % 3, np.nan, BASELINE)
    removed = judged("kayenta", BASELINE, holes)
    replaced = judged("kayenta", BASELINE, holes, nan_strategy="replace")

    assert (removed.details["canary_count"], replaced.details["canary_count"]) == (20, 60)
    assert (removed.details["label"], replaced.details["label"]) == ("Pass", "Low")


def test_outliers_are_removed_if_asked() -> None:
    spiked = np.where(np.arange(60) == 7, 1e6, BASELINE)

    kept = judged("kayenta", BASELINE, spiked).details
    removed = judged("kayenta", BASELINE, spiked, outliers="remove").details
    wide = judged("kayenta", BASELINE, spiked, outliers="remove", outlier_factor=1e9).details

    assert (kept["canary_max"], wide["canary_max"]) == (1e6, 1e6)
    assert removed["canary_max"] == pytest.approx(np.delete(BASELINE, 7).max())


def test_a_metric_without_data_is_critical_if_it_is_critical() -> None:
    judgment = judged("kayenta", BASELINE, [np.nan] * 60, critical=True, must_have_data=True)

    assert (judgment.details["label"], judgment.details["critical"]) == ("Nodata", True)


def test_a_side_of_no_pods_passes_where_unknown_is_replaced() -> None:
    judgment = judged("kayenta", np.ones((1, 3)), np.ones((0, 3)), nan_strategy="replace")

    assert (judgment.verdict, judgment.reason) == (PASS, Reason.NO_DATA)
    assert "passes with nan_strategy replace" in judgment.warnings[0]


def test_noise_on_constants_is_the_same_each_time_and_said() -> None:
    first, second = (judged("kayenta", [3.0] * 9, [3.3] * 9) for _ in range(2))

    assert first == second
    assert first.details["label"] == "High"
    assert first.details["deviation"] == pytest.approx(1.1, rel=1e-4)
    assert first.details["deviation"] != pytest.approx(1.1, rel=1e-9)
    assert "random noise" in first.warnings[0]


def test_noise_knows_no_direction_of_zero() -> None:
    """Below zero the same rule holds, and zero itself gets no noise."""
    parameters = {"effect_size": "cles"}

    assert judged("kayenta", [-3.0] * 9, [-4.0] * 9, **parameters).details["label"] == "Low"
    assert judged("kayenta", [-3.0] * 9, [0.0] * 9, **parameters).details["label"] == "High"


@pytest.mark.parametrize(
    ("scale", "label"), [(1, "High"), (1e-6, "Pass")], ids=["seconds", "millionths"]
)
def test_like_the_original_it_is_blind_below_the_tolerance_of_its_search(
    scale: float, label: str
) -> None:
    assert judged("kayenta", scale * BASELINE / 100, scale * SLOWER / 100).details["label"] == label


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"direction": "up"}, "must be one of increase, decrease, either"),
        ({"nan_strategy": "drop"}, "must be one of remove, replace"),
        ({"effect_size": "meanRatio"}, "must be one of mean_ratio, cles"),
        ({"critical": "true"}, "critical must be true or false, got 'true'"),
        ({"must_have_data": 1}, "must be true or false, got 1"),
        ({"outlier_factor": 0}, "outlier_factor must be above 0, got 0; Kayenta's default is 3"),
        ({"outlier_factor": math.inf}, "must be above 0, got inf"),
        ({"outlier_factor": "3"}, "expected a number, got '3'"),
        ({"allowed_increase": "1.1"}, "expected a number, got '1.1'"),
        ({"allowedIncrease": 1.1}, "did you mean 'allowed_increase'"),
        ({"tolerance": 0.25}, "kayenta has no parameter 'tolerance'"),
    ],
    ids=str,
)
def test_unlike_the_original_a_wrong_parameter_is_refused(
    given: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        judges.create("kayenta", **given)


@pytest.mark.parametrize(
    ("times", "given", "label"),
    [
        (1.25, {"allowed_increase": 1.25}, "High"), (1.25, {"allowed_increase": 1.26}, "Pass"),
        (0.75, {"allowed_decrease": 0.75}, "Low"), (0.75, {"allowed_decrease": 0.74}, "Pass"),
    ],
    ids=str,
)  # fmt: skip
def test_an_effect_that_meets_its_limit_counts(
    times: float, given: dict[str, object], label: str
) -> None:
    baseline = np.arange(96.0, 128.0, 4.0)

    assert judged("kayenta", baseline, times * baseline, **given).details["label"] == label


def test_bounds_that_are_never_reached_are_the_extreme_differences() -> None:
    found = shift_between(np.array([1.0, 1.5]), np.array([3.0, 3.25]), confidence=0.98)

    assert (found.lower, found.upper) == (1.5, 2.25)


def test_infinity_less_infinity_ranks_with_infinity() -> None:
    bags = Bags.of(np.array([1.0, math.inf]), np.array([2.0, math.inf]))
    with np.errstate(invalid="ignore"):
        assert bags.rank_sum(math.inf) == (1 + 3.5, 2**3 - 2)


def test_a_search_that_starts_on_a_root_ends_there() -> None:
    def line(x: float) -> float:
        return 3 - x

    assert find_root(line, 3, 9) == 3
    assert find_root(line, -4, 3) == 3
    assert find_root(lambda _: 0.0, 3, 9) == 3
    assert find_root(line, -4, 9) == pytest.approx(3, abs=1e-4)


def test_a_search_without_a_root_still_ends() -> None:
    assert math.isfinite(find_root(lambda x: 1 + x * x, -1, 3))


def test_tied_values_have_no_deviate() -> None:
    with pytest.raises(TiedError):
        Bags.of(np.ones(3), np.full(2, 4.0)).deviate(3)


METRIC = scores.Classified(label=Label.PASS, groups=("a",))
LIMITS = scores.Thresholds(passing=95, marginal=75)


def test_the_shares_of_groups_without_a_weight_may_be_negative() -> None:
    """Weights of 120 leave -20 for the rest, so its failure raises the score."""
    rest = scores.Classified(label=Label.HIGH, groups=("b",))

    assert scores.score([METRIC, rest], weights={"a": 120}, thresholds=LIMITS).score == 120
    passing = scores.Classified(label=Label.PASS, groups=("b",))
    assert scores.score([METRIC, passing], weights={"a": 120}, thresholds=LIMITS).score == 100


def test_a_canary_of_errors_alone_passes() -> None:
    error = scores.Classified(label=Label.ERROR, groups=("a",), critical=False)
    found = scores.score([error, error], weights={}, thresholds=LIMITS)

    assert (found.score, found.grade) == (100, scores.Grade.PASS)
    assert found.groups == (scores.GroupScore(name="a", score=0, has_data=False),)


@pytest.mark.parametrize(
    ("value", "rounded"), [(0.125, 0.13), (33.335, 33.34), (-0.125, -0.13), (1e-7, 0.0)]
)
def test_scores_are_rounded_half_away_from_zero_as_they_are_written(
    value: float, rounded: float
) -> None:
    found = scores.score([METRIC], weights={"a": value}, thresholds=LIMITS)

    assert found.score == rounded
