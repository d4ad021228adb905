"""What can go wrong, split by who can mend it.

SerinusError
├── ConfigError      the author of the configuration or of the command line mends it   exit 2
├── SourceError      the operator of the metric source mends it                        exit 4
├── DeliveryError    whoever owns the place the report was to be written to mends it   exit 5
└── TooEarlyError    time mends it: nothing is left to judge yet                       exit 3

Data that cannot decide is not an error: it is an inconclusive judgment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class SerinusError(Exception):
    """Base of every error that a person outside this code can mend."""

    exit_code: int = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a configuration.

    Attributes:
        path: Where in the document, such as `metrics[2].judge`; empty for the document itself.
        message: The value, the rule and the remedy, in one sentence.
        line: Line in the file, counted from 1; `None` where no file is involved.
    """

    path: str
    message: str
    line: int | None = None


class ConfigError(SerinusError):
    """The configuration or the command line says something that cannot be meant."""

    exit_code = 2

    def __init__(self, faults: tuple[Fault, ...] | str, *, origin: str = "") -> None:
        """Collect every fault found, so that all are mended in one go.

        Args:
            faults: The faults, or one message that stands for a fault without a path.
            origin: The file or option that holds them, for the reader.
        """
        self.faults = (Fault(path="", message=faults),) if isinstance(faults, str) else faults
        self.origin = origin
        super().__init__("\n".join(self._line(fault) for fault in self.faults))

    def _line(self, fault: Fault) -> str:
        line = str(fault.line) if fault.line is not None else ""
        place = ":".join(part for part in (self.origin, line) if part)
        return ": ".join(part for part in (place, fault.path, fault.message) if part)


class SourceError(SerinusError):
    """The metric source gave no usable answer.

    Attributes:
        code: A stable word for programs: `unreachable`, `timeout`, `unauthorized`, `refused`,
            `unavailable`, `malformed`, `not_recorded`.
        query: The query that failed, as sent; empty where none was.
    """

    exit_code = 4

    def __init__(self, message: str, *, code: str, query: str = "") -> None:
        """Keep the server's own words in `message`, with what to do about them."""
        super().__init__(message)
        self.code = code
        self.query = query

    def __reduce__(self) -> tuple[Callable[..., SourceError], tuple[str], dict[str, str]]:
        """Travel between processes, which call an exception with its message alone."""
        return _unknown, (str(self),), {"code": self.code, "query": self.query}


def _unknown(message: str) -> SourceError:
    return SourceError(message, code="")


class DeliveryError(SerinusError):
    """The report could not be written where it was asked for."""

    exit_code = 5


class TooEarlyError(SerinusError):
    """The window holds no whole step after its warm-up yet: ask again later."""

    exit_code = 3
