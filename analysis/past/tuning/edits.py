"""Changes to a configuration, made in its text, so that its comments and its order stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from analysis.config import CanaryConfig
from analysis.config.load import parse_config

Path = tuple[str | int, ...]
# Longer than any line of a configuration: what was written on one line stays there.
WIDTH = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One value of a configuration, set to another.

    Attributes:
        path: Where it stands, such as `("risk", "false_fail")`.
        value: What it is set to.
    """

    path: Path
    value: object

    def __str__(self) -> str:
        """Write it as the configuration would."""
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.path)
        return f"{place.removeprefix('.')}: {_written(self.value)}"


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Give the text of a configuration with values set; what is missing on the way is added."""
    if not edits:
        return text
    yaml = _yaml(text)
    document = yaml.load(text)
    for edit in edits:
        _set(document, edit)
    written = StringIO()
    yaml.dump(document, written)
    return written.getvalue()


def edited_config(text: str, edits: Sequence[Edit], *, origin: str = "") -> CanaryConfig:
    """Read a configuration with values set.

    Raises:
        ConfigError: The values do not fit together.
    """
    return parse_config(edited(text, edits), origin=origin)


def _yaml(text: str) -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.representer.add_representer(type(None), _null)
    # Lists are dented by two below their key where the text does so.
    dented = any(line.startswith("  - ") for line in text.splitlines())
    yaml.indent(mapping=2, sequence=4 if dented else 2, offset=2 if dented else 0)
    return yaml


def _null(representer: Any, _: None) -> Any:  # noqa: ANN401 - the library has no types for it
    """Write nothing as `null`, as our configurations do."""
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _set(document: Any, edit: Edit) -> None:  # noqa: ANN401 - a YAML document can be anything
    *way, last = edit.path
    place = document
    for key in way:
        if isinstance(key, str) and key not in place:
            place[key] = {}
        place = place[key]
    place[last] = _flow(edit.value)


def _flow(value: object) -> object:
    """Write a mapping on one line, as limits usually are."""
    from ruamel.yaml.comments import CommentedMap

    if not isinstance(value, Mapping):
        return value
    written = CommentedMap(value)
    written.fa.set_flow_style()
    return written


def _written(value: object) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key}: {one}" for key, one in value.items())
        return f"{{{inner}}}"
    return str(value)
