"""Certificates for the tests, made by openssl: an authority, a server, clients."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

Pair = tuple[Path, Path]  # certificate, key


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """An authority and what it signed.

    Attributes:
        certificate: The bundle to trust.
        server: Certificate and key of a server on 127.0.0.1.
        client: Certificate and key of a client.
        expired_client: The same of one whose time is over.
    """

    certificate: Path
    server: Pair
    client: Pair
    expired_client: Pair


def make_authority(folder: Path, name: str) -> Authority:
    """Make keys and certificates in `folder`; without openssl the test is skipped."""
    key, certificate = folder / "authority.key", folder / "authority.pem"
    _openssl(
        *["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
        "-subj",
        f"/CN={name}",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    )
    signed_by = (certificate, key)
    return Authority(
        certificate=certificate,
        server=_signed(folder, "server", signed_by, days=2),
        client=_signed(folder, "client", signed_by, days=2),
        expired_client=_signed(folder, "expired", signed_by, days=-1),
    )


def _signed(folder: Path, name: str, by: Pair, *, days: int) -> Pair:
    key, request, certificate = (folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
    _openssl(
        *["req", "-newkey", "rsa:2048", "-nodes"],
        "-subj",
        f"/CN={name}",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(key),
        "-out",
        str(request),
    )
    _openssl(
        "x509",
        "-req",
        "-in",
        str(request),
        "-CA",
        str(by[0]),
        "-CAkey",
        str(by[1]),
        "-CAcreateserial",
        "-copy_extensions",
        "copy",
        "-days",
        str(days),
        "-out",
        str(certificate),
    )
    return certificate, key


def _openssl(*words: str) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not on the PATH")
    subprocess.run([program, *words], check=True, capture_output=True)
