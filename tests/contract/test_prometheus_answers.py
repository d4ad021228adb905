"""What a server says, and the arrays that come of it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from pytest_httpserver import HTTPServer

from analysis.sources.port import Request
from tests.support.wire import (
    QUERY,
    QUERY_RANGE,
    T,
    a_range,
    a_source,
    answer_to,
    by_edge,
    failure_of,
    handwritten,
    matrix,
    recorded,
    samples,
    some_buckets,
    table,
)


def test_samples_keep_their_milliseconds(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(recorded("matrix-samples.json"))

    points = table(answer_to(a_source(server), samples()))

    assert points["a-1"][:2] == [(T + 0.125, 0), (T + 15.125, 3)]
    assert points["a-2"][:2] == [(T + 0.25, 0), (T + 15.25, 5)]


def test_a_range_has_a_value_at_every_step(server: HTTPServer) -> None:
    server.expect_request(QUERY_RANGE).respond_with_data(recorded("matrix-range.json"))

    points = table(answer_to(a_source(server), a_range(start=T + 60, end=T + 120)))

    assert points["a-1"] == [(T + 60 + 15 * i, 0.2) for i in range(5)]


def test_nan_infinities_and_odd_labels_arrive_as_sent(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(recorded("matrix-odd-values.json"))

    [series] = answer_to(a_source(server), samples()).series

    np.testing.assert_array_equal(series.values, [1.5, math.nan, math.inf, -math.inf, -0.0, 1e-320])
    assert math.copysign(1, series.values[4]) == -1
    assert series.labels["path"] == '/tea "hot"'
    assert series.labels["city"] == "Zürich"


def test_no_series_is_an_empty_answer(server: HTTPServer) -> None:
    server.expect_request(QUERY_RANGE).respond_with_data(recorded("matrix-empty.json"))

    assert answer_to(a_source(server), a_range()).series == ()


def test_times_increase_strictly_and_the_last_of_two_equal_ones_counts(
    server: HTTPServer,
) -> None:
    server.expect_request(QUERY).respond_with_data(handwritten("unordered.json"))

    answer = answer_to(a_source(server), samples())

    assert table(answer)["a-1"] == [(T, 5), (T + 15, 2), (T + 30, 4)]


def test_the_last_of_equal_times_counts_among_many_too(server: HTTPServer) -> None:
    points = [(T + i % 100, str(i)) for i in range(1_000)]
    server.expect_request(QUERY).respond_with_data(matrix(({"pod": "a"}, points)))

    answer = answer_to(a_source(server), samples())

    assert table(answer)["a"] == [(T + i, 900 + i) for i in range(100)]


def test_series_come_in_the_order_of_their_labels(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(handwritten("unordered.json"))

    answer = answer_to(a_source(server), samples())

    assert [series.labels["pod"] for series in answer.series] == ["a-0", "a-1"]


def test_what_lies_outside_the_window_is_cut_off(server: HTTPServer) -> None:
    points = [(T - 0.001, "1"), (T, "2"), (T + 0.5, "3"), (T + 1, "4"), (T + 1.001, "5")]
    body = matrix(({"pod": "a"}, points), ({"pod": "b"}, points[:1]))
    server.expect_request(QUERY).respond_with_data(body)

    answer = answer_to(a_source(server), samples(start=T, end=T + 1))

    assert table(answer) == {"a": [(T, 2), (T + 0.5, 3), (T + 1, 4)]}


def test_arrays_cannot_be_written_to(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(recorded("matrix-samples.json"))

    series = answer_to(a_source(server), samples()).series[0]

    assert not series.times.flags.writeable
    assert not series.values.flags.writeable


WARNINGS = {
    "a warning of Prometheus": (recorded("matrix-warning.json"), "connection refused"),
    "a partial answer of Thanos": (handwritten("thanos-partial.json"), "No StoreAPIs matched"),
    "a partial answer of VictoriaMetrics": (
        handwritten("victoriametrics-partial.json"),
        "the answer is incomplete",
    ),
    "an info that tells of samples left out": (
        handwritten("infos-samples-left-out.json"),
        "ignored histogram in sum aggregation",
    ),
}


@pytest.mark.parametrize(("body", "words"), WARNINGS.values(), ids=WARNINGS)
def test_reasons_to_distrust_an_answer_are_warnings(
    server: HTTPServer, body: bytes, words: str
) -> None:
    server.expect_request(QUERY).respond_with_data(body)

    answer = answer_to(a_source(server), samples())

    assert answer.series
    [warning] = answer.warnings
    assert words in warning
    assert answer.infos == ()


def test_a_remark_on_the_query_is_kept_apart_from_the_warnings(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(handwritten("infos.json"))

    answer = answer_to(a_source(server), samples())

    assert answer.warnings == ()
    [info] = answer.infos
    assert "metric might not be a counter" in info


def test_a_whole_answer_of_victoriametrics_has_no_warning(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(handwritten("victoriametrics-whole.json"))

    assert answer_to(a_source(server), samples()).warnings == ()


UNUSABLE = {
    "a native histogram": (recorded("matrix-native-histogram.json"), samples()),
    "a native histogram over a range": (recorded("matrix-range-native-histogram.json"), a_range()),
    "histograms among floats": (handwritten("mixed-histogram.json"), samples()),
    "histograms among infinite floats": (handwritten("mixed-histogram-infinite.json"), samples()),
}


@pytest.mark.parametrize(("body", "request_"), UNUSABLE.values(), ids=UNUSABLE)
def test_native_histograms_are_refused_with_the_way_out(
    server: HTTPServer, body: bytes, request_: Request
) -> None:
    server.expect_request(QUERY).respond_with_data(body)
    server.expect_request(QUERY_RANGE).respond_with_data(body)

    error = failure_of(a_source(server), request_)

    assert error.code == "malformed"
    assert "native histograms" in str(error)
    assert "histogram_quantile()" in str(error)
    assert request_.query in error.query


NATIVE_T = 1_795_389_423  # when the recorded native histogram was first sampled


def test_a_native_histogram_asked_for_its_buckets_is_told_as_a_classic_one(
    server: HTTPServer,
) -> None:
    server.expect_request(QUERY).respond_with_data(recorded("matrix-native-histogram.json"))

    answer = answer_to(
        a_source(server), some_buckets("latency_seconds", start=NATIVE_T, end=NATIVE_T + 30)
    )

    assert by_edge(answer) == {
        "0.5": [0, 0, 0],
        "1.0": [2, 3, 4],
        "2.0": [5, 7, 9],
        "4.0": [7, 10, 13],
        "+Inf": [7, 10, 13],
        "sum": [1.5, 3, 4.5],
    }
    assert [one.exponential for one in answer.series] == [*[True] * 5, False]
    assert all(one.times.tolist() == [NATIVE_T + 15 * n for n in range(3)] for one in answer.series)


def test_classic_buckets_arrive_as_they_were_sent(server: HTTPServer) -> None:
    labels = [{"__name__": "latency_bucket", "le": le} for le in ("+Inf", "1")]
    body = matrix(*((one, [(T, "1"), (T + 15, "+Inf")]) for one in labels))
    server.expect_request(QUERY).respond_with_data(body)

    answer = answer_to(a_source(server), some_buckets(end=T + 15))

    assert by_edge(answer) == {"+Inf": [1, math.inf], "1": [1, math.inf]}
    assert not any(one.exponential for one in answer.series)


BESIDE = {
    "floats": handwritten("mixed-histogram.json"),
    "infinite floats, which another decoder reads": handwritten("mixed-histogram-infinite.json"),
}


@pytest.mark.parametrize("body", BESIDE.values(), ids=BESIDE)
def test_numbers_beside_native_histograms_stay_a_series_without_edge(
    server: HTTPServer, body: bytes
) -> None:
    server.expect_request(QUERY).respond_with_data(body)

    answer = answer_to(a_source(server), some_buckets(end=T + 15))

    assert [one.labels.get("le") for one in answer.series].count(None) == 2
    assert by_edge(answer)["1.0"] == [7]


def a_native(sample: object, *beside: object) -> bytes:
    """Word a native histogram of one sample."""
    result = [{"metric": {"__name__": "latency"}, "histograms": [[T, sample]]}, *beside]
    data = {"resultType": "matrix", "result": result}
    return json.dumps({"status": "success", "data": data}).encode()


def test_bounds_at_infinity_are_read(server: HTTPServer) -> None:
    buckets = [[3, "-Inf", "0.5", "1"], [0, "0.5", "+Inf", "2"]]
    body = a_native({"count": "3", "sum": "NaN", "buckets": buckets})
    server.expect_request(QUERY).respond_with_data(body)

    found = by_edge(answer_to(a_source(server), some_buckets()))

    assert (found["0.5"], found["+Inf"]) == ([1], [3])
    assert math.isnan(found["sum"][0])


def test_a_bucket_that_is_stored_both_ways_is_no_exponential_one(server: HTTPServer) -> None:
    stored = {"metric": {"__name__": "latency_bucket", "le": "2.0"}, "values": [[T + 15, "4"]]}
    body = a_native({"count": "3", "sum": "4", "buckets": [[0, "1", "2", "3"]]}, stored)
    server.expect_request(QUERY).respond_with_data(body)

    answer = answer_to(a_source(server), some_buckets(end=T + 15))

    assert by_edge(answer)["2.0"] == [3, 4]
    assert [one.labels["le"] for one in answer.series if one.exponential] == ["+Inf", "1.0"]


HALF = {
    "no count": {"sum": "1"},
    "a count that is a word": {"count": "many", "sum": "1"},
    "a bucket of three numbers": {"count": "1", "sum": "1", "buckets": [[0, "1", "2"]]},
    "a number": 5,
    "nothing": None,
}


@pytest.mark.parametrize("sample", HALF.values(), ids=HALF)
def test_a_native_histogram_of_another_form_is_refused(server: HTTPServer, sample: object) -> None:
    server.expect_request(QUERY).respond_with_data(a_native(sample))

    error = failure_of(a_source(server), some_buckets())

    assert error.code == "malformed"
    assert "a matrix of another form" in str(error)


OTHER_TYPES = ("vector", "scalar", "string")


@pytest.mark.parametrize("kind", OTHER_TYPES)
def test_an_answer_of_another_type_is_refused_by_name(server: HTTPServer, kind: str) -> None:
    server.expect_request(QUERY).respond_with_data(recorded(f"{kind}.json"))

    error = failure_of(a_source(server), samples())

    assert error.code == "malformed"
    assert f"the answer is a {kind} where a matrix was expected" in str(error)


def test_a_value_that_is_no_number_is_refused(server: HTTPServer) -> None:
    server.expect_request(QUERY).respond_with_data(handwritten("other-form.json"))

    error = failure_of(a_source(server), samples())

    assert error.code == "malformed"
    assert "'one'" in str(error)


def test_the_standard_library_reads_the_same_numbers(server: HTTPServer) -> None:
    values = [(T + i / 8, repr(1 / (i + 1))) for i in range(100)]
    infinite = [*values, (T + 119, "+Inf")]  # msgspec refuses it, and the fallback reads all
    server.expect_oneshot_request(QUERY).respond_with_data(matrix(({"pod": "a"}, values)))
    server.expect_oneshot_request(QUERY).respond_with_data(matrix(({"pod": "a"}, infinite)))
    source = a_source(server)

    typed, plain = (table(answer_to(source, samples()))["a"] for _ in range(2))

    assert plain == [*typed, (T + 119, math.inf)]
