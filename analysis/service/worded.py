"""What pydantic finds wrong, in words: the place, the value, the rule and what would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LONGEST = 80
_IDS = "ids are made of the digits 0-9 and the letters a-f"
# Words for rules that a pattern or a type alone does not tell a person.
_RULES = {
    "missing": "is required",
    "extra_forbidden": "is no key here; GET /openapi.json lists those that are",
    "json_invalid": "is no JSON: {error}",
    "literal_error": "is one of {expected}",
    "enum": "is one of {expected}",
    "string_too_long": "has at most {max_length} characters",
    "bool_parsing": "is true or false",
    "int_parsing": "is a whole number",
    "float_parsing": "is a number",
    "datetime_from_date_parsing": "is a time such as 2026-11-22T21:00:00Z, or epoch seconds",
}
_OF_PATTERNS = {"^[0-9a-f]+$": _IDS, "^[0-9a-f]*$": _IDS, "^[0-9a-f]{64}$": "has 64 hex digits"}
# What these name is missing, or is the key itself.
_WITHOUT_VALUE = {"missing", "extra_forbidden", "json_invalid", "value_error"}


def fault(found: Mapping[str, Any]) -> str:
    """Word one of pydantic's errors.

    Args:
        found: The error, of a request whose location begins with the part it is in.

    Examples:
        >>> fault({"type": "bool_parsing", "loc": ("query", "dry"), "msg": "", "input": "maybe"})
        "dry: is true or false, got 'maybe'"
    """
    # The place of what is no JSON is a count of characters, which the rule tells better.
    within = () if found["type"] == "json_invalid" else found["loc"][1:]
    return f"{'.'.join(map(str, within)) or 'body'}: {rule(found)}"


def rule(found: Mapping[str, Any]) -> str:
    """Word the rule that one of pydantic's errors breaks, with the value that breaks it."""
    kind, context = found["type"], found.get("ctx", {})
    if kind == "string_pattern_mismatch":
        told = _OF_PATTERNS.get(context["pattern"], str(found["msg"]))
    elif kind in _RULES:
        told = _RULES[kind].format(**context).replace("'', ", "")
    else:
        told = str(found["msg"]).removeprefix("Value error, ")
    return told if kind in _WITHOUT_VALUE else f"{told}{_got(found.get('input'))}"


def _got(value: object) -> str:
    """Quote a value that is short enough to be read; a whole body or configuration is not."""
    if not isinstance(value, (str, int, float)):
        return ""
    shown = repr(value)
    return f", got {shown if len(shown) <= _LONGEST else shown[:_LONGEST] + '…'}"
