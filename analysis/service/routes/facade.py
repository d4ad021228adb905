"""`/prom`: scores and verdicts as a Prometheus would answer them.

For what reads nothing but Prometheus: MetricTemplates of Flagger, Grafana, KEDA. It answers from
what the newest look said, and never looks itself.

    serinus_verdict{config, namespace, target, key, id}   1 pass, 0 undecided, -1 fail
    serinus_score{config, namespace, target, key, id}     0 to 100; absent while there is none

Of each key the newest analysis is told; an older one is found by its id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Annotated, Any
from urllib.parse import parse_qs

import promql_parser
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from analysis.service import answers
from analysis.service.context import Caller, ServiceOf
from analysis.service.tokens import Token
from analysis.store import AnalysisStore, Filter, Record

ROUTER = APIRouter(prefix="/prom/api/v1", tags=["prometheus"])

_NEWEST = 500  # analyses that a selector is held against
_LONGEST = 4096
_PLAIN = re.compile(r"(?:[\w:~|-]|\.\*|\.|\\\.)*+")
_MOST_STARS = 8
_VALUES = {"pass": 1.0, "fail": -1.0}
METRICS: Mapping[str, Callable[[Record], float | None]] = {
    "serinus_verdict": lambda record: _VALUES.get(answers.said(record), 0.0),
    "serinus_score": lambda record: record.score,
}


async def _form(request: Request) -> str:
    """Read a query from the address or from a form, as Prometheus does."""
    text = request.query_params.get("query", "")
    if request.method == "POST":
        form = parse_qs((await request.body()).decode(errors="replace"))
        text = form.get("query", [text])[0]
    return text[:_LONGEST]


Query = Annotated[str, Depends(_form)]


@ROUTER.get("/query")
@ROUTER.post("/query")
def query(text: Query, service: ServiceOf, token: Caller) -> JSONResponse:
    """Answer an instant query: a selector of one of the metrics, or `vector(1)`."""
    now = service.analyses.clock()
    try:
        parsed = promql_parser.parse(text)
    except ValueError as error:
        return _refusal(f"invalid query: {error}")
    if isinstance(parsed, promql_parser.VectorSelector):
        if parsed.offset is not None or parsed.at is not None or parsed.matchers.or_matchers:
            return _refusal("offset, @ and `or` are not answered here: only what is now is known")
        if any(not _is_plain(one) for one in parsed.matchers.matchers):
            return _refusal("a regular expression here is words, `|`, `.` and up to 8 `.*`")
        return _vector(_selected(parsed, service.analyses.store, token), now)
    if isinstance(parsed, promql_parser.Call) and parsed.func.name == "vector":
        (number,) = parsed.args
        if isinstance(number, promql_parser.NumberLiteral):
            return _vector([({}, number.val)], now)
    known = ", ".join(METRICS)
    return _refusal(f"only a selector of {known}, or vector(1), is answered here")


@ROUTER.get("/status/buildinfo")
def buildinfo(token: Caller) -> JSONResponse:
    """Tell the version, which Grafana asks for when a data source is added."""
    del token
    return JSONResponse({"status": "success", "data": {"version": version("serinus")}})


def _selected(
    selector: promql_parser.VectorSelector, store: AnalysisStore, token: Token
) -> Iterable[tuple[dict[str, str], float]]:
    """Give labels and value of each analysis that is selected, the newest last."""
    metric = selector.name or ""
    if metric not in METRICS:
        return
    found = _found(selector, store, token)
    newest = {record.key: record for record in reversed(found)}
    for record in newest.values():
        labels = _labels(metric, record)
        value = METRICS[metric](record)
        if value is not None and all(_matches(one, labels) for one in selector.matchers.matchers):
            yield labels, value


def _is_plain(matcher: promql_parser.Matcher) -> bool:
    """Tell whether matching takes a bounded time: Python's expressions are not Prometheus' RE2."""
    is_text = matcher.op in (promql_parser.MatchOp.Equal, promql_parser.MatchOp.NotEqual)
    pattern = matcher.value
    return is_text or (_PLAIN.fullmatch(pattern) is not None and pattern.count(".*") <= _MOST_STARS)


def _found(
    selector: promql_parser.VectorSelector, store: AnalysisStore, token: Token
) -> list[Record]:
    """Ask the store for what the selector names, and the token may see."""
    equal = {
        one.name: one.value
        for one in selector.matchers.matchers
        if one.op == promql_parser.MatchOp.Equal
    }
    if "id" in equal:
        record = store.get(equal["id"], report=False)
        is_seen = record and token.allows(config=record.config, namespace=record.namespace)
        return [record] if record and is_seen else []
    wanted = Filter(
        key=equal.get("key"), config=equal.get("config"), namespace=equal.get("namespace")
    )
    return store.find(token.seen(wanted), _NEWEST)


def _labels(metric: str, record: Record) -> dict[str, str]:
    target = record.request.get("canary", {}).get("name", "")
    return {
        "__name__": metric,
        "config": record.config,
        "namespace": record.namespace,
        "target": target,
        "key": record.key,
        "id": record.id,
    }


def _matches(matcher: promql_parser.Matcher, labels: Mapping[str, str]) -> bool:
    value = labels.get(matcher.name, "")
    match matcher.op:
        case promql_parser.MatchOp.Equal:
            return bool(value == matcher.value)
        case promql_parser.MatchOp.NotEqual:
            return bool(value != matcher.value)
        case _:
            is_matched = re.fullmatch(matcher.value, value) is not None
            return is_matched is bool(matcher.op == promql_parser.MatchOp.Re)


def _vector(samples: Iterable[tuple[dict[str, str], float]], now: float) -> JSONResponse:
    result: list[dict[str, Any]] = [
        {"metric": labels, "value": [now, _digits(value)]} for labels, value in samples
    ]
    data = {"resultType": "vector", "result": result}
    return JSONResponse({"status": "success", "data": data})


def _digits(value: float) -> str:
    """Write all digits: a score of 74.9999999 does not reach a threshold of 75."""
    return repr(value).removesuffix(".0")


def _refusal(message: str) -> JSONResponse:
    told = {"status": "error", "errorType": "bad_data", "error": message}
    return JSONResponse(told, status_code=400)
