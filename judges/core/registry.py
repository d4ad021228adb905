"""Find judges by kind: a module directly under `judges` is one judge, and its file registers it."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Protocol, cast

import judges
from judges.core.errors import InvalidParameterError, UnknownJudgeError
from judges.core.judgment import Judgment
from judges.core.sample import Sample, Side


class Judge(Protocol):
    """What every judge is: a frozen dataclass of its parameters with one method."""

    kind: ClassVar[str]
    accepts: ClassVar[tuple[type[Side], ...]]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def judge(self, sample: Sample, /) -> Judgment:
        """Compare the two sides; never raises for data that cannot decide."""


@functools.cache  # a folder is read; a look at twelve metrics would read it a hundred times
def kinds() -> tuple[str, ...]:
    """List the kinds of all judges, in alphabetical order."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(judges.__path__) if not m.ispkg))


@cache  # reading the package's folder takes longer than making a judge
def judge_class(kind: str) -> type[Judge]:
    """Give the class of the judge of this kind.

    Raises:
        UnknownJudgeError: There is none; the message lists the known kinds.
    """
    if kind not in (known := kinds()):
        near = difflib.get_close_matches(kind, known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise UnknownJudgeError(f"no judge '{kind}'{hint} (known: {', '.join(known)})")
    module = importlib.import_module(f"judges.{kind}")
    return next(
        cast(type[Judge], value)
        for value in vars(module).values()
        if isinstance(value, type) and getattr(value, "kind", None) == kind
    )


def parameters(kind: str) -> Mapping[str, dataclasses.Field[Any]]:
    """Give the parameters of a judge by name, each a field with doc, parser and schema."""
    return {field.name: field for field in dataclasses.fields(judge_class(kind))}


def create(kind: str, /, **values: object) -> Judge:
    """Make a judge.

    Args:
        kind: Its name, such as `"mann_whitney"`.
        **values: Its parameters, raw or parsed; the others take their defaults.

    Raises:
        UnknownJudgeError: There is no such judge.
        InvalidParameterError: A parameter is unknown or cannot take its value; all at once.

    Examples:
        >>> create("mann_whitney", tolerance="5%").tolerance.ratio
        1.05
    """
    cls = judge_class(kind)
    known = parameters(kind)
    problems: list[tuple[str, str]] = []
    parsed: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            problems.append((name, _unknown(kind, name, tuple(known))))
            continue
        try:
            parsed[name] = known[name].metadata["parse"](value)
        except ValueError as error:
            colon = "" if str(error).startswith("must") else ":"
            problems.append((name, f"{name}{colon} {error}"))
    if problems:
        raise InvalidParameterError(tuple(problems))
    return cls(**parsed)


def judge_many(rules: Sequence[Judge], samples: Sequence[Sample]) -> list[Judgment]:
    """Judge many metrics, each by its own judge: the same answers as one by one, much sooner.

    Args:
        rules: A judge for each sample.
        samples: What they judge, in the same order.

    Examples:
        >>> judge = create("mann_whitney")
        >>> sample = Sample.of_values([10, 11] * 15, [14, 15] * 15)
        >>> [str(judgment.verdict) for judgment in judge_many([judge] * 2, [sample] * 2)]
        ['fail', 'fail']
    """
    by_class: dict[type[Judge], list[int]] = {}
    for place, rule in enumerate(rules):
        by_class.setdefault(type(rule), []).append(place)
    found: dict[int, Judgment] = {}
    for cls, places in by_class.items():
        own, theirs = [rules[place] for place in places], [samples[place] for place in places]
        together = getattr(cls, "judge_all", None)
        judged = (
            together(own, theirs)
            if together
            else [r.judge(s) for r, s in zip(own, theirs, strict=True)]
        )
        found |= dict(zip(places, judged, strict=True))
    return [found[place] for place in range(len(rules))]


def _unknown(kind: str, name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else f" (it has {', '.join(known)})"
    return f"{kind} has no parameter '{name}'{hint}"
