"""Samples sent to a Prometheus by remote write: the one way in for native histograms of the past.

The few messages needed are put together by hand; the names are those of `prompb/types.proto` and
`prompb/remote.proto`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.request import Request, urlopen

VARINT, DOUBLE, BYTES = 0, 1, 2
LITERAL_BYTES = 60  # the longest literal whose length fits into its tag


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeHistogram:
    """A native histogram at one instant.

    Attributes:
        time: Epoch seconds.
        schema: Its resolution: bucket n ends at 2 to the power of n * 2 to the power of -schema.
        buckets: Observations by bucket, above zero.
        below: Observations by bucket, below zero.
        zeros: Observations no further from zero than `zero_threshold`.
        zero_threshold: How wide the bucket around zero is.
        total: Sum of the observed values.
    """

    time: float
    schema: int
    buckets: Mapping[int, int]
    below: Mapping[int, int]
    zeros: int
    zero_threshold: float
    total: float

    @property
    def count(self) -> int:
        """Observations so far."""
        return sum(self.buckets.values()) + sum(self.below.values()) + self.zeros


def write_histograms(
    url: str, labels: Mapping[str, str], samples: Sequence[NativeHistogram]
) -> None:
    """Send samples of one series; the server needs `--web.enable-remote-write-receiver`."""
    body = _framed(_message(1, _series(labels, samples)))
    headers = {
        "Content-Encoding": "snappy",
        "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    with urlopen(Request(f"{url}/api/v1/write", data=body, headers=headers)) as answer:
        answer.read()


def _series(labels: Mapping[str, str], samples: Sequence[NativeHistogram]) -> bytes:
    names = (_text(1, name) + _text(2, value) for name, value in sorted(labels.items()))
    return b"".join(
        [
            *(_message(1, label) for label in names),
            *(_message(4, _histogram(one)) for one in samples),
        ]
    )


def _histogram(one: NativeHistogram) -> bytes:
    return b"".join(
        [
            _number(1, one.count),
            _double(3, one.total),
            _number(4, _zigzag(one.schema)),
            _double(5, one.zero_threshold),
            _number(6, one.zeros),
            *_buckets(8, one.below),
            *_buckets(11, one.buckets),
            _number(15, round(one.time * 1000)),
        ]
    )


def _buckets(field: int, counts: Mapping[int, int]) -> Iterable[bytes]:
    """Give spans of one bucket each, then the difference of each count to the one before."""
    places = sorted(counts)
    offsets = [b - a for a, b in pairwise([0, *places])]
    gaps = [*offsets[:1], *(offset - 1 for offset in offsets[1:])]
    yield from (_message(field, _number(1, _zigzag(gap)) + _number(2, 1)) for gap in gaps)
    deltas = [b - a for a, b in pairwise([0, *(counts[place] for place in places)])]
    yield _message(field + 1, b"".join(_varint(_zigzag(delta)) for delta in deltas))


# ---- protocol buffers, and snappy without compression


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _zigzag(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | VARINT) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | DOUBLE) + struct.pack("<d", value)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | BYTES) + _varint(len(body)) + body


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _framed(body: bytes) -> bytes:
    """Word bytes as snappy's block format: their length, then literals."""
    parts = [body[n : n + LITERAL_BYTES] for n in range(0, len(body), LITERAL_BYTES)]
    return _varint(len(body)) + b"".join(bytes([(len(part) - 1) << 2]) + part for part in parts)
