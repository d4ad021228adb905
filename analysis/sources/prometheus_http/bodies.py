"""The body of an answer, read with a limit of size and one of time."""

from __future__ import annotations

import time

import requests

CHUNK_BYTES = 64 * 1024


def read(response: requests.Response, limit_bytes: int, *, until: float) -> bytes:
    """Read a body; of one that is too large a little more than `limit_bytes`.

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
            break
        if time.monotonic() > until:
            raise TimeoutError
    return b"".join(chunks)
