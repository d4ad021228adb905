"""A configuration written for somebody who moves in: with what changed beside each thing."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import LiteralScalarString

from analysis.config.load import fault_at, parse_config
from analysis.errors import ConfigError, Fault
from analysis.lint import lint

WIDTH = 96
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that is not what it was.

    Attributes:
        text: What changed, or was left out, and why.
        source: Where in the document that came in.
        section: Beside what of the configuration it stands: a key of it, or the metric of this
            number.
    """

    text: str
    source: Place = ()
    section: str | int = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A configuration for somebody who moves in.

    Attributes:
        text: The configuration, with the notes as comments.
        notes: The same notes, each with the place and line of what they are about.
    """

    text: str
    notes: tuple[Fault, ...]


def written(
    config: Mapping[str, Any], notes: Sequence[Note], document: CommentedMap, *, title: str
) -> Imported:
    """Write a configuration, and make sure that it is one.

    Raises:
        ConfigError: What came in makes no configuration, whatever is left out of it.
    """
    text = _text(config, notes, title)
    lint(parse_config(text))
    found = [fault_at(document, note.source, note.text) for note in notes]
    return Imported(text=text, notes=tuple(sorted(found, key=lambda note: note.line or 0)))


def _text(config: Mapping[str, Any], notes: Sequence[Note], title: str) -> str:
    root = _commented(dict(config))
    for key in root:
        if told := [note.text for note in notes if note.section == key]:
            root.yaml_set_comment_before_after_key(key, before=_wrapped(told, 0))
    metrics = root["metrics"]
    for index in range(len(metrics)):
        told = [note.text for note in notes if note.section == index]
        if told:
            metrics.yaml_set_comment_before_after_key(index, before=_wrapped(told, 2), indent=2)
    root.yaml_set_start_comment(title)
    yaml = YAML()
    yaml.width = 4096  # a query is one line
    yaml.representer.add_representer(type(None), _null)
    yaml.indent(mapping=2, sequence=4, offset=2)
    buffer = io.StringIO()
    yaml.dump(root, buffer)
    return buffer.getvalue()


def _null(representer: Any, _: None) -> Any:  # noqa: ANN401 - ruamel's own types are not typed
    """Write what the caller has to give as `null`, not as nothing."""
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _wrapped(texts: Sequence[str], indent: int) -> str:
    return "\n".join(line for text in texts for line in textwrap.wrap(text, WIDTH - indent))


def _commented(node: Any) -> Any:  # noqa: ANN401 - a YAML document can be anything
    """Give plain values as nodes that comments can stand at; short inner mappings on one line."""
    if isinstance(node, list):
        return CommentedSeq([_commented(one) for one in node])
    if isinstance(node, float) and node.is_integer():
        return int(node)  # 95 as people write it, not 95.0
    if isinstance(node, str) and "\n" in node:
        return LiteralScalarString("\n".join(line.rstrip() for line in node.splitlines()))
    if not isinstance(node, dict):
        return node
    made = CommentedMap({key: _commented(value) for key, value in node.items()})
    if node and all(not isinstance(value, dict | list) for value in node.values()):
        is_short = sum(len(f"{key}: {value}, ") for key, value in node.items()) < WIDTH
        if is_short and "name" not in node:
            made.fa.set_flow_style()
    return made


def nothing_left(what: str, notes: Sequence[Note]) -> ConfigError:
    """Say that no metric could be carried over, with the reason of each."""
    reasons = (Fault(path="", message=note.text) for note in notes)
    said = f"{what} has no metric that can be carried over"
    return ConfigError((Fault(path="", message=said), *reasons))
