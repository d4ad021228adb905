"""The service's own certificate, and whose clients it lets in; read again when they are renewed."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.errors import ConfigError
from analysis.service import files

LOG = logging.getLogger("serinus.tls")
LOOK_EVERY_S = 10


@dataclass(slots=True, kw_only=True)
class Certificates:
    """Files in PEM form.

    Attributes:
        certificate: The chain, the service's own first.
        key: Its private key, unencrypted; `None` if it stands in the file of the certificate.
        client_ca: Whose clients are let in; `None` lets in those without a certificate too.
    """

    certificate: Path
    key: Path | None = None
    client_ca: Path | None = None
    _stamps: tuple[files.Stamp, ...] = field(default=(), init=False)

    def check(self) -> None:
        """Make sure that the files can be used.

        Raises:
            ConfigError: They cannot.
        """
        self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        self._stamps = self._stamped()

    def options(self) -> Mapping[str, Any]:
        """Give what uvicorn is to be told."""
        wanted = ssl.CERT_REQUIRED if self.client_ca else ssl.CERT_NONE
        return {
            "ssl_certfile": self.certificate,
            "ssl_keyfile": self.key,
            "ssl_ca_certs": self.client_ca,
            "ssl_cert_reqs": wanted,
        }

    def renew(self, live: ssl.SSLContext) -> bool:
        """Use renewed files for the connections to come; tell whether there were any.

        A pair that is half written is left for the next time: loaded into the context that
        serves, it would leave that without a key. What was trusted is trusted until a restart.
        """
        try:
            stamps = self._stamped()
            if stamps == self._stamps:
                return False
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load(live)
        except (OSError, ConfigError) as error:
            LOG.warning("the renewed certificate cannot be used yet: %s", error)
            return False
        self._stamps = stamps
        LOG.info("the renewed certificate is in use")
        return True

    def _stamped(self) -> tuple[files.Stamp, ...]:
        named = (self.certificate, self.key, self.client_ca)
        return tuple(files.stamp(path) for path in named if path is not None)

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            # With an empty password an encrypted key is refused; without one it would be asked for.
            context.load_cert_chain(self.certificate, self.key, password="")
        except (OSError, ssl.SSLError) as error:
            what = f"{self.certificate} and {self.key or 'its key'} cannot be used: {error}"
            remedy = "give the chain in PEM form and its key, unencrypted"
            raise ConfigError(f"{what}; {remedy}", origin="--tls-cert") from error
        if self.client_ca is None:
            return
        try:
            context.load_verify_locations(self.client_ca)
        except (OSError, ssl.SSLError) as error:
            message = f"{self.client_ca} holds no certificates in PEM form: {error}"
            raise ConfigError(message, origin="--client-ca") from error
