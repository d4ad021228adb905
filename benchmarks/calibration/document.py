"""The document: a section a table, each of which can be written anew by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

HEADER = """# Error rates

Made by `make calibrate`; do not edit. Per cent, with 95 % Wilson intervals; constants of the judges
were tuned on other seeds. Cells that we lose are in the tables like all others.
[Measure on your own data](../how-to/calibrate.md) before you trust a figure here.
"""
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


def sections(text: str) -> dict[str, str]:
    """Split a document into its sections, by title."""
    _, *parts = SECTION.split(text)
    return {
        title: f"## {title}\n{body.rstrip()}\n"
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }


def merged(old: str, new: Mapping[str, str], order: list[str]) -> str:
    """Give the document with some of its sections written anew; unknown ones are dropped."""
    kept = {**sections(old), **new}
    return "\n".join([HEADER, *(kept[title] for title in order if title in kept)])


def write(path: Path, new: Mapping[str, str], order: list[str]) -> None:
    """Write some sections of a document, and leave the others as they are."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(merged(old, new, order), encoding="utf-8")
