"""Every preset asks a real Prometheus the right thing: exact answers, and none of a missing side.

A query that asked the wrong thing would be noticed: each of its matchers taken away, its sides
exchanged or its join removed, the answer is another.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

import pytest
import requests

from analysis.presets import Separation, Sided, layers, load
from tests.support.layers import SIDES, Question, Slot, both_sides, laid_out, one_side, openmetrics
from tests.support.prometheus import RealPrometheus

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("requires_prometheus")]

# Both sides of a layer's every metric at once only where a side is told by not being the other.
SLOTS = laid_out([*one_side(layers()), *both_sides(["ingress-nginx"])])
BY_LAYER = {layer: [slot for slot in SLOTS if slot.layer == layer] for layer in layers()}
_MATCHER = re.compile(r'(?:, )?\b\w+(?:=~|!~|!=|=)"(?:[^"\\]|\\.)*"')

Found = list[tuple[Mapping[str, str], float]]


class Asker:
    """Asks a server many expressions at once."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1/query"
        self._session = requests.Session()

    def __call__(self, queries: Sequence[str], at: float) -> list[Found]:
        """Give what each expression comes to at an instant: labels and value of every series."""
        numbered = (f'label_replace({q}, "n", "{n}", "", "")' for n, q in enumerate(queries))
        form = {"query": " or ".join(numbered), "time": str(at)}
        answer = self._session.post(self._url, data=form, timeout=60).json()
        assert answer["status"] == "success", answer
        found: list[Found] = [[] for _ in queries]
        for series in answer["data"]["result"]:
            value = float(series["value"][1])
            found[int(series["metric"]["n"])].append((series["metric"], value))
        return found


@pytest.fixture(scope="module")
def ask() -> Iterator[Asker]:
    """Run a Prometheus that holds every layer."""
    with RealPrometheus(openmetrics=openmetrics(SLOTS)) as prometheus:
        yield Asker(prometheus.url)


def is_right(found: Found, expected: float | Mapping[str, float]) -> bool:
    """Tell whether an answer is the expected one; of several pods the mean is."""
    if isinstance(expected, Mapping):
        by_edge = {labels["le"]: value for labels, value in found}
        return by_edge.keys() == expected.keys() and all(
            _close(by_edge[edge], expected[edge]) for edge in expected
        )
    values = [value for _, value in found]
    return bool(values) and _close(sum(values) / len(values), expected)


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def told(question: Question, slot: Slot, found: Found) -> str:
    values = [value for _, value in found]
    where = f"{slot.layer} {slot.separation} {question.metric} {question.form} {question.side}"
    return f"{where}: {values} instead of {question.expected}"


def asked(slot: Slot, side: str = "") -> list[str]:
    """Write all queries of a slot, for the side that is there or for another."""
    return [
        one.query(slot.way, slot.values(side or one.side), side or one.side)
        for one in slot.questions()
    ]


def other(side: str) -> str:
    return next(one for one in SIDES if one != side)


@pytest.mark.parametrize("layer", layers())
def test_every_query_gives_the_exact_answer(ask: Asker, layer: str) -> None:
    wrong = [
        told(question, slot, found)
        for slot in BY_LAYER[layer]
        for question, found in zip(slot.questions(), ask(asked(slot), slot.asked_at), strict=True)
        if not is_right(found, question.expected)
    ]

    assert wrong == []


@pytest.mark.parametrize("layer", layers())
def test_a_side_that_is_missing_has_no_answer(ask: Asker, layer: str) -> None:
    found = [
        answer
        for slot in BY_LAYER[layer]
        if len(slot.sides) == 1
        for answer in ask(asked(slot, other(slot.sides[0])), slot.asked_at)
    ]

    assert found
    assert [answer for answer in found if answer] == []


def without_a_matcher(query: str) -> Iterator[tuple[str, str]]:
    """Take each matcher of a query away, everywhere it stands; give it with what is left."""
    for matcher in dict.fromkeys(m[0].removeprefix(", ") for m in _MATCHER.finditer(query)):
        escaped = re.escape(matcher)
        less = re.sub(rf"{escaped}, |, {escaped}(?=\}})|{escaped}(?=\}})", "", query)
        yield matcher, less


@pytest.mark.parametrize("layer", layers())
def test_a_query_without_one_of_its_matchers_is_noticed(ask: Asker, layer: str) -> None:
    noticed: dict[str, bool] = {}
    for slot in BY_LAYER[layer]:
        questions = list(slot.questions())
        changed = [
            (question, matcher, query)
            for question, whole in zip(questions, asked(slot), strict=True)
            for matcher, query in without_a_matcher(whole)
        ]
        answers = ask([query for _, _, query in changed], slot.asked_at)
        for (one, matcher, _), answer in zip(changed, answers, strict=True):
            # A quantile at the last edge is the same for many histograms; their buckets are not.
            what = f"{slot.separation} {one.metric} {one.side} without {matcher}"
            seen = not is_right(answer, one.expected)
            noticed[what] = noticed.get(what, False) or seen

    assert [what for what, seen in noticed.items() if not seen] == []


def exchanged(way: Separation) -> Separation:
    """Exchange the sides of what differs in its text."""

    def turned(text: str | Sided | None) -> str | Sided | None:
        if isinstance(text, Sided):
            return Sided(baseline=text.canary, canary=text.baseline)
        return text

    return way.model_copy(update={"selector": turned(way.selector), "join": turned(way.join)})


def values_exchanged(slot: Slot, side: str) -> dict[str, object]:
    """Give a side the other's values, where values tell the sides apart."""
    return slot.values(other(side) if slot.way.differ else side)


def unnoticed(slot: Slot, answers: Sequence[Found]) -> set[str]:
    """Name the metrics of which every answer is right all the same."""
    questions = list(slot.questions())
    wrong = {
        one.metric
        for one, answer in zip(questions, answers, strict=True)
        if not is_right(answer, one.expected)
    }
    return {one.metric for one in questions} - wrong


@pytest.mark.parametrize("layer", layers())
def test_exchanged_sides_are_noticed(ask: Asker, layer: str) -> None:
    for slot in BY_LAYER[layer]:
        way = exchanged(slot.way)
        queries = [one.query(way, values_exchanged(slot, one.side)) for one in slot.questions()]

        answers = ask(queries, slot.asked_at)

        assert unnoticed(slot, answers) == set()


JOINED = [layer for layer in layers() if any(w.join for w in load(layer).separations.values())]


@pytest.mark.parametrize("layer", JOINED)
def test_a_query_without_its_join_is_noticed(ask: Asker, layer: str) -> None:
    for slot in BY_LAYER[layer]:
        if slot.way.join is None:
            continue
        bare = slot.way.model_copy(update={"join": None})

        answers = ask(
            [one.query(bare, slot.values(one.side)) for one in slot.questions()], slot.asked_at
        )

        assert unnoticed(slot, answers) == set()
