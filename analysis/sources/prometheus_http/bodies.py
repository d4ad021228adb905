"""The body of an answer, read with a limit of size and one of time."""

from __future__ import annotations

import time
from dataclasses import dataclass

import requests

CHUNK_BYTES = 64 * 1024
BEGINNING = 16  # chunks, to find a server's own words in


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What was read.

    Attributes:
        data: All of it, or if it is too large its beginning.
        is_too_large: Whether it was not read to its end.
    """

    data: bytes
    is_too_large: bool = False


def read(response: requests.Response, limit_bytes: int, *, until: float) -> Body:
    """Read a body.

    Args:
        response: An answer whose body was not read yet.
        limit_bytes: Size after decompression.
        until: When to give up, of `time.monotonic`.

    Raises:
        TimeoutError: The time is up.
    """
    chunks, size = [], 0
    # read1 returns after one read of the socket, so a trickle of bytes cannot outlast the limit.
    while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit_bytes:
            return Body(data=b"".join(chunks[:BEGINNING]), is_too_large=True)
        if time.monotonic() > until:
            raise TimeoutError
    return Body(data=b"".join(chunks))
