"""Signatures of Amazon Web Services, made by botocore with credentials from its own chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from requests import PreparedRequest

from analysis.errors import ConfigError
from analysis.sources.prometheus_http.faults import ServerError

if TYPE_CHECKING:
    from botocore.credentials import Credentials


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SigV4:
    """Signs every request.

    Attributes:
        region: The region in whose name is signed.
        service: The service.
        credentials: From botocore; refreshed by it as they expire, never shown.
    """

    region: str
    service: str
    credentials: Credentials = field(repr=False)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign `request`: its method, address, content type and body.

        Raises:
            ServerError: The credentials have expired and cannot be renewed.
        """
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        body = request.body.encode() if isinstance(request.body, str) else request.body
        kept = {k: v for k, v in request.headers.items() if k.lower() == "content-type"}
        signed = AWSRequest(method=request.method, url=request.url, data=body, headers=kept)
        SigV4Auth(self._frozen(), self.service, self.region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request

    def _frozen(self) -> object:
        from botocore.exceptions import BotoCoreError

        try:
            return self.credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise ServerError(
                f"the AWS credentials cannot be renewed ({type(error).__name__}); "
                "check the role, the profile and the network",
                code="unauthorized",
                is_final=True,
            ) from None


def signer(*, region: str, service: str, profile: str | None) -> SigV4:
    """Find credentials where botocore looks for them: variables, files, roles.

    Raises:
        ConfigError: botocore is not installed, or finds none.
    """
    try:
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session
    except ModuleNotFoundError as error:
        message = "botocore is not installed; pip install 'serinus[sigv4]'"
        raise ConfigError(message) from error
    try:
        credentials = Session(profile=profile).get_credentials()
    except BotoCoreError as error:
        raise ConfigError(f"botocore finds no credentials: {error}") from error
    if credentials is None:
        raise ConfigError(
            "botocore finds no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "name a profile, or give the pod a role"
        )
    return SigV4(region=region, service=service, credentials=credentials)
