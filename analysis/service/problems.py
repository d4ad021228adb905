"""What a caller can do wrong, with the status that says so."""

from __future__ import annotations

from collections.abc import Mapping


class Problem(Exception):  # noqa: N818 - the word of RFC 9457 for what an API answers with
    """A mistake of the caller, or a state that the caller has to wait out.

    Attributes:
        status: HTTP status.
        code: A stable word for programs.
        message: The value, the rule and the remedy.
        headers: What goes along, such as `Retry-After`.
    """

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        """Say what is wrong."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def not_found(what: str, remedy: str) -> Problem:
    """Say that something is not there."""
    return Problem(404, "not_found", f"there is no {what}; {remedy}")
