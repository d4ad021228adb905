"""From the bytes of a Prometheus answer to arrays.

msgspec reads the numbers, which Prometheus sends as strings, straight into typed tuples: three
times faster than the standard library and half its memory. What it refuses (it knows "Inf" and
"-Inf" but not "+Inf", which Prometheus does send) the standard library reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from analysis.sources.port import Array, Series
from analysis.sources.prometheus_http import native
from analysis.sources.prometheus_http.native import Bucket, Native

# Infos say that an expression may not be meant so; these two say that samples were left out of
# the answer, so they count as warnings.
# https://github.com/prometheus/prometheus/blob/main/util/annotations/annotations.go
_LOSSY_INFOS = ("ignored histogram", "incompatible sample types")

_PARTIAL = "isPartial: some storage nodes did not answer, so the answer is incomplete"

HISTOGRAMS = (
    "the answer holds native histograms, which are not single numbers; wrap the query in "
    "histogram_count(), histogram_sum() or histogram_quantile(), or have the classic buckets "
    "scraped as well (always_scrape_classic_histograms)"
)


class UnreadableError(Exception):
    """An answer that is not what was asked for; the message says what it is instead.

    Attributes:
        is_foreign: It does not come from a Prometheus API at all.
    """

    def __init__(self, message: str, *, is_foreign: bool = False) -> None:
        """Say what the answer is."""
        super().__init__(message)
        self.is_foreign = is_foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """An error as Prometheus words it.

    Attributes:
        kind: Its `errorType`, such as `bad_data`, `execution` or `timeout`.
        words: Its sentence.
    """

    kind: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reply:
    """What one HTTP answer holds.

    Attributes:
        series: The series of numbers, in the server's order, times not yet put in order.
        natives: The series of native histograms, likewise.
        warnings: Reasons to distrust the values.
        infos: Remarks on the expression.
    """

    series: tuple[Series, ...]
    natives: tuple[Native, ...] = ()
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


class _Data(msgspec.Struct):
    resultType: str = ""  # noqa: N815 - the API's name
    result: msgspec.Raw = msgspec.Raw(b"[]")


class _Payload(msgspec.Struct):
    status: str
    data: _Data | None = None
    errorType: str = ""  # noqa: N815 - the API's name
    error: str = ""
    warnings: list[str] | None = None
    infos: list[str] | None = None
    isPartial: bool = False  # noqa: N815 - VictoriaMetrics' name


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, float]] = []
    histograms: list[tuple[float, native.Sample]] = []


class _Listed(msgspec.Struct):
    data: list[str]


_lists = msgspec.json.Decoder(_Listed)
_payloads = msgspec.json.Decoder(_Payload)
_matrices = msgspec.json.Decoder(list[_Series], strict=False)


def decode_list(body: bytes) -> list[str]:
    """Read a list of names or values.

    Raises:
        UnreadableError: It is something else.
    """
    try:
        return _lists.decode(body).data
    except msgspec.DecodeError as error:
        raise UnreadableError("no list of names", is_foreign=True) from error


def complaint(body: bytes) -> Complaint | None:
    """Read the error in an answer, if it is an answer of Prometheus that holds one."""
    try:
        payload = _payloads.decode(body)
    except msgspec.DecodeError:
        return None
    if payload.status != "error":
        return None
    return Complaint(kind=payload.errorType or "unknown", words=payload.error)


def decode(body: bytes) -> Reply:
    """Read the series of a successful answer.

    Raises:
        UnreadableError: The answer is cut short, no Prometheus answer, or not a matrix.
    """
    payload = _payload(body)
    data = payload.data or _Data()
    if data.resultType != "matrix":
        raise UnreadableError(
            f"the answer is a {data.resultType or 'blank'} where a matrix was expected; "
            "write the query as an expression over time series"
        )
    lossy = tuple(info for info in payload.infos or () if _is_lossy(info))
    partial = (_PARTIAL,) if payload.isPartial else ()
    found = _matrix(data.result)
    return Reply(
        series=tuple(_numbers(one) for one in found if one.values or not one.histograms),
        natives=tuple(
            Native(labels=one.metric, samples=one.histograms) for one in found if one.histograms
        ),
        warnings=(*(payload.warnings or ()), *partial, *lossy),
        infos=tuple(info for info in payload.infos or () if not _is_lossy(info)),
    )


def _is_lossy(info: str) -> bool:
    return any(mark in info for mark in _LOSSY_INFOS)


def _payload(body: bytes) -> _Payload:
    try:
        payload = _payloads.decode(body)
    except msgspec.ValidationError as error:
        raise UnreadableError(f"JSON of another form ({error})", is_foreign=True) from error
    except msgspec.DecodeError as error:
        what = "half a JSON document" if body.lstrip()[:1] == b"{" else "something that is no JSON"
        raise UnreadableError(f"{what} ({error})", is_foreign=True) from error
    if payload.status != "success":
        raise UnreadableError(f"JSON with the status {payload.status!r}", is_foreign=True)
    return payload


def _matrix(result: msgspec.Raw) -> list[_Series]:
    try:
        return _matrices.decode(result)
    except msgspec.ValidationError:
        return _by_standard_library(bytes(result))


def _by_standard_library(result: bytes) -> list[_Series]:
    try:
        return [_from_plain(series) for series in json.loads(result)]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnreadableError(f"a matrix of another form ({error})") from error


def _from_plain(series: Mapping[str, Any]) -> _Series:
    return _Series(
        metric={str(k): str(v) for k, v in series["metric"].items()},
        values=[(float(time), float(value)) for time, value in series.get("values", ())],
        histograms=[(float(time), _histogram(one)) for time, one in series.get("histograms", ())],
    )


def _histogram(plain: Mapping[str, Any]) -> native.Sample:
    return native.Sample(
        count=float(plain["count"]),
        sum=float(plain["sum"]),
        buckets=[
            Bucket(int(rule), float(left), float(right), float(count))
            for rule, left, right, count in plain.get("buckets") or ()
        ],
    )


def _numbers(series: _Series) -> Series:
    pairs = series.values
    flat = np.fromiter(chain.from_iterable(pairs), np.float64, count=2 * len(pairs))
    table: Array = flat.reshape(-1, 2).T.copy()  # each row contiguous
    return Series(labels=series.metric, times=table[0], values=table[1])
