"""Check the documentation: every relative link leads somewhere, every example runs."""

from __future__ import annotations

import doctest
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
ELSEWHERE = re.compile(r"[a-z][a-z+.-]*:|#")


def pages() -> list[Path]:
    """List the pages people read."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def broken_links(page: Path) -> Iterator[str]:
    """Name the links of a page that lead nowhere."""
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text(encoding="utf-8")))
    for target in LINK.findall(prose):
        if not ELSEWHERE.match(target) and not (page.parent / target.partition("#")[0]).exists():
            yield f"{page.relative_to(ROOT)}: nothing at {target}"


def failing_examples(page: Path) -> Iterator[str]:
    """Run the examples of a page, top to bottom, and report those that answer otherwise."""
    text = page.read_text(encoding="utf-8")
    parser, names = doctest.DocTestParser(), dict[str, object]()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for block in FENCE.finditer(text):
        if block[1] not in {"python", "pycon"} or ">>>" not in block[2]:
            continue
        line = text.count("\n", 0, block.start(2))
        report: list[str] = []
        test = parser.get_doctest(block[2], names, page.name, str(page.relative_to(ROOT)), line)
        runner.run(test, out=report.append, clear_globs=False)
        names.update(test.globs)  # a later example goes on where an earlier one ended
        yield from report


def main() -> int:
    """Check every page; 1 when something is wrong."""
    faults = [
        fault for page in pages() for check in (broken_links, failing_examples)
        for fault in check(page)
    ]  # fmt: skip
    print("\n".join(faults), end="\n" if faults else "", file=sys.stderr)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
