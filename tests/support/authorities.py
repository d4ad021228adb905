"""Authorities, certificates and keys, made by openssl for two days and for this machine.

ca = Authority(openssl, folder)
ca.issue("service")             # folder/service.pem and folder/service.key
ca.issue_expired("former")
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its key, in PEM form."""

    certificate: Path
    key: Path


class Authority:
    """Who signs certificates."""

    def __init__(self, openssl: Path, folder: Path, name: str = "authority") -> None:
        """Make its own certificate."""
        self._openssl, self._folder, self.name = openssl, folder, name
        self.certificate, self._key = folder / f"{name}.pem", folder / f"{name}.key"
        self._run(
            f"req -x509 {_KEY} -days 2 -subj /CN={name}",
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-keyout", self._key, "-out", self.certificate,
        )  # fmt: skip

    def issue(self, name: str, *, encrypted_with: str = "") -> Pair:
        """Sign a certificate for 127.0.0.1; issued again it has another key."""
        pair = self._pair(name)
        locks = ["-passout", f"pass:{encrypted_with}"] if encrypted_with else []
        key = _KEY.replace("-nodes", "") if encrypted_with else _KEY
        self._run(
            f"req -x509 {key} -days 2 -subj /CN={name}",
            "-CA", self.certificate, "-CAkey", self._key,
            "-addext", "subjectAltName=IP:127.0.0.1",
            "-addext", "basicConstraints=critical,CA:FALSE",
            "-keyout", pair.key, "-out", pair.certificate, *locks,
        )  # fmt: skip
        return pair

    def issue_expired(self, name: str) -> Pair:
        """Sign a certificate whose time ended yesterday; it takes openssl a request."""
        pair, request = self._pair(name), self._folder / f"{name}.csr"
        self._run(
            f"req {_KEY} -subj /CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", pair.key, "-out", request,
        )  # fmt: skip
        self._run(
            "x509 -req -days -1 -CAcreateserial -copy_extensions copy",
            "-CA", self.certificate, "-CAkey", self._key,
            "-in", request, "-out", pair.certificate,
        )  # fmt: skip
        return pair

    def _pair(self, name: str) -> Pair:
        return Pair(certificate=self._folder / f"{name}.pem", key=self._folder / f"{name}.key")

    def _run(self, words: str, *further: str | Path) -> None:
        command = [str(self._openssl), *words.split(), *map(str, further)]
        subprocess.run(command, check=True, capture_output=True)
