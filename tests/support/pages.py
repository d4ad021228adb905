"""The pages of the documentation, as somebody follows them: block after block, in one folder.

A page may say, where its readers do not see it, what they would have done before:

    <!-- given
    mkdir configs && serinus init --output configs/checkout.yaml
    -->

of the block that follows, that nobody can follow it here, and why:

    <!-- not run: needs a cluster -->

and of the block that follows, that its reader puts it into a file:

    <!-- file: canary.yaml -->
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
_PART = re.compile(
    r"^<!-- given\n(?P<given>.*?)^-->$"
    r"|^<!-- not run: (?P<reason>[^\n]+) -->$"
    r"|^<!-- file: (?P<file>[\w.-]+) -->$"
    r"|^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block of a page.

    Attributes:
        language: What stands behind the fence; `given` where it is not shown.
        text: What it holds.
        line: The line of the page it begins at.
        not_run: Why nobody can follow it here; empty where it can be.
        file: The file that its reader puts it into; empty for none.
    """

    language: str
    text: str
    line: int
    not_run: str = ""
    file: str = ""

    @property
    def commands(self) -> Iterator[tuple[str, str | None]]:
        """Give its commands, each with the output that the page shows, if it shows any."""
        if self.language == "console":
            yield from ((found[1], found[2]) for found in _COMMAND.finditer(self.text))
        elif self.language in {"sh", "given"}:
            joined = self.text.replace("\\\n", " ")
            yield from ((line, None) for line in _whole(joined.splitlines()) if line.strip())


def _whole(lines: list[str]) -> Iterator[str]:
    """Join lines until quotes are closed."""
    held = ""
    for line in lines:
        held = f"{held}\n{line}" if held else line
        if held.count("'") % 2 == 0:
            yield held
            held = ""


def pages() -> list[Path]:
    """List the pages people read."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def blocks(page: Path) -> Iterator[Block]:
    """Give the blocks of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    reason = file = ""
    for part in _PART.finditer(text):
        line = text.count("\n", 0, part.start()) + 1
        if part["reason"] or part["file"]:
            reason, file = part["reason"] or reason, part["file"] or file
            continue
        language = "given" if part["given"] is not None else part["language"]
        content = dedent(part["text"] or part["given"] or "")
        yield Block(language=language, text=content, line=line, not_run=reason, file=file)
        reason = file = ""
