"""A hostile server: the command ends in bounded time and memory, with a clear error, no secret."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.authorities import Authority
from tests.support.command import Done, clean_environment, command_line
from tests.support.hostile import Behavior, HostileServer, response

pytestmark = pytest.mark.e2e

SECRET = "s3cr3t-t0k3n-Pa55"
SOURCE, INCONCLUSIVE = 4, 3
# Starting Python and loading the libraries takes half a second alone, and several under load.
START_S = 30.0
DEADLINE_S = 2.0
MOST_S = 90.0
MOST_MB = 350
NOTHING = b'{"status":"success","data":{"resultType":"matrix","result":[]}}'
SELECTED = ("--start=1700000000", "--end=1700003600")
SECRETS = clean_environment(TOKEN=SECRET, API_KEY=f"key-{SECRET}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended.

    Attributes:
        done: What it said.
        taken_s: How long it took.
        peak_mb: The most memory it held.
    """

    done: Done
    taken_s: float
    peak_mb: float


def judged(folder: Path, url: str, **settings: str) -> Ended:
    """Run `serinus judge` with a secret to keep, in a process that is measured."""
    return measured(command_line("judge", written(folder, url, **settings), *SELECTED), SECRETS)


def written(folder: Path, url: str, **settings: str) -> Path:
    """Write a configuration that names secrets."""
    server = {
        "url": url,
        "timeout": "1s",
        "deadline": f"{DEADLINE_S:g}s",
        "headers": {"X-Api-Key": "${API_KEY}"},
        "bearer_token_env": "TOKEN",
        **settings,
    }
    document = {
        "name": "shop",
        "source": {"prometheus": server},
        "variables": {"baseline": {"v": "old"}, "canary": {"v": "new"}},
        "metrics": [{"name": "memory", "query": 'memory{v="${v}"}'}],
    }
    config = folder / "canary.yaml"
    config.write_text(json.dumps(document))
    return config


# A child is said to have been as large as its parent was when it was born, and the process of the
# tests is large: so a small one stands between.
BETWEEN = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:], check=False).returncode
with open(sys.argv[1], "w") as told:
    told.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


def measured(command: Sequence[str], environment: Mapping[str, str]) -> Ended:
    """Run a command, and fail if it outlasts what any of these tests may take."""
    began = time.monotonic()
    with tempfile.NamedTemporaryFile("r") as told:
        ended = subprocess.run(
            [sys.executable, "-c", BETWEEN, told.name, *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=MOST_S,
        )
        peak_mb = int(told.read()) / 1024
    done = Done(code=ended.returncode, out=ended.stdout, err=ended.stderr)
    return Ended(done=done, taken_s=time.monotonic() - began, peak_mb=peak_mb)


# ---- what a server may do


def dribble(stream: socket.socket, _: bytes, __: int) -> None:
    """Send a byte every few milliseconds, for as long as anybody listens."""
    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        stream.sendall(b" ")
        time.sleep(0.02)  # it is the server that is slow, not the test


def dribble_headers(stream: socket.socket, _: bytes, __: int) -> None:
    stream.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        stream.sendall(b"X-More: 1\r\n")
        time.sleep(0.02)


def hundred_megabytes(stream: socket.socket, _: bytes, __: int) -> None:
    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
    for _part in range(100):
        stream.sendall(b" " * 1048576)


PACKED = gzip.compress(b" " * 104857600)


def bomb(stream: socket.socket, _: bytes, __: int) -> None:
    stream.sendall(response(PACKED, "200 OK", "Content-Encoding: gzip"))


def redirect_to_itself(stream: socket.socket, request: bytes, _: int) -> None:
    path = request.split(b" ")[1].decode()
    stream.sendall(response(b"", "307 Temporary Redirect", f"Location: {path}"))


def half_a_body(stream: socket.socket, _: bytes, __: int) -> None:
    stream.sendall(response(NOTHING[:20], length=len(NOTHING)))
    stream.shutdown(socket.SHUT_RDWR)


def echo(stream: socket.socket, request: bytes, _: int) -> None:
    stream.sendall(response(request, "401 Unauthorized", "Content-Type: text/plain"))


def too_many(stream: socket.socket, _: bytes, __: int) -> None:
    stream.sendall(response(b"slow down", "429 Too Many Requests", "Retry-After: 3600"))


def page_as_json(stream: socket.socket, request: bytes, _: int) -> None:
    page = b"<html><title>Sign in</title>" + request + b"</html>"
    stream.sendall(response(page, "200 OK", "Content-Type: application/json"))


def no_http(stream: socket.socket, request: bytes, _: int) -> None:
    stream.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" + request)
    stream.shutdown(socket.SHUT_RDWR)


HOSTILE: dict[str, tuple[Behavior, str]] = {
    "a slow drip of bytes": (dribble, "gave no answer within 1 s"),
    "a slow drip of headers": (dribble_headers, "did not answer all queries within 2 s"),
    "a redirect to itself": (redirect_to_itself, "redirects are not followed"),
    "half a body": (half_a_body, "broke off its answer"),
    "the request repeated": (echo, "answered 401 Unauthorized"),
    "429 for an hour": (too_many, "answered 429 Too Many Requests: slow down"),
    "a page that says it is JSON": (page_as_json, "answered with an HTML page"),
    "no HTTP at all": (no_http, "broke off its answer"),
}


@pytest.mark.parametrize(("behave", "words"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_server_is_borne(tmp_path: Path, behave: Behavior, words: str) -> None:
    with HostileServer(behave) as server:
        ended = judged(tmp_path, server.url)

    assert ended.done.code == SOURCE
    assert words in ended.done.message
    assert server.url in ended.done.message
    assert SECRET not in ended.done.out + ended.done.err
    assert ended.taken_s < START_S + DEADLINE_S
    assert ended.peak_mb < MOST_MB


TOO_LARGE: dict[str, Behavior] = {
    "a hundred megabytes": hundred_megabytes,
    "a hundred megabytes in a hundred kilobytes": bomb,
}


@pytest.mark.parametrize("behave", TOO_LARGE.values(), ids=TOO_LARGE)
def test_an_answer_that_is_too_large_is_not_kept(tmp_path: Path, behave: Behavior) -> None:
    with HostileServer(behave) as server:
        ended = judged(tmp_path, server.url, timeout="20s", deadline="25s")

    assert ended.done.code == SOURCE
    assert "is larger than 80,000,000 bytes; aggregate in the query" in ended.done.message
    assert ended.peak_mb < MOST_MB


def unwell_twice(stream: socket.socket, _: bytes, before: int) -> None:
    status = "503 Service Unavailable" if before < 2 else "200 OK"
    stream.sendall(response(NOTHING, status))


def page_type(stream: socket.socket, _: bytes, __: int) -> None:
    stream.sendall(response(NOTHING, "200 OK", "Content-Type: text/html"))


def busy_then_well(stream: socket.socket, _: bytes, before: int) -> None:
    if before < 2:
        stream.sendall(response(b"", "429 Too Many Requests", "Retry-After: 0"))
    else:
        stream.sendall(response(NOTHING))


BORNE: dict[str, Behavior] = {
    "503 twice, then an answer": unwell_twice,
    "429 twice, then an answer": busy_then_well,
    "JSON that says it is a page": page_type,
}


@pytest.mark.parametrize("behave", BORNE.values(), ids=BORNE)
def test_what_passes_is_gotten_over(tmp_path: Path, behave: Behavior) -> None:
    with HostileServer(behave) as server:
        ended = judged(tmp_path, server.url, deadline="20s")

    assert ended.done.code == INCONCLUSIVE
    assert "matched no series" in ended.done.out
    assert ended.done.err == ""


def test_a_recording_holds_no_secret(tmp_path: Path) -> None:
    def answer(stream: socket.socket, _: bytes, __: int) -> None:
        stream.sendall(response(NOTHING))

    with HostileServer(answer) as server:
        config = written(tmp_path, server.url)
        kept = tmp_path / "kept"
        done = measured(command_line("record", config, *SELECTED, "--output", kept), SECRETS).done

    assert done.code == 0, done.err
    assert any(SECRET.encode() in request for request in server.requests)
    for file in kept.iterdir():
        assert SECRET.encode() not in file.read_bytes()


# ---- certificates

# Shaking hands takes a busy machine longer than a hostile server is given.
PATIENCE = {"timeout": "20s", "deadline": "25s"}


@pytest.fixture(scope="module")
def authority(requires_openssl: Path, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(requires_openssl, tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def stranger(requires_openssl: Path, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(requires_openssl, tmp_path_factory.mktemp("theirs"), "stranger")


def answer(stream: socket.socket, _: bytes, __: int) -> None:
    stream.sendall(response(NOTHING))


def context(authority: Authority) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.certificate))
    server = authority.issue("server")
    made.load_cert_chain(server.certificate, server.key)
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def test_a_client_certificate_opens_the_door(tmp_path: Path, authority: Authority) -> None:
    client = authority.issue("client")

    with HostileServer(answer, tls=context(authority)) as server:
        ended = judged(
            tmp_path,
            server.url,
            ca_file=str(authority.certificate),
            cert_file=str(client.certificate),
            key_file=str(client.key),
            **PATIENCE,
        )

    assert ended.done.code == INCONCLUSIVE
    assert ended.done.err == ""


def test_a_server_of_another_authority_is_not_trusted(
    tmp_path: Path, authority: Authority, stranger: Authority
) -> None:
    with HostileServer(answer, tls=context(authority)) as server:
        ended = judged(tmp_path, server.url, ca_file=str(stranger.certificate), **PATIENCE)

    assert ended.done.code == SOURCE
    assert "give the CA bundle that signed the certificate" in ended.done.message
    assert server.requests == []


def test_an_expired_client_certificate_is_told(tmp_path: Path, authority: Authority) -> None:
    client = authority.issue_expired("former")

    with HostileServer(answer, tls=context(authority)) as server:
        ended = judged(
            tmp_path,
            server.url,
            ca_file=str(authority.certificate),
            cert_file=str(client.certificate),
            key_file=str(client.key),
            **PATIENCE,
        )

    assert ended.done.code == SOURCE
    # Whether the server's reason arrives before the connection ends is a matter of luck.
    assert re.search("cert_file (has expired|still valid)", ended.done.message)
    assert server.requests == []


def test_a_certificate_file_that_is_missing_is_named(tmp_path: Path, authority: Authority) -> None:
    with HostileServer(answer, tls=context(authority)) as server:
        ended = judged(
            tmp_path,
            server.url,
            ca_file=str(authority.certificate),
            cert_file="nowhere.pem",
            **PATIENCE,
        )

    assert ended.done.code == SOURCE
    assert "nowhere.pem" in ended.done.message
