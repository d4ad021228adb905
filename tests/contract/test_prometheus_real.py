"""The source against a real Prometheus with a past of a few samples."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from analysis.sources.port import Answer, RequestKind
from analysis.sources.prometheus import PrometheusSource
from tests.support.prometheus import RealPrometheus
from tests.support.wire import T, a_range, answer_to, failure_of, samples, table

DAY_S = 86_400
PODS = {"a-1": (3, 0.125), "a-2": (5, 0.25)}  # increase a scrape, and its offset in seconds
PAST = "\n".join(
    [
        "# TYPE requests counter",
        *(
            f'requests_total{{pod="{pod}"}} {rate * i} {T + 15 * i + offset}'
            for pod, (rate, offset) in PODS.items()
            for i in range(9)
        ),
        "# TYPE odd gauge",
        *(
            f'odd{{path="/tea \\"hot\\""}} {value} {T + 15 * i}'
            for i, value in enumerate(["NaN", "+Inf", "-Inf", "1e-320"])
        ),
        "",
    ]
)

pytestmark = pytest.mark.usefixtures("requires_prometheus")


@pytest.fixture(scope="module")
def prometheus(requires_prometheus: object) -> Iterator[RealPrometheus]:
    with RealPrometheus(openmetrics=PAST, flags=["--web.route-prefix=/team"]) as prometheus:
        yield prometheus


@pytest.fixture
def source(prometheus: RealPrometheus) -> PrometheusSource:
    return PrometheusSource(url=f"{prometheus.url}/team")


def test_samples_are_exactly_those_that_were_stored(source: PrometheusSource) -> None:
    points = table(answer_to(source, samples(start=T, end=T + 300)))

    assert points == {
        pod: [(T + 15 * i + offset, rate * i) for i in range(9)]
        for pod, (rate, offset) in PODS.items()
    }


EDGES = {
    "both ends are included": (T + 15.125, T + 30.125, [T + 15.125, T + 30.125]),
    "a millisecond inside leaves them out": (T + 15.126, T + 30.124, []),
    "an instant is a window": (T + 15.125, T + 15.125, [T + 15.125]),
    "finer than a millisecond stays inside": (T + 15.1251, T + 30.1259, [T + 30.125]),
}


@pytest.mark.parametrize(("start", "end", "times"), EDGES.values(), ids=EDGES)
def test_a_window_is_kept_to_the_millisecond(
    source: PrometheusSource, start: float, end: float, times: list[float]
) -> None:
    answer = answer_to(source, samples('requests_total{pod="a-1"}', start=start, end=end))

    assert [time for series in answer.series for time in series.times] == times


def test_a_range_is_evaluated_at_every_step(source: PrometheusSource) -> None:
    request = a_range("sum(increase(requests_total[30s]))", start=T + 60, end=T + 90)

    assert table(answer_to(source, request)) == {"": [(T + 60 + 15 * i, 16) for i in range(3)]}


def test_fractional_times_and_steps_are_evaluated_where_asked(source: PrometheusSource) -> None:
    request = a_range("time()", start=T + 0.6, end=T + 2.4, step_s=0.45)

    times = [T + 0.6, T + 1.05, T + 1.5, T + 1.95, T + 2.4]
    assert table(answer_to(source, request)) == {"": [(time, time) for time in times]}


def test_a_range_beyond_the_limit_of_points_has_every_point(source: PrometheusSource) -> None:
    request = a_range("time()", start=T - DAY_S, end=T + DAY_S, step_s=5)

    points = table(answer_to(source, request))[""]

    assert points == [(time, time) for time in range(T - DAY_S, T + DAY_S + 1, 5)]


def test_nan_and_infinities_are_kept(source: PrometheusSource) -> None:
    [series] = answer_to(source, samples("odd")).series

    assert series.labels == {"__name__": "odd", "path": '/tea "hot"'}
    assert math.isnan(series.values[0])
    assert series.values.tolist()[1:] == [math.inf, -math.inf, 1e-320]


def test_a_metric_nobody_has_is_an_empty_answer(source: PrometheusSource) -> None:
    assert answer_to(source, samples("nobody")).series == ()


@pytest.mark.parametrize("kind", RequestKind)
def test_a_mistake_in_a_query_is_told_in_the_servers_words(
    source: PrometheusSource, kind: RequestKind
) -> None:
    ask = samples if kind is RequestKind.SAMPLES else a_range

    error = failure_of(source, ask("rate(requests_total"))

    assert error.code == "refused"
    assert "parse error" in str(error)


def test_an_expression_has_no_samples(source: PrometheusSource) -> None:
    error = failure_of(source, samples("sum(requests_total)"))

    assert error.code == "refused"
    assert "ranges only allowed for vector selectors" in str(error)


def test_a_comment_cannot_swallow_the_window(source: PrometheusSource) -> None:
    assert failure_of(source, samples("requests_total #")).code == "malformed"


def test_a_forgotten_path_prefix_is_explained(prometheus: RealPrometheus) -> None:
    error = failure_of(PrometheusSource(url=prometheus.url), samples())

    assert error.code == "refused"
    assert "before /api/v1" in str(error)


def test_many_questions_at_once_have_the_answers_of_each_alone(source: PrometheusSource) -> None:
    requests = [a_range(f"vector({i})") for i in range(100)]

    answers = source.answer(requests)

    assert list(answers) == requests
    firsts = [a.series[0].values[0] for a in answers.values() if isinstance(a, Answer)]
    assert firsts == list(range(100))


def test_connections_are_kept_from_call_to_call(
    prometheus: RealPrometheus, source: PrometheusSource
) -> None:
    before = connections_to(prometheus)

    for i in range(10):
        source.answer([a_range(f"vector({i})"), a_range(f"vector({i + 1})")])

    assert connections_to(prometheus) - before <= 3  # two of the source, one to count them


def connections_to(prometheus: RealPrometheus) -> int:
    """Ask the server how many connections it has accepted so far."""
    with urlopen(f"{prometheus.url}/team/metrics") as page:
        text = page.read().decode()
    pattern = r'^net_conntrack_listener_conn_accepted_total{listener_name="http"} (\d+)'
    found = re.search(pattern, text, re.MULTILINE)
    assert found is not None
    return int(found[1])


def test_a_warning_of_the_server_arrives(requires_prometheus: object) -> None:
    remote_read = [{"url": "http://127.0.0.1:9/read", "read_recent": True}]
    with RealPrometheus(openmetrics=PAST, config={"remote_read": remote_read}) as prometheus:
        answer = answer_to(PrometheusSource(url=prometheus.url), samples())

    assert len(answer.series) == 2
    assert "remote_read" in answer.warnings[0]


def test_a_limit_of_the_server_is_told(requires_prometheus: object) -> None:
    with RealPrometheus(openmetrics=PAST, flags=["--query.max-samples=3"]) as prometheus:
        error = failure_of(PrometheusSource(url=prometheus.url), samples())

    assert error.code == "refused"
    assert "too many samples" in str(error)


def test_the_version_is_told(source: PrometheusSource) -> None:
    version = source.server_version()

    assert version is not None
    assert version[:2] in {"2.", "3."}
