"""Charts: what is drawn where, what is said of it, and that nothing breaks them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from analysis import charts
from analysis.charts import Axis, Curve, Distributions, Gathering, Gauge, PodLevels, Timeline, Unit
from analysis.charts.svg import area_of, path_of
from analysis.charts.thinning import thinned
from tests.support.builders import START

NAN, INF = math.nan, math.inf
NASTY = '<script>alert("&\'")</script>\x00'


def a_timeline(**changes: object) -> Timeline:
    times = START + 60 * np.arange(1.0, 11.0)
    fields: dict[str, object] = {
        "name": "latency",
        "times": times,
        "baseline": np.linspace(0.1, 0.2, 10),
        "canary": np.linspace(0.1, 0.3, 10),
        "start": START - 120,
        "judged_from": START,
        "unit": Unit.SECONDS,
    }
    return Timeline(**{**fields, **changes})  # type: ignore[arg-type]  # a builder


def a_gauge(**changes: object) -> Gauge:
    fields: dict[str, object] = {
        "name": "latency",
        "value": 1.3,
        "interval": (1.2, 1.4),
        "neutral": 1.0,
        "tolerance": (None, 1.1),
        "margin": (None, 1.2),
        "is_ratio": True,
        "told": lambda value: f"{value:.3g}",
    }
    return Gauge(**{**fields, **changes})  # type: ignore[arg-type]  # a builder


def a_distribution(**changes: object) -> Distributions:
    fields: dict[str, object] = {
        "name": "latency",
        "edges": np.array([0.1, 0.5, 1.0, INF]),
        "baseline": np.array([5.0, 3.0, 1.0, 1.0]),
        "canary": np.array([2.0, 3.0, 4.0, 1.0]),
        "unit": Unit.SECONDS,
    }
    return Distributions(**{**fields, **changes})  # type: ignore[arg-type]  # a builder


def pods(*levels: float, name: str = "pod") -> PodLevels:
    return PodLevels(names=[f"{name}-{k}" for k in range(len(levels))], levels=np.array(levels))


def some_evidence(**changes: object) -> Gathering:
    fields: dict[str, object] = {
        "name": "latency",
        "times": START + 60 * np.arange(4.0),
        "harm": np.array([NAN, 0.2, 1.5, 4.0]),
        "safety": np.full(4, NAN),
    }
    return Gathering(**{**fields, **changes})  # type: ignore[arg-type]  # a builder


EVERY: dict[str, Callable[[str], str]] = {
    "timeline": lambda name: charts.timeline(a_timeline(name=name)),
    "gauge": lambda name: charts.gauge(a_gauge(name=name)),
    "small gauge": lambda name: charts.small_gauge(a_gauge(name=name)),
    "distributions": lambda name: charts.distributions(a_distribution(name=name)),
    "pods": lambda name: charts.pods_strip(name, pods(1, 2, name=name), pods(3, name=name)),
    "evidence": lambda name: charts.evidence(some_evidence(name=name)),
    "sparkline": lambda name: charts.sparkline(np.arange(3.0), np.arange(3.0), name=name),
    "curves": lambda name: charts.curves(
        name,
        [Curve(name=name, x=np.arange(3.0), y=np.arange(3.0), labels=[name] * 3)],
        Axis(name=name),
        Axis(name=name),
    ),
}


@pytest.mark.parametrize("draw", EVERY.values(), ids=EVERY)
def test_a_chart_is_one_image_with_a_name_and_without_style_id_or_script(
    draw: Callable[[str], str],
) -> None:
    drawn = draw("p95 latency")

    image = ET.fromstring(drawn)
    assert (image.tag, image.get("role")) == ("svg", "img")
    assert "p95 latency" in str(image.get("aria-label"))
    assert not re.search(r"\b(style|id|on\w+)=|<script|<style", drawn)


@pytest.mark.parametrize("draw", EVERY.values(), ids=EVERY)
def test_words_of_others_stay_words(draw: Callable[[str], str]) -> None:
    image = ET.fromstring(draw(NASTY))

    assert {element.tag for element in image.iter()} <= {
        *("svg", "g", "path", "rect", "circle", "text", "title"),
    }
    assert NASTY.replace("\x00", "\ufffd") in str(image.get("aria-label"))


def paths(drawn: str, class_: str) -> list[str]:
    return [
        str(one.get("d"))
        for one in ET.fromstring(drawn).iter("path")
        if str(one.get("class")).endswith(class_)
    ]


def test_a_gap_is_a_gap_and_a_lone_step_a_dot() -> None:
    values = np.array([1.0, 2.0, NAN, 3.0, NAN, 4.0, 5.0])

    path = path_of(np.arange(7.0), values)

    assert path == "M0 1l1 1M3 3h0M5 4l1 1"


def test_an_area_is_closed_at_every_gap() -> None:
    low = np.array([1.0, 1.0, NAN, 1.0, 1.0])

    assert area_of(np.arange(5.0), low, low + 2).count("Z") == 2


def test_no_extreme_of_a_long_series_is_lost() -> None:
    values = np.zeros(10_000)
    values[4321], values[8765] = 9.0, -7.0

    few = thinned(np.arange(10_000.0), values, 72)

    assert (few.high.max(), few.low.min(), len(few.times)) == (9.0, -7.0, 72)
    assert few.times[-1] == 9999


def test_a_long_gap_stays_one_in_a_long_series() -> None:
    values = np.ones(1000)
    values[300:600] = NAN

    few = thinned(np.arange(1000.0), values, 50)

    assert np.count_nonzero(np.isnan(few.middle)) == 15
    assert (np.isnan(few.low) == np.isnan(few.middle)).all()


def test_the_spread_is_drawn_only_where_steps_share_a_place() -> None:
    n = 500
    long = a_timeline(
        times=START + 15 * np.arange(1.0, n + 1),
        baseline=np.ones(n),
        canary=np.linspace(1, 2, n),
    )

    assert len(paths(charts.timeline(long), "-spread")) == 2
    assert paths(charts.timeline(a_timeline()), "-spread") == []


def test_the_timeline_tells_levels_and_gaps_in_words() -> None:
    canary = np.array([0.1, NAN, *[0.3] * 8])

    drawn = charts.timeline(a_timeline(canary=canary))

    label = str(ET.fromstring(drawn).get("aria-label"))
    assert "The baseline is 150 ms on average, 100 ms to 200 ms." in label
    assert "100 ms to 300 ms, 1 of 10 steps unknown." in label


def test_the_warm_up_is_shaded_and_named_where_there_is_room() -> None:
    assert "warm-up" in charts.timeline(a_timeline())
    brief = charts.timeline(a_timeline(start=START - 10))
    assert "warm-up" not in brief
    assert 'class="sr-warmup"' in brief
    assert "sr-warmup" not in charts.timeline(a_timeline(start=START))


def test_a_side_without_data_is_said_to_have_none() -> None:
    drawn = charts.timeline(a_timeline(canary=np.empty(0)))

    assert "The canary has no data." in drawn
    assert charts.timeline(a_timeline(times=np.empty(0))) == ""


def place_of(drawn: str, text: str) -> float:
    found = next(one for one in ET.fromstring(drawn).iter("text") if one.text == text)
    return float(str(found.get("x")))


def zones(drawn: str) -> dict[str, tuple[float, float]]:
    boxes = [
        (str(path.get("class")), re.fullmatch(r"M(-?\d+) -?\d+H(-?\d+)V.*Z", str(path.get("d"))))
        for path in ET.fromstring(drawn).iter("path")
    ]
    return {name: (float(box[1]), float(box[2]) - float(box[1])) for name, box in boxes if box}


def test_a_gauge_runs_from_fine_over_tolerance_and_margin_to_harm() -> None:
    found = zones(charts.gauge(a_gauge()))

    ends = {name: start + width for name, (start, width) in found.items()}
    assert ends["sr-tolerated"] < ends["sr-between"] < ends["sr-harm"] == 310


def test_where_a_decrease_is_harm_the_gauge_runs_the_other_way() -> None:
    found = zones(
        charts.gauge(a_gauge(value=0.7, interval=None, tolerance=(0.9, None), margin=(0.8, None)))
    )

    starts = {name: start for name, (start, _) in found.items()}
    assert starts["sr-harm"] < starts["sr-between"] < starts["sr-tolerated"]


BOUNDLESS = {
    "no upper end": (1.2, None),
    "no lower end": (None, 1.4),
    "an end far beyond the axis": (1.2, 5000.0),
    "a lower end of zero on a scale of ratios": (0.0, 1.4),
}


@pytest.mark.parametrize("interval", BOUNDLESS.values(), ids=BOUNDLESS)
def test_an_interval_that_goes_on_ends_in_an_arrow(interval: tuple[float, float]) -> None:
    drawn = charts.gauge(a_gauge(interval=interval))

    assert drawn.count("sr-arrow") == 1


def test_the_limits_stay_to_be_seen_however_far_the_estimate_is() -> None:
    drawn = charts.gauge(a_gauge(value=1e6, interval=(1e5, 1e7)))

    assert zones(drawn)["sr-tolerated"][1] > 30
    assert "sr-estimate" not in drawn
    assert "margin 1.2" in drawn


NO_GAUGE = {
    "without an estimate": {"value": None},
    "without limits": {"tolerance": (None, None), "margin": None},
    "without a place on a scale of ratios": {"value": 0.0},
}


@pytest.mark.parametrize("changes", NO_GAUGE.values(), ids=NO_GAUGE)
def test_there_is_no_gauge(changes: dict[str, object]) -> None:
    assert charts.gauge(a_gauge(**changes)) == ""


def test_a_fixed_bound_has_one_limit_and_no_interval() -> None:
    drawn = charts.gauge(
        a_gauge(
            value=6.0, interval=None, neutral=None, tolerance=(None, 2.0), margin=None,
            is_ratio=False,
        )
    )  # fmt: skip

    assert "limit 2" in drawn
    assert "tolerance" not in drawn
    assert "sr-interval" not in drawn


def test_bars_are_shares_and_say_what_they_hold() -> None:
    drawn = charts.distributions(a_distribution())

    titles = [one.text for one in ET.fromstring(drawn).iter("title")]
    assert titles == [
        "up to 100 ms: canary 20 %, baseline 50 %",
        "100 ms to 500 ms: canary 30 %, baseline 30 %",
        "500 ms to 1 s: canary 40 %, baseline 10 %",
        "above 1 s: canary 10 %, baseline 10 %",
    ]


def test_many_buckets_are_put_together_without_losing_an_observation() -> None:
    edges = np.append(np.geomspace(1e-3, 10, 160), INF)
    counts = np.ones(161)

    drawn = charts.distributions(a_distribution(edges=edges, baseline=counts, canary=counts))

    bars = [one.text or "" for one in ET.fromstring(drawn).iter("title")]
    shares = [float(str(bar).rsplit(" ", 2)[1]) for bar in bars]
    assert len(bars) <= 41
    assert sum(shares) == pytest.approx(100, abs=2)


def test_a_side_that_observed_nothing_has_no_distribution() -> None:
    assert charts.distributions(a_distribution(canary=np.zeros(4))) == ""


def test_the_pod_that_stands_apart_is_named() -> None:
    drawn = charts.pods_strip("errors", pods(1, 2, 3), pods(1, 1.5, 2, 9, name="new"))

    named = [one.text for one in ET.fromstring(drawn).iter("text")]
    assert [text for text in named if text and text.startswith(("pod-", "new-"))] == ["new-3"]


def test_pods_without_a_level_are_left_out() -> None:
    drawn = charts.pods_strip("errors", pods(1, NAN), pods(NAN))

    assert len(list(ET.fromstring(drawn).iter("circle"))) == 1
    assert "No pod of the canary is known." in drawn
    assert charts.pods_strip("errors", pods(NAN), pods(NAN)) == ""


def test_evidence_tells_since_when_it_sufficed() -> None:
    assert "sufficed from 08:02 on" in charts.evidence(some_evidence())
    little = charts.evidence(some_evidence(harm=np.array([0.1, 0.2, 0.25, 0.24])))
    assert "reached 25 % of what a verdict asks for" in little


def test_curves_differ_in_their_lines_and_there_are_only_so_many() -> None:
    one = Curve(name="a", x=np.arange(3.0), y=np.arange(3.0))
    axes = Axis(name="x"), Axis(name="y", limit=1.0)

    drawn = charts.curves("roc", [one, one], *axes)

    assert {"sr-line sr-curve-1", "sr-line sr-curve-2", "sr-bound"} <= {
        str(path.get("class")) for path in ET.fromstring(drawn).iter("path")
    }
    with pytest.raises(ValueError, match="6 curves, but 5 line styles"):
        charts.curves("roc", [one] * 6, *axes)


EXTREMES = {
    "constant": np.full(10, 5.0),
    "zero": np.zeros(10),
    "negative": np.linspace(-9, -1, 10),
    "the largest doubles": 1.7e308 * np.linspace(-1, 1, 10),
    "the smallest doubles": np.linspace(0, 5e-324, 10),
    "unknown": np.full(10, NAN),
    "one value": np.array([NAN] * 9 + [3.0]),
}


@pytest.mark.parametrize("values", EXTREMES.values(), ids=EXTREMES)
def test_extreme_levels_are_drawn_within_the_drawing(values: np.ndarray) -> None:
    drawn = charts.timeline(a_timeline(baseline=values, canary=values, unit=Unit.PLAIN))
    drawn += charts.sparkline(values, values, name="x")

    assert not re.search(r"nan|inf", drawn)
    numbers = re.findall(r'(?:x|y|cx|cy)="([-\d.]+)"', drawn)
    assert all(-1 <= float(number) <= 461 for number in numbers)


def test_every_class_of_a_drawing_has_its_style() -> None:
    drawn = "".join(draw("x") for draw in EVERY.values())
    drawn += charts.timeline(
        a_timeline(bounds=[(0.1, "at most")], decided=START + 120, looks=[START])
    )

    used = {name for one in re.findall(r'class="([^"]+)"', drawn) for name in one.split()}
    styled = set(re.findall(r"\.(sr-[\w-]+)", charts.stylesheet()))
    assert used - styled <= {"sr-gauge", "sr-small", "sr-line"}


def test_the_style_is_compact_and_balanced() -> None:
    style = charts.stylesheet()

    assert "/*" not in style
    assert "\n" not in style
    assert style.count("{") == style.count("}") > 30
