"""The forecast for a person at a terminal."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from rich.cells import cell_len
from rich.console import Console

from analysis.consumers.plan_text import print_outlook
from analysis.forecast import Basis, Forecast, Harm
from analysis.outlook import Ahead, Outlook
from judges import Limit, Scale
from tests.support.outlooks import a_forecast, a_metric_outlook, a_remedy, an_outlook

SHORT = a_forecast(
    suffices=False,
    minutes=190.0,
    summary="a canary equal to the baseline passes after 3.2 hours",
    remedies=(a_remedy("window.planned", "3h10m"), a_remedy("judge.margin", "18%")),
    warnings=("the past is short",),
)


def shown(outlook: Outlook, *, width: int = 120) -> str:
    """Print without color to a console of some width, whatever terminal the tests run in."""
    file = io.StringIO()
    print_outlook(outlook, Console(file=file, width=width, _environ={}))
    return file.getvalue()


def row(forecast: Forecast) -> str:
    """Give the line of the table that shows a forecast."""
    (line,) = [
        line
        for line in shown(an_outlook(a_metric_outlook("the one", forecast))).splitlines()
        if line.startswith(("✔ the one", "✘ the one", "? the one"))
    ]
    return " ".join(line.split())


HEADS = {
    "enough": (a_forecast(), " 1h: ENOUGH  shop "),
    "not": (SHORT, " 1h: TOO SHORT  shop "),
    "unknown": (a_forecast(suffices=None), " 1h: UNKNOWN  shop "),
}


@pytest.mark.parametrize(("forecast", "head"), HEADS.values(), ids=HEADS)
def test_whether_the_plan_suffices_comes_first(forecast: Forecast, head: str) -> None:
    assert shown(an_outlook(a_metric_outlook(forecast=forecast))).startswith(head)


def test_what_falls_short_is_named_with_the_window_that_would_do() -> None:
    line = shown(an_outlook(a_metric_outlook(), a_metric_outlook("cpu", SHORT))).splitlines()[1]

    assert line == (
        "1 of 2 metrics that a pass needs may not decide in time: cpu; "
        "window.planned: 190m would do"
    )


ROWS = {
    "a gauge": (a_forecast(), "✔ the one after 24 minutes +18 % (to 118) 13 % 240 steps worth 82"),
    "counts": (
        a_forecast(requests=6444.3, basis=Basis(steps=240, events=36.0, requests=7e4)),
        "✔ the one after 24 minutes, 6,444 requests +18 % (to 118) 13 % 36 events in 240 steps",
    ),
    "never": (
        a_forecast(suffices=False, minutes=None),
        "✘ the one never +18 % (to 118) 13 % 240 steps worth 82",
    ),
    "no harm is large enough": (
        a_forecast(harm=None),
        "✔ the one after 24 minutes none 13 % 240 steps worth 82",
    ),
    "nothing is weighed": (
        a_forecast(harm=None, margin=None, basis=Basis(steps=240)),
        "✔ the one after 24 minutes – – 240 steps",
    ),
    "a level": (
        a_forecast(harm=Harm(value=0.52, scale=Scale.VALUE, level=0.52), margin=None),
        "✔ the one after 24 minutes level 0.52 – 240 steps worth 82",
    ),
    "a margin of two parts": (
        a_forecast(margin=Limit(ratio=1.503, absolute=0.00201), minutes=4.08),
        "✔ the one after 4.1 minutes +18 % (to 118) 51 % and 0.0021 240 steps worth 82",
    ),
    "a past that does not tell": (
        Forecast(kind="slope", suffices=None, summary="no", basis=Basis(steps=0)),
        "? the one – – – nothing",
    ),
    "one step": (
        Forecast(kind="slope", suffices=None, summary="no", basis=Basis(steps=1)),
        "? the one – – – 1 step",
    ),
}


@pytest.mark.parametrize(("forecast", "line"), ROWS.values(), ids=ROWS)
def test_a_line_of_the_table(forecast: Forecast, line: str) -> None:
    assert row(forecast) == line


def test_what_helps_and_what_to_doubt_stand_below() -> None:
    lines = [
        line.rstrip() for line in shown(an_outlook(a_metric_outlook("cpu", SHORT))).splitlines()
    ]

    at = lines.index("cpu")
    assert lines[at + 1 : at + 4] == [
        "  a canary equal to the baseline passes after 3.2 hours",
        "  to pass within 1h: window.planned: 3h10m; or judge.margin: 18%",
        "  warning: the past is short",
    ]


def test_a_metric_that_suffices_needs_no_words() -> None:
    assert "passes after 24 minutes" not in shown(an_outlook())


ITSELF = "the baseline, held against itself one window earlier"
PASTS = {
    "a recording": (Ahead(), "both sides; traffic as it was"),
    "a live baseline": (
        Ahead(one_side=True),
        f"{ITSELF}; half of the traffic is taken to go to the canary, --share says otherwise",
    ),
    "a planned share": (
        Ahead(one_side=True, share=0.2),
        f"{ITSELF}; the canary will have 20 % of the traffic",
    ),
    "another length": (Ahead(planned=timedelta(minutes=45)), "both sides; traffic as it was"),
}


@pytest.mark.parametrize(("ahead", "text"), PASTS.values(), ids=PASTS)
def test_what_it_was_learnt_from_is_said(ahead: Ahead, text: str) -> None:
    output = shown(an_outlook(ahead=ahead), width=300)

    assert f"learnt from 2027-01-15 08:00:00–09:00:00 UTC, 60 steps of 60 s: {text}\n" in output


@pytest.mark.parametrize("width", [20, 40, 60, 79, 120])
def test_no_line_is_longer_than_the_terminal_is_wide(width: int) -> None:
    metric = a_metric_outlook("a metric with a long name of many words", SHORT)

    lines = shown(an_outlook(metric, metric), width=width).splitlines()

    assert max(cell_len(line) for line in lines) <= width


HOSTILE = {"a newline": "a\nb", "an escape": "a\x1b[2Jb", "a line separator": "a\u2028b"}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_others_wrote_moves_no_cursor(text: str) -> None:
    doubtful = a_forecast(suffices=None, summary=text, warnings=(text,))

    output = shown(an_outlook(a_metric_outlook(text, doubtful), name=text))

    assert all(char.isprintable() for char in output.replace("\n", ""))


def test_markup_of_others_is_text() -> None:
    name = "[red]memory[/red] :smile:"

    assert name in shown(an_outlook(a_metric_outlook(name, SHORT)))
