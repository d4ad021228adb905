"""The server that the application is served by: its address, its certificate, its log."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI

from analysis.service.tls import LOOK_EVERY_S, Certificates


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and how to listen.

    Attributes:
        host: Address to listen on.
        port: Port; 0 takes a free one.
        certificates: For TLS; `None` for plain HTTP.
        log: Configuration of the log, for `logging.config.dictConfig`.
        renew_every_s: Seconds between the looks at the files of the certificate.
    """

    host: str = "127.0.0.1"
    port: int = 0
    certificates: Certificates | None = None
    log: dict[str, Any] | None = None
    renew_every_s: int = LOOK_EVERY_S


def server(app: FastAPI, listening: Listening) -> uvicorn.Server:
    """Make the server; `run` serves until SIGTERM and lets the calls under way end.

    Raises:
        ConfigError: The certificate cannot be used.
    """
    certificates = listening.certificates
    options: dict[str, Any] = {}
    if certificates is not None:
        certificates.check()
        options = dict(certificates.options())
    config = uvicorn.Config(
        app,
        host=listening.host,
        port=listening.port,
        log_config=listening.log,
        access_log=False,
        lifespan="on",  # with auto, a service whose runner cannot begin would serve without it
        server_header=False,
        timeout_graceful_shutdown=30,
        timeout_notify=listening.renew_every_s,
        **options,
    )
    config.load()
    if certificates is not None and config.ssl is not None:
        config.callback_notify = _Renewing(certificates, config.ssl)
    return uvicorn.Server(config)


@dataclass(frozen=True, slots=True)
class _Renewing:
    """What the server calls now and then."""

    certificates: Certificates
    live: ssl.SSLContext

    async def __call__(self) -> None:
        self.certificates.renew(self.live)
