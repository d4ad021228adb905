"""Read a configuration and tell all its faults at once, each with path, line, rule and remedy."""

from __future__ import annotations

import hashlib
import json
import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError

from analysis.config.fields import SIDED, SINGLE, Place
from analysis.config.model import SIDES, CanaryConfig
from analysis.config.schema import json_schema
from analysis.errors import ConfigError, Fault
from analysis.nearest import remedy

if TYPE_CHECKING:
    from analysis.presets.expand import Expansion

__all__ = ["digest", "json_schema", "load_config", "parse_config"]

# A configuration of 500 metrics is about 200 kB; deeper nesting than this is no configuration but
# an attempt to exhaust the parser.
MOST_BYTES, MOST_DEPTH = 1_000_000, 40
# An alias stands for all that it names: a few lines of them can stand for more than fits in memory.
MOST_NODES = 100_000

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is no key here",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "dict_type": "must be a mapping, with a key and a colon on each line",
    "model_type": "must be a mapping, with a key and a colon on each line",
    "tuple_type": "must be a list, with a dash before each item",
}
_NUMBER = re.compile(r"[-+.0-9][^\s,}\]]*")
Model = TypeVar("Model", bound=BaseModel)


# By identity, while the configuration lives: it is frozen, and every look asks again.
_DIGESTS: dict[int, str] = {}


def load_config(path: Path | str) -> CanaryConfig:
    """Read a configuration file.

    Raises:
        ConfigError: The file cannot be read, is no YAML, or breaks a rule; with every fault found.
    """
    text = read_text(Path(path), remedy="`serinus init` writes a commented starter")
    return parse_config(text, origin=str(path))


def read_text(path: Path, *, remedy: str) -> str:
    """Read a file that a person wrote, and no more of it than can be meant.

    Raises:
        ConfigError: There is no such file, with the remedy; or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1).decode()
    except FileNotFoundError as error:
        raise ConfigError(f"there is no such file; {remedy}", origin=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", origin=str(path)) from error


def parse_config(text: str, *, origin: str = "") -> CanaryConfig:
    """Read a configuration from YAML text.

    Raises:
        ConfigError: The text is no YAML, or breaks a rule.
    """
    document = parse_mapping(
        text, origin, rule="a configuration is a mapping with name and metrics"
    )
    expansion = _expansion(_plain(document))
    found = [*_misread(document, text.splitlines()), *_of_presets(expansion, document)]
    config, faults = validate(
        document, CanaryConfig, meant=expansion.document, broken=expansion.broken
    )
    if config is None or found:
        raise ConfigError(in_order([*found, *faults]), origin=origin)
    return config


def parse_mapping(text: str, origin: str, *, rule: str) -> CommentedMap:
    """Read YAML text that has to be a mapping; its lines are kept.

    Raises:
        ConfigError: It is no YAML, or no mapping, with the rule.
    """
    document = _parse_yaml(text, origin)
    if not isinstance(document, CommentedMap):
        raise ConfigError(rule, origin=origin)
    return document


def validate(
    document: CommentedMap,
    model: type[Model],
    *,
    meant: Mapping[str, Any] | None = None,
    broken: frozenset[Place] = frozenset(),
) -> tuple[Model | None, list[Fault]]:
    """Check a document against a model: what it means, or every fault with its line.

    Args:
        document: As it is written.
        model: What it has to fit.
        meant: What the document comes to, where that is not what is written.
        broken: Places of which nothing more is to be said.
    """
    try:
        return model.model_validate(_plain(document) if meant is None else meant), []
    except ValidationError as error:
        return None, _faults(error.errors(), document, model, broken)


def digest(config: CanaryConfig) -> str:
    """Give the SHA-256 of what the configuration means, whatever its comments and order of keys."""
    known = _DIGESTS.get(id(config))
    if known is None:
        text = json.dumps(config.model_dump(mode="json", by_alias=True), sort_keys=True)
        known = _DIGESTS[id(config)] = hashlib.sha256(text.encode()).hexdigest()
        weakref.finalize(config, _DIGESTS.pop, id(config), None)
    return known


def short(digest: str) -> str:
    """Give as much of a digest as tells two apart for a person."""
    return digest[:12]


def dumped(config: CanaryConfig) -> str:
    """Write a configuration as JSON, which is YAML too; what is read back means the same."""
    return json.dumps(config.model_dump(mode="json", by_alias=True), indent=1) + "\n"


def _parse_yaml(text: str, origin: str) -> object:
    if len(text.encode()) > MOST_BYTES:
        raise ConfigError(f"is larger than {MOST_BYTES:,} bytes", origin=origin)
    try:
        document = YAML(typ="rt", pure=True).load(StringIO(text))
        _check_size(document)
    except DuplicateKeyError as error:
        raise ConfigError((_yaml_fault(error, "a key stands twice"),), origin=origin) from error
    except MarkedYAMLError as error:
        raise ConfigError((_yaml_fault(error, "is no YAML"),), origin=origin) from error
    except Exception as error:  # over odd tags ruamel trips in many ways
        raise ConfigError(f"is no YAML: {error}", origin=origin) from error
    return document


def _yaml_fault(error: MarkedYAMLError, what: str) -> Fault:
    line = error.problem_mark.line + 1 if error.problem_mark else None
    problem = str(error.problem or "").strip().splitlines()
    return Fault(path="", message=f"{what}: {problem[0] if problem else error}", line=line)


def _check_size(document: object) -> None:
    """Refuse, before anything is made of it, what is too deep, too much or no text."""
    nodes, waiting = 0, [(document, 0)]
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if depth > MOST_DEPTH:
            raise ValueError(f"nested deeper than {MOST_DEPTH} levels")
        if nodes > MOST_NODES:
            raise ValueError(f"more than {MOST_NODES:,} values, those behind aliases included")
        if isinstance(node, str):
            node.encode()  # half a surrogate pair, written as an escape, could never be printed
        elif isinstance(node, Mapping):
            waiting += [(child, depth + 1) for child in (*node.keys(), *node.values())]
        elif isinstance(node, list):
            waiting += [(child, depth + 1) for child in node]


def _misread(document: CommentedMap, lines: Sequence[str]) -> Iterator[Fault]:
    """Find variables that YAML takes for other numbers than are written: 1.10, 0123, 12e5."""
    shared = document.get("variables")
    blocks = {"variables": shared}
    if isinstance(shared, CommentedMap):
        blocks |= {f"variables.{side}": shared.get(side) for side in SIDES}
    for path, block in blocks.items():
        if isinstance(block, CommentedMap):
            yield from misread_in(block, path, lines)


def misread_in(block: CommentedMap, path: str, lines: Sequence[str]) -> Iterator[Fault]:
    """Find values of a mapping that YAML takes for other numbers than are written."""
    for name, value in block.items():
        place = _place(block, name)
        if place is None or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        written = _NUMBER.match(lines[place[2]], place[3])
        if written and written[0] != (read := str(_plain(value))):
            message = f"YAML reads {written[0]} as {read}; put it in quotes"
            yield Fault(path=f"{path}.{name}", message=message, line=place[2] + 1)


def _plain(node: object) -> Any:  # noqa: ANN401 - a YAML document can be anything
    """Give ruamel's types as Python's own, so that messages show values as they were written."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for plain in (bool, int, float, str):
        if isinstance(node, plain):
            return plain(node)
    return node


def _expansion(document: dict[str, Any]) -> Expansion:
    """Write presets out; whoever uses none does not load them."""
    from analysis.presets.expand import expand

    return expand(document)


def _of_presets(expansion: Expansion, document: CommentedMap) -> list[Fault]:
    return [fault_at(document, place, text) for place, text in expansion.problems]


def _faults(
    details: list[ErrorDetails],
    document: CommentedMap,
    model: type[BaseModel],
    known: frozenset[Place],
) -> list[Fault]:
    """Tell the faults, without those that only follow from others."""
    for detail in details:
        detail["loc"] = tuple(part for part in detail["loc"] if part not in {SINGLE, SIDED})
    broken = {detail["loc"][:1] for detail in details if len(detail["loc"]) > 1}
    told = [
        d
        for d in details
        if not (d["type"] == "too_short" and d["loc"] in broken)
        and not any(d["loc"][: len(place)] == place for place in known)
    ]
    return [fault_at(document, d["loc"], _message(d, model)) for d in told]


def in_order(faults: list[Fault]) -> tuple[Fault, ...]:
    """Put faults in the order of the file."""
    return tuple(sorted(faults, key=lambda fault: fault.line or 0))


def fault_at(document: CommentedMap, location: tuple[int | str, ...], message: str) -> Fault:
    """Tell what is wrong at a place of a document, with its path and line."""
    return Fault(path=_path(location), message=message, line=_line(document, location))


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, location = detail["type"], detail["loc"]
    if kind == "extra_forbidden":
        known = _keys_at(location[:-1], model)
        return f"{_WORDS[kind]}; {remedy(str(location[-1]), known)}"
    if kind in _WORDS:
        return _WORDS[kind]
    text = detail["msg"].removeprefix("Value error, ")
    shown = detail["input"]
    plain = isinstance(shown, str | int | float | bool) and kind not in ("value_error", "fault")
    return f"{text[:1].lower()}{text[1:]}, got {shown!r}" if plain else text


def _keys_at(location: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """List the keys that may stand at a place of the document."""
    is_name = False  # a key of a mapping that is named by its author, such as a source
    for part in location:
        if isinstance(part, int) or is_name:
            is_name = False
            continue
        names = {f.alias or name: f for name, f in model.model_fields.items()}
        inner = _model_of(names[part].annotation) if part in names else None
        if inner is None:
            return []
        is_name = get_origin(names[part].annotation) is dict
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_of(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in inner if model is not None), None)


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def _line(document: CommentedMap, location: tuple[int | str, ...]) -> int | None:
    """Find the line of the deepest part of the location that the document has."""
    node: Any = document
    line: int | None = None
    for part in location:
        try:
            child = node[part]
        except (KeyError, IndexError, TypeError):
            break
        # What came through a merge key has no place here; what it holds has one of its own.
        if place := _place(node, part):
            line = place[0] + 1
        node = child
    return line


def _place(node: CommentedMap | CommentedSeq, key: object) -> list[int] | None:
    """Give where an item is written: line and column of its key, then of its value."""
    places: dict[object, list[int]] = node.lc.data or {}
    return places.get(key)
