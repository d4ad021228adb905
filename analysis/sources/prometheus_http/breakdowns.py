"""Failures below HTTP: what requests, urllib3 and the operating system raise."""

from __future__ import annotations

import ssl
from http.client import HTTPException

import requests
from urllib3.exceptions import DecodeError, ProtocolError, ReadTimeoutError

from analysis.sources.prometheus_http.faults import ServerError, too_slow

# What OpenSSL calls a server's complaint that the client's certificate is too old.
_EXPIRED = frozenset({"SSLV3_ALERT_CERTIFICATE_EXPIRED", "TLSV1_ALERT_CERTIFICATE_EXPIRED"})


def of_exception(url: str, error: Exception, waited_s: float) -> ServerError:
    """Sort what requests, urllib3 and the operating system raise."""
    root = _root(error)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return _unreachable(url, "it accepted no connection in time", is_passing=False)
    if isinstance(error, (requests.exceptions.Timeout, ReadTimeoutError, TimeoutError)):
        return too_slow(f"{url} gave no answer within {waited_s:.3g} s")
    if isinstance(error, DecodeError):
        said = f"{url} sent an answer that cannot be decompressed; check the proxies before it"
        return ServerError(said, code="malformed")
    if isinstance(root, ssl.SSLError):
        return _unreachable(url, f"{root.reason or root}; {_tls_remedy(root)}", is_passing=False)
    if isinstance(root, (HTTPException, ConnectionResetError, BrokenPipeError, ProtocolError)):
        return _broken_off(url, root)
    is_network = isinstance(error, requests.exceptions.ConnectionError)
    return _unreachable(url, _reason(root), is_passing=is_network)


def _broken_off(url: str, root: BaseException) -> ServerError:
    return ServerError(
        f"{url} broke off its answer ({type(root).__name__}); see whether it restarts, "
        "runs out of memory, or stands behind a proxy that cuts long answers",
        code="unavailable",
        is_passing=True,
    )


def _unreachable(url: str, words: str, *, is_passing: bool) -> ServerError:
    return ServerError(
        f"{url} cannot be reached: {words}; check the address and that the server runs",
        code="unreachable",
        is_passing=is_passing,
        is_final=True,
    )


def _tls_remedy(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{error.verify_message}: give the CA bundle that signed the certificate"
    if error.reason in _EXPIRED:
        return "the client certificate in cert_file has expired: renew it"
    return (
        "does it speak https, does it want a client certificate, is that of cert_file still valid?"
    )


def _root(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__ or _wrapped(error)) is not None:
        error = cause
    return error


def _wrapped(error: BaseException) -> BaseException | None:
    """Look inside an exception that urllib3 wraps without raising it."""
    inner = error.args[0] if error.args else None
    return inner if isinstance(inner, BaseException) else None


def _reason(root: BaseException) -> str:
    if isinstance(root, requests.exceptions.RequestException):
        return type(root).__name__  # its text may quote a header
    return getattr(root, "strerror", None) or str(root) or type(root).__name__
