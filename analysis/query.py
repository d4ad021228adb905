"""Put values into PromQL so that they can only ever be values.

`${name}` inside a quoted label value is escaped; behind `=~` or `!~` it is also quoted for RE2.
Outside quotes only a plain word, number or duration may stand. `${1}` stays: it is PromQL's own,
and so does whatever a comment holds.

References:
    https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals
    https://github.com/google/re2/wiki/Syntax (which characters QuoteMeta escapes)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from analysis.errors import ConfigError

_REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\}")
_OPEN_REFERENCE = re.compile(r"\$\{[A-Za-z_]")
_REGEX_OPERATOR = re.compile(r"[=!]~(?:\s|#[^\n]*\n)*$")
_PLAIN = re.compile(r"[A-Za-z_][\w:]*|\d+(\.\d+)?|(\d+(ms|[smhdwy]))+", re.ASCII)
_KEYWORDS = frozenset(
    {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right"}
    | {"offset", "bool", "atan2", "inf", "nan"}
)
COMMENT = "#"
# A label value longer than this is no name of anything.
MOST_CHARACTERS = 4096


class MissingVariableError(ConfigError):
    """A query refers to a variable that has no value.

    Attributes:
        name: The variable.
    """

    def __init__(self, name: str) -> None:
        """Name the variable."""
        super().__init__(f"the variable '{name}' has no value")
        self.name = name


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a query in one context: the quote it stands in, and whether that is a regex.

    The sign of a comment counts as a quote.
    """

    text: str
    quote: str
    is_regex: bool


def render(template: str, variables: Mapping[str, object]) -> str:
    r"""Fill a query.

    Args:
        template: PromQL with `${name}` or `${name:-default}`.
        variables: Values by name; `None` counts as missing.

    Raises:
        MissingVariableError: A variable has neither value nor default.
        ConfigError: A value cannot stand where it is used.

    Examples:
        >>> render('up{pod=~"${p}-.*"}', {"p": 'a.b"c'})
        'up{pod=~"a\\\\.b\\\\\\"c-.*"}'
    """
    values = ((name, variables.get(name)) for name in references(template))
    return _rendered(template, tuple((n, None if v is None else str(v)) for n, v in values))


@lru_cache(maxsize=4096)  # every look at a rollout asks the same, mostly
def _rendered(template: str, values: tuple[tuple[str, str | None], ...]) -> str:
    variables = dict(values)
    return "".join(_filled(piece, variables) for piece in _pieces(template))


@lru_cache(maxsize=4096)
def references(template: str) -> frozenset[str]:
    """Name the variables that a template refers to."""
    return frozenset(match["name"] for match in _REFERENCE.finditer(template))


def needed(template: str) -> frozenset[str]:
    """Name the variables without which a template cannot be filled: those without a default."""
    found = _REFERENCE.finditer(template)
    return frozenset(match["name"] for match in found if match["default"] is None)


def expand(text: str, values: Mapping[str, str]) -> str:
    """Fill a setting that is no query, such as a URL, without any escaping."""
    return _REFERENCE.sub(lambda match: _lookup(match, values), text)


@lru_cache(maxsize=4096)  # a replay fills the queries of one configuration thousands of times
def _pieces(template: str) -> tuple[_Piece, ...]:
    """Cut a query at its quotes and comments."""
    return tuple(_cut(template))


def _cut(template: str) -> Iterator[_Piece]:
    position = start = 0
    while position < len(template):
        char = template[position]
        if char == COMMENT:
            yield _Piece(template[start:position], "", is_regex=False)
            newline = template.find("\n", position)
            start, position = position, len(template) if newline < 0 else newline
            yield _Piece(template[start:position], char, is_regex=False)
            start = position
        elif char in "\"'`":
            before = template[start:position]
            yield _Piece(before + char, "", is_regex=False)
            end = _end_of_string(template, position)
            is_regex = bool(_REGEX_OPERATOR.search(template[:position]))
            yield _Piece(template[position + 1 : end], char, is_regex)
            start = position = end
            if position < len(template):
                yield _Piece(char, "", is_regex=False)
                start = position = end + 1
        else:
            position += 1
    yield _Piece(template[start:], "", is_regex=False)


def _end_of_string(template: str, opening: int) -> int:
    """Find the closing quote; the end of the text where there is none (the server will say so)."""
    quote, position = template[opening], opening + 1
    while position < len(template) and template[position] != quote:
        # A reference is filled before PromQL sees it: a quote in its default does not close.
        if reference := _REFERENCE.match(template, position):
            position = reference.end()
        else:
            position += 2 if template[position] == "\\" and quote != "`" else 1
    return min(position, len(template))


def _filled(piece: _Piece, variables: Mapping[str, object]) -> str:
    if piece.quote == COMMENT:
        return piece.text  # it means nothing, and may well hold a query that was commented out

    def value_of(match: re.Match[str]) -> str:
        value = _lookup(match, variables)
        _check(match["name"], value)
        if _is_escaped(piece, match.start()):
            raise ConfigError(
                f"a backslash stands before ${{{match['name']}}} and would change its value; "
                f"remove it, or write the character as a class such as [.]"
            )
        return _fit(match["name"], value, piece)

    if "$" not in piece.text:
        return piece.text
    filled = _REFERENCE.sub(value_of, piece.text)
    if _OPEN_REFERENCE.search(_REFERENCE.sub("", piece.text)):
        raise ConfigError(f"a reference is not closed in {piece.text!r}; write ${{name}}")
    return filled


def _is_escaped(piece: _Piece, position: int) -> bool:
    """Tell whether a backslash, of PromQL's or the regex's, would take what stands there along."""
    before = piece.text[:position]
    backslashes = len(before) - len(before.rstrip("\\"))
    if piece.quote in {'"', "'"}:
        backslashes, taken = divmod(backslashes, 2)
        if taken:
            return True
    return piece.is_regex and backslashes % 2 == 1


def _lookup(match: re.Match[str], values: Mapping[str, object]) -> str:
    name, default = match["name"], match["default"]
    value = values.get(name)
    if value is None:
        if default is None:
            raise MissingVariableError(name)
        return default
    return str(value)


def _check(name: str, value: str) -> None:
    if not value:
        raise ConfigError(
            f"the variable '{name}' is empty; an empty label value matches everything"
        )
    if len(value) > MOST_CHARACTERS:
        raise ConfigError(f"the variable '{name}' is longer than {MOST_CHARACTERS} characters")
    if any(ord(char) < 32 or ord(char) == 127 or 0xD800 <= ord(char) < 0xE000 for char in value):
        raise ConfigError(f"the variable '{name}' holds a control character: {value!r}")


def _fit(name: str, value: str, piece: _Piece) -> str:
    if not piece.quote:
        if not _PLAIN.fullmatch(value) or value.lower() in _KEYWORDS:
            raise ConfigError(
                f"the variable '{name}' stands outside quotes, where only a word, a number or a "
                f"duration may stand, got {value!r}; quote it as a label value"
            )
        return value
    quoted = (
        re.sub(r"([^A-Za-z0-9_\-\s\u0080-\U0010ffff])", r"\\\1", value) if piece.is_regex else value
    )
    if piece.quote == "`":
        if "`" in quoted:
            raise ConfigError(f"the variable '{name}' holds a backquote; use double quotes there")
        return quoted
    return quoted.replace("\\", "\\\\").replace(piece.quote, "\\" + piece.quote)
