"""What a caller can do wrong, with the status that says so."""

from __future__ import annotations


class Problem(Exception):  # noqa: N818 - the word of RFC 9457 for what an API answers with
    """A mistake of the caller, or a state that the caller has to wait out.

    Attributes:
        status: HTTP status.
        code: A stable word for programs.
        message: The value, the rule and the remedy.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        """Say what is wrong."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def not_found(what: str, remedy: str) -> Problem:
    """Say that something is not there."""
    return Problem(404, "not_found", f"there is no {what}; {remedy}")
