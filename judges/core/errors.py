"""What a caller of `judges` can get wrong."""

from __future__ import annotations


class JudgeError(ValueError):
    """Base of every error raised by this package; its message names value, rule and remedy."""


class UnknownJudgeError(JudgeError):
    """No judge has this kind."""


class InvalidParameterError(JudgeError):
    """A judge was given a parameter it does not have, or a value the parameter cannot take.

    Attributes:
        problems: Every problem found, as (parameter name, message); the name is empty where the
            problem lies between parameters.
    """

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        """Collect all problems, so that they are mended in one go."""
        self.problems = problems
        super().__init__("; ".join(message for _, message in problems))


class InvalidSampleError(JudgeError):
    """The arrays given cannot be a sample: shapes differ, times are not increasing."""
